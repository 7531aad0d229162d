package pglock

import "sync"

// Doubts count, by name, the swaps that ended without an answer. With synchronous
// replication such a swap may be on the primary alone: a commit that waits for the standby
// and is canceled, as when its context ends, is made all the same, says nothing but a
// warning, and is there to be read. So the next load does not only read: it writes, which
// waits for the standby to have all that was written before.
type doubts struct {
	mu     sync.Mutex
	byName map[string]int
}

func (d *doubts) raise(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byName == nil {
		d.byName = make(map[string]int)
	}
	d.byName[name]++
}

func (d *doubts) of(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byName[name]
}

// settle ends so many doubts, unless there are more by now.
func (d *doubts) settle(name string, doubts int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byName[name] == doubts {
		delete(d.byName, name)
	}
}
