package fleetlock

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The seed's own two tests, and one for each finding about its lock.

// deadHolder leaves a lock whose holder was killed, and returns its token.
func deadHolder(t *testing.T, path string) uint64 {
	t.Helper()
	p := startProcess(t, lockSpec{Path: path, Label: "4242"})
	token := p.must(request{Do: "acquire"}).Token
	p.kill()
	return token
}

// The seed's "lets only one of several concurrent breakers proceed past a stale lock".
func TestSeedLetsOnlyOneOfSeveralBreakersProceedPastADeadHolder(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	dead := deadHolder(t, path)
	var active, most atomic.Int32
	var mu sync.Mutex
	tokens := make(map[uint64]bool)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			h, err := File(path).Acquire(soon(t))
			if err != nil {
				t.Errorf("a breaker is not granted the lock: %v", err)
				return
			}
			if now := active.Add(1); now > most.Load() {
				most.Store(now)
			}
			mu.Lock()
			tokens[h.Token()] = true
			mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			active.Add(-1)
			if err := h.Release(); err != nil {
				t.Errorf("a breaker cannot release: %v", err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d breakers proceeded at once", most.Load())
	}
	if len(tokens) != 3 || tokens[dead] {
		t.Errorf("three breakers after token %d had the tokens %v", dead, tokens)
	}
	h, err := File(path).TryAcquire(t.Context())
	if err != nil {
		t.Fatalf("at the end the lock is not free: %v", err)
	}
	mustRelease(t, h)
}

// The seed's "lets exactly one of two breakers take over a stale lock while the other
// waits".
func TestSeedLetsExactlyOneOfTwoTakeOverADeadHoldersLockWhileTheOtherWaits(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	dead := deadHolder(t, path)
	locks := [2]*Lock{File(path), File(path)}
	waiters := [2]*waiter{startWaiter(t, locks[0]), startWaiter(t, locks[1])}
	var first *Held
	var loser int
	select {
	case first = <-waiters[0].granted:
		loser = 1
	case first = <-waiters[1].granted:
		loser = 0
	case <-time.After(patiently):
		t.Fatal("nobody takes over the lock of a dead holder")
	}
	// The winner holds until the loser has seen a fresh holder, and waits.
	eventually(t, "the loser waits", func() bool { return waits(locks[loser]) })
	waiters[loser].mustStillWait(t, "the winner held the lock")
	if err := first.Err(); err != nil {
		t.Errorf("the winner lost the lock: %v", err)
	}
	mustRelease(t, first)
	next := waiters[loser].mustBeGranted(t, "the winner's release")
	if first.Token() <= dead || next.Token() <= first.Token() {
		t.Errorf("after token %d two holders had the tokens %d and %d", dead, first.Token(), next.Token())
	}
	mustRelease(t, next)
}

// Finding 1: a waiter's own age made it an owner, so that one busy owner and four
// waiters became five owners.
func TestLock1WaitersNeverBecomeHoldersByWaiting(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	busy := mustAcquire(t, File(path))
	var waiters [4]*waiter
	for i := range waiters {
		waiters[i] = waitFor(t, File(path))
	}
	time.Sleep(300 * time.Millisecond)
	for i, w := range waiters {
		w.mustStillWait(t, fmt.Sprintf("the holder was busy; it was waiter %d", i))
	}
	mustRelease(t, busy)
	var active atomic.Int32
	var all sync.WaitGroup
	for _, w := range waiters {
		all.Go(func() {
			select {
			case h := <-w.granted:
				if active.Add(1) != 1 {
					t.Error("two healthy jobs of a queue held the lock at once")
				}
				time.Sleep(100 * time.Millisecond)
				active.Add(-1)
				_ = h.Release()
			case <-time.After(patiently):
				t.Error("a waiter is stuck in a queue of healthy jobs")
			}
		})
	}
	all.Wait()
}

// Finding 2: the mutex was reaped while its holder was merely suspended.
func TestLock2ASuspendedProcessKeepsItsGuard(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	mustRelease(t, mustAcquire(t, File(path)))
	p := startProcess(t, lockSpec{Path: path})
	p.do(request{Do: "trap", Trap: trap{Call: callsInGuard, Signal: unix.SIGSTOP}})
	p.send(request{Do: "try"})
	p.awaitStop()
	next := startWaiter(t, File(path))
	time.Sleep(300 * time.Millisecond)
	next.mustStillWait(t, "a suspended process was about to write its grant")
	p.resume()
	answer, err := p.receive()
	if err := errors.Join(err, answer.err()); err != nil {
		t.Fatalf("a process that was suspended in the middle is not granted the lock: %v", err)
	}
	next.mustStillWait(t, "the process that was suspended held the lock")
	p.must(request{Do: "release"})
	if h := next.mustBeGranted(t, "a release"); h.Token() <= answer.Token {
		t.Errorf("token %d follows token %d", h.Token(), answer.Token)
	}
}

// Finding 3: two that cleared away the debris of the dead met, and both went on.
func TestLock3DebrisOfTheDeadMakesNoTwoHolders(t *testing.T) {
	t.Parallel()
	for round := range rounds(10, 500) {
		path := lockPath(t)
		seen := witness{path + ".witness"}
		mustRelease(t, mustAcquire(t, File(path, NoSync())))
		for _, call := range []string{"pwrite", "unlock guard"} { // two die in the middle
			p := startProcess(t, lockSpec{Path: path})
			p.do(request{Do: "trap", Trap: trap{Call: call, Signal: unix.SIGKILL}})
			if _, survived := p.attempt(request{Do: "try"}); survived && round == 0 {
				t.Errorf("a grant makes no call %q", call)
			}
			p.kill()
		}
		reapers := make([]*process, 3)
		for i := range reapers {
			reapers[i] = startProcess(t, lockSpec{Path: path})
		}
		for _, p := range reapers {
			p.send(request{Do: "work", Times: 20, Path: seen.path})
		}
		for _, p := range reapers {
			if answer, err := p.receive(); err != nil || answer.err() != nil {
				t.Errorf("in round %d a process cannot get past the dead: %v", round, errors.Join(err, answer.err()))
			}
			p.kill()
		}
		if holders, _ := seen.check(t); holders != 60 {
			t.Errorf("in round %d there were %d holders of 60", round, holders)
		}
	}
}

// Finding 4: an owner that worked longer than the stale age was broken, and never told.
func TestLock4ALongJobIsNeverBrokenAndABrokenOneIsTold(t *testing.T) {
	t.Parallel()
	c, path := newTestClock(), lockPath(t)
	h := mustAcquire(t, File(path, by(c)))
	ctx := h.Context()
	c.advance(1000 * time.Hour)
	holder := mustBeBusy(t, File(path, by(c)))
	if err := h.Err(); err != nil {
		t.Errorf("after a thousand hours of work the holder has lost its lock: %v", err)
	}
	if err := File(path, by(c)).Break(t.Context(), holder.Token, "it takes too long"); err != nil {
		t.Fatalf("an operator cannot break the lock: %v", err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(patiently):
		t.Error("the holder of a broken lock is not told")
	}
	lost := new(LostError)
	if err := h.Release(); !errors.As(err, &lost) || lost.Token != h.Token() {
		t.Errorf("the holder of a broken lock releases it with %v", err)
	}
}

// Finding 5: waiting and releasing ignored every deadline while someone had the mutex,
// and a time in the future blocked everybody.
func TestLock5NobodyBlocksForEverAndTimesInTheFutureMeanNothing(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	h := mustAcquire(t, File(path))
	stoppedInGuard(t, path, h.Token())
	future := time.Now().Add(10 * 365 * 24 * time.Hour)
	if err := os.Chtimes(path, future, future); err != nil {
		t.Fatal(err)
	}
	mustReturn(t, "a release between two waits of 50 ms", func() {
		mustGiveUp(t, File(path))
		if err := h.Release(); err != nil {
			t.Errorf("the holder cannot release while another process stands in the way: %v", err)
		}
		mustGiveUp(t, File(path)) // nobody has it, but one stands in the way
	})
}

// Finding 6: an error while reading counted as stale, and broke a live lock.
func TestLock6ErrorsWhileReadingBreakNoLiveLock(t *testing.T) {
	t.Parallel()
	for _, errno := range []unix.Errno{unix.EMFILE, unix.EIO, unix.EACCES} {
		path := lockPath(t)
		h := mustAcquire(t, File(path))
		other := hook(File(path), func(call string) error {
			if call == "pread" {
				return errno
			}
			return nil
		})
		if granted, err := other.TryAcquire(t.Context()); !errors.Is(err, errno) {
			t.Errorf("%v while reading is answered with %v, %v", errno, granted, err)
		}
		if err := h.Err(); err != nil {
			t.Errorf("%v while another reads cost the holder its lock: %v", errno, err)
		}
		mustRelease(t, h)
	}
}

// Finding 7: with the disk full the owner could not release, and a takeover destroyed
// the record.
func TestLock7AFullDiskBlocksNoReleaseAndDestroysNoRecord(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	var calls caller
	l := hook(File(path), calls.before)
	h := mustAcquire(t, l)
	full := trap{Call: "pwrite", Errno: unix.ENOSPC, Lasts: true}
	calls.set(full)
	if err := h.Release(); err != nil {
		t.Errorf("with the disk full the holder cannot release: %v", err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.TryAcquire(t.Context()); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("with the disk full a takeover ends with %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("with the disk full a takeover changed the record: %v", err)
	}
	calls.set(trap{})
	mustFollow(t, path, h.Token())
}

// Finding 8: readers saw an empty file, links were followed, errors swallowed, and a
// SIGKILL cost the whole stale age.
func TestLock8ReadersSeeWholeRecordsAndADeathIsNoticedAtOnce(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	p := startProcess(t, lockSpec{Path: path})
	p.send(request{Do: "work", Times: 2000, Path: path + ".witness"})
	for looks := 0; len(p.replies) == 0 || looks < 100; looks++ {
		if info, err := File(path).Inspect(t.Context()); err != nil {
			t.Fatalf("look %d at a lock in use fails: %v, %v", looks, info, err)
		}
	}
	if answer, err := p.receive(); err != nil || answer.err() != nil {
		t.Fatal(errors.Join(err, answer.err()))
	}
	token := p.must(request{Do: "acquire"}).Token
	next := waitFor(t, File(path))
	p.kill()
	h := next.mustBeGranted(t, "the holder was killed")
	if h.Token() <= token {
		t.Errorf("token %d follows token %d", h.Token(), token)
	}
	mustRelease(t, h)

	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := File(link).TryAcquire(t.Context()); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a link is answered with %v", err)
	}
}
