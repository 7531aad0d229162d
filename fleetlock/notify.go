package fleetlock

import "sync"

// A subject passes changes on to its listeners.
type subject struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
}

func (s *subject) listen() *listener {
	l := &listener{changed: make(chan struct{}, 1)}
	l.stop = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners == nil {
		s.listeners = make(map[*listener]struct{})
	}
	s.listeners[l] = struct{}{}
	return l
}

// notify never waits: a listener that has yet to look at an earlier change will see
// this one, too.
func (s *subject) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		select {
		case l.changed <- struct{}{}:
		default:
		}
	}
}
