package fleetlock

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openPath is a lock in a directory that every user can search, with a mode.
func openPath(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, mode))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "lock")
}

// asSomebody has the process become a user without rights, where the test's may do that.
// Otherwise the test's user has none already.
func asSomebody(t *testing.T, s lockSpec) *process {
	t.Helper()
	p := startProcess(t, s)
	if privileged() {
		p.must(request{Do: "become", Times: somebody})
	}
	return p
}

func TestAnErrorOfRightsNeverGrants(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		mode  fs.FileMode // of the directory
		perm  fs.FileMode // of the lock; none if zero
		owner int
		good  bool
	}{
		{"a directory that cannot be written", 0o555, 0, 0, false},
		{"a directory that cannot be searched", 0o600, 0o666, somebody, false},
		{"a file that cannot be opened", 0o755, 0o600, 0, false},
		{"a file in a directory that cannot be written", 0o555, 0o600, somebody, true},
		{"a shared file", 0o755, 0o666, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := openPath(t, 0o755)
			s := lockSpec{Path: path, Perm: tt.perm}
			if tt.perm != 0 {
				mustRelease(t, mustAcquire(t, s.lock()))
				if privileged() {
					if err := os.Chown(path, tt.owner, tt.owner); err != nil {
						t.Fatal(err)
					}
				}
			}
			if !privileged() && tt.perm == 0o600 {
				return // the file would be the test's own
			}
			if err := os.Chmod(filepath.Dir(path), tt.mode); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(filepath.Dir(path), 0o755)
			p := asSomebody(t, s)
			answer := p.do(request{Do: "try"})
			switch {
			case tt.good && answer.err() != nil:
				t.Errorf("%s is answered with %v", tt.name, answer.err())
			case !tt.good && !errors.Is(answer.err(), fs.ErrPermission):
				t.Errorf("%s is answered with %v, token %d", tt.name, answer.err(), answer.Token)
			case tt.good:
				p.must(request{Do: "ask"})
				p.must(request{Do: "release"})
			}
		})
	}
}

// The directory loses its rights while the lock is held.
func TestAHolderReleasesWithoutAnyRights(t *testing.T) {
	t.Parallel()
	path := openPath(t, 0o777)
	p := asSomebody(t, lockSpec{Path: path})
	p.must(request{Do: "acquire"})
	if err := os.Chmod(filepath.Dir(path), 0); err != nil {
		t.Fatal(err)
	}
	if err := p.do(request{Do: "ask"}).err(); errors.Is(err, ErrLost) {
		t.Errorf("a directory without rights is taken for a loss: %v", err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := p.do(request{Do: "ask"}).err(); err != nil {
		t.Errorf("a holder has lost the lock while its directory had no rights: %v", err)
	}
	if err := os.Chmod(filepath.Dir(path), 0); err != nil {
		t.Fatal(err)
	}
	err := p.do(request{Do: "release"}).err()
	if errors.Is(err, ErrLost) {
		t.Errorf("a holder whose directory has no rights releases with %v", err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	p.must(request{Do: "try"})
	p.must(request{Do: "release"})
}

func TestUsersShareALockThatTheyAllMayWrite(t *testing.T) {
	t.Parallel()
	path := openPath(t, 0o777)
	s := lockSpec{Path: path, Perm: 0o666}
	p := asSomebody(t, s)
	first := p.must(request{Do: "acquire"}).Token
	next := waitFor(t, s.lock())
	p.must(request{Do: "release"})
	h := next.mustBeGranted(t, "a release by another user")
	if h.Token() <= first {
		t.Errorf("token %d follows token %d", h.Token(), first)
	}
	busy := new(BusyError)
	if err := p.do(request{Do: "try"}).err(); !errors.As(err, &busy) {
		t.Errorf("a lock that another user holds is answered with %v", err)
	}
	mustRelease(t, h)
	p.must(request{Do: "try"})
}

func TestALockOnAReadOnlyFileSystemIsAnError(t *testing.T) {
	t.Parallel()
	dir := mountSmall(t)
	if dir == "" {
		return // see TestAnErrorOfRightsNeverGrants
	}
	path := filepath.Join(dir, "lock")
	mustRelease(t, mustAcquire(t, File(path)))
	remount := func(flags uintptr) error {
		return unix.Mount("none", dir, "", unix.MS_REMOUNT|flags, "")
	}
	// A file that is open for writing keeps the file system writable: make anew.
	if err := errors.Join(unix.Unmount(dir, unix.MNT_DETACH), unix.Mount("none", dir, "tmpfs", 0, "size=64k")); err != nil {
		t.Fatal(err)
	}
	if err := remount(unix.MS_RDONLY); err != nil {
		t.Fatal(err)
	}
	if _, err := File(path).TryAcquire(t.Context()); !errors.Is(err, unix.EROFS) {
		t.Errorf("a file system that is only read is answered with %v", err)
	}
	if err := remount(0); err != nil {
		t.Fatal(err)
	}
	mustRelease(t, mustAcquire(t, File(path)))
}

// A process of another PID namespace sees who lives, and is seen.
func TestProcessesOfTwoPIDNamespacesKnowWhoLives(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	elsewhere := func(cmd *exec.Cmd) {
		if privileged() {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
		}
	}
	s := lockSpec{Path: path, Label: "in there"}
	p := startProcess(t, s, elsewhere)
	if id := p.must(request{Do: "id"}).Number; privileged() && id != 1 {
		t.Fatalf("the process has the id %d in its own namespace", id)
	}
	token := p.must(request{Do: "acquire"}).Token
	holder := mustBeBusy(t, File(path))
	if holder.Token != token || holder.Label != "in there" {
		t.Errorf("a process elsewhere is seen as %+v", holder)
	}
	next := waitFor(t, File(path))
	p.kill()
	h := next.mustBeGranted(t, "the death of a process elsewhere")
	other := startProcess(t, s, elsewhere) // whose id was that of the dead one
	busy := new(BusyError)
	if err := other.do(request{Do: "try"}).err(); !errors.As(err, &busy) || busy.Holder.Token != h.Token() {
		t.Errorf("from elsewhere the lock of a living process is answered with %v", err)
	}
	mustRelease(t, h)
	if got := other.must(request{Do: "acquire", Within: patiently}).Token; got <= h.Token() {
		t.Errorf("token %d follows token %d", got, h.Token())
	}
}
