package fleetlocktest

import (
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

func TestTheRegisterInMemoryPasses(t *testing.T) {
	t.Parallel()
	m := new(Memory)
	Run(t, func() fleetlock.Register { return m })
}

// runLock tries what holds of every lock. Each call of newLock returns the lock of a name as
// another process sees it; several goroutines call it.
func runLock(t *testing.T, newLock func(name string, opts ...fleetlock.Option) *fleetlock.Lock) {
	t.Helper()
	(&stage{lock: newLock, lease: shortLease}).run(t, lockLaws)
}

func TestAFilePasses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runLock(t, func(name string, opts ...fleetlock.Option) *fleetlock.Lock {
		return fleetlock.File(filepath.Join(dir, name), append(opts, fleetlock.NoSync())...)
	})
}

// The laws of slots that no cut off machine is needed for.
func TestAFileWithSlotsPasses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &stage{lease: shortLease, lock: func(name string, opts ...fleetlock.Option) *fleetlock.Lock {
		return fleetlock.File(filepath.Join(dir, name), append(opts, fleetlock.NoSync())...)
	}}
	s.run(t, []law{{"SlotsAreHeldAtOnceAndNoMore", slotsAtOnce}, {"ABrokenSlotLeavesTheOthers", brokenSlot}, {"AllHoldersAreNamed", holdersNamed}})
}

// Of two slots one is taken: the other is a lock like any.
func TestTheLastSlotOfAFilePasses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mu sync.Mutex
	taken := make(map[string]*fleetlock.Held)
	runLock(t, func(name string, opts ...fleetlock.Option) *fleetlock.Lock {
		path := filepath.Join(dir, name)
		opts = append(opts, fleetlock.NoSync(), fleetlock.Slots(2))
		mu.Lock()
		defer mu.Unlock()
		if taken[name] == nil {
			first := fleetlock.File(path, fleetlock.NoSync(), fleetlock.Slots(2), fleetlock.Lease(time.Hour))
			h, err := first.TryAcquire(t.Context())
			if err != nil {
				t.Errorf("the first slot is not granted: %v", err)
			}
			taken[name] = h
		}
		return fleetlock.File(path, opts...)
	})
	for _, h := range taken {
		if err := h.Release(); err != nil {
			t.Error(err)
		}
	}
}

// As openMyRegister does in the package's example, if it calls t.Fatal.
func TestARegisterThatCannotBeOpenedFailsEveryLaw(t *testing.T) {
	t.Parallel()
	s := newStage(func() fleetlock.Register {
		runtime.Goexit()
		return nil
	})
	turn := make(chan struct{}, 1)
	for _, l := range allLaws() {
		verdict := s.begin(l, turn)
		if err := <-verdict; !errors.Is(err, errEnded) {
			t.Errorf("the law %s without a register: %v", l.name, err)
		}
		if _, open := <-verdict; open {
			t.Errorf("the law %s has two verdicts", l.name)
		}
	}
}
