package pglock

import (
	"database/sql/driver"
	"sync"
)

// Doubts are, by name, the swaps that ended without an answer. With synchronous
// replication such a swap may be on the primary alone: a commit that waits for the standby
// and is canceled, as when its context ends, is made all the same, says nothing but a
// warning, and is there to be read. So the next load does not only read: it writes, which
// waits for the standby to have all that was written before.
type doubts struct {
	mu     sync.Mutex
	byName map[string]uint64 // the newest version that a swap in doubt was to replace
}

func (d *doubts) raise(name string, seen uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byName == nil {
		d.byName = make(map[string]uint64)
	}
	d.byName[name] = max(d.byName[name], seen)
}

func (d *doubts) about(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.byName[name]
	return ok
}

// settle is told what a load that writes has found. As long as that is the version that
// was to be replaced, it may be replaced yet, by a statement or its cancellation that are
// still on their way.
func (d *doubts) settle(name string, found uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if seen, ok := d.byName[name]; ok && found > seen {
		delete(d.byName, name)
	}
}

// A counted name is an argument that counts how often its statement was sent. When a
// connection ends without a word database/sql sends it again, by itself, although it may
// have been made.
type counted struct {
	name string
	sent int
}

func (c *counted) Value() (driver.Value, error) {
	c.sent++
	return c.name, nil
}
