package fleetlock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What may stand at the path of a lock and is none.
var strangers = []struct {
	name string
	make func(path string) error
	root bool
}{
	{"a link to a lock", func(path string) error {
		return errors.Join(makeLock(path+".real"), os.Symlink(path+".real", path))
	}, false},
	{"a dangling link", func(path string) error { return os.Symlink(path+".nowhere", path) }, false},
	{"a link to itself", func(path string) error { return os.Symlink(path, path) }, false},
	{"a FIFO", func(path string) error { return unix.Mkfifo(path, 0o600) }, false},
	{"a directory", func(path string) error { return os.Mkdir(path, 0o700) }, false},
	{"a socket", func(path string) error { return unix.Mknod(path, unix.S_IFSOCK|0o600, 0) }, false}, // bind(2) takes short paths only
	{"a device", func(path string) error {
		return unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) // that of /dev/null
	}, true},
	{"another user's file", func(path string) error {
		return errors.Join(makeLock(path), os.Chown(path, somebody, somebody))
	}, true},
}

const somebody = 54321 // a user that is not the test's

func makeLock(path string) error {
	h, err := File(path, NoSync()).TryAcquire(context.Background())
	if err != nil {
		return err
	}
	return h.Release()
}

func TestWhatIsNoLockIsNeitherOpenedNorChanged(t *testing.T) {
	t.Parallel()
	for _, stranger := range strangers {
		if stranger.root && !privileged() {
			continue // cannot be made
		}
		t.Run(stranger.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l")
			if err := stranger.make(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			l := File(path)
			for name, err := range map[string]error{
				"TryAcquire": second(l.TryAcquire(t.Context())),
				"Acquire":    second(l.Acquire(soon(t))),
				"Inspect":    second(l.Inspect(t.Context())),
				"Repair":     l.Repair(t.Context(), "the test says so"),
				"Break":      l.Break(t.Context(), 1, "the test says so"),
			} {
				if !errors.Is(err, ErrUnsafe) {
					t.Errorf("%s answers %s with %v", name, stranger.name, err)
				}
			}
			after, err := os.Lstat(path)
			if err != nil || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
				t.Errorf("%s was changed: %v", stranger.name, err)
			}
			if _, err := os.Lstat(path + ".nowhere"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file was made behind a link: %v", err)
			}
		})
	}
}

func TestALinkedDirectoryIsNoLinkedLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	h := mustAcquire(t, File(filepath.Join(link, "lock")))
	mustBeBusy(t, File(filepath.Join(dir, "lock")))
	if err := h.Err(); err != nil {
		t.Error(err)
	}
	mustRelease(t, h)
}

func TestAModeThatIsWiderThanPermIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode, perm fs.FileMode
		good       bool
	}{
		{0o600, 0, true}, {0o644, 0, false}, {0o660, 0, false}, {0o666, 0, false}, {0o640, 0, false},
		{0o644, 0o644, true}, {0o660, 0o660, true}, {0o600, 0o660, true}, {0o640, 0o660, true},
		{0o644, 0o660, false}, {0o660, 0o644, false}, {0o666, 0o666, true},
	} {
		t.Run(fmt.Sprintf("%o with Perm %o", tt.mode, tt.perm), func(t *testing.T) {
			path := lockPath(t)
			if err := errors.Join(makeLock(path), os.Chmod(path, tt.mode)); err != nil {
				t.Fatal(err)
			}
			l := lockSpec{Path: path, Perm: tt.perm}.lock()
			h, err := l.TryAcquire(t.Context())
			switch {
			case tt.good && err != nil:
				t.Errorf("a lock of mode %o is refused with Perm %o: %v", tt.mode, tt.perm, err)
			case !tt.good && !errors.Is(err, ErrUnsafe):
				t.Errorf("a lock of mode %o is answered with %v with Perm %o", tt.mode, err, tt.perm)
			}
			if err == nil {
				mustRelease(t, h)
			}
		})
	}
}

// The umask is the process's, so it is set in one of its own.
func TestANewLockHasTheModeOfPermWhateverTheUmask(t *testing.T) {
	t.Parallel()
	for _, perm := range []fs.FileMode{0, 0o600, 0o644, 0o660, 0o666} {
		for _, mask := range []int{0, 0o022, 0o077, 0o777} {
			s := lockSpec{Path: lockPath(t), Perm: perm}
			p := startProcess(t, s)
			p.do(request{Do: "umask", Times: mask})
			p.must(request{Do: "try"})
			if perm == 0 {
				perm = 0o600
			}
			if id, err := os.Lstat(s.Path); err != nil || id.Mode() != perm {
				t.Errorf("with Perm %o and umask %o a new lock has the mode %v: %v", perm, mask, id.Mode(), err)
			}
			p.kill()
		}
	}
}

func TestANewLockLeavesNothingBesideItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustRelease(t, mustAcquire(t, File(filepath.Join(dir, "lock"))))
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 || list[0].Name() != "lock" {
		t.Errorf("a new lock left %v, %v", list, err)
	}
}

func TestALockInADirectoryThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	l := File(filepath.Join(t.TempDir(), "nowhere", "lock"))
	for name, err := range map[string]error{
		"TryAcquire": second(l.TryAcquire(t.Context())), "Acquire": second(l.Acquire(soon(t))),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s answers a directory that is not there with %v", name, err)
		}
	}
}

// Many processes find no file at once: one makes it, and all use that one.
func TestProcessesThatMakeTheFileAtOnceShareIt(t *testing.T) {
	t.Parallel()
	for range rounds(5, 200) {
		path := lockPath(t)
		seen := witness{path + ".witness"}
		crowd := make([]*process, 6)
		for i := range crowd {
			crowd[i] = startProcess(t, lockSpec{Path: path})
		}
		for _, p := range crowd {
			p.send(request{Do: "work", Times: 5, Path: seen.path})
		}
		for _, p := range crowd {
			if answer, err := p.receive(); err != nil || answer.err() != nil {
				t.Errorf("a process cannot use a new lock: %v", errors.Join(err, answer.err()))
			}
			p.kill()
		}
		if holders, _ := seen.check(t); holders != 30 {
			t.Errorf("%d of 30 holders were seen", holders)
		}
	}
}

func TestNetworkFileSystemsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, magic := range []int64{
		unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.CEPH_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.CODA_SUPER_MAGIC, unix.V9FS_MAGIC, unix.FUSE_SUPER_MAGIC,
	} {
		if err := fitMagic(uint32(magic)); !errors.Is(err, ErrFileSystem) {
			t.Errorf("a file system of magic %#x is answered with %v", magic, err)
		}
	}
	for _, magic := range []int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC} {
		if err := fitMagic(uint32(magic)); err != nil {
			t.Errorf("a local file system of magic %#x is refused: %v", magic, err)
		}
	}
}
