package fleetlock

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const leaseTime = 10 * time.Second

func TestAHolderThatRenewsKeepsItsLease(t *testing.T) {
	t.Parallel()
	c, path := newTestClock(), lockPath(t)
	h := mustAcquire(t, File(path, NoSync(), Lease(leaseTime), by(c)))
	other := File(path, NoSync(), by(c))
	for range 40 { // ten leases
		c.awaitSleepers(t, 2)
		c.advance(leaseTime / 4)
		c.awaitSleepers(t, 2)
		if err := h.Err(); err != nil {
			t.Fatalf("a holder that renews has lost its lease: %v", err)
		}
		mustBeBusy(t, other)
	}
	mustRelease(t, h)
}

// P reads the record, which is its own, and stands still; the lease runs out; P goes on.
func TestAHolderThatStandsStillWhileItLooksIsToldThatItsLeaseRanOut(t *testing.T) {
	t.Parallel()
	c := newTestClock()
	var looking atomic.Bool
	lock := hook(File(lockPath(t), NoSync(), Lease(leaseTime), by(c)), func(call string) error {
		if call == "pread" && looking.CompareAndSwap(true, false) {
			c.jump(leaseTime * 3 / 4)
		}
		return nil
	})
	h := mustAcquire(t, lock)
	if err := h.Err(); err != nil {
		t.Fatal(err)
	}
	looking.Store(true)
	if err := h.Err(); !errors.Is(err, ErrLost) {
		t.Errorf("a holder whose lease ran out while it looked is told %v", err)
	}
	if looking.Load() {
		t.Error("the holder has not looked: this shows nothing")
	}
}

// The holder's renewals fail, so that time alone decides.
func TestALeaseEndsForItsHolderBeforeItEndsForOthers(t *testing.T) {
	t.Parallel()
	c, path := newTestClock(), lockPath(t)
	var calls caller
	silent := hook(File(path, NoSync(), Lease(leaseTime), by(c)), calls.before)
	h := mustAcquire(t, silent)
	calls.set(trap{Call: "pwrite", Errno: unix.EIO, Lasts: true}) // it cannot say that it lives
	other := File(path, NoSync(), by(c))
	ctx := h.Context()

	c.advance(leaseTime*3/4 - time.Millisecond)
	if err := h.Err(); errors.Is(err, ErrLost) {
		t.Errorf("the holder lost its lease early: %v", err)
	}
	c.advance(time.Millisecond)
	if err := h.Err(); !errors.Is(err, ErrLost) {
		t.Errorf("at three quarters of the lease the holder is told %v by Err", err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(patiently):
		t.Error("at three quarters of the lease the holder is not told by its context")
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ErrLost) {
		t.Errorf("the context of a holder whose lease ended has the cause %v", cause)
	}
	c.advance(leaseTime/4 - time.Millisecond)
	mustBeBusy(t, other)
	c.advance(time.Millisecond)
	next, err := other.TryAcquire(t.Context())
	if err != nil {
		t.Fatalf("a lease that ran out keeps the lock: %v", err)
	}
	if next.Token() <= h.Token() {
		t.Errorf("token %d follows token %d", next.Token(), h.Token())
	}
	calls.set(trap{})
	if err := h.Release(); !errors.Is(err, ErrLost) {
		t.Errorf("a holder releases what others have taken over with %v", err)
	}
	if err := next.Err(); err != nil {
		t.Errorf("the next holder lost the lock to the last one's release: %v", err)
	}
	mustRelease(t, next)
}

func TestARenewalThatFailsIsTriedAgainBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	c, path := newTestClock(), lockPath(t)
	var calls caller
	h := mustAcquire(t, hook(File(path, NoSync(), Lease(leaseTime), by(c)), calls.before))
	calls.set(trap{Call: "pwrite", Errno: unix.EIO, Lasts: true})
	for _, pause := range []time.Duration{leaseTime / 4, leaseTime / 32, leaseTime / 4, leaseTime / 4} {
		c.awaitSleepers(t, 2)
		c.advance(pause)
		c.awaitSleepers(t, 2) // the renewal is over
		calls.set(trap{})
	}
	if err := h.Err(); err != nil {
		t.Errorf("a holder whose first renewal failed and whose second did not is told %v", err)
	}
	mustRelease(t, h)
}

