package fleetlock_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
)

// A cut register cannot be reached any more once it is told so.
type cut struct {
	fleetlock.Register
	now atomic.Bool
}

func (c *cut) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	if c.now.Load() {
		return fleetlock.Record{}, errDisk
	}
	return c.Register.Load(ctx, name)
}

func (c *cut) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	if c.now.Load() {
		return 0, errDisk
	}
	return c.Register.Swap(ctx, name, seen, next)
}

func mustAcquire(t *testing.T, lock *fleetlock.Lock) *fleetlock.Held {
	t.Helper()
	h, err := lock.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// joins returns the place in the record of a lock of whoever does something, once it is there.
func joins(t *testing.T, register fleetlock.Register, do func()) (place string) {
	t.Helper()
	before := terms(t, register)
	go do()
	for ; ; time.Sleep(time.Millisecond) {
		for _, now := range terms(t, register) {
			if !slices.ContainsFunc(before, func(was fleetlock.Term) bool { return was.ID == now.ID }) {
				return now.ID
			}
		}
	}
}

// terms are those of a lock, the holders' first.
func terms(t *testing.T, register fleetlock.Register) []fleetlock.Term {
	t.Helper()
	got, err := register.Load(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	return got.Terms
}

// lineUpTheDead has some wait for a lock, one behind the other, and die.
func lineUpTheDead(t *testing.T, register fleetlock.Register, n int, opts ...fleetlock.Option) (places []string) {
	t.Helper()
	died, way := make(chan error), &cut{Register: register}
	ctx, die := context.WithCancel(t.Context())
	defer die()
	for range n {
		places = append(places, joins(t, register, func() {
			_, err := fleetlock.On(way, "a", opts...).Acquire(ctx)
			died <- err
		}))
	}
	way.now.Store(true)
	die()
	for range n {
		if err := <-died; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	return places
}

// Of a line that is longer than its front, those behind show by nothing that they live:
// whoever asks for the lock without standing in the line has to bring them to the front.
func TestALineOfTheDeadIsNotInTheWayOfWhoTriesForEver(t *testing.T) {
	t.Parallel()
	register, lease := new(fleetlocktest.Memory), fleetlock.Lease(time.Second/2)
	held := mustAcquire(t, fleetlock.On(register, "a", fleetlock.Lease(time.Hour)))
	lineUpTheDead(t, register, 3, lease)
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	tries := fleetlock.On(register, "a", lease)
	var err error
	for range time.Minute / (10 * time.Millisecond) {
		if held, err = tries.TryAcquire(t.Context()); err == nil {
			_ = held.Release() // half a second may have been too short for this machine
			return
		}
		if !errors.As(err, new(*fleetlock.BusyError)) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error(err)
}

// Who lives keeps the place in front by renewing its term, and nobody else's.
func TestADeadWaiterBesideALivingOneLosesItsPlace(t *testing.T) {
	t.Parallel()
	register := new(fleetlocktest.Memory)
	slots, lease := fleetlock.Slots(2), fleetlock.Lease(time.Second)
	held := []*fleetlock.Held{
		mustAcquire(t, fleetlock.On(register, "a", slots, fleetlock.Lease(time.Hour))),
		mustAcquire(t, fleetlock.On(register, "a", slots, fleetlock.Lease(time.Hour))),
	}
	ctx, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	joins(t, register, func() {
		_, err := fleetlock.On(register, "a", slots, lease).Acquire(ctx)
		gaveUp <- err
	})
	place := lineUpTheDead(t, register, 1, slots, lease)[0]
	isDead := func(term fleetlock.Term) bool { return term.ID == place }
	for began := time.Now(); slices.ContainsFunc(terms(t, register), isDead); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("of a dead waiter the place is there for sixty leases")
		}
	}
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, h := range held {
		if err := h.Release(); err != nil {
			t.Error(err)
		}
	}
}

// Who stands behind does not look again before a quarter of its own lease.
func TestWhoComesToTheFrontHasATermOfItsOwnLength(t *testing.T) {
	t.Parallel()
	register := new(fleetlocktest.Memory)
	first := mustAcquire(t, fleetlock.On(register, "a", fleetlock.Lease(time.Hour)))
	granted := make(chan *fleetlock.Held, 1)
	joins(t, register, func() {
		h, err := fleetlock.On(register, "a", fleetlock.Lease(time.Minute)).Acquire(t.Context())
		if err != nil {
			t.Error(err)
		}
		granted <- h
	})
	ctx, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	joins(t, register, func() {
		_, err := fleetlock.On(register, "a", fleetlock.Lease(time.Hour)).Acquire(ctx)
		gaveUp <- err
	})
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	second := <-granted
	if left := terms(t, register)[1].Left; left < time.Hour/2 {
		t.Errorf("who waits with a lease of an hour has a term of %v", left)
	}
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := second.Release(); err != nil {
		t.Error(err)
	}
}

// Two have slots, one of them leaves, and the slot is kept for who waited for it.
func TestWhoIsRefusedForWhoIsNextIsToldSo(t *testing.T) {
	t.Parallel()
	register := new(fleetlocktest.Memory)
	opts := []fleetlock.Option{fleetlock.Slots(2), fleetlock.Lease(time.Minute)}
	held, stays := mustAcquire(t, fleetlock.On(register, "a", opts...)), mustAcquire(t, fleetlock.On(register, "a", opts...))
	lineUpTheDead(t, register, 1, opts...)
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	_, err := fleetlock.On(register, "a", opts...).TryAcquire(t.Context())
	var busy *fleetlock.BusyError
	if !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() || !strings.Contains(err.Error(), "who is next in line") {
		t.Errorf("before who stands in line one is told %v", err)
	}
	if err := stays.Release(); err != nil {
		t.Error(err)
	}
}

func TestARefusalBesideALineOfTheDeadNeedsNoWrite(t *testing.T) {
	t.Parallel()
	register := &mute{Register: new(fleetlocktest.Memory)}
	held := mustAcquire(t, fleetlock.On(register, "a", fleetlock.Lease(time.Hour)))
	lineUpTheDead(t, register, 2, fleetlock.Lease(time.Second/4))
	time.Sleep(time.Second / 2) // until the first one's term is over
	register.now.Store(true)
	tries := fleetlock.On(register, "a", fleetlock.Lease(time.Second))
	if _, err := tries.TryAcquire(t.Context()); !errors.As(err, new(*fleetlock.BusyError)) {
		t.Errorf("a lock that is held, in a register that cannot be written: %v", err)
	}
	register.now.Store(false)
	if err := held.Release(); err != nil {
		t.Error(err)
	}
	register.now.Store(true)
	if _, err := tries.TryAcquire(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("a lock that only the dead wait for, in a register that cannot be written: %v", err)
	}
}

// A far register takes its time for each call.
type far struct {
	fleetlock.Register
	way time.Duration
}

func (f far) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	time.Sleep(f.way)
	return f.Register.Load(ctx, name)
}

func (f far) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	time.Sleep(f.way)
	return f.Register.Swap(ctx, name, seen, next)
}

