package fleetlock

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The errors that the kernel may give at any time.
var faults = []unix.Errno{unix.ENOSPC, unix.EIO, unix.EMFILE, unix.ENOLCK, unix.EACCES}

// A faulty is a lock whose system calls fail in turn, and what others see of it.
type faulty struct {
	*testing.T
	path  string
	lock  *Lock
	other *Lock
	calls *caller
	last  uint64 // the highest token that was granted
}

func newFaulty(t *testing.T, opts ...Option) *faulty {
	f := &faulty{T: t, path: lockPath(t), calls: new(caller)}
	f.lock = hook(File(f.path, opts...), f.calls.before)
	f.other = File(f.path, NoSync())
	mustRelease(t, mustAcquire(t, f.lock))
	return f
}

// grant is a hold that must be above all others.
func (f *faulty) grant(h *Held, err error) *Held {
	f.Helper()
	if err != nil {
		f.Fatalf("the lock is not granted: %v", err)
	}
	if h.Token() <= f.last {
		f.Errorf("token %d follows token %d", h.Token(), f.last)
	}
	f.last = h.Token()
	return h
}

// everyCall runs a scenario with each call failing in turn, once or from then on, until
// the scenario makes fewer calls than that.
func everyCall(t *testing.T, scenario func(f *faulty, fail func()), opts ...Option) {
	for _, errno := range faults {
		for _, lasts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s lasts %t", unix.ErrnoName(errno), lasts), func(t *testing.T) {
				t.Parallel()
				for at := 1; ; at++ {
					f := newFaulty(t, opts...)
					scenario(f, func() { f.calls.set(trap{At: at, Errno: errno, Lasts: lasts}) })
					if f.calls.count() < at {
						if at < 4 {
							t.Errorf("no more than %d calls failed: the test shows nothing", at-1)
						}
						return
					}
					if t.Failed() {
						t.Fatalf("when call %d failed", at)
					}
				}
			})
		}
	}
}

// mend ends the failing, keeping the count of the calls.
func (f *faulty) mend() {
	f.calls.mu.Lock()
	defer f.calls.mu.Unlock()
	f.calls.trap = trap{}
	f.calls.deaf = true
}

func TestAnErrorAtAnyCallOfAnAcquisitionGrantsNothingAndBlocksNobody(t *testing.T) {
	t.Parallel()
	everyCall(t, func(f *faulty, fail func()) {
		fail()
		h, err := f.lock.TryAcquire(f.Context())
		f.mend()
		if err == nil {
			f.grant(h, nil)
			mustBeBusy(f.T, f.other)
			if err := h.Err(); err != nil {
				f.Errorf("a granted lock is not held: %v", err)
			}
			mustRelease(f.T, h)
		} else if !strings.Contains(err.Error(), f.path) {
			f.Errorf("an error does not say of which lock it is: %v", err)
		}
		mustRelease(f.T, f.grant(f.other.TryAcquire(f.Context())))
		mustRelease(f.T, f.grant(f.lock.TryAcquire(f.Context())))
	})
}

func TestAnErrorAtAnyCallNeverGrantsWhatAnotherHolds(t *testing.T) {
	t.Parallel()
	everyCall(t, func(f *faulty, fail func()) {
		h := f.grant(f.other.TryAcquire(f.Context()))
		fail()
		for range 2 {
			if mine, err := f.lock.TryAcquire(f.Context()); err == nil {
				f.Errorf("an error granted token %d while %d was held", mine.Token(), h.Token())
				mustRelease(f.T, mine)
			}
		}
		f.mend()
		if err := h.Err(); err != nil {
			f.Errorf("an error of another cost the holder its lock: %v", err)
		}
		mustRelease(f.T, h)
	})
}

func TestAnErrorAtAnyCallOfAReleaseFreesTheLockAllTheSame(t *testing.T) {
	t.Parallel()
	everyCall(t, func(f *faulty, fail func()) {
		h := f.grant(f.lock.TryAcquire(f.Context()))
		next := waitFor(f.T, f.other)
		fail()
		err := h.Release()
		f.mend()
		if errors.Is(err, ErrLost) {
			f.Errorf("the holder is told that it lost what it released: %v", err)
		}
		granted := f.grant(next.mustBeGranted(f.T, "a release that met an error"), nil)
		if err := h.Err(); !errors.Is(err, ErrReleased) {
			f.Errorf("after its release a holder has the error %v", err)
		}
		if err := h.Release(); err != nil {
			f.Errorf("a second release ends with %v", err)
		}
		if err := granted.Err(); err != nil {
			f.Errorf("the next holder lost its lock: %v", err)
		}
		mustRelease(f.T, granted)
		mustRelease(f.T, f.grant(f.lock.TryAcquire(f.Context())))
	})
}

