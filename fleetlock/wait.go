package fleetlock

import (
	"context"
	"errors"
	"time"
)

// A pause is the time to the next look at something that another process changes. It
// grows with every look, so that a long wait costs few of them.
//
// A wait does not rely on being told alone. When a process dies, the kernel tells that its
// files are closed before it drops their locks (__fput in fs/file_table.c), and a ring
// may come from a process that then stands still.
type pause time.Duration

const (
	firstPause = pause(50 * time.Microsecond)

	longest = pause(24 * time.Hour)

	// parkPause is the pause from which on a waiter asks to be told. Before, it is
	// cheaper to look: a lock that is passed on so fast would have to wake all that
	// wait for every one who gets it.
	parkPause = firstPause * 4

	// wayTime is about how long somebody who is woken needs to be there.
	wayTime = 200 * time.Microsecond

	// parkAgain is how long a waiter at most puts off to park once more, when a process
	// that releases the lock stands still in the middle of it and keeps the bell.
	parkAgain = pause(10 * time.Millisecond)
)

func (p pause) next() pause {
	if p == 0 {
		return firstPause
	}
	return min(p*4, longest)
}

// giveWay waits while somebody who was woken by a release may still be on the way: who
// releases and acquires in a loop would be back before anyone else, every time.
func (l *Lock) giveWay(ctx context.Context) error {
	woke := l.woke.Load()
	if woke == 0 {
		return nil
	}
	left := wayTime - time.Duration(sinceStart()-woke)
	if left <= 0 {
		return nil
	}
	return nap(ctx, l.options.clock, left)
}

// A wait is what a goroutine has at hand while it waits.
type wait struct {
	lock  *Lock
	store store
	heard *listener // nil until it asks to be told
	seen  snapshot  // at the last look
	heir  *Held     // made beforehand, for the moment when it is told
}

// wait makes attempts as soon as they may succeed, until one does or the lock's name
// leads elsewhere.
func (l *Lock) wait(ctx context.Context) (*Held, error) {
	s, err := l.current()
	if err != nil {
		return nil, err
	}
	if v, ok := s.(view); ok {
		return l.waitInLine(ctx, v)
	}
	w := wait{lock: l, store: s}
	defer w.stop()
	for pause := firstPause; ; pause = pause.next() {
		h, left, err := w.attempt()
		if err == nil {
			h.heard, w.heard = w.heard, nil // to give it up takes time, too
			return h, nil
		}
		if !isBusy(err) && !errors.Is(err, errChanged) && !errors.Is(err, errContended) {
			return nil, err
		}
		if w.told() {
			// Another was faster.
			w.heard.unpark()
			pause = firstPause
		}
		if pause >= parkPause && !w.parked() {
			if err := w.park(); err != nil {
				return nil, l.failure(err)
			}
			if w.parked() {
				continue // what happened before could not be told
			}
			pause = min(pause, parkAgain)
		}
		if again := time.Duration(pause); left == 0 || again < left {
			left = again
		}
		if err := w.sleep(ctx, left); err != nil {
			return nil, l.gaveUp(ctx)
		}
	}
}

// attempt needs no look by who was told: the holder has gone.
func (w *wait) attempt() (*Held, time.Duration, error) {
	if w.told() {
		if h, err := w.inherit(); !errors.Is(err, errChanged) {
			return h, 0, err
		}
	}
	return w.lock.attempt(w.store, w.look)
}

func (w *wait) look(s store) (_ version, _ record, _ time.Duration, err error) {
	if w.seen, err = w.lock.guess(s); err != nil {
		return version{}, record{}, 0, w.lock.failure(err)
	}
	return w.lock.grantIfOpen(s, w.seen)
}

// inherit is granted a lock whose record is that of a dead holder. If the record may be
// another one, the error is errChanged.
func (w *wait) inherit() (*Held, error) {
	register, ok := w.store.(heir)
	if !ok || w.seen.state != stateHeld || w.seen.damaged() {
		return nil, errChanged
	}
	o := w.lock.options
	granted, err := register.inherit(w.seen.version, w.seen.grant(w.lock.identity(), o.lease, o.clock.now()))
	return w.lock.receive(w.heir, w.store, granted, err)
}

func (w *wait) parked() bool { return w.heard != nil && w.heard.parked }
func (w *wait) told() bool   { return w.heard != nil && w.heard.told }

// park has releases ring from now on, unless one is on its way; then it is to be tried
// again.
func (w *wait) park() (err error) {
	if w.heard == nil {
		if w.heard, err = w.store.listen(); err != nil {
			return err
		}
		w.heir = new(Held)
	}
	return w.heard.park()
}

// sleep returns after the time, or with ctx's error, or as soon as there is news for who
// is parked.
func (w *wait) sleep(ctx context.Context, d time.Duration) error {
	if w.parked() {
		return w.heard.sleep(ctx, w.lock.options.clock, d)
	}
	return nap(ctx, w.lock.options.clock, d)
}

func (w *wait) stop() {
	if w.heard != nil {
		w.heard.stop()
	}
}

// nap returns after the time, or with ctx's error.
func nap(ctx context.Context, c clock, d time.Duration) error {
	due, stop := timer(c, d)
	defer stop()
	select {
	case <-due:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// park has releases ring from now on, unless one is on its way; then it is to be tried
// again.
func (l *listener) park() (err error) {
	l.forget()
	l.parked, err = l.bell(true)
	return err
}

func (l *listener) unpark() {
	if l.parked {
		_, _ = l.bell(false)
	}
	l.parked, l.told = false, false
}
