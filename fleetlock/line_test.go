package fleetlock_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
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

// lineUpTheDead has some wait for a lock, one behind the other, and die.
func lineUpTheDead(t *testing.T, register fleetlock.Register, n int, lease time.Duration) {
	t.Helper()
	died, way := make(chan error), &cut{Register: register}
	ctx, die := context.WithCancel(t.Context())
	defer die()
	for waiting := range n {
		go func() {
			_, err := fleetlock.On(way, "a", fleetlock.Lease(lease)).Acquire(ctx)
			died <- err
		}()
		for terms := 0; terms < 1+waiting+1; time.Sleep(time.Millisecond) {
			got, err := register.Load(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			terms = len(got.Terms)
		}
	}
	way.now.Store(true)
	die()
	for range n {
		if err := <-died; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// Of a line that is longer than its front, those behind show by nothing that they live:
// whoever asks for the lock without standing in the line has to bring them to the front.
func TestALineOfTheDeadIsNotInTheWayOfWhoTriesForEver(t *testing.T) {
	t.Parallel()
	register, lease := new(fleetlocktest.Memory), time.Second/2
	held, err := fleetlock.On(register, "a", fleetlock.Lease(time.Hour)).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lineUpTheDead(t, register, 3, lease)
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	tries := fleetlock.On(register, "a", fleetlock.Lease(lease))
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

func TestWhoIsRefusedForWhoIsNextIsToldSo(t *testing.T) {
	t.Parallel()
	register := new(fleetlocktest.Memory)
	held, err := fleetlock.On(register, "a", fleetlock.Lease(time.Hour)).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lineUpTheDead(t, register, 1, time.Minute)
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	_, err = fleetlock.On(register, "a", fleetlock.Lease(time.Hour)).TryAcquire(t.Context())
	var busy *fleetlock.BusyError
	if !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() || !strings.Contains(err.Error(), "who is next in line") {
		t.Errorf("before who stands in line one is told %v", err)
	}
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
