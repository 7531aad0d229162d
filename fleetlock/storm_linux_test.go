package fleetlock

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A hundred goroutines wait and are cancelled, again and again, through one Lock and
// through many.
func TestAStormOfCancellationsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	// A hundred Locks are dropped at a time: have the garbage collector take them while
	// others wait.
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	path := lockPath(t)
	one := File(path, NoSync())
	mustRelease(t, mustAcquire(t, one))
	mustGiveUpIfHeld(t, path) // so that whatever a process opens once is open
	eventuallyCollected(t)
	goroutines, descriptors := runtime.NumGoroutine(), countDescriptors()
	for range rounds(3, 100) {
		storm(t, func() *Lock { return one })
		storm(t, func() *Lock { return File(path, NoSync()) })
	}
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "the descriptors are closed", func() bool {
		runtime.GC()
		return countDescriptors() <= descriptors
	})
	mustRelease(t, mustAcquire(t, File(path)))
}

// Waiters are goroutines alone: no thread of the process stands still for one.
func TestAHundredWaitersKeepNoThread(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	path := lockPath(t)
	h := mustAcquire(t, File(path, NoSync()))
	var waiters [100]*waiter
	for i := range waiters {
		waiters[i] = startWaiter(t, File(path, NoSync()))
	}
	eventually(t, "every waiter is a goroutine that sleeps", func() bool { return sleepingIn("startWaiter") == len(waiters) })
	for _, w := range waiters {
		w.mustStillWait(t, "another holds the lock")
	}
	mustRelease(t, h)
	for _, w := range waiters {
		w.cancel()
	}
	for _, w := range waiters {
		select {
		case h := <-w.granted:
			mustRelease(t, h)
		case <-w.failed:
		}
	}
}

func mustGiveUpIfHeld(t *testing.T, path string) {
	t.Helper()
	h := mustAcquire(t, File(path))
	mustGiveUp(t, File(path))
	mustRelease(t, h)
}

func storm(t *testing.T, lock func() *Lock) {
	t.Helper()
	var active atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), rand.N(60*time.Millisecond))
		l := lock()
		all.Go(func() {
			defer cancel()
			h, err := l.Acquire(ctx)
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a wait in a storm ends with %v", err)
				}
				return
			}
			if active.Add(1) != 1 {
				t.Error("a storm made two holders")
			}
			time.Sleep(time.Millisecond)
			active.Add(-1)
			if err := h.Release(); err != nil {
				t.Errorf("a holder in a storm cannot release: %v", err)
			}
		})
	}
	all.Wait()
	l := lock()
	h, err := l.TryAcquire(t.Context())
	if err != nil {
		t.Fatalf("a storm left the lock with somebody: %v", err)
	}
	mustRelease(t, h)
}

// One Lock serves its goroutines in the order in which they came.
func TestOneLockServesItsGoroutinesInOrder(t *testing.T) {
	t.Parallel()
	l := File(lockPath(t), NoSync())
	h := mustAcquire(t, l)
	const many = 20
	order := make(chan int, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			h, err := l.Acquire(soon(t))
			if err != nil {
				t.Error(err)
				return
			}
			order <- i
			if err := h.Release(); err != nil {
				t.Error(err)
			}
		})
		eventually(t, "the goroutine waits", func() bool { return sleepingIn(t.Name()) == i+1 })
	}
	mustRelease(t, h)
	all.Wait()
	close(order)
	want := 0
	for got := range order {
		if got != want {
			t.Errorf("goroutine %d was served instead of %d", got, want)
		}
		want++
	}
}

// sleepingIn counts the goroutines of a function that stand still in Acquire, and in no
// system call: they keep no thread.
func sleepingIn(function string) (n int) {
	for stack := range strings.SplitSeq(allStacks(), "\n\n") {
		if (strings.Contains(stack, "[select") || strings.Contains(stack, "[IO wait")) && strings.Contains(stack, "Acquire(") && strings.Contains(stack, function) {
			n++
		}
	}
	return n
}

func allStacks() string {
	for size := 1 << 20; ; size *= 2 {
		text := make([]byte, size)
		if n := runtime.Stack(text, true); n < size {
			return string(text[:n])
		}
	}
}

