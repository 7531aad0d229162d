package fleetlock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

func lockPath(t *testing.T) string { return filepath.Join(t.TempDir(), "lock") }

// Six processes take the lock as fast as they can, and one after another is killed
// wherever it is.
func TestProcessesThatAreKilledAtRandomNeverMakeTwoHolders(t *testing.T) {
	t.Parallel()
	c := startCrowd(t, func(i int) lockSpec { return lockSpec{Sync: i == 0} })
	for range rounds(60, 3000) {
		c.awaitMore(t)
		time.Sleep(rand.N(8 * time.Millisecond))
		c.replace(t, rand.N(len(c.members)))
	}
	c.end(t)
}

// mustFollow fails the test unless the lock can be had at once, with a token above one
// that was seen.
func mustFollow(t *testing.T, path string, token uint64) {
	t.Helper()
	h, err := File(path, NoSync()).TryAcquire(t.Context())
	if err != nil {
		t.Fatalf("the lock cannot be had after its holder %d is gone: %v", token, err)
	}
	if h.Token() <= token {
		t.Errorf("token %d follows token %d", h.Token(), token)
	}
	mustRelease(t, h)
}

func mustRelease(t *testing.T, h *Held) {
	t.Helper()
	if err := h.Release(); err != nil {
		t.Fatalf("the holder with token %d cannot release: %v", h.Token(), err)
	}
}

func mustAcquire(t *testing.T, l *Lock) *Held {
	t.Helper()
	h, err := l.Acquire(soon(t))
	if err != nil {
		t.Fatalf("the lock is not granted: %v", err)
	}
	return h
}

// mustBeBusy fails the test unless somebody else has the lock.
func mustBeBusy(t *testing.T, l *Lock) Holder {
	t.Helper()
	h, err := l.TryAcquire(context.Background())
	if err == nil {
		t.Errorf("token %d was granted while another has the lock", h.Token())
		mustRelease(t, h)
		return Holder{}
	}
	busy := new(BusyError)
	if !errors.As(err, &busy) {
		t.Errorf("a lock that another holds is refused with %v, which is no BusyError", err)
		return Holder{}
	}
	return busy.Holder
}

// A transition is something that a process does to a lock, and what it needs before.
type transition struct {
	name    string
	prepare func(t *testing.T, p *process, s lockSpec) request
	lease   time.Duration
}

// A lease that never needs a renewal during a test.
const longLease = time.Hour

var transitions = []transition{
	{"acquire", func(t *testing.T, p *process, s lockSpec) request {
		return request{Do: "try"}
	}, 0},
	{"acquire with a lease", func(t *testing.T, p *process, s lockSpec) request {
		return request{Do: "try"}
	}, longLease},
	{"acquire after a death", func(t *testing.T, p *process, s lockSpec) request {
		dead := startProcess(t, s)
		dead.must(request{Do: "try"})
		dead.kill()
		return request{Do: "try"}
	}, 0},
	{"release", func(t *testing.T, p *process, s lockSpec) request {
		p.must(request{Do: "try"})
		return request{Do: "release"}
	}, 0},
	{"renew", func(t *testing.T, p *process, s lockSpec) request {
		p.must(request{Do: "try"})
		return request{Do: "renew"}
	}, longLease},
	{"detach", func(t *testing.T, p *process, s lockSpec) request {
		p.must(request{Do: "try"})
		return request{Do: "detach", TTL: time.Hour}
	}, 0},
	{"resume", func(t *testing.T, p *process, s lockSpec) request {
		p.must(request{Do: "try"})
		return request{Do: "resume", Ticket: p.must(request{Do: "detach", TTL: time.Hour}).Ticket}
	}, 0},
	{"break", func(t *testing.T, p *process, s lockSpec) request {
		dead := startProcess(t, s)
		token := dead.must(request{Do: "try"}).Token
		dead.kill()
		return request{Do: "break", Token: token}
	}, 0},
}

