//go:build !fleetlock_posix

package fleetlock

import (
	"errors"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What is not so where locks are POSIX record locks. They belong to the process: a child
// has none of them, and to close a file is put off while the process has some. And no
// watcher there sees to it that Go's poller finds the descriptors it needs, without which
// the runtime ends the process.

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