// Goroutines of one Lock, several Locks of one process, and several processes, all on
// one file.
func TestManyLocksInManyProcessesMakeOneHolder(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	seen := witness{path + ".witness"}
	times := rounds(100, 10000)
	var crowd [3]*process
	for i := range crowd {
		crowd[i] = startProcess(t, lockSpec{Path: path})
		crowd[i].send(request{Do: "work", Times: times, Path: seen.path})
	}
	var active atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		l := File(path, NoSync())
		for range 4 {
			all.Go(func() {
				for range times / 4 {
					h, err := l.Acquire(soon(t))
					if err != nil {
						t.Errorf("a goroutine is not granted the lock: %v", err)
						return
					}
					if active.Add(1) != 1 {
						t.Error("two goroutines of a process hold the lock at once")
					}
					if err := seen.see(h, 0); err != nil {
						t.Error(err)
					}
					active.Add(-1)
					if err := h.Release(); err != nil {
						t.Errorf("a goroutine cannot release: %v", err)
					}
				}
			})
		}
	}
	all.Wait()
	for _, p := range crowd {
		if answer, err := p.receive(); err != nil || answer.err() != nil {
			t.Error(errors.Join(err, answer.err()))
		}
	}
	if holders, _ := seen.check(t); holders != 3*times+16*(times/4) {
		t.Errorf("%d holders were seen", holders)
	}
}

// A release that the watcher of the context, or anyone who asks, sees before it has
// ended is no loss.
func TestAReleaseIsNeverTakenForALoss(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"release", "detach"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			for at := 1; at <= 12; at++ {
				var armed atomic.Bool
				var calls atomic.Int32
				l := hook(File(lockPath(t)), func(string) error {
					if armed.Load() {
						if calls.Add(1) == int32(at) {
							time.Sleep(10 * time.Millisecond) // for those who ask to come
						}
					}
					return nil
				})
				h := mustAcquire(t, l)
				ctx := h.Context()
				stop := make(chan struct{})
				var all sync.WaitGroup
				for range 3 {
					all.Go(func() {
						for {
							select {
							case <-stop:
								return
							default:
							}
							if err := h.Err(); err != nil && !errors.Is(err, ErrReleased) {
								t.Errorf("a holder that makes a %s is told %v before call %d", end, err, at)
								return
							}
							time.Sleep(time.Millisecond)
						}
					})
				}
				armedEnd(t, h, end, &armed)
				close(stop)
				all.Wait()
				if cause := context.Cause(ctx); !errors.Is(cause, ErrReleased) {
					t.Errorf("after a %s the context has the cause %v", end, cause)
				}
				if err := h.Err(); !errors.Is(err, ErrReleased) {
					t.Errorf("after a %s Err is %v", end, err)
				}
				if t.Failed() {
					t.Fatalf("when call %d was slow", at)
				}
			}
		})
	}
}

func armedEnd(t *testing.T, h *Held, end string, armed *atomic.Bool) {
	t.Helper()
	// Each of those who ask makes calls, too: only what this goroutine makes is slow by
	// chance, and some of it always is.
	armed.Store(true)
	defer armed.Store(false)
	var err error
	if end == "detach" {
		_, err = h.Detach(time.Hour)
	} else {
		err = h.Release()
	}
	if err != nil {
		t.Errorf("a %s ends with %v", end, err)
	}
}

func TestInspectTakesNoLockAndMakesNoFile(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	info, err := File(path).Inspect(t.Context())
	if err != nil || info.State != StateFree || info.Last.Token != 0 {
		t.Errorf("a lock that never was is %+v, %v", info, err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Inspect made a file: %v", err)
	}
	p := startProcess(t, lockSpec{Path: path})
	p.send(request{Do: "work", Times: 300, Path: path + ".witness"})
	l := File(path)
	for len(p.replies) == 0 {
		if _, err := l.Inspect(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if answer, err := p.receive(); err != nil || answer.err() != nil {
		t.Errorf("a process whose lock is inspected all the time fails: %v", errors.Join(err, answer.err()))
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
	if after, err := os.Stat(path); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("Inspect changed the file: %v", err)
	}
	if l.store != nil {
		t.Error("Inspect opened the lock to change it")
	}
}
