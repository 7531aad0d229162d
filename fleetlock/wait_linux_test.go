package fleetlock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What lets a waiter in, and how the holder comes to it.
var endings = []struct {
	name string
	hold func(t *testing.T, path string) (end func() error)
}{
	{"a release by another process", func(t *testing.T, path string) func() error {
		p := startProcess(t, lockSpec{Path: path})
		p.must(request{Do: "acquire"})
		return func() error { return p.do(request{Do: "release"}).err() }
	}},
	{"a release by another Lock", func(t *testing.T, path string) func() error {
		return mustAcquire(t, File(path, NoSync())).Release
	}},
	{"a SIGKILL", func(t *testing.T, path string) func() error {
		p := startProcess(t, lockSpec{Path: path})
		p.must(request{Do: "acquire"})
		return func() error { p.kill(); return nil }
	}},
	{"a SIGKILL of a stopped process", func(t *testing.T, path string) func() error {
		p := startProcess(t, lockSpec{Path: path})
		p.must(request{Do: "acquire"})
		p.stop()
		return func() error { p.kill(); return nil }
	}},
	{"a Break", func(t *testing.T, path string) func() error {
		h := mustAcquire(t, File(path, NoSync()))
		return func() error { return File(path).Break(context.Background(), h.Token(), "the test says so") }
	}},
	{"a detach for a moment", func(t *testing.T, path string) func() error {
		h := mustAcquire(t, File(path, NoSync()))
		return func() error { _, err := h.Detach(time.Millisecond); return err }
	}},
	{"a release that fails", func(t *testing.T, path string) func() error {
		var calls caller
		h := mustAcquire(t, hook(File(path, NoSync()), calls.before))
		calls.set(trap{Call: "pwrite", Errno: unix.ENOSPC})
		return h.Release
	}},
	{"the death of a process that left its lock", func(t *testing.T, path string) func() error {
		p := startProcess(t, lockSpec{Path: path})
		p.must(request{Do: "acquire"})
		p.do(request{Do: "trap", Trap: trap{Call: "pwrite", Signal: unix.SIGKILL}})
		return func() error { p.send(request{Do: "release"}); _, _ = p.receive(); return nil }
	}},
}

// The waiter is in another process, where it has to be told by the kernel, and would sleep
// for ever if it were not.
func TestAWaiterIsWokenBy(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for _, ending := range endings {
		runBeside(t, &all, ending.name, func(t *testing.T) {
			path := lockPath(t)
			end := ending.hold(t, path)
			p := startProcess(t, lockSpec{Path: path, Drowse: drowsy().drowse})
			p.must(request{Do: "wait"})
			if err := end(); err != nil {
				t.Fatal(err)
			}
			p.must(request{Do: "be granted", Within: patiently})
		})
	}
}

// It looks again when the time is up, and would sleep for ever if it looked later.
func TestAWaiterIsGrantedALockWhoseTicketRunsOut(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	// Its sixth pause takes 0.2 s and the seventh 0.8 s, without what cuts it short.
	if _, err := mustAcquire(t, File(path, NoSync())).Detach(600 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	l := File(path, NoSync(), by(&slumber{drowse: 500 * time.Millisecond}))
	mustRelease(t, startWaiter(t, l).mustBeGranted(t, "the time of a ticket"))
}

// One of the waiters of a process looks for what is to be told to any of them. When it
// stops, by whatever reason, another one has to.
func TestWaitersOfAProcessAreToldByEachOther(t *testing.T) {
	t.Parallel()
	var held [4]*Held
	var waiters [len(held)]*waiter
	var clocks [len(held)]*slumber // they need not sleep all at one moment
	for i := range held {
		path := lockPath(t)
		held[i], clocks[i] = mustAcquire(t, File(path, NoSync())), drowsy()
		waiters[i] = startWaiter(t, File(path, NoSync(), by(clocks[i])))
	}
	for _, c := range clocks {
		c.await(t, 1)
	}
	waiters[0].cancel()
	<-waiters[0].failed
	for i, w := range waiters[1:] {
		mustRelease(t, held[i+1])
		mustRelease(t, w.mustBeGranted(t, "a release"))
	}
	mustRelease(t, held[0])
}

// Whoever looks for the news of all may stop at any moment: they come to whom they are for
// even while others begin and give up all the time.
func TestNewsReachWhoWaitsWhileOthersComeAndGo(t *testing.T) {
	t.Parallel()
	var held [12]*Held
	var waiters [len(held)]*waiter
	var clocks [len(held)]*slumber
	for i := range held {
		path := lockPath(t)
		held[i], clocks[i] = mustAcquire(t, File(path, NoSync())), drowsy()
		waiters[i] = startWaiter(t, File(path, NoSync(), by(clocks[i])))
	}
	stop := make(chan struct{})
	var all sync.WaitGroup
	taken := lockPath(t)
	other := mustAcquire(t, File(taken, NoSync()))
	defer func() {
		close(stop)
		all.Wait()
		mustRelease(t, other)
	}()
	for range 4 {
		all.Go(func() {
			for l := File(taken, NoSync()); ; {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), rand.N(5*time.Millisecond))
				if _, err := l.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a wait for a lock that is not to be had ends with %v", err)
				}
				cancel()
			}
		})
	}
	for _, c := range clocks {
		c.await(t, 1)
	}
	for i, w := range waiters {
		mustRelease(t, held[i])
		mustRelease(t, w.mustBeGranted(t, "a release"))
	}
}

