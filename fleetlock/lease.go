package fleetlock

import (
	"context"
	"errors"
	"time"
)

// ownDeadline is when a holder gives up a lease: a quarter of it before anyone may
// take over, so that who acts by its context has that long to stop.
func (r record) ownDeadline() instant { return r.until.add(-r.lease / 4) }

// renew gives sign of life every quarter of the lease, and sooner where that failed,
// until the hold ends.
func (h *Held) renew(ctx context.Context) {
	wait := h.lease / 4
	for {
		due, stop := timer(h.lock.options.clock, wait)
		select {
		case <-due:
		case <-ctx.Done():
			stop()
			return
		}
		switch err := h.renewOnce(); {
		case err == nil:
			wait = h.lease / 4
		case errors.Is(err, ErrLost):
			return
		default:
			wait = h.lease / 32 // until the deadline, see expire
		}
	}
}

func (h *Held) renewOnce() error {
	h.turn.Lock()
	defer h.turn.Unlock()
	if err := h.Err(); err != nil {
		return err
	}
	next := h.mine.renew(h.lock.options.clock.now())
	if _, err := h.swap(next); err != nil {
		var lost *LostError
		if errors.As(err, &lost) {
			return h.end(lost)
		}
		return err
	}
	h.mine = next
	h.mu.Lock()
	h.deadline = next.ownDeadline()
	h.mu.Unlock()
	return nil
}

// expire ends the hold at its own deadline, even when a renewal hangs.
func (h *Held) expire(ctx context.Context) {
	for {
		left := h.left()
		if left <= 0 {
			_ = h.lose("its lease ran out", nil)
			return
		}
		due, stop := timer(h.lock.options.clock, max(left, time.Millisecond))
		select {
		case <-due:
		case <-ctx.Done():
			stop()
			return
		}
	}
}
