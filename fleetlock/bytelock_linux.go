//go:build !fleetlock_posix

package fleetlock

import (
	"errors"
	"io"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const (
	exclusive = unix.F_WRLCK
	shared    = unix.F_RDLCK
)

// byteLocks are open file description locks (fcntl(2), Linux 3.15): they belong to the
// open file, end when its last descriptor is closed, and are seen from every process
// and namespace of the machine.
type byteLocks struct{ file *os.File }

func newByteLocks(f *os.File, _ os.FileInfo) byteLocks { return byteLocks{f} }

// lock locks the bytes from first to last, without waiting, and reports whether no
// other lock was in the way.
func (l byteLocks) lock(first, last int64, kind int16) (bool, error) {
	_, err := l.control(unix.F_OFD_SETLK, kind, first, last)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}

func (l byteLocks) unlock(first, last int64) error {
	_, err := l.control(unix.F_OFD_SETLK, unix.F_UNLCK, first, last)
	return err
}

// lockedByOther reports whether another open file has a lock on any of the bytes.
func (l byteLocks) lockedByOther(first, last int64) (bool, error) {
	found, err := l.control(unix.F_OFD_GETLK, unix.F_WRLCK, first, last)
	return found != unix.F_UNLCK, err
}

func (l byteLocks) control(command int, kind int16, first, last int64) (found int16, err error) {
	lk := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: first, Len: last - first + 1}
	err = unix.FcntlFlock(l.file.Fd(), command, &lk)
	runtime.KeepAlive(l.file)
	return lk.Type, os.NewSyscallError("fcntl", err)
}

func openFile(path string, flag int) (*os.File, error) { return openNew(path, flag) }

func closeFile(f *os.File) { f.Close() }