// A holder that came by waiting, and lost the lock, has not given up what it had as a
// waiter. Others pass the lock on past it, and it knows.
func TestAHolderThatWaitedAndLostTheLockIsInNobodysWay(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	first := mustAcquire(t, File(path, NoSync()))
	p := startProcess(t, lockSpec{Path: path, Drowse: drowsy().drowse})
	p.must(request{Do: "wait"})
	mustRelease(t, first)
	last := p.must(request{Do: "be granted", Within: patiently}).Token
	p.stop()
	if err := File(path).Break(t.Context(), last, "it stands still"); err != nil {
		t.Fatal(err)
	}
	h := mustAcquire(t, File(path, NoSync()))
	for range 3 {
		w := startSlumber(t, path)
		mustRelease(t, h)
		h = w.mustBeGranted(t, "a release past a holder that stands still")
		if h.Token() <= last {
			t.Errorf("token %d follows token %d", h.Token(), last)
		}
		last = h.Token()
	}
	w := startSlumber(t, path) // to whom a release would hand the lock over
	p.resume()
	if err := p.do(request{Do: "release"}).err(); !errors.Is(err, ErrLost) {
		t.Errorf("a holder that lost the lock while it stood still releases it with %v", err)
	}
	w.mustStillWait(t, "the holder after that has the lock")
	if err := h.Err(); err != nil {
		t.Errorf("the release of a lock that was lost cost the holder after that its own: %v", err)
	}
	mustRelease(t, h)
	h = w.mustBeGranted(t, "a release")
	last = h.Token()
	mustRelease(t, h)
	mustFollow(t, path, last)
	if info, err := File(path).Inspect(t.Context()); err != nil || info.State != StateFree {
		t.Errorf("after all is over the lock is %v, %v", info.State, err)
	}
}

// startSlumber starts a waiter and returns when it sleeps until it is told.
func startSlumber(t *testing.T, path string) *waiter {
	t.Helper()
	c := drowsy()
	w := startWaiter(t, File(path, NoSync(), by(c)))
	c.await(t, 1)
	return w
}

// What a process needed in order to be told is given up with the lock, and who hands the
// lock over gives way to those who are on their way to it.
func TestAHandOverLeavesNothingBehindButTheWayToOthers(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	var calls caller
	c := newTestClock()
	giver := hook(File(path, NoSync(), by(c)), calls.before)
	h := mustAcquire(t, giver)
	heir := File(path, NoSync())
	w := startWaiter(t, heir)
	eventually(t, "the waiter asks to be told", func() bool { return parkedAt(t, heir) > 0 })
	mustRelease(t, h)
	granted := w.mustBeGranted(t, "a release")
	s := sessionOf(granted)
	mustRelease(t, granted)
	if s.loud || s.bell || s.parked != 0 {
		t.Errorf("who waited is still told of changes: loud %t, bell %t, parked %d", s.loud, s.bell, s.parked)
	}

	if giver.woke.Load() == 0 {
		t.Fatal("a release that somebody waited for is not remembered")
	}
	giver.woke.Add(int64(time.Hour)) // so that it was just now, however slow this test is
	calls.set(trap{})
	again := startWaiter(t, giver)
	c.awaitSleepers(t, 1)
	if seen := calls.take(); len(seen) > 0 {
		t.Errorf("who has handed the lock over does not give way before it makes the calls %v", seen)
	}
	c.advance(2 * time.Hour)
	mustRelease(t, again.mustBeGranted(t, "a while"))
}

// parkedAt counts the goroutines that have asked to be told when the lock is free.
func parkedAt(t *testing.T, l *Lock) int {
	t.Helper()
	is, err := l.current()
	if err != nil {
		t.Fatal(err)
	}
	s := is.(*session)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parked
}