// Of those who write at once one succeeds, and the others have to write again.
func TestManyWhoGiveUpAtOnceAllLeaveTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 60
		register := new(fleetlocktest.Memory)
		held := mustAcquire(t, fleetlock.On(register, "a", fleetlock.Lease(time.Hour)))
		ctx, giveUp := context.WithCancel(t.Context())
		var waiters sync.WaitGroup
		for range many {
			waiters.Go(func() {
				lock := fleetlock.On(far{register, 15 * time.Millisecond}, "a", fleetlock.Lease(time.Minute))
				if _, err := lock.Acquire(ctx); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		for len(terms(t, register)) < 1+many {
			time.Sleep(time.Millisecond)
		}
		giveUp()
		waiters.Wait()
		if left := len(terms(t, register)) - 1; left > 0 {
			t.Errorf("of %d who gave up %d stand in the line", many, left)
		}
		if err := held.Release(); err != nil {
			t.Error(err)
		}
	})
}

// A busy register takes its time for each call once it is told so.
type busy struct {
	fleetlock.Register
	now atomic.Bool
}

func (b *busy) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	if b.now.Load() {
		select {
		case <-time.After(600 * time.Millisecond):
		case <-ctx.Done():
			return fleetlock.Record{}, ctx.Err()
		}
	}
	return b.Register.Load(ctx, name)
}

func TestWhoGivesUpALongWaitLeavesTheLineOfASlowRegister(t *testing.T) {
	t.Parallel()
	register, lease := &busy{Register: new(fleetlocktest.Memory)}, fleetlock.Lease(time.Hour)
	held, err := fleetlock.On(register, "a", lease).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	terms := func() int {
		got, err := register.Register.Load(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Terms)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() {
		_, err := fleetlock.On(register, "a", lease).Acquire(ctx)
		gaveUp <- err
	}()
	for terms() < 2 {
		select {
		case err := <-gaveUp:
			t.Fatalf("a wait that nobody gave up ends with %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	register.now.Store(true)
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := terms(); left != 1 {
		t.Errorf("of who gave up there are %d terms left", left-1)
	}
	register.now.Store(false)
	if err := held.Release(); err != nil {
		t.Error(err)
	}
}
