package fleetlock

import (
	"errors"
	"time"
)

// ownDeadline is when a holder gives up a lease: a quarter of it before anyone may
// take over, so that who acts by its context has that long to stop.
func (r record) ownDeadline() instant { return r.until.add(-r.lease / 4) }

// renew gives sign of life every quarter of the lease, and sooner where that failed,
// until the hold ends.
func (h *Held) renew() {
	switch err := h.renewOnce(); {
	case err == nil:
		h.schedule(&h.renewal, h.lease/4, h.renew)
	case !errors.Is(err, ErrLost):
		h.schedule(&h.renewal, h.lease/32, h.renew) // until the deadline, see expire
	}
}

func (h *Held) renewOnce() error {
	h.turn.Lock()
	defer h.turn.Unlock()
	if err := h.Err(); err != nil {
		return err
	}
	next := h.mine.renew(h.lock.options.clock.now())
	// One that is tried beyond the end would keep the lock from others for another lease.
	if _, err := h.swap(in(h.endContext(), h.store), next); err != nil {
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
func (h *Held) expire() {
	if left := h.left(); left > 0 {
		h.schedule(&h.expiry, max(left, time.Millisecond), h.expire)
	} else {
		_ = h.lose("its lease ran out", nil)
	}
}

// schedule has something done after a time, by a goroutine of its own, unless the hold ends
// before. Most holds do, and cost no goroutine.
func (h *Held) schedule(stop *func() bool, d time.Duration, do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended == nil {
		*stop = h.lock.options.clock.after(d, func() { go do() })
	}
}
