package fleetlocktest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

var slotLaws = []law{
	{"SlotsAreHeldAtOnceAndNoMore", slotsAtOnce},
	{"ASlotOfTheDeadIsGrantedAgain", deadSlot},
	{"WhoComesFirstIsServedFirst", firstServed},
	{"WhoLeavesTheLineIsNotWaitedFor", leavesLine},
	{"WhoDiesInTheLineIsWaitedForOneLease", diesInLine},
	{"ABrokenSlotLeavesTheOthers", brokenSlot},
	{"AllHoldersAreNamed", holdersNamed},
}

func slotsAtOnce(ctx context.Context, s *stage) error {
	const slots = 3
	name, w := newName(), new(witness)
	open := func() *fleetlock.Lock {
		return s.lock(name, fleetlock.Lease(s.long()), fleetlock.Slots(slots))
	}
	if err := fillSlots(ctx, open, slots); err != nil {
		return err
	}
	return each(6, func(int) error {
		lock := open()
		for range 3 {
			h, err := lock.Acquire(ctx)
			if err != nil {
				return err
			}
			err = w.enter(h, slots)
			time.Sleep(30 * time.Millisecond)
			err = errors.Join(err, h.Err())
			w.leave()
			if err := errors.Join(err, h.Release()); err != nil {
				return err
			}
		}
		return nil
	})
}

// fillSlots holds every slot at once, is refused one more, and releases them.
func fillSlots(ctx context.Context, open func() *fleetlock.Lock, slots int) error {
	var held []*fleetlock.Held
	for range slots {
		h, err := open().Acquire(ctx)
		if err != nil {
			return err
		}
		held = append(held, h)
	}
	var busy *fleetlock.BusyError
	if _, err := open().TryAcquire(ctx); !errors.As(err, &busy) {
		return wrong{fmt.Errorf("with every slot held one more is asked for: the error is %v, not that it is busy", err)}
	}
	var all error
	for _, h := range held {
		all = errors.Join(all, h.Err(), h.Release())
	}
	return all
}

func deadSlot(ctx context.Context, s *stage) error {
	name, way := newName(), &link{Register: s.open()}
	slots, length := fleetlock.Slots(2), 2*s.lease
	lives, err := fleetlock.On(s.open(), name, slots, fleetlock.Lease(s.long())).Acquire(ctx)
	if err != nil {
		return err
	}
	dead, err := fleetlock.On(way, name, slots, fleetlock.Lease(length)).Acquire(ctx)
	if err != nil {
		return err
	}
	granted := acquiring(ctx, fleetlock.On(s.open(), name, slots, fleetlock.Lease(s.long())))
	way.down.Store(true)
	g, err := awaitGrant(granted, length+s.slack())
	if err != nil {
		return err
	}
	if err := errors.Join(expectError("Err of the dead", dead.Err(), fleetlock.ErrLost), lives.Err(), g.held.Err()); err != nil {
		return err
	}
	return errors.Join(lives.Release(), g.held.Release())
}

// joins waits until somebody more stands in the record of a lock. That the record is
// another one does not say so: it may be the holder who has renewed its lease.
func (s *stage) joins(ctx context.Context, r fleetlock.Register, name string, do func()) error {
	before, err := r.Load(ctx, name)
	if err != nil {
		return err
	}
	do()
	return until(ctx, "somebody has joined", s.slack(), func() (bool, error) {
		now, err := r.Load(ctx, name)
		return len(now.Terms) > len(before.Terms), err
	})
}

func firstServed(ctx context.Context, s *stage) error {
	name := newName()
	r := s.open()
	h, err := fleetlock.On(r, name, fleetlock.Lease(s.long())).Acquire(ctx)
	if err != nil {
		return err
	}
	const waiters = 4
	order := make(chan int, waiters)
	errs := make(chan error, waiters)
	for i := range waiters {
		err := s.joins(ctx, r, name, func() {
			go func() {
				next, err := fleetlock.On(s.open(), name, fleetlock.Lease(s.long())).Acquire(ctx)
				if err == nil {
					order <- i
					err = next.Release()
				}
				errs <- err
			}()
		})
		if err != nil {
			return fmt.Errorf("waiter %d does not stand in line: %w", i, err)
		}
	}
	if err := h.Release(); err != nil {
		return err
	}
	for range waiters {
		if err := <-errs; err != nil {
			return err
		}
	}
	for i := range waiters {
		if served := <-order; served != i {
			return fmt.Errorf("waiter %d was served in turn %d", served, i)
		}
	}
	return nil
}

