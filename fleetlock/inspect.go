package fleetlock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Info is what a lock was when it was looked at.
type Info struct {
	// State is what one who comes now meets: of a lock with [Slots] StateHeld or
	// StateDetached only if there is none left.
	State State
	// Holders are those who hold the lock, and tickets that have it: at least one if the
	// State is StateHeld or StateDetached. With [Slots] there may be several, in the order
	// of their grants, and also while the lock is free for more.
	Holders []Holder
	// Last is who held a lock last that is free or expired, if anyone did.
	Last Holder
	// Why is the reason that was given to the last Break or Repair, until the next
	// grant.
	Why string
}

// A viewer reads a record without any lock.
type viewer interface {
	load() (snapshot, error)
	alive(token uint64) (bool, error)
	close()
}

// Inspect says who has the lock. It takes no lock, makes no file and disturbs nobody;
// what it says may be out of date when it returns. A lock whose file is not there is
// free.
func (l *Lock) Inspect(ctx context.Context) (Info, error) {
	info, _, err := l.inspect(ctx)
	return info, err
}

// inspect also returns who stands in the way of the next holder, or who was the last one.
func (l *Lock) inspect(ctx context.Context) (Info, Holder, error) {
	if err := l.ready(ctx); err != nil {
		return Info{}, Holder{}, err
	}
	v, err := l.look(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return Info{State: StateFree}, Holder{}, nil
	}
	if err != nil {
		return Info{}, Holder{}, l.failure(err)
	}
	defer v.close()
	seen, err := v.load()
	if err != nil {
		return Info{}, Holder{}, l.failure(err)
	}
	now := l.options.clock.now() // for all of what is said
	is, err := judge(seen, v.alive, now)
	if err != nil {
		return Info{}, Holder{}, l.failure(err)
	}
	info, who := Info{State: is.State, Why: seen.why}, seen.holder(is)
	if is.open() {
		info.Last = who
	} else {
		info.Holders = []Holder{who}
	}
	if many, ok := v.(interface{ holders(now instant) []Holder }); ok {
		info.Holders = many.holders(now)
	}
	return info, who, nil
}

// Break takes the lock from whoever has it under the token: an operator's decision,
// who has seen with Inspect that this holder is to be passed over. A holder that
// lives is told by its context and by Err, but what it does before it heeds them may
// meet what the next holder does. The error is [ErrNotHeld] if the lock is not held
// or detached under the token any more. The first 128 bytes of why are kept.
func (l *Lock) Break(ctx context.Context, token uint64, why string) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	return l.insist(ctx, func(s store) error {
		s = of(token, s)
		seen, err := s.load()
		if err != nil {
			return l.failure(err)
		}
		is, err := judge(seen, s.alive, l.options.clock.now())
		if err != nil {
			return l.failure(err)
		}
		if is.State == StateFree || is.token != token {
			return fmt.Errorf("%w: %s: asked for %d, found %v under %d", ErrNotHeld, l.path, token, is.State, is.token)
		}
		_, err = s.swap(seen.version, seen.brk(token, why[:min(len(why), maxWhy)]))
		return l.swapFailure(err)
	})
}

// Repair writes a new record in the place of a damaged one, after an operator has seen
// to it that nobody works under the lock: [ErrCorrupt] says that it is needed. It
// refuses, with a *[BusyError], while any process holds the lock, and does nothing to a
// record that is not damaged. Tokens go on rising as long as the wall clock has not
// been set back. The first 128 bytes of why are kept.
func (l *Lock) Repair(ctx context.Context, why string) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	return l.insist(ctx, func(s store) error {
		mender, ok := s.(interface{ repair(why string) error })
		if !ok {
			return l.failure(errors.ErrUnsupported)
		}
		if err := mender.repair(why[:min(len(why), maxWhy)]); err != nil && !errors.Is(err, errContended) {
			return l.failure(err)
		} else {
			return err
		}
	})
}
