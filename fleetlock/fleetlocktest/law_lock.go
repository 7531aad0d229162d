package fleetlocktest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

var lockLaws = []law{
	{"OneHoldsAtATimeAndTokensRise", oneAtATime},
	{"ATokenIsKeptOverReleases", tokenKept},
	{"WhoIsRefusedLearnsWhoHolds", refusedLearns},
	{"AReleaseWakesWhoWaits", releaseWakes},
	{"ARenewedLeaseLasts", renewedLasts},
	{"ABrokenHolderIsTold", brokenIsTold},
	{"ATicketCarriesTheLock", ticketCarries},
	{"ATicketRunsOut", ticketRunsOut},
	{"AReleasedHolderKnows", releasedKnows},
	{"AWaitEndsWithItsContext", waitEnds},
}

// A witness sees who is inside.
type witness struct {
	inside, most atomic.Int64
	token        atomic.Uint64
}

// enter notes a holder and says if there are more than limit.
func (w *witness) enter(h *fleetlock.Held, limit int64) error {
	n := w.inside.Add(1)
	for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
	}
	if n > limit {
		return wrong{fmt.Errorf("%d holders at once, under token %d", n, h.Token())}
	}
	return nil
}

// rise says if a token is not higher than all before it.
func (w *witness) rise(h *fleetlock.Held) error {
	if last := w.token.Swap(h.Token()); h.Token() <= last {
		return wrong{fmt.Errorf("token %d was granted after %d", h.Token(), last)}
	}
	return nil
}

func (w *witness) leave() { w.inside.Add(-1) }

func oneAtATime(ctx context.Context, s *stage) error {
	name, w := newName(), new(witness)
	return each(5, func(int) error {
		lock := s.lock(name, fleetlock.Lease(s.long()))
		for range 5 {
			h, err := lock.Acquire(ctx)
			if err != nil {
				return err
			}
			err = errors.Join(w.enter(h, 1), w.rise(h))
			time.Sleep(time.Millisecond)
			err = errors.Join(err, h.Err())
			w.leave()
			if err := errors.Join(err, h.Release()); err != nil {
				return err
			}
		}
		return nil
	})
}

