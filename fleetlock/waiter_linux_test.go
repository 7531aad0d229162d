package fleetlock

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A waiter is a goroutine that waits for a lock.
type waiter struct {
	granted chan *Held
	failed  chan error
	cancel  context.CancelFunc
}

// waitFor starts a waiter and returns when it waits indeed.
func waitFor(t *testing.T, l *Lock) *waiter {
	t.Helper()
	w := startWaiter(t, l)
	eventually(t, "somebody waits", func() bool { return waits(l) })
	time.Sleep(5 * time.Millisecond) // for it to have looked, and to sleep
	return w
}

// startWaiter starts a waiter that is cancelled at the end of the test.
func startWaiter(t *testing.T, l *Lock) *waiter {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	w := &waiter{granted: make(chan *Held, 1), failed: make(chan error, 1), cancel: cancel}
	go func() {
		if h, err := l.Acquire(ctx); err != nil {
			w.failed <- err
		} else {
			w.granted <- h
		}
	}()
	return w
}

// waits reports whether a goroutine is about to wait for the lock.
func waits(l *Lock) bool { return len(l.queue) > 0 }

// mustBeGranted returns the waiter's hold, and fails the test if it does not come soon.
func (w *waiter) mustBeGranted(t *testing.T, after string) *Held {
	t.Helper()
	select {
	case h := <-w.granted:
		return h
	case err := <-w.failed:
		t.Fatalf("a waiter is not granted the lock after %s: %v", after, err)
	case <-time.After(patiently):
		t.Fatalf("a waiter is stuck after %s", after)
	}
	return nil
}

// mustStillWait fails the test if the waiter was granted the lock, or gave up.
func (w *waiter) mustStillWait(t *testing.T, while string) {
	t.Helper()
	select {
	case h := <-w.granted:
		t.Errorf("a waiter was granted token %d while %s", h.Token(), while)
	case err := <-w.failed:
		t.Errorf("a waiter gave up while %s: %v", while, err)
	default:
	}
}

// patiently is the time after which a test calls something stuck. A test that passes
// does not wait for it.
const patiently = time.Minute

// soon is a context for what should not take long.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patiently)
	t.Cleanup(cancel)
	return ctx
}

// mustReturn does what must not wait for somebody who stands still for as long as that.
func mustReturn(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(patiently):
		t.Fatalf("%s does not end", what)
	}
}

// mustGiveUp waits for a lock that is not to be had, for a moment.
func mustGiveUp(t *testing.T, l *Lock) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	h, err := l.Acquire(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a wait for a lock that is not to be had ends with %v", err)
	}
	if h != nil {
		mustRelease(t, h)
	}
}
