package fleetlock_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
)

func TestALockInARegisterSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	register, lease := new(fleetlocktest.Memory), fleetlock.Lease(time.Second)
	for _, test := range []struct {
		name string
		lock *fleetlock.Lock
	}{
		{"no lease", fleetlock.On(register, "a")},
		{"a lease that is too short", fleetlock.On(register, "a", fleetlock.Lease(time.Millisecond))},
		{"no name", fleetlock.On(register, "", lease)},
		{"a long name", fleetlock.On(register, strings.Repeat("a", 201), lease)},
		{"a name with a line end", fleetlock.On(register, "a\nb", lease)},
		{"a label with a line end", fleetlock.On(register, "a", lease, fleetlock.Label("a\nb"))},
		{"a label with a line end, and slots", fleetlock.File(filepath.Join(t.TempDir(), "a"), lease, fleetlock.Slots(2), fleetlock.Label("a\nb"))},
		{"a name that is no text", fleetlock.On(register, "a\xff", lease)},
		{"no slots", fleetlock.On(register, "a", lease, fleetlock.Slots(0))},
		{"negative slots", fleetlock.On(register, "a", lease, fleetlock.Slots(-2))},
		{"too many slots", fleetlock.On(register, "a", lease, fleetlock.Slots(fleetlock.MaxSlots+1))},
		{"slots in a file and no lease", fleetlock.File(filepath.Join(t.TempDir(), "a"), fleetlock.Slots(2))},
	} {
		t.Run(test.name, func(t *testing.T) {
			if h, err := test.lock.TryAcquire(t.Context()); err == nil {
				t.Errorf("a lock with %s is granted, under token %d", test.name, h.Token())
			}
			if _, err := test.lock.Inspect(t.Context()); err == nil {
				t.Errorf("a lock with %s can be inspected", test.name)
			}
		})
	}
}

