package fleetlock

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The process stands still before each system call in turn. Meanwhile nobody waits for
// it who does not want to, and when it goes on there are not two holders.
func TestAProcessThatStandsStillBeforeAnySystemCallNeverMakesTwoHolders(t *testing.T) {
	t.Parallel()
	for _, move := range transitions {
		t.Run(move.name, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at++ {
				if stopped := stopAt(t, move, at); !stopped {
					return
				}
				if t.Failed() {
					t.Fatalf("when stopped before call %d of %s", at, move.name)
				}
			}
		})
	}
}

func stopAt(t *testing.T, move transition, at int) (stopped bool) {
	s := lockSpec{Path: lockPath(t), Label: move.name, Lease: move.lease}
	p := startProcess(t, s)
	defer p.kill()
	asked := move.prepare(t, p, s)
	p.do(request{Do: "trap", Trap: trap{At: at, Signal: unix.SIGSTOP}})
	p.send(asked)
	if !p.stopsBeforeReply() {
		return false
	}
	other := File(s.Path, NoSync())
	mine, err := other.TryAcquire(soon(t))
	if busy := new(BusyError); err != nil && !errors.As(err, &busy) {
		t.Errorf("TryAcquire fails with %v while another process stands still", err)
	}
	p.resume()
	answer, err := p.receive()
	if err != nil {
		t.Fatalf("the process died of standing still: %v", err)
	}
	switch move.name {
	case "renew", "detach", "resume":
		if mine != nil {
			t.Errorf("token %d was granted while another had the lock", mine.Token())
		}
		if answer.err() != nil {
			t.Errorf("the process cannot go on: %v", answer.err())
		}
	case "release":
		if answer.err() != nil {
			t.Errorf("the holder lost what it released: %v", answer.err())
		}
	case "break":
		if answer.err() != nil && !errors.Is(answer.err(), ErrNotHeld) {
			t.Errorf("the process cannot go on: %v", answer.err())
		}
	default:
		busy := new(BusyError)
		if mine != nil && !errors.As(answer.err(), &busy) {
			t.Errorf("tokens %d and %d are both granted, or %v", mine.Token(), answer.Token, answer.err())
		}
		if mine == nil && answer.err() != nil {
			t.Errorf("the lock is granted to nobody: %v", answer.err())
		}
	}
	if mine != nil {
		if err := mine.Err(); err != nil {
			t.Errorf("the holder lost the lock to a process that stood still: %v", err)
		}
		mustRelease(t, mine)
	}
	p.kill()
	if move.name == "detach" {
		mustBeBusy(t, other)
		return true
	}
	mustFollow(t, s.Path, max(answer.Token, 1))
	return true
}

// Six processes take the lock; now and then one of them stands still, or dies.
func TestProcessesThatStandStillAtRandomNeverMakeTwoHolders(t *testing.T) {
	t.Parallel()
	c := startCrowd(t, func(int) lockSpec { return lockSpec{} })
	for range rounds(60, 3000) {
		c.awaitMore(t)
		i := rand.N(len(c.members))
		c.members[i].stop()
		time.Sleep(rand.N(10 * time.Millisecond))
		if rand.N(8) > 0 {
			c.members[i].resume()
		} else {
			c.replace(t, i) // while it stands still
		}
	}
	c.end(t)
}

func TestAHolderThatIsStoppedPastItsLeaseKnowsBeforeItTouchesAnything(t *testing.T) {
	t.Parallel()
	for _, watches := range []bool{false, true} {
		t.Run(fmt.Sprintf("context watched %t", watches), func(t *testing.T) {
			t.Parallel()
			path := lockPath(t)
			p := startProcess(t, lockSpec{Path: path, Lease: 2 * MinLease})
			token := p.must(request{Do: "acquire"}).Token
			if watches {
				p.must(request{Do: "watch"})
			}
			next := startWaiter(t, File(path, NoSync())) // and if the lease is over by now, the better
			p.stop()
			h := next.mustBeGranted(t, "the lease of a stopped holder ran out")
			if h.Token() <= token {
				t.Errorf("token %d follows token %d", h.Token(), token)
			}
			p.resume()
			lost := new(LostError)
			if err := p.do(request{Do: "ask"}).err(); !errors.As(err, &lost) || lost.Token != token {
				t.Errorf("the stopped holder %d was not told by Err: %v", token, err)
			}
			if err := p.do(request{Do: "hear", Within: patiently}).err(); !errors.As(err, &lost) {
				t.Errorf("the stopped holder %d was not told by its context: %v", token, err)
			}
			if err := p.do(request{Do: "release"}).err(); !errors.Is(err, ErrLost) {
				t.Errorf("the stopped holder %d releases what it lost with %v", token, err)
			}
			if err := h.Err(); err != nil {
				t.Errorf("the next holder lost the lock to the one that came back: %v", err)
			}
			mustBeBusy(t, File(path, NoSync()))
			mustRelease(t, h)
		})
	}
}

