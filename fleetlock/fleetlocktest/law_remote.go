package fleetlocktest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// remoteLaws are those of locks whose register can be cut off.
var remoteLaws = []law{
	{"WhoIsCutOffKnowsBeforeAnotherIsGranted", cutOffKnows},
	{"WhoComesLaterTakesALockWhoseLeaseIsOver", laterTakes},
	{"ALostAnswerIsFoundOut", lostAnswer},
	{"ASwapThatIsMadeLateIsFoundOut", lateSwap},
	{"AWaitRidesOutAnOutage", ridesOut},
	{"AnOutageIsAnErrorAndNoGrant", outageIsError},
	{"ADamagedRecordIsRepairedAlone", damagedIsRepaired},
}

func cutOffKnows(ctx context.Context, s *stage) error {
	length := 2 * s.lease
	name, way := newName(), &link{Register: s.open()}
	h, err := fleetlock.On(way, name, fleetlock.Lease(length)).Acquire(ctx)
	if err != nil {
		return err
	}
	told := h.Context()
	granted := make(chan grant, 1)
	var knew error
	go func() {
		next, err := fleetlock.On(s.open(), name, fleetlock.Lease(s.long())).Acquire(ctx)
		knew = h.Err()
		granted <- grant{next, err, time.Now()}
	}()
	time.Sleep(length) // renewals go through
	if err := h.Err(); err != nil {
		return fmt.Errorf("before it is cut off: %w", err)
	}
	way.down.Store(true)
	g, err := awaitGrant(granted, length+s.slack())
	if err != nil {
		return err
	}
	if err := expectError("when another is granted the lock, Err of who was cut off", knew, fleetlock.ErrLost); err != nil {
		return err
	}
	select {
	case <-told.Done():
	case <-time.After(s.slack()):
		return latef("%v after another was granted the lock who was cut off has not been told", s.slack())
	}
	if g.held.Token() <= h.Token() {
		return fmt.Errorf("token %d was granted after %d", g.held.Token(), h.Token())
	}
	return errors.Join(expectError("Release of who was cut off", h.Release(), fleetlock.ErrLost), g.held.Err(), g.held.Release())
}

// laterTakes is about who has not seen the record before: how long it is silent, the
// register has to know.
func laterTakes(ctx context.Context, s *stage) error {
	name, way := newName(), &link{Register: s.open()}
	if _, err := fleetlock.On(way, name, fleetlock.Lease(s.lease)).Acquire(ctx); err != nil {
		return err
	}
	way.down.Store(true)
	var h *fleetlock.Held
	err := until(ctx, "who comes later is granted the lock", s.lease+s.slack(), func() (_ bool, err error) {
		h, err = fleetlock.On(s.open(), name, fleetlock.Lease(s.long())).TryAcquire(ctx)
		if errors.As(err, new(*fleetlock.BusyError)) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return h.Release()
}

func lostAnswer(ctx context.Context, s *stage) error {
	return doubtful(ctx, s, func(way *link) { way.mute.Store(true) })
}

func lateSwap(ctx context.Context, s *stage) error {
	return doubtful(ctx, s, func(way *link) { way.late.Store(true) })
}

// doubtful goes through the life of a holder who never gets an answer to a swap.
func doubtful(ctx context.Context, s *stage, fail func(*link)) error {
	length := 4 * s.lease // each step takes several calls
	name, way, w := newName(), &link{Register: s.open()}, new(witness)
	fail(way)
	lock, other := fleetlock.On(way, name, fleetlock.Lease(length)), fleetlock.On(s.open(), name, fleetlock.Lease(length))
	for round := range 2 {
		began := time.Now()
		h, err := lock.Acquire(ctx)
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if took := time.Since(began); took >= length*3/4 {
			return latef("round %d: after %v, as if it had to wait for the end of an earlier grant of its own", round, took)
		}
		if err := w.rise(h); err != nil {
			return err
		}
		for began := time.Now(); time.Since(began) < length; time.Sleep(s.lease / 4) {
			if err := h.Err(); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
		}
		if err := h.Release(); err != nil {
			return fmt.Errorf("round %d: Release: %w", round, err)
		}
	}
	h, err := other.TryAcquire(ctx)
	if err != nil {
		return fmt.Errorf("after a release whose answer was lost: %w", err)
	}
	return errors.Join(w.rise(h), h.Release())
}

func ridesOut(ctx context.Context, s *stage) error {
	name, way := newName(), &link{Register: s.open()}
	length := 25 * s.lease
	h, err := fleetlock.On(s.open(), name, fleetlock.Lease(length)).Acquire(ctx)
	if err != nil {
		return err
	}
	granted := acquiring(ctx, fleetlock.On(way, name, fleetlock.Lease(length)))
	time.Sleep(100 * time.Millisecond)
	way.down.Store(true)
	if err := h.Release(); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond)
	way.down.Store(false)
	g, err := awaitGrant(granted, length/4+s.slack())
	if err != nil {
		return err
	}
	return g.held.Release()
}

func outageIsError(ctx context.Context, s *stage) error {
	way := &link{Register: s.open()}
	way.down.Store(true)
	lock := fleetlock.On(way, newName(), fleetlock.Lease(s.lease))
	h, err := lock.TryAcquire(ctx)
	if h != nil {
		return errors.New("a lock was granted without a register")
	}
	_, inspectErr := lock.Inspect(ctx)
	return errors.Join(expectError("TryAcquire", err, errLost), expectError("Inspect", inspectErr, errLost))
}

func damagedIsRepaired(ctx context.Context, s *stage) error {
	r, name := s.open(), newName()
	const token uint64 = 1 << 60 // higher than the time, from which a repair counts
	if _, err := r.Swap(ctx, name, 0, fleetlock.Record{Token: token, Text: `{"some":"thing"}`}); err != nil {
		return err
	}
	lock := fleetlock.On(r, name, fleetlock.Lease(s.long()))
	_, err := lock.TryAcquire(ctx)
	if err := expectError("TryAcquire", err, fleetlock.ErrCorrupt); err != nil {
		return err
	}
	if err := lock.Repair(ctx, "to see"); err != nil {
		return err
	}
	h, err := lock.TryAcquire(ctx)
	if err != nil {
		return err
	}
	if h.Token() <= token {
		return fmt.Errorf("after a repair token %d was granted, which is not above %d", h.Token(), token)
	}
	return h.Release()
}