func tokenKept(ctx context.Context, s *stage) error {
	name, w := newName(), new(witness)
	for range 6 {
		h, err := s.lock(name, fleetlock.Lease(s.long())).TryAcquire(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(w.rise(h), h.Release()); err != nil {
			return err
		}
	}
	return nil
}

func refusedLearns(ctx context.Context, s *stage) error {
	name := newName()
	h, err := s.lock(name, fleetlock.Lease(s.long()), fleetlock.Label("the first")).Acquire(ctx)
	if err != nil {
		return err
	}
	other := s.lock(name, fleetlock.Lease(s.long()))
	_, err = other.TryAcquire(ctx)
	var busy *fleetlock.BusyError
	if !errors.As(err, &busy) || busy.Holder.Label != "the first" || busy.Holder.Token != h.Token() {
		return fmt.Errorf("who is refused gets the error %w", err)
	}
	info, err := other.Inspect(ctx)
	if err := errors.Join(err, expect("the state", info.State, fleetlock.StateHeld), h.Release()); err != nil {
		return err
	}
	info, err = other.Inspect(ctx)
	return errors.Join(err, expect("the state", info.State.String(), "free"), expect("the last token", info.Last.Token, h.Token()))
}

// acquiring acquires in a goroutine of its own.
func acquiring(ctx context.Context, l *fleetlock.Lock) chan grant {
	granted := make(chan grant, 1)
	go func() {
		h, err := l.Acquire(ctx)
		granted <- grant{h, err, time.Now()}
	}()
	return granted
}

type grant struct {
	held *fleetlock.Held
	err  error
	at   time.Time
}

// awaitGrant returns who is granted a lock within a time.
func awaitGrant(granted chan grant, limit time.Duration) (grant, error) {
	select {
	case g := <-granted:
		return g, g.err
	case <-time.After(limit):
		return grant{}, latef("nobody is granted the lock within %v", limit)
	}
}

func releaseWakes(ctx context.Context, s *stage) error {
	name := newName()
	for range 3 {
		h, err := s.lock(name, fleetlock.Lease(s.long())).Acquire(ctx)
		if err != nil {
			return err
		}
		granted := acquiring(ctx, s.lock(name, fleetlock.Lease(s.long())))
		time.Sleep(60 * time.Millisecond) // until it waits
		if err := h.Release(); err != nil {
			return err
		}
		g, err := awaitGrant(granted, s.slack())
		if err != nil {
			return err
		}
		if err := g.held.Release(); err != nil {
			return err
		}
	}
	return nil
}

func renewedLasts(ctx context.Context, s *stage) error {
	length := 4 * s.lease
	name := newName()
	h, err := s.lock(name, fleetlock.Lease(length)).Acquire(ctx)
	if err != nil {
		return err
	}
	other := s.lock(name, fleetlock.Lease(length))
	for began := time.Now(); time.Since(began) < length*3/2; time.Sleep(s.lease / 8) {
		if err := h.Err(); err != nil {
			return fmt.Errorf("after %v a holder that renews its lease of %v has lost it: %w", time.Since(began), length, err)
		}
		if _, err := other.TryAcquire(ctx); err == nil {
			return latef("after %v another was granted the lock beside a holder that renews its lease", time.Since(began))
		}
	}
	return h.Release()
}

func brokenIsTold(ctx context.Context, s *stage) error {
	name := newName()
	h, err := s.lock(name, fleetlock.Lease(s.long())).Acquire(ctx)
	if err != nil {
		return err
	}
	told := h.Context()
	other := s.lock(name, fleetlock.Lease(s.long()))
	time.Sleep(60 * time.Millisecond) // until the holder listens
	if err := other.Break(ctx, h.Token(), "to see"); err != nil {
		return err
	}
	select {
	case <-told.Done():
	case <-time.After(s.slack()):
		return latef("%v after the lock was broken its holder has not been told", s.slack())
	}
	if err := errors.Join(
		expectError("the cause of the end", context.Cause(told), fleetlock.ErrLost),
		expectError("Err", h.Err(), fleetlock.ErrLost),
		expectError("a second Break", other.Break(ctx, h.Token(), ""), fleetlock.ErrNotHeld),
	); err != nil {
		return err
	}
	next, err := other.TryAcquire(ctx)
	if err != nil {
		return err
	}
	if next.Token() <= h.Token() {
		return fmt.Errorf("token %d was granted after %d", next.Token(), h.Token())
	}
	return errors.Join(expectError("Release", h.Release(), fleetlock.ErrLost), next.Err(), next.Release())
}

func ticketCarries(ctx context.Context, s *stage) error {
	name := newName()
	h, err := s.lock(name, fleetlock.Lease(s.long())).Acquire(ctx)
	if err != nil {
		return err
	}
	ticket, err := h.Detach(s.long())
	if err != nil {
		return err
	}
	other := s.lock(name, fleetlock.Lease(s.long()))
	if err := expectError("Err after Detach", h.Err(), fleetlock.ErrReleased); err != nil {
		return err
	}
	if _, err := other.TryAcquire(ctx); !errors.As(err, new(*fleetlock.BusyError)) {
		return fmt.Errorf("while a ticket has the lock, TryAcquire returns %w", err)
	}
	next, err := other.Resume(ctx, ticket)
	if err != nil {
		return err
	}
	if next.Token() <= h.Token() {
		return fmt.Errorf("token %d was granted after %d", next.Token(), h.Token())
	}
	_, again := other.Resume(ctx, ticket)
	return errors.Join(expectError("a ticket that was used", again, fleetlock.ErrLost), next.Err(), next.Release())
}

func ticketRunsOut(ctx context.Context, s *stage) error {
	name := newName()
	h, err := s.lock(name, fleetlock.Lease(s.long())).Acquire(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	ticket, err := h.Detach(s.lease)
	if err != nil {
		return err
	}
	other := s.lock(name, fleetlock.Lease(s.long()))
	g, err := awaitGrant(acquiring(ctx, other), s.lease+s.slack())
	if err != nil {
		return err
	}
	if took := g.at.Sub(began); took < s.lease {
		return fmt.Errorf("a ticket for %v has run out after %v", s.lease, took)
	}
	_, late := other.Resume(ctx, ticket)
	return errors.Join(expectError("a ticket that ran out", late, fleetlock.ErrLost), g.held.Err(), g.held.Release())
}

func releasedKnows(ctx context.Context, s *stage) error {
	h, err := s.lock(newName(), fleetlock.Lease(s.long())).Acquire(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(h.Err(), h.Release()); err != nil {
		return err
	}
	return errors.Join(
		expectError("Err", h.Err(), fleetlock.ErrReleased),
		expectError("the cause of the end", context.Cause(h.Context()), fleetlock.ErrReleased),
		h.Release(),
	)
}

func waitEnds(ctx context.Context, s *stage) error {
	name := newName()
	h, err := s.lock(name, fleetlock.Lease(s.long()), fleetlock.Label("the first")).Acquire(ctx)
	if err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, s.lease/8)
	defer cancel()
	began := time.Now()
	_, err = s.lock(name, fleetlock.Lease(s.long())).Acquire(short)
	if took := time.Since(began); took > s.slack() {
		return latef("a wait ends %v after its context", took)
	}
	// Who gives up has little time for the store: to ask who holds the lock, and to leave
	// the line.
	var busy *fleetlock.BusyError
	if !errors.As(err, &busy) || busy.Holder.Label != "the first" {
		return latef("the end of a wait does not say who holds the lock: %v", err)
	}
	if err := errors.Join(expectError("the end of a wait", err, context.DeadlineExceeded), h.Release()); err != nil {
		return err
	}
	next, err := s.lock(name, fleetlock.Lease(s.long())).TryAcquire(ctx)
	if errors.As(err, &busy) {
		return latef("who has given up waiting is still in the way: %v", err)
	}
	if err != nil {
		return err
	}
	return next.Release()
}
