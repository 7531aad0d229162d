package pglock

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/lib/pq"
)

// ears is a connection that listens, for all who watch.
type ears struct {
	listener *pq.Listener
	open     context.Context // until close
	hangUp   context.CancelFunc

	mu      sync.Mutex
	hearing map[chan struct{}]string
}

// listen begins to listen, and goes on by itself when the connection breaks.
func listen(dsn string, check time.Duration) (*ears, error) {
	if _, err := pq.NewConfig(dsn); err != nil {
		return nil, fmt.Errorf("pglock: Config.Listen is no data source name: %w", err)
	}
	const first, most = 20 * time.Millisecond, time.Second // between two tries to connect
	e := &ears{hearing: make(map[chan struct{}]string)}
	e.open, e.hangUp = context.WithCancel(context.Background())
	e.listener = pq.NewDialListener(e, dsn, first, most, nil)
	go func() {
		if e.listener.Listen(channel) == nil { // waits for the first connection
			e.ring("")
		}
	}()
	go e.listen(check)
	return e, nil
}

// close ends the connection first: else the listener would wait for the answer to a Ping.
func (e *ears) close() error {
	e.hangUp()
	return e.listener.Close()
}

// Dial implements [pq.Dialer].
func (e *ears) Dial(network, address string) (net.Conn, error) {
	return e.DialTimeout(network, address, 0)
}

// DialTimeout implements [pq.Dialer]: its connections end with close.
func (e *ears) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: timeout}).DialContext(e.open, network, address)
	if err != nil {
		return nil, err
	}
	return line{conn, context.AfterFunc(e.open, func() { _ = conn.Close() })}, nil
}

// A line is a connection that somebody else may close.
type line struct {
	net.Conn
	forget func() bool
}

func (l line) Close() error {
	l.forget()
	return l.Conn.Close()
}

// listen passes on what is heard. A connection that was lost and is back has everyone
// look, for what happened meanwhile; one that says nothing is asked whether it is there.
func (e *ears) listen(check time.Duration) {
	again := time.NewTicker(check)
	defer again.Stop()
	asking := make(chan struct{}, 1) // has a value while an answer is awaited
	for {
		select {
		case n, ok := <-e.listener.Notify:
			if !ok {
				return
			}
			if n == nil {
				e.ring("")
			} else {
				e.ring(n.Extra)
			}
		case <-again.C:
			select {
			case asking <- struct{}{}:
				go func() { // a server that hangs has it wait
					_ = e.listener.Ping()
					<-asking
				}()
			default:
			}
		case <-e.open.Done():
			return
		}
	}
}

// ring tells those who watch a name, or all of them.
func (e *ears) ring(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c, of := range e.hearing {
		if name == "" || name == of {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
}

func (e *ears) hear(name string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hearing[c] = name
	return c, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.hearing, c)
	}
}