// A server that dies may take a grant with it, if what it wrote was not on the one that
// takes its place. Then the token, and all that the record says, may be another's.
func TestAHolderWhoseGrantWasLostWithItsServerKnows(t *testing.T) {
	t.Parallel()
	const name, token = "a", uint64(1 << 40)
	before := fleetlock.Record{Token: token, Text: fmt.Sprintf(`{"fleetlock":1,"token":%d}`, token)}
	dies, takesOver := new(fleetlocktest.Memory), new(fleetlocktest.Memory)
	for _, server := range []*fleetlocktest.Memory{dies, takesOver} {
		if _, err := server.Swap(t.Context(), name, 0, before); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := takesOver.Swap(t.Context(), name, 1, before); err != nil { // versions are not used twice
		t.Fatal(err)
	}
	moved := &movable{dies}
	lost, err := fleetlock.On(moved, name, fleetlock.Lease(time.Minute)).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	moved.Register = takesOver
	holds, err := fleetlock.On(takesOver, name, fleetlock.Lease(time.Minute)).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if lost.Token() != holds.Token() {
		t.Fatalf("the tokens are %d and %d: this shows nothing", lost.Token(), holds.Token())
	}
	if err := lost.Err(); !errors.Is(err, fleetlock.ErrLost) {
		t.Errorf("Err of who lost its grant is %v", err)
	}
	if err := lost.Release(); !errors.Is(err, fleetlock.ErrLost) {
		t.Errorf("Release of who lost its grant is %v", err)
	}
	if err := errors.Join(holds.Err(), holds.Release()); err != nil {
		t.Errorf("who holds the lock is told %v", err)
	}
}

func TestWhoWasBrokenIsToldWhyAlsoWhenAnotherHoldsTheLock(t *testing.T) {
	t.Parallel()
	const why = "the disk of this one is gone"
	lock := fleetlock.On(new(fleetlocktest.Memory), "a", fleetlock.Lease(time.Minute))
	broken, err := lock.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Break(t.Context(), broken.Token(), why); err != nil {
		t.Fatal(err)
	}
	next, err := lock.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lost *fleetlock.LostError
	if err := broken.Err(); !errors.As(err, &lost) || !strings.Contains(lost.Reason, why) {
		t.Errorf("who was broken is told %v", err)
	}
	if err := next.Release(); err != nil {
		t.Error(err)
	}
}

func TestARegisterKnowsToTheMicrosecondSinceWhenALockIsHeld(t *testing.T) {
	t.Parallel()
	lock := fleetlock.On(new(fleetlocktest.Memory), "a", fleetlock.Lease(time.Minute))
	before := time.Now().Truncate(time.Microsecond)
	held, err := lock.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := time.Now()
	info, err := lock.Inspect(t.Context())
	if err != nil || len(info.Holders) != 1 {
		t.Fatalf("the lock is held by %v, %v", info.Holders, err)
	}
	if since := info.Holders[0].Since; since.Before(before) || since.After(after) {
		t.Errorf("a lock that was granted between %v and %v is held since %v", before, after, since)
	}
	if err := held.Release(); err != nil {
		t.Error(err)
	}
}

// A movable register is another one from some time on.
type movable struct{ fleetlock.Register }

// A failing register complains once, and says nothing from then on.
type failing struct {
	fleetlock.Register
	complained atomic.Bool
}

var errDisk = errors.New("the disk is full")

func (f *failing) Load(ctx context.Context, _ string) (fleetlock.Record, error) {
	if f.complained.CompareAndSwap(false, true) {
		return fleetlock.Record{}, errDisk
	}
	<-ctx.Done()
	return fleetlock.Record{}, ctx.Err()
}

func TestWhatARegisterComplainedOfIsToldWhenItSaysNothingAnyMore(t *testing.T) {
	t.Parallel()
	lock := fleetlock.On(new(failing), "a", fleetlock.Lease(time.Second))
	if _, err := lock.TryAcquire(t.Context()); !errors.Is(err, errDisk) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

// A slow register does not answer its first call before whoever waits for it gives up.
type slow struct {
	fleetlock.Register
	asked  atomic.Bool
	giveUp func()
}

func (s *slow) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	if s.asked.CompareAndSwap(false, true) {
		s.giveUp()
		<-ctx.Done()
		return fleetlock.Record{}, ctx.Err()
	}
	return s.Register.Load(ctx, name)
}

func TestAWaitThatEndsDuringItsFirstLookSaysWhoHoldsTheLock(t *testing.T) {
	t.Parallel()
	register, lease := new(fleetlocktest.Memory), fleetlock.Lease(time.Minute)
	held, err := fleetlock.On(register, "a", lease, fleetlock.Label("the holder")).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = fleetlock.On(&slow{Register: register, giveUp: cancel}, "a", lease).Acquire(ctx)
	var busy *fleetlock.BusyError
	if !errors.As(err, &busy) || busy.Holder.Label != "the holder" || !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if err := held.Release(); err != nil {
		t.Error(err)
	}
}

// A faulty register fails the first calls of Load.
type faulty struct {
	fleetlock.Register
	failures atomic.Int64
}

func (f *faulty) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	if f.failures.Add(-1) >= 0 {
		return fleetlock.Record{}, errDisk
	}
	return f.Register.Load(ctx, name)
}

func TestALoadThatFailsIsMadeAgain(t *testing.T) {
	t.Parallel()
	register := &faulty{Register: new(fleetlocktest.Memory)}
	register.failures.Store(3)
	held, err := fleetlock.On(register, "a", fleetlock.Lease(time.Minute)).TryAcquire(t.Context())
	if err != nil {
		t.Fatalf("after three loads that failed: %v", err)
	}
	register.failures.Store(3)
	if err := held.Err(); err != nil {
		t.Errorf("a holder is told of loads that were made again: %v", err)
	}
	if err := held.Release(); err != nil {
		t.Error(err)
	}
}

// A mute register makes no swap any more once it is told so.
type mute struct {
	fleetlock.Register
	now atomic.Bool
}

func (m *mute) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	if m.now.Load() {
		return 0, errDisk
	}
	return m.Register.Swap(ctx, name, seen, next)
}

func TestAHolderWhoseLeaseRunsOutWhileItDetachesIsToldSo(t *testing.T) {
	t.Parallel()
	register := &mute{Register: new(fleetlocktest.Memory)}
	held, err := fleetlock.On(register, "a", fleetlock.Lease(time.Second)).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	register.now.Store(true)
	if _, err := held.Detach(time.Minute); !errors.Is(err, fleetlock.ErrLost) {
		t.Errorf("the lock is lost, and Detach ends with %v", err)
	}
	if err := held.Release(); !errors.Is(err, fleetlock.ErrLost) {
		t.Errorf("Release of who lost it ends with %v", err)
	}
}