func TestWithoutALeaseAStoppedHolderKeepsTheLock(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	p := startProcess(t, lockSpec{Path: path})
	token := p.must(request{Do: "acquire"}).Token
	next := waitFor(t, File(path, NoSync(), Lease(MinLease)))
	p.stop()
	time.Sleep(5 * MinLease) // longer than any lease here
	next.mustStillWait(t, "the holder, who has no lease, stood still")
	p.resume()
	if err := p.do(request{Do: "ask"}).err(); err != nil {
		t.Errorf("the holder %d lost the lock by standing still: %v", token, err)
	}
	p.must(request{Do: "release"})
	_ = next.mustBeGranted(t, "a release").Release() // its lease is short, and may be over
}

// What is stopped holds the guard, and somebody else the lock.
func TestAHolderReleasesPastAProcessThatStandsStillInTheGuard(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	h := mustAcquire(t, File(path, NoSync()))
	p := stoppedInGuard(t, path, h.Token())
	mustReturn(t, "a release past a stopped process", func() {
		if err := h.Release(); err != nil {
			t.Errorf("the holder cannot release past a stopped process: %v", err)
		}
	})
	if err := h.Err(); !errors.Is(err, ErrReleased) {
		t.Errorf("after its release a holder has the error %v", err)
	}
	next := startWaiter(t, File(path, NoSync()))
	p.kill()
	mustRelease(t, next.mustBeGranted(t, "the process in the guard was killed"))
}

// stoppedInGuard is a process that stands still in the middle of a Break.
func stoppedInGuard(t *testing.T, path string, token uint64) *process {
	t.Helper()
	p := startProcess(t, lockSpec{Path: path})
	p.must(request{Do: "inspect"})
	p.do(request{Do: "trap", Trap: trap{Call: callsInGuard, Signal: unix.SIGSTOP}})
	p.send(request{Do: "break", Token: token})
	p.awaitStop()
	return p
}

// callsInGuard is a system call that is made with the guard only.
const callsInGuard = "pwrite"

func TestTryAcquireAnswersWhileAProcessStandsStillInTheGuard(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	h := mustAcquire(t, File(path, NoSync(), Label("the holder")))
	p := stoppedInGuard(t, path, h.Token())
	mustReturn(t, "TryAcquire past a stopped process", func() {
		if holder := mustBeBusy(t, File(path, NoSync())); holder.Token != h.Token() || holder.Label != "the holder" {
			t.Errorf("the lock is busy because of %+v, not of token %d", holder, h.Token())
		}
	})
	if err := h.Err(); err != nil {
		t.Errorf("Err is %v while another process stands still in the guard", err)
	}
	next := startWaiter(t, File(path, NoSync()))
	p.resume()
	if answer, err := p.receive(); err != nil || answer.err() != nil {
		t.Errorf("the break did not go on: %v", errors.Join(err, answer.err()))
	}
	granted := next.mustBeGranted(t, "a break")
	if err := h.Err(); !errors.Is(err, ErrLost) {
		t.Errorf("a holder that was passed over has the error %v", err)
	}
	mustRelease(t, granted)
}

func TestADetachOrRenewalPastAProcessInTheGuardFailsSoonAndLosesNothing(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	h := mustAcquire(t, File(path, NoSync(), Lease(longLease)))
	p := stoppedInGuard(t, path, h.Token())
	mustReturn(t, "a detach and a renewal past a process in the guard", func() {
		if _, err := h.Detach(time.Hour); err == nil || errors.Is(err, ErrLost) || errors.Is(err, ErrReleased) {
			t.Errorf("past a process in the guard a lock is detached with %v", err)
		}
		if err := h.renewOnce(); err == nil || errors.Is(err, ErrLost) {
			t.Errorf("past a process in the guard a lease is renewed with %v", err)
		}
	})
	if err := h.Err(); err != nil {
		t.Errorf("the holder lost its lock to a process in the guard: %v", err)
	}
	p.kill()
	if err := h.renewOnce(); err != nil {
		t.Errorf("after the process in the guard was killed a lease is renewed with %v", err)
	}
	mustRelease(t, h)
}