// The process dies before each system call in turn. Nobody has the lock then, but for a
// ticket that was or is still good; the next one gets in at once, with a higher token.
func TestAProcessThatIsKilledBeforeAnySystemCallLeavesTheLockToTheNext(t *testing.T) {
	t.Parallel()
	for _, move := range transitions {
		t.Run(move.name, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at++ {
				if survived := killAt(t, move, at); survived {
					if at < 4 {
						t.Errorf("%s is over before call %d: the test shows nothing", move.name, at)
					}
					return
				}
				if t.Failed() {
					t.Fatalf("when killed before call %d of %s", at, move.name)
				}
			}
		})
	}
}

func killAt(t *testing.T, move transition, at int) (survived bool) {
	s := lockSpec{Path: lockPath(t), Label: move.name, Lease: move.lease, Sync: true}
	first := mustAcquire(t, s.lock())
	mustRelease(t, first)
	p := startProcess(t, s)
	asked := move.prepare(t, p, s)
	p.do(request{Do: "trap", Trap: trap{At: at, Signal: 9}})
	_, survived = p.attempt(asked)
	p.kill()
	before, err := File(s.Path).Inspect(t.Context())
	if err != nil {
		t.Fatalf("the lock cannot be inspected: %v", err)
	}
	ticket := move.name == "detach" || move.name == "resume"
	switch {
	case before.State == StateHeld:
		t.Errorf("a dead process holds the lock: %+v", before)
	case before.State == StateDetached && !ticket:
		t.Errorf("a ticket has a lock that was never detached: %+v", before)
	case before.State == StateDetached:
		holder := mustBeBusy(t, s.lock())
		if err := s.lock().Break(t.Context(), holder.Token, "nobody knows the ticket"); err != nil {
			t.Errorf("the ticket's hold cannot be broken: %v", err)
		}
	}
	if newest(before) < first.Token() {
		t.Errorf("token %d follows token %d", newest(before), first.Token())
	}
	mustFollow(t, s.Path, newest(before))
	return survived
}

// A process dies before each system call by which it makes the file. What then stands at
// the path is nothing or a whole lock.
func TestAProcessThatIsKilledWhileItMakesTheFileLeavesNoneOrAWholeOne(t *testing.T) {
	t.Parallel()
	for at := 1; ; at++ {
		s := lockSpec{Path: lockPath(t), Sync: true}
		p := startProcess(t, s)
		p.do(request{Do: "trap", Trap: trap{At: at, Signal: 9}})
		_, survived := p.attempt(request{Do: "try"})
		p.kill()
		before, err := File(s.Path).Inspect(t.Context())
		if err != nil || before.State == StateHeld {
			t.Errorf("killed before call %d, a process leaves %+v, %v", at, before, err)
		}
		mustFollow(t, s.Path, newest(before))
		if survived {
			if at < 8 {
				t.Errorf("a file is there before call %d: the test shows nothing", at)
			}
			return
		}
	}
}

// The holder dies before each system call of a release for which another waits.
func TestAWaiterGetsInWhereverTheHolderDiesWhileItReleases(t *testing.T) {
	t.Parallel()
	for at := 1; ; at++ {
		path := lockPath(t)
		p := startProcess(t, lockSpec{Path: path})
		token := p.must(request{Do: "try"}).Token
		next := waitFor(t, File(path, NoSync()))
		p.do(request{Do: "trap", Trap: trap{At: at, Signal: 9}})
		_, survived := p.attempt(request{Do: "release"})
		h := next.mustBeGranted(t, fmt.Sprintf("the holder died before call %d of its release", at))
		if h.Token() <= token {
			t.Errorf("token %d follows token %d", h.Token(), token)
		}
		if survived {
			return
		}
	}
}

// newest is the token of who has a lock, or had it last.
func newest(i Info) uint64 {
	token := i.Last.Token
	for _, h := range i.Holders {
		token = max(token, h.Token)
	}
	return token
}
