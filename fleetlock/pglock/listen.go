package pglock

import (
	"fmt"
	"sync"
	"time"

	"github.com/lib/pq"
)

// ears is a connection that listens, for all who watch.
type ears struct {
	listener *pq.Listener
	done     chan struct{}

	mu      sync.Mutex
	hearing map[chan struct{}]string
}

// listen begins to listen, and goes on by itself when the connection breaks.
func listen(dsn string, check time.Duration) (*ears, error) {
	if _, err := pq.NewConfig(dsn); err != nil {
		return nil, fmt.Errorf("pglock: Config.Listen is no data source name: %w", err)
	}
	const first, most = 20 * time.Millisecond, time.Second // between two tries to connect
	e := &ears{listener: pq.NewListener(dsn, first, most, nil), done: make(chan struct{}), hearing: make(map[chan struct{}]string)}
	go func() {
		if e.listener.Listen(channel) == nil { // waits for the first connection
			e.ring("")
		}
	}()
	go e.listen(check)
	return e, nil
}

func (e *ears) close() error {
	close(e.done)
	return e.listener.Close()
}

// listen passes on what is heard. A connection that was lost and is back has everyone
// look, for what happened meanwhile; one that says nothing is asked whether it is there.
func (e *ears) listen(check time.Duration) {
	again := time.NewTicker(check)
	defer again.Stop()
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
			go func() { _ = e.listener.Ping() }() // which may wait for a server that hangs
		case <-e.done:
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
