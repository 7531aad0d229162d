package fleetlock

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The line is longer than the front, and whoever asks does not stand in it.
func TestALineOfTheDeadIsInNobodysWay(t *testing.T) {
	t.Parallel()
	for name, acquire := range map[string]func(*Lock, context.Context) (*Held, error){
		"TryAcquire": (*Lock).TryAcquire, "Acquire": (*Lock).Acquire,
	} {
		spec := lockSpec{Path: lockPath(t), Slots: 2, Lease: longLease}
		crowd := make([]*process, 12)
		for i := range crowd {
			crowd[i] = startProcess(t, spec)
			if i < spec.Slots {
				crowd[i].must(request{Do: "acquire"})
			} else {
				waitForSlot(t, spec.Path, crowd[i], i-spec.Slots)
			}
		}
		for i := range crowd {
			crowd[len(crowd)-1-i].kill()
		}
		began := time.Now()
		for range spec.Slots {
			h, err := acquire(slotsOf(spec.Path, spec.Slots), soon(t))
			if err != nil {
				t.Fatalf("%s of a slot that is free: %v", name, err)
			}
			defer h.Release()
		}
		if took := time.Since(began); took > longLease/8 {
			t.Errorf("%s is granted after %v", name, took)
		} else {
			t.Logf("%s is granted after %v", name, took)
		}
		mustBeBusy(t, slotsOf(spec.Path, spec.Slots))
	}
}

// lineUpTheDead has some stand in the line of a file, and drops their descriptors.
func lineUpTheDead(t *testing.T, path string, slots, n int) {
	t.Helper()
	var books []*roll
	for range n {
		s, err := slotsOf(path, slots).current()
		if err != nil {
			t.Fatal(err)
		}
		v := s.(view)
		v.place = newStamp()
		if _, err := v.load(); err != nil {
			t.Fatal(err)
		}
		books = append(books, v.register.(*roll))
	}
	for _, book := range books {
		closeFile(book.file.file)
	}
}

func mustHold(t *testing.T, path string, slots int) (all []*Held) {
	t.Helper()
	for range slots {
		all = append(all, mustTry(t, slotsOf(path, slots)))
	}
	return all
}

func mustReleaseAll(t *testing.T, all []*Held) {
	t.Helper()
	for _, h := range all {
		mustRelease(t, h)
	}
}

func TestALineOfTheDeadIsPassedByOneWriteHoweverLong(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	held := mustHold(t, path, 2)
	lineUpTheDead(t, path, 2, maxLine(2))
	mustReleaseAll(t, held)
	writes := 0
	h, err := hook(slotsOf(path, 2), func(call string) error {
		if call == "pwrite" {
			writes++
		}
		return nil
	}).TryAcquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if writes > 1 {
		t.Errorf("beside a line of %d a slot is granted by %d writes", maxLine(2), writes)
	}
	mustRelease(t, h)
}

// Somebody stands still with the guard, and those who hold, or one who waits, live.
func TestARefusalBesideALineOfTheDeadNeedsNoGuard(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	held := mustHold(t, path, 2)
	s, err := slotsOf(path, 2).current()
	if err != nil {
		t.Fatal(err)
	}
	waits := s.(view)
	waits.place = newStamp()
	if _, err := waits.load(); err != nil {
		t.Fatal(err)
	}
	lineUpTheDead(t, path, 2, 3)
	for _, h := range held {
		stop := sessionOf(h)
		stop.mu.Lock()
		err := stop.takeGuard(guardAlone)
		stop.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		mustBeBusy(t, slotsOf(path, 2))
		stop.mu.Lock()
		stop.dropGuard(guardAlone)
		stop.mu.Unlock()
		mustRelease(t, h) // which leaves room
	}
	waits.leave()
	mustReleaseAll(t, mustHold(t, path, 2))
}

// awaitLine returns when somebody stands in the record of a file beside its holders.
func awaitLine(t *testing.T, path string, holders int) {
	t.Helper()
	book := &roll{path: path, options: slotsOf(path, 2).options, reads: true}
	eventually(t, "somebody stands in line", func() bool {
		got, err := book.Load(t.Context(), "")
		return err == nil && len(got.Terms) > holders
	})
}

// Who gives up lives on, and so would its place.
func TestWhoGivesUpOnABrokenDiskIsInNobodysWay(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	held := mustHold(t, path, 2)
	var broken atomic.Bool
	lock := hook(slotsOf(path, 2, Lease(time.Hour)), func(call string) error {
		if call == "pwrite" && broken.Load() {
			return unix.EIO
		}
		return nil
	})
	ctx, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() {
		_, err := lock.Acquire(ctx)
		gaveUp <- err
	}()
	awaitLine(t, path, len(held))
	broken.Store(true)
	began := time.Now()
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Hour/128 {
		t.Errorf("a wait ends %v after its context", took)
	}
	mustReleaseAll(t, held)
	mustReleaseAll(t, mustHold(t, path, 2))
	if _, err := lock.Inspect(t.Context()); err != nil { // its process lives
		t.Error(err)
	}
}

func TestAFileIsRepairedAlsoBesideWhoWaitedForIt(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	held := mustHold(t, path, 2)
	waits := slotsOf(path, 2)
	failed := make(chan error, 1)
	go func() {
		_, err := waits.Acquire(t.Context())
		failed <- err
	}()
	awaitLine(t, path, len(held))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{rollPlace(0), rollPlace(1)} {
		if _, err := f.WriteAt([]byte("no magic"), at); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range held {
		_ = h.Release() // which cannot be written down
	}
	if err := <-failed; !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	if err := slotsOf(path, 2).Repair(t.Context(), "nobody holds it"); err != nil {
		t.Errorf("nobody holds the lock or waits for it: %v", err)
	}
	mustReleaseAll(t, mustHold(t, path, 2))
	if _, err := waits.Inspect(t.Context()); err != nil { // its process lives
		t.Error(err)
	}
}
