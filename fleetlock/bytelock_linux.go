//go:build !fleetlock_posix

package fleetlock

import (
	"io"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	exclusive = unix.F_WRLCK
	shared    = unix.F_RDLCK
	spansLock = true
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
	switch err {
	case nil:
		return true, nil
	case unix.EAGAIN, unix.EACCES:
		return false, nil
	}
	return false, os.NewSyscallError("fcntl", err)
}

func (l byteLocks) unlock(first, last int64) error {
	_, err := l.control(unix.F_OFD_SETLK, unix.F_UNLCK, first, last)
	return os.NewSyscallError("fcntl", err)
}

// lockedByOther reports whether another open file has a lock on any of the bytes.
func (l byteLocks) lockedByOther(first, last int64) (bool, error) {
	found, err := l.control(unix.F_OFD_GETLK, unix.F_WRLCK, first, last)
	return found != unix.F_UNLCK, os.NewSyscallError("fcntl", err)
}

// control does not tell Go's scheduler of the call, as unix.FcntlFlock would: on a local
// file system it never waits, and takes less time than that.
func (l byteLocks) control(command uintptr, kind int16, first, last int64) (found int16, err error) {
	lk := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: first, Len: last - first + 1}
	_, _, errno := unix.RawSyscall(sysFcntl, l.file.Fd(), command, uintptr(unsafe.Pointer(&lk)))
	runtime.KeepAlive(l.file)
	if errno != 0 {
		err = errno
	}
	return lk.Type, err
}

func openFile(path string, flag int) (*os.File, error) { return openNew(path, flag) }

func closeFile(f *os.File) { f.Close() }
