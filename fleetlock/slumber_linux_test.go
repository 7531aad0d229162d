package fleetlock

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A slumber is the machine's clock, but for this: who sets it for longer than a drowse, as
// a waiter does that has looked often enough, is not woken by it. It wakes when it is told,
// or never. From the lift on the clock is the machine's for whoever sets it.
type slumber struct {
	machineClock
	drowse time.Duration
	lifted atomic.Bool
	asleep atomic.Int32 // who wake when they are told
}

// drowsy is a slumber for a lock without a lease.
func drowsy() *slumber { return &slumber{drowse: 100 * time.Millisecond} }

func (s *slumber) after(d time.Duration, f func()) (stop func() bool) {
	if d <= s.drowse || s.lifted.Load() {
		return s.machineClock.after(d, f)
	}
	s.asleep.Add(1)
	var once sync.Once
	return func() bool {
		once.Do(func() { s.asleep.Add(-1) })
		return true
	}
}

// lift lets those who have been told look as often as they have to.
func (s *slumber) lift() { s.lifted.Store(true) }

// await returns when so many sleep until they are told.
func (s *slumber) await(t *testing.T, n int32) {
	t.Helper()
	eventually(t, "as many sleep until they are told as should", func() bool { return s.asleep.Load() == n })
	s.lift()
}

// awaitUnlessPolled is await for one who may have a reason to look again and again.
func (s *slumber) awaitUnlessPolled() {
	for began := time.Now(); s.asleep.Load() == 0 && time.Since(began) < time.Second; {
		time.Sleep(time.Millisecond)
	}
	s.lift()
}
