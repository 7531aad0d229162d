//go:build unix

package contest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Contest is a number of processes that contend for one lock.
type Contest struct {
	store string
	lease time.Duration

	mu         sync.Mutex
	contenders []*contender
	events     []event
	holder     *contender // who said last that it was granted the lock
	hurt       []hurt
	grants     chan struct{} // rings at each
}

// A contender is one process.
type contender struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{}
}

type event struct {
	by    *contender
	what  string
	token uint64
	at    time.Time
}

// A hurt is what was done to a contender: it cannot say any more, or in time, what it
// knows.
type hurt struct {
	who *contender
	at  time.Time
}

// Start has n processes contend. They end with the test.
func Start(tb testing.TB, n int, store string, lease time.Duration) *Contest {
	tb.Helper()
	c := &Contest{store: store, lease: lease, grants: make(chan struct{}, 1)}
	for range n {
		c.add(tb)
	}
	tb.Cleanup(func() {
		for _, p := range c.contenders {
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	})
	return c
}

func (c *Contest) add(tb testing.TB) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	p := &contender{cmd: exec.Command(self), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), storeVariable+"="+c.store, leaseVariable+"="+c.lease.String())
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	c.mu.Lock()
	c.contenders = append(c.contenders, p)
	c.mu.Unlock()
	go c.listen(p, out)
}

// listen notes what a contender says.
func (c *Contest) listen(p *contender, out io.Reader) {
	defer close(p.ended)
	defer p.cmd.Wait()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		e := event{by: p}
		var nanos int64
		if _, err := fmt.Sscanf(lines.Text(), "%s %d %d", &e.what, &e.token, &nanos); err != nil {
			continue // the line of one who was killed while it wrote
		}
		e.at = time.Unix(0, nanos)
		c.mu.Lock()
		c.events = append(c.events, e)
		if e.what == granted {
			c.holder = p
		}
		c.mu.Unlock()
		if e.what == granted {
			select {
			case c.grants <- struct{}{}:
			default:
			}
		}
	}
}

// AwaitGrants returns after n more grants at least.
func (c *Contest) AwaitGrants(tb testing.TB, n int, limit time.Duration) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), limit)
	defer cancel()
	for range n {
		select {
		case <-c.grants:
		case <-ctx.Done():
			tb.Fatalf("the lock was not granted %d times within %v", n, limit)
		}
	}
}

// hurtHolder does something to whoever has just been granted the lock.
func (c *Contest) hurtHolder(tb testing.TB, do syscall.Signal) *contender {
	tb.Helper()
	select {
	case <-c.grants: // an old one
	default:
	}
	for {
		c.AwaitGrants(tb, 1, time.Minute)
		p, err := c.signalHolder(do)
		if err == nil {
			return p
		}
		if !errors.Is(err, os.ErrProcessDone) { // the grant of one who was killed since
			tb.Fatal(err)
		}
	}
}

func (c *Contest) signalHolder(do syscall.Signal) (*contender, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.holder.cmd.Process.Signal(do); err != nil {
		return nil, err
	}
	c.hurt = append(c.hurt, hurt{c.holder, time.Now()})
	return c.holder, nil
}

// KillHolder kills whoever was granted the lock and has another contender come.
func (c *Contest) KillHolder(tb testing.TB) {
	tb.Helper()
	c.hurtHolder(tb, syscall.SIGKILL)
	c.add(tb)
}

// PauseHolder stops whoever was granted the lock, until its lease is over for long.
func (c *Contest) PauseHolder(tb testing.TB) {
	tb.Helper()
	p := c.hurtHolder(tb, syscall.SIGSTOP)
	time.Sleep(c.lease * 3 / 2)
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		tb.Fatal(err)
	}
}

// End has all contenders stop, and returns what they saw.
func (c *Contest) End(tb testing.TB) Report {
	tb.Helper()
	c.mu.Lock()
	contenders := c.contenders
	c.mu.Unlock()
	for _, p := range contenders {
		_ = p.stdin.Close()
	}
	for _, p := range contenders {
		select {
		case <-p.ended:
		case <-time.After(4*c.lease + time.Minute):
			tb.Errorf("a contender does not end")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return judge(c.events, c.hurt)
}