func TestAHoldThatHasEndedSetsNoTimer(t *testing.T) {
	t.Parallel()
	c, path := newTestClock(), lockPath(t)
	h := mustAcquire(t, File(path, NoSync(), Lease(leaseTime), by(c)))
	c.awaitSleepers(t, 2)
	mustRelease(t, h)
	c.awaitSleepers(t, 0)
	h.renew() // as by a timer that went off just before
	h.expire()
	c.awaitSleepers(t, 0)
}

func TestErrReadsTheClockItself(t *testing.T) {
	t.Parallel()
	c, path := newTestClock(), lockPath(t)
	mine := c.another()
	h := mustAcquire(t, File(path, NoSync(), Lease(leaseTime), by(mine)))
	mine.jump(leaseTime) // the process stood still: no timer has told it
	if err := h.Err(); !errors.Is(err, ErrLost) {
		t.Errorf("a holder that slept past its lease is told %v", err)
	}
	if err := h.Release(); !errors.Is(err, ErrLost) {
		t.Errorf("a holder that slept past its lease releases with %v", err)
	}
}

// The process stands still between the system calls of a grant or of a renewal: the
// lease counts from before.
func TestAProcessThatStandsStillInTheMiddleDoesNotLengthenItsLease(t *testing.T) {
	for _, call := range []string{"setlk guard", "pread", "setlk token", "pwrite", "unlock guard", "fdatasync", "lstat"} {
		t.Run("grant "+call, func(t *testing.T) {
			t.Parallel()
			c, path := newTestClock(), lockPath(t)
			mine := c.another()
			slow := hook(File(path, Lease(leaseTime), by(mine)), func(seen string) error {
				if seen == call {
					c.jump(leaseTime)
					mine.jump(leaseTime)
				}
				return nil
			})
			h, err := slow.TryAcquire(t.Context())
			if err != nil {
				return // it noticed
			}
			mustKnowFirst(t, h, File(path, NoSync(), by(c)))
			_ = h.Release() // it may be lost
		})
		t.Run("renewal "+call, func(t *testing.T) {
			t.Parallel()
			c, path := newTestClock(), lockPath(t)
			mine := c.another()
			var slow atomic.Bool
			h := mustAcquire(t, hook(File(path, NoSync(), Lease(leaseTime), by(mine)), func(seen string) error {
				if slow.Load() && seen == call {
					c.jump(leaseTime)
					mine.jump(leaseTime)
				}
				return nil
			}))
			slow.Store(true)
			_ = h.renewOnce() // it may notice
			slow.Store(false)
			mustKnowFirst(t, h, File(path, NoSync(), by(c)))
			_ = h.Release() // it may be lost
		})
	}
}

// mustKnowFirst fails the test if others may take the lock over while its holder takes
// it for its own.
func mustKnowFirst(t *testing.T, h *Held, other *Lock) {
	t.Helper()
	info, err := other.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.State == StateExpired && h.Err() == nil {
		t.Errorf("the lease of token %d is over for others and not for its holder", h.Token())
	}
	if next, err := other.TryAcquire(t.Context()); err == nil {
		if h.Err() == nil {
			t.Errorf("tokens %d and %d are both held", h.Token(), next.Token())
		}
		mustRelease(t, next)
	}
}

