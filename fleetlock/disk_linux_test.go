package fleetlock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mountSmall mounts a file system with room for a few files only, where the test may do
// that, and returns an empty path elsewhere. What cannot be shown there is shown with
// errors at every system call, see everyCall.
func mountSmall(t *testing.T) string {
	t.Helper()
	if !privileged() {
		return ""
	}
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Logf("no file system can be mounted here: %v", err)
		return ""
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves no room in the directory's file system, until the result is called.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 16, 4096, 1} {
		for err = error(nil); err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatalf("the disk cannot be filled: %v", err)
		}
	}
	return func() {
		// A process that is being started may have the file for a moment, and keep what has
		// no name any more.
		if err := errors.Join(os.Truncate(name, 0), os.Remove(name)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnAFullDiskALockGoesThroughAllItsStates(t *testing.T) {
	t.Parallel()
	dir := mountSmall(t)
	if dir == "" {
		return
	}
	path := filepath.Join(dir, "lock")
	lease := File(path, Lease(longLease))
	h := mustAcquire(t, lease)
	fill(t, dir)
	if err := h.Err(); err != nil {
		t.Errorf("a full disk costs the holder its lock: %v", err)
	}
	if err := h.renewOnce(); err != nil {
		t.Errorf("on a full disk a lease cannot be renewed: %v", err)
	}
	last := mustRise(t, 0, h)
	h = mustAcquire(t, File(path))
	ticket, err := h.Detach(time.Hour)
	if err != nil {
		t.Fatalf("on a full disk a lock cannot be detached: %v", err)
	}
	mustBeBusy(t, File(path))
	h, err = File(path).Resume(t.Context(), ticket)
	if err != nil {
		t.Fatalf("on a full disk a lock cannot be resumed: %v", err)
	}
	if err := File(path).Break(t.Context(), h.Token(), "the test says so"); err != nil {
		t.Errorf("on a full disk a lock cannot be broken: %v", err)
	}
	if err := h.Release(); !errors.Is(err, ErrLost) {
		t.Errorf("a broken lock is released with %v", err)
	}
	p := startProcess(t, lockSpec{Path: path})
	p.must(request{Do: "acquire"})
	next := waitFor(t, File(path))
	p.kill()
	mustRise(t, last, next.mustBeGranted(t, "a death on a full disk"))
}

func TestOnAFullDiskNoLockIsMadeAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	dir := mountSmall(t)
	if dir == "" {
		return
	}
	empty := fill(t, dir)
	path := filepath.Join(dir, "lock")
	l := File(path)
	for range 3 {
		if h, err := l.TryAcquire(t.Context()); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("on a full disk a new lock is answered with %v, %v", h, err)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("on a full disk a new lock left %v, %v", list, err)
	}
	empty()
	mustRelease(t, mustAcquire(t, l))
}
