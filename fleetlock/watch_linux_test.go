//go:build !fleetlock_posix

package fleetlock

import (
	"context"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newListeners has two files watched, by a watcher of the test's own, and a listener to
// each.
func newListeners(t *testing.T) (w *watcher, paths [2]string, listeners [2]*listener) {
	t.Helper()
	fd, err := openInotify()
	if err != nil {
		t.Fatal(err)
	}
	if w, err = newWatcher(fd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.file.Close() })
	for i := range listeners {
		paths[i] = lockPath(t)
		f, err := os.OpenFile(paths[i], os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		s := new(subject)
		id, err := w.add(byDescriptor(f), f, s)
		if err == nil {
			err = w.listen(id, s, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		listeners[i] = s.listen(w.news)
	}
	return w, paths, listeners
}

// asleep starts a listener's sleep and returns what ends when that does.
func asleep(ctx context.Context, l *listener) <-chan struct{} { return asleepBy(ctx, l, systemClock) }

func asleepBy(ctx context.Context, l *listener, c clock) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		_ = l.sleep(ctx, c, time.Hour)
		close(ended)
	}()
	return ended
}

func mustEnd(t *testing.T, ended <-chan struct{}, sleeper string) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(patiently):
		t.Fatalf("%s is not woken", sleeper)
	}
}

// Whoever of the listeners fetches the news is woken by its own alone.
func TestNewsWakeNobodyButWhomTheyAreFor(t *testing.T) {
	t.Parallel()
	_, paths, listeners := newListeners(t)
	ctx, cancel := context.WithCancel(t.Context())
	fetches := asleep(ctx, listeners[0])
	eventually(t, "one listener fetches for both", listeners[0].looking.Load)
	waits := asleep(ctx, listeners[1])
	if err := os.Chtimes(paths[1], time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, waits, "who the news is for")
	cancel()
	mustEnd(t, fetches, "who fetches, and whose ctx has ended,")
	if listeners[0].told || !listeners[1].told {
		t.Errorf("news of the second file: the first listener is told %t, the second %t", listeners[0].told, listeners[1].told)
	}
}

// Whatever ends the sleep of who fetches, another fetches from then on.
func TestWhoWaitsFetchesTheNewsOnceWhoDidHasGone(t *testing.T) {
	t.Parallel()
	touched := func(t *testing.T, path string) {
		t.Helper()
		if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	type fetcher struct {
		*listener
		file   string
		cancel func()
		clock  *testClock
	}
	for name, end := range map[string]func(t *testing.T, f fetcher){
		"its ctx ends":         func(_ *testing.T, f fetcher) { f.cancel() },
		"its time is up":       func(_ *testing.T, f fetcher) { f.clock.advance(time.Hour) },
		"it has news":          func(t *testing.T, f fetcher) { touched(t, f.file) },
		"its file is removed":  func(_ *testing.T, f fetcher) { _ = os.Remove(f.file) },
		"its process tells it": func(_ *testing.T, f fetcher) { f.tell() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, paths, listeners := newListeners(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := newTestClock()
			fetches := asleepBy(ctx, listeners[0], c)
			eventually(t, "one listener fetches for both", listeners[0].looking.Load)
			waits := asleep(t.Context(), listeners[1])
			end(t, fetcher{listeners[0], paths[0], cancel, c})
			mustEnd(t, fetches, "who fetches, because "+name+",")
			eventually(t, "the other one fetches", listeners[1].looking.Load)
			touched(t, paths[1])
			mustEnd(t, waits, "who fetches now")
			if !listeners[1].told {
				t.Error("who fetches now is not told its own news")
			}
		})
	}
}

// More than the kernel would keep is news for everybody.
func TestAnOverflowIsToldToAll(t *testing.T) {
	t.Parallel()
	w, _, listeners := newListeners(t)
	event := make([]byte, unix.SizeofInotifyEvent)
	lost := int32(-1)
	binary.NativeEndian.PutUint32(event, uint32(lost))
	binary.NativeEndian.PutUint32(event[4:], unix.IN_Q_OVERFLOW)
	w.dispatch(event)
	for i, l := range listeners {
		mustEnd(t, asleep(t.Context(), l), "a listener after an overflow")
		if !l.told {
			t.Errorf("listener %d is not told of an overflow", i)
		}
	}
}

// What Go's poller does not take could not be waited for.
func TestAWatcherThatCannotBeWaitedForIsAnError(t *testing.T) {
	t.Parallel()
	fd, err := unix.Open(os.Args[0], unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0) // epoll(7) refuses regular files
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newWatcher(fd); err == nil {
		t.Error("a watcher is made that cannot be waited for")
	}
}

// The garbage collector may end the watch of a session that nobody uses any more while
// a goroutine is about to tell it that it need not listen.
func TestAWatchThatHasEndedIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	if err := makeLock(path); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var watches [2]*watch // of one file
	for i := range watches {
		if watches[i], err = newWatch(path, f, new(subject)); err != nil {
			t.Fatal(err)
		}
		if err := watches[i].listen(1); err != nil {
			t.Fatal(err)
		}
	}
	watches[0].stop()
	if err := watches[0].listen(-1); err != nil {
		t.Errorf("a watch that has ended answers with %v", err)
	}
	watches[0].stop()
	if err := watches[1].listen(-1); err != nil {
		t.Errorf("a watch of the same file answers with %v", err)
	}
	watches[1].stop()
}

// A waiter is told, and does not ask: its lease is long, and so its pauses become. It is
// alone because what happens to other files of its process wakes it, too.
func TestWhoWaitsForASlotDoesNotAskAllTheTime(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	path := lockPath(t)
	one, two := mustAcquire(t, slotsOf(path, 2)), mustAcquire(t, slotsOf(path, 2))
	calls := new(caller)
	w := waitFor(t, hook(slotsOf(path, 2), calls.before))
	eventually(t, "one who waits makes few calls within a second", func() bool {
		calls.take()
		time.Sleep(time.Second)
		return calls.count() <= 30
	})
	w.mustStillWait(t, "both slots were held")
	mustRelease(t, one)
	mustRelease(t, w.mustBeGranted(t, "the release of a slot"))
	mustRelease(t, two)
}
