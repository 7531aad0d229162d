package fleetlocktest

import (
	"context"
	"sync"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// Memory is a [fleetlock.Register] in this process, for tests of what uses locks. The
// zero Memory is empty and ready to use.
type Memory struct {
	mu      sync.Mutex
	records map[string]*memoryRecord
}

type memoryRecord struct {
	fleetlock.Record
	ends    map[string]time.Time
	changed chan struct{} // closed by the next change that is not quiet
}

// record is called with the mutex held.
func (m *Memory) record(name string) *memoryRecord {
	if m.records == nil {
		m.records = make(map[string]*memoryRecord)
	}
	r, ok := m.records[name]
	if !ok {
		r = &memoryRecord{changed: make(chan struct{})}
		m.records[name] = r
	}
	return r
}

// Load implements [fleetlock.Register].
func (m *Memory) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	if err := ctx.Err(); err != nil {
		return fleetlock.Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.record(name)
	loaded := r.Record
	loaded.Terms = make([]fleetlock.Term, 0, len(r.Terms))
	for _, term := range r.Terms {
		left := max(time.Until(r.ends[term.ID]), 0)
		loaded.Terms = append(loaded.Terms, fleetlock.Term{ID: term.ID, Left: left})
	}
	return loaded, nil
}

// Swap implements [fleetlock.Register].
func (m *Memory) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.record(name)
	if r.Version != seen {
		return 0, fleetlock.ErrChanged
	}
	ends := make(map[string]time.Time, len(next.Terms))
	for _, term := range next.Terms {
		ends[term.ID] = r.ends[term.ID]
		if term.Length > 0 {
			ends[term.ID] = time.Now().Add(term.Length)
		}
	}
	loud := !next.Quiet
	next.Version, next.Quiet = seen+1, false
	r.Record, r.ends = next, ends
	if loud {
		close(r.changed)
		r.changed = make(chan struct{})
	}
	return next.Version, nil
}

// Watch implements [fleetlock.Register].
func (m *Memory) Watch(ctx context.Context, name string, changed func()) error {
	for {
		m.mu.Lock()
		next := m.record(name).changed
		m.mu.Unlock()
		changed()
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