// Nobody's lease depends on the clock that can be set, nor does a machine's sleep end
// one.
func TestClockStepsAndSleepOfTheMachineEndNoLease(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Hour, -time.Hour, 1000 * leaseTime, 10 * 365 * 24 * time.Hour, -10 * 365 * 24 * time.Hour} {
		c, path := newTestClock(), lockPath(t)
		h := mustAcquire(t, File(path, NoSync(), Lease(leaseTime), by(c)))
		c.awaitSleepers(t, 2)
		c.step(step)
		if err := h.Err(); err != nil {
			t.Errorf("a step of the clock by %v costs the holder its lease: %v", step, err)
		}
		mustBeBusy(t, File(path, NoSync(), by(c)))
		c.advance(leaseTime / 4)
		c.awaitSleepers(t, 2)
		if err := h.Err(); err != nil {
			t.Errorf("after a step of the clock by %v the holder cannot renew: %v", step, err)
		}
		mustRelease(t, h)

		ticket, err := mustAcquire(t, File(path, NoSync(), by(c))).Detach(leaseTime)
		if err != nil {
			t.Fatal(err)
		}
		c.step(step)
		mustBeBusy(t, File(path, NoSync(), by(c)))
		resumed, err := File(path, NoSync(), by(c)).Resume(t.Context(), ticket)
		if err != nil {
			t.Errorf("after a step of the clock by %v a ticket is refused: %v", step, err)
			continue
		}
		if resumed.Token() <= h.Token() {
			t.Errorf("after a step of the clock by %v token %d follows token %d", step, resumed.Token(), h.Token())
		}
		mustRelease(t, resumed)
	}
}

// Another boot, or a time namespace: the two clocks cannot be compared.
func TestALeaseByAnotherMachinesUptimeHoldsWhileItsHolderLives(t *testing.T) {
	t.Parallel()
	c, path := newTestClock(), lockPath(t)
	h := mustAcquire(t, File(path, NoSync(), Lease(leaseTime), by(c)))
	elsewhere := c.another()
	elsewhere.boot(time.Hour)
	mustBeBusy(t, File(path, NoSync(), by(elsewhere)))
	mustRelease(t, h)
	mustRelease(t, mustAcquire(t, File(path, NoSync(), by(elsewhere))))
}

func TestATicketOutlivesTheMachine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		after time.Duration
		good  bool
	}{
		{"booted in time", time.Hour - time.Second, true},
		{"booted too late", time.Hour + time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, path := newTestClock(), lockPath(t)
			ticket, err := mustAcquire(t, File(path, by(c))).Detach(time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			c.boot(tt.after)
			if tt.good {
				mustBeBusy(t, File(path, by(c)))
			}
			h, err := File(path, by(c)).Resume(t.Context(), ticket)
			switch {
			case tt.good && err != nil:
				t.Errorf("a ticket for an hour is refused after %v: %v", tt.after, err)
			case !tt.good && !errors.Is(err, ErrLost):
				t.Errorf("a ticket for an hour is answered with %v after %v", err, tt.after)
			}
			if err == nil {
				mustRelease(t, h)
			}
			mustRelease(t, mustAcquire(t, File(path, by(c))))
		})
	}
}

func TestAWaiterGetsInWhenALeaseOrATicketRunsOut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		leave func(h *Held) error
	}{
		{"lease", func(h *Held) error { return nil }},
		{"ticket", func(h *Held) error { _, err := h.Detach(leaseTime); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, path := newTestClock(), lockPath(t)
			frozen := c.another() // nobody renews by it
			h := mustAcquire(t, File(path, NoSync(), Lease(leaseTime), by(frozen)))
			next := waitFor(t, File(path, NoSync(), by(c)))
			if err := tt.leave(h); err != nil {
				t.Fatal(err)
			}
			c.advance(leaseTime - time.Millisecond)
			time.Sleep(50 * time.Millisecond) // for a waiter that is too early
			next.mustStillWait(t, "the "+tt.name+" ran")
			eventually(t, "the waiter sleeps", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.timers) > 0 })
			c.advance(time.Millisecond)
			mustRelease(t, next.mustBeGranted(t, "the "+tt.name+" ran out"))
		})
	}
}
