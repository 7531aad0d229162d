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
	return min(p*4, pause(24*time.Hour))
}

// giveWay waits while somebody who was woken by a release may still be on the way: who
// releases and acquires in a loop would be back before anyone else, every time.
func (l *Lock) giveWay(ctx context.Context) error {
	l.mu.Lock()
	woke := l.woke
	l.mu.Unlock()
	if woke.IsZero() {
		return nil
	}
	left := wayTime - time.Since(woke)
	if left <= 0 {
		return nil
	}
	return (&listener{}).sleep(ctx, l.options.clock, left)
}

// wait makes attempts as soon as they may succeed, until one does or the lock's name
// leads elsewhere.
func (l *Lock) wait(ctx context.Context) (*Held, error) {
	s, err := l.current()
	if err != nil {
		return nil, err
	}
	heard, err := s.listen()
	if err != nil {
		return nil, l.failure(err)
	}
	defer func() { go heard.stop() }() // who was granted the lock need not wait for it
	for pause := firstPause; ; pause = pause.next() {
		h, left, err := l.attempt(s, l.grantOpen)
		if busy := new(BusyError); !errors.As(err, &busy) && !errors.Is(err, errChanged) && !errors.Is(err, errContended) {
			return h, err
		}
		if heard.told {
			// Another was faster.
			heard.unpark()
			pause = firstPause
		}
		if pause >= parkPause && !heard.parked {
			if err := heard.park(); err != nil {
				return nil, l.failure(err)
			}
			if heard.parked {
				continue // what happened before could not be told
			}
			pause = min(pause, parkAgain)
		}
		if again := time.Duration(pause); left == 0 || again < left {
			left = again
		}
		if err := heard.sleep(ctx, l.options.clock, left); err != nil {
			return nil, l.gaveUp(ctx)
		}
	}
}

// sleep returns after the time, or as soon as there is news for who is parked, or with
// ctx's error.
func (l *listener) sleep(ctx context.Context, c clock, d time.Duration) error {
	timer, stop := c.after(d)
	defer stop()
	news := l.changed
	if !l.parked {
		news = nil
	}
	select {
	case <-news:
		l.told = true
	case <-timer:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// park has releases ring from now on, unless one is on its way; then it is to be tried
// again.
func (l *listener) park() (err error) {
	select {
	case <-l.changed: // old news
	default:
	}
	l.parked, err = l.bell(true)
	return err
}

func (l *listener) unpark() {
	if l.parked {
		_, _ = l.bell(false)
	}
	l.parked, l.told = false, false
}
