package fleetlock

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

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