// line has a holder and behind it one in the line, whose context and link are given.
func line(ctx, first context.Context, s *stage, way *link, length time.Duration) (h *fleetlock.Held, second chan grant, err error) {
	name := newName()
	r := s.open()
	if h, err = fleetlock.On(r, name, fleetlock.Lease(length)).Acquire(ctx); err != nil {
		return nil, nil, err
	}
	err = s.joins(ctx, r, name, func() { acquiring(first, fleetlock.On(way, name, fleetlock.Lease(length))) })
	if err != nil {
		return nil, nil, err
	}
	err = s.joins(ctx, r, name, func() { second = acquiring(ctx, fleetlock.On(s.open(), name, fleetlock.Lease(length))) })
	return h, second, err
}

func leavesLine(ctx context.Context, s *stage) error {
	first, leave := context.WithCancel(ctx)
	defer leave()
	h, second, err := line(ctx, first, s, &link{Register: s.open()}, s.long())
	if err != nil {
		return err
	}
	leave()
	if err := h.Release(); err != nil {
		return err
	}
	g, err := awaitGrant(second, s.slack())
	if err != nil {
		return err
	}
	return g.held.Release()
}

func diesInLine(ctx context.Context, s *stage) error {
	way := &link{Register: s.open()}
	first, leave := context.WithCancel(ctx)
	defer leave()
	h, second, err := line(ctx, first, s, way, 2*s.lease)
	if err != nil {
		return err
	}
	way.down.Store(true)
	if err := h.Release(); err != nil {
		return err
	}
	g, err := awaitGrant(second, 2*s.lease+s.slack())
	if err != nil {
		return err
	}
	return g.held.Release()
}

func brokenSlot(ctx context.Context, s *stage) error {
	name := newName()
	lock := s.lock(name, fleetlock.Lease(s.long()), fleetlock.Slots(2))
	one, err := lock.Acquire(ctx)
	if err != nil {
		return err
	}
	two, err := lock.Acquire(ctx)
	if err != nil {
		return err
	}
	if err := lock.Break(ctx, one.Token(), "to see"); err != nil {
		return err
	}
	if err := errors.Join(expectError("Err of the broken", one.Err(), fleetlock.ErrLost), two.Err()); err != nil {
		return err
	}
	three, err := lock.TryAcquire(ctx)
	if err != nil {
		return err
	}
	return errors.Join(two.Release(), three.Err(), three.Release())
}

// holdersNamed has a free slot, none, and one that a ticket has.
func holdersNamed(ctx context.Context, s *stage) error {
	name := newName()
	open := func(label string) *fleetlock.Lock {
		return s.lock(name, fleetlock.Lease(s.long()), fleetlock.Slots(3), fleetlock.Label(label))
	}
	named := func(state fleetlock.State, want string) error {
		info, err := open("").Inspect(ctx)
		got := ""
		for _, h := range info.Holders {
			got += h.Label
			if h.Detached {
				got += "'s ticket"
			}
			got += ","
		}
		return errors.Join(err, expect("the state", info.State, state), expect("who holds it", got, want))
	}
	var held []*fleetlock.Held
	for _, label := range []string{"one", "two", "three"} {
		h, err := open(label).TryAcquire(ctx)
		if err != nil {
			return err
		}
		if held = append(held, h); len(held) == 2 {
			if err := named(fleetlock.StateFree, "one,two,"); err != nil {
				return err
			}
		}
	}
	if err := named(fleetlock.StateHeld, "one,two,three,"); err != nil {
		return err
	}
	_, detachErr := held[1].Detach(s.long())
	if err := errors.Join(detachErr, held[0].Release()); err != nil {
		return err
	}
	return errors.Join(named(fleetlock.StateFree, "two's ticket,three,"), held[2].Release())
}
