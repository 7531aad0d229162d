package fleetlock

import (
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A child that got the descriptor, past close-on-exec, keeps the lock alive.
func TestALeakedDescriptorKeepsTheLockAliveUntilTheChildEnds(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	p := startProcess(t, lockSpec{Path: path})
	token := p.must(request{Do: "acquire"}).Token
	child := p.must(request{Do: "leak"}).Number
	defer unix.Kill(child, unix.SIGKILL)
	next := waitFor(t, File(path, NoSync()))
	p.kill()
	time.Sleep(100 * time.Millisecond)
	next.mustStillWait(t, "a child had the descriptor of the dead holder")
	if holder := mustBeBusy(t, File(path)); holder.Token != token {
		t.Errorf("the lock is busy because of %+v", holder)
	}
	if err := unix.Kill(child, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if h := next.mustBeGranted(t, "the death of the child"); h.Token() <= token {
		t.Errorf("token %d follows token %d", h.Token(), token)
	}
}

func TestAChildOfTheHolderDoesNotKeepTheLock(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	p := startProcess(t, lockSpec{Path: path})
	token := p.must(request{Do: "acquire"}).Token
	child := p.must(request{Do: "spawn"}).Number
	defer unix.Kill(child, unix.SIGKILL)
	p.kill()
	if err := unix.Kill(child, 0); err != nil {
		t.Fatalf("the child is gone: %v", err)
	}
	mustFollow(t, path, token)
}

// A holder that releases does so for its children, too.
func TestAReleaseFreesWhatALeakedDescriptorKeeps(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	p := startProcess(t, lockSpec{Path: path})
	token := p.must(request{Do: "acquire"}).Token
	child := p.must(request{Do: "leak"}).Number
	defer unix.Kill(child, unix.SIGKILL)
	p.must(request{Do: "release"})
	mustFollow(t, path, token)
}

// Whatever number of descriptors is left, the lock is granted or it is not; once there
// are more again it can be had.
func TestWithoutDescriptorsNothingIsGrantedAndNothingIsLostForGood(t *testing.T) {
	t.Parallel()
	for left := range 8 {
		for _, made := range []bool{false, true} {
			path := lockPath(t)
			if made {
				if err := makeLock(path); err != nil {
					t.Fatal(err)
				}
			}
			p := startProcess(t, lockSpec{Path: path})
			p.must(request{Do: "descriptors", Times: left})
			for range 3 {
				answer := p.do(request{Do: "try"})
				if err := answer.err(); err != nil && !errors.Is(err, unix.EMFILE) {
					t.Errorf("with %d descriptors left the lock is answered with %v", left, err)
				} else if err == nil {
					mustBeBusy(t, File(path))
					p.must(request{Do: "release"})
				}
			}
			p.must(request{Do: "descriptors", Times: -1})
			if answer := p.do(request{Do: "try"}); answer.err() != nil {
				t.Errorf("after there were only %d descriptors left the lock cannot be had: %v", left, answer.err())
			}
			p.kill()
		}
	}
}

func TestAHolderWithoutDescriptorsGoesThroughAllStates(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	p := startProcess(t, lockSpec{Path: path, Lease: longLease})
	p.must(request{Do: "acquire"})
	p.must(request{Do: "descriptors", Times: 0})
	p.must(request{Do: "ask"})
	p.must(request{Do: "renew"})
	if err := p.do(request{Do: "inspect"}).err(); !errors.Is(err, unix.EMFILE) {
		t.Errorf("without descriptors a lock is inspected with %v", err)
	}
	ticket := p.must(request{Do: "detach", TTL: time.Hour}).Ticket
	p.must(request{Do: "resume", Ticket: ticket})
	p.must(request{Do: "release"})
	last := p.must(request{Do: "try"}).Token
	p.must(request{Do: "release"})
	mustFollow(t, path, last)
}

// What failed to open leaves nothing open, without any help of the garbage collector.
func TestAFailureLeavesNoDescriptor(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	path := lockPath(t)
	held := mustAcquire(t, File(path)) // with it, whatever a process opens once
	fifo := lockPath(t)
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	wide := lockPath(t)
	if err := errors.Join(makeLock(wide), os.Chmod(wide, 0o644)); err != nil {
		t.Fatal(err)
	}
	before := countDescriptors()
	for range 20 {
		for name, failed := range map[string]*Lock{"a FIFO": File(fifo), "a wide mode": File(wide), "no directory": File(path + "/nowhere")} {
			if _, err := failed.TryAcquire(t.Context()); err == nil {
				t.Errorf("%s is granted", name)
			}
		}
		if _, err := File(path).Inspect(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if after := countDescriptors(); after != before {
		t.Errorf("%d descriptors were open before the failures, and %d after", before, after)
	}
	mustRelease(t, held)
}

// A Lock that the program drops gives its descriptor back; what it holds it keeps.
func TestTheGarbageCollectorClosesIdleLocksAndReleasesNothing(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	path := lockPath(t)
	idle := lockPath(t)
	mustRelease(t, mustAcquire(t, File(path)))
	eventuallyCollected(t)
	before := countDescriptors()
	token := mustAcquire(t, File(path)).Token() // all but the token is dropped
	c := newTestClock()
	leaseToken := mustAcquire(t, File(path+".lease", Lease(leaseTime), by(c))).Token()
	for range 50 {
		mustRelease(t, mustAcquire(t, File(idle, NoSync())))
	}
	eventually(t, "idle locks are closed", func() bool {
		runtime.GC()
		return countDescriptors() <= before+2
	})
	for range 20 { // five leases
		runtime.GC()
		c.awaitSleepers(t, 2)
		c.advance(leaseTime / 4)
	}
	c.awaitSleepers(t, 2)
	if holder := mustBeBusy(t, File(path)); holder.Token != token {
		t.Errorf("a lock that was dropped is held by %+v, and was by token %d", holder, token)
	}
	if holder := mustBeBusy(t, File(path+".lease", by(c))); holder.Token != leaseToken {
		t.Errorf("a lease that was dropped is held by %+v, and was by token %d", holder, leaseToken)
	}
	p := startProcess(t, lockSpec{Path: path})
	busy := new(BusyError)
	if err := p.do(request{Do: "try"}).err(); !errors.As(err, &busy) {
		t.Errorf("another process is answered with %v", err)
	}
}

// eventuallyCollected waits until nothing is left to collect.
func eventuallyCollected(t *testing.T) {
	t.Helper()
	last := -1
	eventually(t, "no more descriptors are closed", func() bool {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
		n := countDescriptors()
		same := n == last
		last = n
		return same
	})
}
