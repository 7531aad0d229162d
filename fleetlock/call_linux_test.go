package fleetlock

import (
	"sync"
)

// hook has every session that the lock opens from now on ask before each system call.
func hook(l *Lock, before func(call string) error) *Lock {
	l.options.before = before
	return l
}

func sessionOf(h *Held) *session { return sessionIn(h.store) }

func sessionIn(s store) *session {
	if v, ok := s.(view); ok {
		return v.register.(*roll).file.session
	}
	return s.(*session)
}

// A caller sees system calls and springs a trap before one of them.
type caller struct {
	mu   sync.Mutex
	seen []string
	trap trap
	deaf bool // no more is seen
}

// set sets a trap and forgets what was seen until now.
func (c *caller) set(t trap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen, c.trap, c.deaf = nil, t, false
}

// take returns what was seen, and forgets it.
func (c *caller) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = nil
	return seen
}

// count is how many calls were seen.
func (c *caller) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

func (c *caller) before(call string) error {
	c.mu.Lock()
	if c.deaf {
		c.mu.Unlock()
		return nil
	}
	c.seen = append(c.seen, call)
	t := c.trap
	hit := t.At > 0 && len(c.seen) == t.At || t.Call != "" && t.Call == call
	if hit && !t.Lasts {
		c.trap = trap{}
	}
	late := t.Lasts && t.At > 0 && len(c.seen) > t.At
	c.mu.Unlock()
	if hit && t.Signal != 0 {
		stopHere(t.Signal)
	}
	if (hit || late) && t.Errno != 0 {
		return t.Errno
	}
	return nil
}