// P holds the guard and stands still; W comes, and cannot have it. When P goes on it
// leaves the lock open, or it has not even changed it: W has to know.
//
//	P                        W
//	guard
//	(stands still)           the guard is taken: sleep
//	finds the record changed,
//	or releases
//	                         wakes
func TestAWaiterIsWokenWhenAProcessThatStoodStillGoesOn(t *testing.T) {
	t.Parallel()
	moves := map[string]struct {
		move func(l *Lock, h *Held) error
		meet func(h *Held) // just before P takes the guard
	}{
		"release": {move: func(l *Lock, h *Held) error { return h.Release() }},
		"break": {move: func(l *Lock, h *Held) error {
			return l.Break(context.Background(), h.Token(), "the test says so")
		}},
		"a break that comes too late": {
			move: func(l *Lock, h *Held) error {
				err := l.Break(context.Background(), h.Token(), "the test says so")
				if errors.Is(err, ErrNotHeld) {
					return nil
				}
				return err // none if the release left a dead holder's record to who waits
			},
			meet: func(h *Held) { _ = h.Release() },
		},
	}
	var all sync.WaitGroup
	defer all.Wait()
	for name, tt := range moves {
		for at := 1; at <= 12; at++ {
			runBeside(t, &all, fmt.Sprintf("%s before call %d", name, at), func(t *testing.T) {
				goOnAt(t, at, tt.move, tt.meet)
			})
		}
	}
}

// runBeside runs a subtest beside others even where the tests that may run in parallel
// are few: these only wait.
func runBeside(t *testing.T, all *sync.WaitGroup, name string, test func(t *testing.T)) {
	all.Go(func() { t.Run(name, test) })
}

func goOnAt(t *testing.T, at int, move func(l *Lock, h *Held) error, meet func(h *Held)) {
	path := lockPath(t)
	b := &barrier{reached: make(chan struct{}), goOn: make(chan struct{})}
	l := hook(File(path, NoSync()), b.before)
	mustRelease(t, mustAcquire(t, l)) // it is open from now on
	holder := l
	if meet != nil {
		holder = File(path, NoSync())
	}
	h := mustAcquire(t, holder)
	b.set(at, func() {
		if meet != nil {
			meet(h)
		}
	})
	done := make(chan error, 1)
	go func() { done <- move(l, h) }()
	select {
	case <-b.reached:
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
		return // there are not so many calls
	}
	c := drowsy()
	next := startWaiter(t, File(path, NoSync(), by(c)))
	c.awaitUnlessPolled()
	close(b.goOn)
	granted := next.mustBeGranted(t, "a process that stood still went on")
	if err := <-done; err != nil {
		t.Error(err)
	}
	if granted.Err() == nil {
		mustRelease(t, granted)
	}
}

// A barrier holds a goroutine before one of its system calls.
type barrier struct {
	mu      sync.Mutex
	left    int
	onGuard func() // run once before the next guard is taken
	reached chan struct{}
	goOn    chan struct{}
}

func (b *barrier) set(at int, onGuard func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left, b.onGuard = at, onGuard
}

func (b *barrier) before(call string) error {
	b.mu.Lock()
	meet := b.onGuard
	if call == "setlk guard" {
		b.onGuard = nil
	} else {
		meet = nil
	}
	hit := b.left == 1
	b.left--
	b.mu.Unlock()
	if hit {
		close(b.reached)
		<-b.goOn
	}
	if meet != nil {
		meet()
	}
	return nil
}

func TestAcquireSaysWhoHoldsTheLockWhenItGivesUp(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	h := mustAcquire(t, File(path, Label("the holder")))
	for name, ends := range map[string]func(*testing.T, time.Duration) context.Context{
		"deadline": within, "cancellation": cancelledIn,
	} {
		l, ctx := File(path), ends(t, 100*time.Millisecond)
		_, err := l.Acquire(ctx)
		busy := new(BusyError)
		if !errors.As(err, &busy) || busy.Holder.Token != h.Token() || busy.Holder.Label != "the holder" || busy.Path != l.path {
			t.Errorf("after a %s the error does not say who holds the lock: %#v", name, err)
		}
		if !errors.Is(err, ctx.Err()) {
			t.Errorf("after a %s the error %v does not match %v", name, err, ctx.Err())
		}
	}
	mustRelease(t, h)
}

var errReason = errors.New("the test's reason")

func TestAcquireGivesTheCauseOfItsContext(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	h := mustAcquire(t, File(path))
	ctx, cancel := context.WithCancelCause(t.Context())
	l := File(path)
	go func() {
		for !waits(l) && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel(errReason)
	}()
	if _, err := l.Acquire(ctx); !errors.Is(err, errReason) || !errors.Is(err, context.Canceled) {
		t.Errorf("a wait that was cancelled for a reason ends with %v", err)
	}
	mustRelease(t, h)
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func cancelledIn(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(d, cancel)
	t.Cleanup(cancel)
	return ctx
}
