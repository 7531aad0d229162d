package fleetlock

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/windows"
)

const (
	exclusive = windows.LOCKFILE_EXCLUSIVE_LOCK
	shared    = 0

	// spansLock is whether a span of several bytes can be locked. Windows would unlock
	// only all of them at once.
	spansLock = false
)

// byteLocks are those of LockFileEx. They belong to the handle, as the package wants
// it, and end when it is closed or the process dies: when exactly, Windows says, depends
// on its resources. A session's methods use them one at a time.
type byteLocks struct {
	file *os.File
	own  map[int64]int16 // how it has locked which bytes
}

func newByteLocks(f *os.File, _ os.FileInfo) byteLocks {
	return byteLocks{f, make(map[int64]int16)}
}

// lock locks a byte, without waiting, and reports whether no other lock was in the way.
// A span of several bytes it never locks: whoever asks for a span is content with a byte,
// or does not ask without spansLock.
func (l byteLocks) lock(first, last int64, kind int16) (bool, error) {
	if first != last {
		return false, nil
	}
	ok, err := l.lockSpan(first, last, uint32(kind))
	if ok {
		l.own[first] = kind
	}
	return ok, err
}

// unlock unlocks those of the bytes from first to last that are locked.
func (l byteLocks) unlock(first, last int64) error {
	var errs []error
	for at := range l.own {
		if first <= at && at <= last {
			delete(l.own, at)
			errs = append(errs, l.unlockSpan(at, at))
		}
	}
	return errors.Join(errs...)
}

// lockedByOther reports whether another handle has an exclusive lock on any of the bytes.
// Windows does not tell but by trying, so for a moment there is a shared lock on them.
// Others who look at the same time do not see it, since they try for a shared lock too,
// and who tries for an exclusive one meanwhile is delayed: takers of the token's byte,
// and they try again. Those who wait are not seen, who share the bell: nobody rings it
// here, see touch.
func (l byteLocks) lockedByOther(first, last int64) (bool, error) {
	if first == last && l.own[first] == exclusive {
		return false, nil // to unlock it once would end the exclusive lock, not the shared one
	}
	ok, err := l.lockSpan(first, last, shared)
	if err != nil || !ok {
		return !ok && err == nil, err
	}
	return false, l.unlockSpan(first, last)
}

func (l byteLocks) lockSpan(first, last int64, flags uint32) (bool, error) {
	low, high := length(first, last)
	err := windows.LockFileEx(windows.Handle(l.file.Fd()), flags|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, low, high, offset(first))
	runtime.KeepAlive(l.file)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, os.NewSyscallError("LockFileEx", err)
}

func (l byteLocks) unlockSpan(first, last int64) error {
	low, high := length(first, last)
	err := windows.UnlockFileEx(windows.Handle(l.file.Fd()), 0, low, high, offset(first))
	runtime.KeepAlive(l.file)
	return os.NewSyscallError("UnlockFileEx", err)
}

func length(first, last int64) (low, high uint32) {
	n := uint64(last - first + 1)
	return uint32(n), uint32(n >> 32)
}

func offset(at int64) *windows.Overlapped {
	return &windows.Overlapped{Offset: uint32(at), OffsetHigh: uint32(at >> 32)}
}