func TestALeaseThatRanOutIsNotRenewed(t *testing.T) {
	t.Parallel()
	const lease = 2 * time.Second
	register := &mute{Register: new(fleetlocktest.Memory)}
	held, err := fleetlock.On(register, "a", fleetlock.Lease(lease)).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	register.now.Store(true)
	<-held.Context().Done() // in the middle of a renewal
	before, err := register.Load(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	register.now.Store(false)
	time.Sleep(lease / 2) // in which it would be made
	if after, err := register.Load(t.Context(), "a"); err != nil || after.Version != before.Version {
		t.Errorf("after its end a lease was renewed (%v)", err)
	}
	if err := held.Release(); !errors.Is(err, fleetlock.ErrLost) {
		t.Errorf("Release of who lost it ends with %v", err)
	}
}

// Whoever waits for an unheard register gives up before the answer to the first swap,
// during which something happens.
type unheard struct {
	fleetlock.Register
	during func(swap func())
	once   sync.Once
}

func (u *unheard) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (version uint64, err error) {
	first := false
	u.once.Do(func() {
		first = true
		u.during(func() { _, err = u.Register.Swap(ctx, name, seen, next) })
	})
	if !first {
		return u.Register.Swap(ctx, name, seen, next)
	}
	if err == nil {
		<-ctx.Done()
		err = ctx.Err()
	}
	return 0, err
}

func TestAGrantThatNobodyWaitsForAnyMoreIsGivenBack(t *testing.T) {
	t.Parallel()
	lease := fleetlock.Lease(time.Hour)
	for name, acquire := range map[string]func(*fleetlock.Lock, context.Context) (*fleetlock.Held, error){
		"Acquire": (*fleetlock.Lock).Acquire, "TryAcquire": (*fleetlock.Lock).TryAcquire,
	} {
		register := new(fleetlocktest.Memory)
		ctx, giveUp := context.WithCancel(t.Context())
		slow := &unheard{Register: register, during: func(swap func()) { swap(); giveUp() }}
		if _, err := acquire(fleetlock.On(slow, "a", lease), ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		held, err := fleetlock.On(register, "a", lease).TryAcquire(t.Context())
		if err != nil {
			t.Fatalf("after %s was given up: %v", name, err)
		}
		if err := held.Release(); err != nil {
			t.Error(err)
		}
	}
}

// The other one is granted the same token.
func TestWhoGivesUpGivesNothingBackThatIsAnothers(t *testing.T) {
	t.Parallel()
	register, lease := new(fleetlocktest.Memory), fleetlock.Lease(time.Hour)
	other := fleetlock.On(register, "a", lease)
	before, err := other.TryAcquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := before.Release(); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	var held *fleetlock.Held
	slow := &unheard{Register: register, during: func(func()) {
		if held, err = other.TryAcquire(t.Context()); err != nil {
			t.Error(err)
		}
		giveUp()
	}}
	if _, err := fleetlock.On(slow, "a", lease).Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := held.Err(); err != nil {
		t.Errorf("another's grant was given back: %v", err)
	}
	if _, err := other.TryAcquire(t.Context()); !errors.As(err, new(*fleetlock.BusyError)) {
		t.Errorf("beside another's grant: %v", err)
	}
	if err := held.Release(); err != nil {
		t.Error(err)
	}
}

// At most two nodes of a fleet restart at once.
func ExampleSlots() {
	register := new(fleetlocktest.Memory) // of a fleet: one in Postgres or etcd
	lock := fleetlock.On(register, "restart", fleetlock.Lease(10*time.Second), fleetlock.Slots(2))
	ctx := context.Background()
	one, err := lock.Acquire(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer one.Release()
	two, err := lock.Acquire(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer two.Release()
	_, err = lock.TryAcquire(ctx)
	fmt.Println(errors.As(err, new(*fleetlock.BusyError)))
	// Output: true
}

func TestTheRegisterInAFilePasses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fleetlocktest.Run(t, func() fleetlock.Register { return fleetlock.NewRolls(dir) })
}
