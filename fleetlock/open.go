package fleetlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// openSession opens the lock file at path, and creates it if it is not there.
func openSession(path string, o options) (*session, error) {
	// Before the file: a dying process closes its files last-opened-first, and takes its
	// time over this one.
	if _, err := sharedWatcher(); err != nil {
		return nil, err
	}
	for {
		s, err := openAttached(path, o)
		switch {
		case err == nil:
			return s, nil
		case errors.Is(err, errMoved):
			continue // replaced between two looks at it
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		if err := create(path, o); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
}

// openAttached opens a file that is there, to be told of its changes.
func openAttached(path string, o options) (*session, error) {
	s, err := openExisting(path, o, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := s.attach(); err != nil {
		closeFile(s.file)
		return nil, err
	}
	return s, nil
}

// openExisting opens a file that is fit to be a lock.
func openExisting(path string, o options, flag int) (*session, error) {
	f, err := openFile(path, flag)
	if err != nil {
		return nil, explain(path, err)
	}
	id, err := f.Stat()
	if err == nil {
		err = fit(f, id, o.perm)
	}
	if err != nil {
		closeFile(f)
		return nil, err
	}
	return &session{
		file: f, path: path, name: newSystemPath(path), id: id, sync: !o.noSync,
		locks: newByteLocks(f, id), changes: new(subject), before: o.before,
	}, nil
}

// fit says why a file is not to be used as a lock.
func fit(f *os.File, id fs.FileInfo, perm fs.FileMode) error {
	if !id.Mode().IsRegular() {
		return fmt.Errorf("%w: it is not a regular file but %v", ErrUnsafe, id.Mode().Type())
	}
	if wide := id.Mode().Perm() &^ perm; wide != 0 && hasModes {
		return fmt.Errorf("%w: its mode is %v, wider than %v: who may read it can block the lock, who may write it can take it; see Perm",
			ErrUnsafe, id.Mode().Perm(), perm)
	}
	if err := trustOwner(id, perm); err != nil {
		return err
	}
	return fitFileSystem(f)
}

// explain names what stands in the way of opening a file.
func explain(path string, err error) error {
	if id, statErr := os.Lstat(path); statErr == nil && !id.Mode().IsRegular() {
		return fmt.Errorf("%w: it is not a regular file but %v: %w", ErrUnsafe, id.Mode().Type(), err)
	}
	return err
}

// attach has the session told of changes of its file, from the moment on at which the
// path is known to lead to it.
func (s *session) attach() error {
	w, err := newWatch(s.path, s.file, s.changes)
	if err != nil {
		return err
	}
	if err := s.verify(); err != nil {
		w.stop()
		return err
	}
	s.watch = w
	runtime.AddCleanup(s, (*watch).stop, w)
	return nil
}

// create makes the lock file whole under another name, then links it to its own: so
// nobody sees half of it, and of two who create it at once one gets fs.ErrExist.
func create(path string, o options) error {
	s := &session{sync: true, before: o.before}
	if err := s.call("open temporary"); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer closeFile(f)
	if err := errors.Join(s.call("fchmod"), f.Chmod(o.perm)); err != nil && hasModes {
		return err
	}
	s.file = f
	if err := o.writeFirst(s); err != nil {
		return err
	}
	if err := errors.Join(s.call("link"), os.Link(f.Name(), path)); err != nil {
		return err
	}
	return errors.Join(s.call("fsync directory"), syncDir(filepath.Dir(path)))
}

// writeFirst writes what a file begins with.
func (o options) writeFirst(s *session) error {
	if o.slots > 1 {
		return newRollFile(s, o.clock).writeFirst()
	}
	return s.writeFirst("")
}

// viewFile opens the lock file to read it.
func viewFile(path string, o options) (viewer, error) {
	s, err := openExisting(path, o, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return fileView{s}, nil
}

// A fileView is a session that only reads.
type fileView struct{ *session }

// load tries again what may have been read while it was being written: a view cannot
// take the guard.
func (v fileView) load() (snapshot, error) {
	for tries := 0; ; tries++ {
		seen, err := v.read()
		if !errors.Is(err, ErrCorrupt) || tries == 5 {
			return seen, err
		}
		time.Sleep(time.Millisecond)
	}
}

func (v fileView) close() { closeFile(v.file) }