func TestAnErrorAtAnyCallOfARenewalCostsNoLease(t *testing.T) {
	t.Parallel()
	everyCall(t, func(f *faulty, fail func()) {
		h := f.grant(f.lock.TryAcquire(f.Context()))
		fail()
		err := h.renewOnce()
		f.mend()
		if errors.Is(err, ErrLost) {
			f.Errorf("a renewal that failed cost the lock: %v", err)
		}
		mustBeBusy(f.T, f.other)
		if err := h.renewOnce(); err != nil {
			f.Errorf("after a renewal that failed the next one fails with %v", err)
		}
		mustRelease(f.T, h)
		mustRelease(f.T, f.grant(f.other.TryAcquire(f.Context())))
	}, Lease(longLease))
}

func TestAnErrorAtAnyCallOfADetachLeavesTheLockWithHolderOrTicket(t *testing.T) {
	t.Parallel()
	everyCall(t, func(f *faulty, fail func()) {
		h := f.grant(f.lock.TryAcquire(f.Context()))
		fail()
		ticket, err := h.Detach(time.Hour)
		f.mend()
		switch {
		case errors.Is(err, ErrLost):
			// Written and not to be undone: nobody knows the ticket.
			if h.Err() == nil {
				f.Errorf("a holder that is told %v by Detach still has the lock", err)
			}
			mustBeBusy(f.T, f.other)
			if err := f.other.Break(f.Context(), h.Token(), "nobody knows the ticket"); err != nil {
				f.Error(err)
			}
			if err := h.Release(); !errors.Is(err, ErrLost) {
				f.Errorf("what was lost is released with %v", err)
			}
		case err != nil:
			mustBeBusy(f.T, f.other)
			if err := h.Err(); err != nil {
				f.Errorf("a holder that could not detach has the error %v", err)
			}
			mustRelease(f.T, h)
		default:
			mustBeBusy(f.T, f.other)
			if err := h.Err(); !errors.Is(err, ErrReleased) {
				f.Errorf("after a detach the holder has the error %v", err)
			}
			mustRelease(f.T, f.grant(f.other.Resume(f.Context(), ticket)))
		}
		mustRelease(f.T, f.grant(f.other.TryAcquire(f.Context())))
	})
}

func TestAnErrorAtAnyCallOfAResumeLeavesTheLockWithHolderOrTicket(t *testing.T) {
	t.Parallel()
	everyCall(t, func(f *faulty, fail func()) {
		ticket, err := f.grant(f.other.TryAcquire(f.Context())).Detach(time.Hour)
		if err != nil {
			f.Fatal(err)
		}
		fail()
		h, err := f.lock.Resume(f.Context(), ticket)
		f.mend()
		if err == nil {
			f.grant(h, nil)
			mustBeBusy(f.T, f.other)
			mustRelease(f.T, h)
		} else if errors.Is(err, ErrLost) {
			f.Errorf("an error is taken for the loss of a ticket: %v", err)
		}
	})
}

func TestAnErrorAtAnyCallOfABreakLeavesTheLockWithNobodyOrItsHolder(t *testing.T) {
	t.Parallel()
	everyCall(t, func(f *faulty, fail func()) {
		h := f.grant(f.other.TryAcquire(f.Context()))
		fail()
		err := f.lock.Break(f.Context(), h.Token(), "the test says so")
		f.mend()
		third := File(f.path, NoSync())
		if err != nil && h.Err() == nil {
			mustBeBusy(f.T, third)
			mustRelease(f.T, h)
		}
		mustRelease(f.T, f.grant(third.TryAcquire(f.Context())))
		if err == nil && !errors.Is(h.Err(), ErrLost) {
			f.Errorf("a holder that was passed over has the error %v", h.Err())
		}
	})
}

// A holder that cannot find out whether it holds the lock still holds it.
func TestAnErrorOfErrIsNoLoss(t *testing.T) {
	t.Parallel()
	everyCall(t, func(f *faulty, fail func()) {
		h := f.grant(f.lock.TryAcquire(f.Context()))
		ctx := h.Context()
		fail()
		for range 4 {
			if err := h.Err(); errors.Is(err, ErrLost) {
				f.Errorf("an error is taken for a loss: %v", err)
			}
		}
		f.mend()
		if err := h.Err(); err != nil {
			f.Errorf("the holder lost its lock to an error: %v", err)
		}
		if ctx.Err() != nil {
			f.Errorf("the holder's context ended by an error")
		}
		mustBeBusy(f.T, f.other)
		mustRelease(f.T, h)
	})
}
