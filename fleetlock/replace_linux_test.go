package fleetlock

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What may happen to the file of a lock behind its back.
var replacements = []struct {
	name string
	do   func(path string) error
}{
	{"the file is unlinked", os.Remove},
	{"the file is moved away", func(path string) error { return os.Rename(path, path+".old") }},
	{"a copy is renamed over the file", func(path string) error {
		return errors.Join(copyFile(path, path+".copy"), os.Rename(path+".copy", path))
	}},
	{"the file is unlinked and made anew by another", func(path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		h, err := File(path, NoSync()).TryAcquire(context.Background())
		if busy := new(BusyError); errors.As(err, &busy) {
			return nil // a waiter has made it anew already
		}
		if err != nil {
			return err
		}
		return h.Release()
	}},
	{"the directory is moved away and made anew", func(path string) error {
		dir := filepath.Dir(path)
		return errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o700))
	}},
	{"the directory is moved away and replaced by a copy", func(path string) error {
		dir := filepath.Dir(path)
		made := errors.Join(os.Mkdir(dir+".new", 0o700), copyFile(path, filepath.Join(dir+".new", filepath.Base(path))))
		return errors.Join(made, os.Rename(dir, dir+".old"), os.Rename(dir+".new", dir))
	}},
	{"the directory is removed and made anew", func(path string) error {
		dir := filepath.Dir(path)
		for os.RemoveAll(dir) != nil { // a waiter has made the file anew meanwhile
		}
		return os.Mkdir(dir, 0o700)
	}},
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// pathInDirectory is a lock in a directory of its own, inside of the test's.
func pathInDirectory(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "directory")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "lock")
}

func TestAHolderWhoseFileIsReplacedIsToldAndTheNextGetsIn(t *testing.T) {
	t.Parallel()
	for _, replacement := range replacements {
		t.Run(replacement.name, func(t *testing.T) {
			t.Parallel()
			path := pathInDirectory(t)
			watched := mustAcquire(t, File(path, NoSync()))
			ctx := watched.Context()
			time.Sleep(5 * time.Millisecond) // the watch may or may not have begun
			if err := replacement.do(path); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(patiently):
				t.Error("the holder's context does not end")
			}
			if err := watched.Err(); !errors.Is(err, ErrLost) {
				t.Errorf("the holder is told %v", err)
			}
			next, err := File(path, NoSync()).TryAcquire(t.Context())
			if err != nil {
				t.Fatalf("the next one does not get in: %v", err)
			}
			if next.Token() <= watched.Token() {
				t.Errorf("token %d follows token %d", next.Token(), watched.Token())
			}
			if err := watched.Release(); !errors.Is(err, ErrLost) {
				t.Errorf("the holder releases what it lost with %v", err)
			}
			if err := next.Err(); err != nil {
				t.Errorf("the next holder lost the lock to the old one's release: %v", err)
			}
			mustRelease(t, next)
			// The old Lock finds the new file by itself.
			mustRelease(t, mustAcquire(t, watched.lock))
		})
	}
}

func TestErrSeesAReplacedFileWithoutBeingTold(t *testing.T) {
	t.Parallel()
	for _, replacement := range replacements {
		t.Run(replacement.name, func(t *testing.T) {
			t.Parallel()
			path := pathInDirectory(t)
			h := mustAcquire(t, File(path, NoSync()))
			if err := replacement.do(path); err != nil {
				t.Fatal(err)
			}
			if err := h.Err(); !errors.Is(err, ErrLost) {
				t.Errorf("the holder is told %v", err)
			}
			if _, err := h.Detach(time.Hour); !errors.Is(err, ErrLost) {
				t.Errorf("the holder detaches what it lost with %v", err)
			}
			if err := h.Release(); !errors.Is(err, ErrLost) {
				t.Errorf("the holder releases what it lost with %v", err)
			}
		})
	}
}

// The kernel's news of it are on their way while the holder releases.
func TestAReleaseOfAReplacedFileIsALoss(t *testing.T) {
	t.Parallel()
	for _, replacement := range replacements {
		t.Run(replacement.name, func(t *testing.T) {
			t.Parallel()
			for range rounds(20, 2000) {
				path := pathInDirectory(t)
				h := mustAcquire(t, File(path, NoSync()))
				if err := replacement.do(path); err != nil {
					t.Fatal(err)
				}
				if err := h.Release(); !errors.Is(err, ErrLost) {
					t.Fatalf("the holder releases what it lost with %v", err)
				}
			}
		})
	}
}

// Who waits at a file that is no longer the lock would wait for ever.
func TestAWaiterFollowsTheLockToItsNewFile(t *testing.T) {
	t.Parallel()
	for _, replacement := range replacements {
		t.Run(replacement.name, func(t *testing.T) {
			t.Parallel()
			path := pathInDirectory(t)
			h := mustAcquire(t, File(path, NoSync()))
			next := waitFor(t, File(path, NoSync()))
			if err := replacement.do(path); err != nil {
				t.Fatal(err)
			}
			granted := next.mustBeGrantedOrFail(t)
			if granted == nil {
				// Where the directory was not there for a moment that is an error.
				granted = mustAcquire(t, File(path, NoSync()))
			}
			if granted.Token() <= h.Token() {
				t.Errorf("token %d follows token %d", granted.Token(), h.Token())
			}
			mustRelease(t, granted)
		})
	}
}

// mustBeGrantedOrFail returns nil if the directory was not there when the waiter looked.
func (w *waiter) mustBeGrantedOrFail(t *testing.T) *Held {
	t.Helper()
	select {
	case h := <-w.granted:
		return h
	case err := <-w.failed:
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a waiter whose file is replaced gives up with %v", err)
		}
	case <-time.After(patiently):
		t.Fatal("a waiter is stuck at a file that is not the lock")
	}
	return nil
}

// The file is replaced before each system call of a grant in turn.
func TestAGrantInAFileThatIsReplacedMeanwhileIsNone(t *testing.T) {
	t.Parallel()
	for at, replaced := 1, true; replaced; at++ {
		if replaced = replaceAt(t, at); !replaced && at < 4 {
			t.Errorf("a grant is over before call %d: the test shows nothing", at)
		}
		if t.Failed() {
			t.Fatalf("when the file was replaced before call %d", at)
		}
	}
}

func replaceAt(t *testing.T, at int) bool {
	path := lockPath(t)
	mustRelease(t, mustAcquire(t, File(path)))
	var next *Held
	calls, over := 0, false
	l := hook(File(path), func(string) error {
		if calls++; calls != at || over {
			return nil
		}
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
		next = mustAcquire(t, File(path, NoSync()))
		return nil
	})
	h, err := l.TryAcquire(t.Context())
	over = true
	if next == nil {
		mustRelease(t, h)
		return false
	}
	if err == nil {
		t.Errorf("token %d is granted in a file that is not the lock, and %d is held in the one that is", h.Token(), next.Token())
	}
	if err := next.Err(); err != nil {
		t.Errorf("the holder in the new file lost its lock: %v", err)
	}
	mustRelease(t, next)
	mustRelease(t, mustAcquire(t, l))
	return true
}
