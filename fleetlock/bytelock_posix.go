//go:build unix && (!linux || fleetlock_posix)

package fleetlock

import (
	"cmp"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	exclusive = unix.F_WRLCK
	shared    = unix.F_RDLCK
	spansLock = true
)

// byteLocks are POSIX record locks (fcntl(2), F_SETLK). They belong to the process, not
// to the open file, and here are made to look like the latter, much as SQLite does it
// (os_unix.c, "Posix Advisory Locking"):
//
//   - Of two open files of one process the kernel keeps neither from locking what the
//     other has locked. Claims tell who has what.
//   - Whichever descriptor of a file is closed, all locks of the process on that file
//     end. So a file is closed by closeFile alone, which puts that off while there are
//     claims.
//
// What this package does not open and close is out of its hands: a program must not
// open the lock file in any other way while it holds the lock.
//
// With the build tag fleetlock_posix they are used on Linux too, to be tested there.
type byteLocks struct {
	file *os.File
	of   inode
}

func newByteLocks(f *os.File, id os.FileInfo) byteLocks { return byteLocks{f, inodeOf(id)} }

// An inode is what the kernel takes for one file, whatever its names.
type inode struct{ dev, ino uint64 }

func inodeOf(id os.FileInfo) inode {
	st := id.Sys().(*syscall.Stat_t)
	return inode{uint64(st.Dev), uint64(st.Ino)}
}

// A claim is a lock that an open file has on a span of bytes.
type claim struct {
	span
	file *os.File
	kind int16
}

// A claimed is a file on which this process has locks.
type claimed struct {
	claims []claim
	spare  []*os.File // would be closed, but for the claims
}

// lockedHere is what this process has locked. Its mutex is held through system calls, none
// of which waits for another process.
var lockedHere = struct {
	sync.Mutex
	files map[inode]*claimed // those with claims
}{files: make(map[inode]*claimed)}

// lock locks the bytes from first to last, without waiting, and reports whether no
// other lock was in the way.
func (l byteLocks) lock(first, last int64, kind int16) (bool, error) {
	lockedHere.Lock()
	defer lockedHere.Unlock()
	c := lockedHere.files[l.of]
	wanted := claim{span{first, last}, l.file, kind}
	if c.bars(wanted) {
		return false, nil
	}
	_, err := control(l.file, unix.F_SETLK, kind, wanted.span)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if c == nil {
		c = new(claimed)
		lockedHere.files[l.of] = c
	}
	c.cut(l.file, wanted.span)
	c.claims = append(c.claims, wanted)
	return true, nil
}

func (l byteLocks) unlock(first, last int64) error {
	lockedHere.Lock()
	defer lockedHere.Unlock()
	return l.drop(span{first, last})
}

// drop is unlock for who has the mutex.
func (l byteLocks) drop(s span) error {
	c := lockedHere.files[l.of]
	if c == nil {
		return nil
	}
	c.cut(l.file, s)
	var errs []error
	for _, gap := range c.gaps(s) {
		_, err := control(l.file, unix.F_SETLK, unix.F_UNLCK, gap)
		errs = append(errs, err)
	}
	if len(c.claims) == 0 {
		delete(lockedHere.files, l.of)
		for _, f := range c.spare {
			f.Close()
		}
	}
	return errors.Join(errs...)
}

// lockedByOther reports whether another open file has a lock on any of the bytes.
func (l byteLocks) lockedByOther(first, last int64) (bool, error) {
	lockedHere.Lock()
	defer lockedHere.Unlock()
	if lockedHere.files[l.of].bars(claim{span{first, last}, l.file, exclusive}) {
		return true, nil
	}
	found, err := control(l.file, unix.F_GETLK, unix.F_WRLCK, span{first, last})
	return found != unix.F_UNLCK, err
}

func control(f *os.File, command int, kind int16, s span) (found int16, err error) {
	lk := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: s.first, Len: s.last - s.first + 1}
	err = unix.FcntlFlock(f.Fd(), command, &lk)
	runtime.KeepAlive(f)
	return lk.Type, os.NewSyscallError("fcntl", err)
}

func (s span) overlaps(o span) bool { return s.first <= o.last && o.first <= s.last }

// bars reports whether a claim of another open file is in the way of one.
func (c *claimed) bars(wanted claim) bool {
	return c != nil && slices.ContainsFunc(c.claims, func(has claim) bool {
		return has.file != wanted.file && has.overlaps(wanted.span) &&
			(has.kind == exclusive || wanted.kind == exclusive)
	})
}

// cut ends what an open file claims of a span.
func (c *claimed) cut(f *os.File, s span) {
	var left []claim
	for _, has := range c.claims {
		if has.file != f || !has.overlaps(s) {
			left = append(left, has)
			continue
		}
		if has.first < s.first {
			left = append(left, claim{span{has.first, s.first - 1}, f, has.kind})
		}
		if has.last > s.last {
			left = append(left, claim{span{s.last + 1, has.last}, f, has.kind})
		}
	}
	c.claims = left
}

// gaps returns what nobody claims of a span.
func (c *claimed) gaps(s span) (gaps []span) {
	slices.SortFunc(c.claims, func(a, b claim) int { return cmp.Compare(a.first, b.first) })
	for _, has := range c.claims {
		if !has.overlaps(s) {
			continue
		}
		if has.first > s.first {
			gaps = append(gaps, span{s.first, has.first - 1})
		}
		if has.last >= s.last {
			return gaps
		}
		s.first = has.last + 1
	}
	return append(gaps, s)
}

// openFile opens a file, or takes one that is open because closing had to be put off:
// else who looks at a lock that its own process holds would use up descriptors. What
// the program forgets to close is closed by closeFile, too.
func openFile(path string, flag int) (*os.File, error) {
	f := takeSpare(path, flag)
	if f == nil {
		var err error
		if f, err = openNew(path, flag); err != nil {
			return nil, err
		}
	}
	runtime.SetFinalizer(f, closeFile) // the finalizer of os closes it only after this one
	return f, nil
}

func takeSpare(path string, flag int) *os.File {
	id, err := os.Lstat(path)
	if err != nil {
		return nil
	}
	lockedHere.Lock()
	defer lockedHere.Unlock()
	c := lockedHere.files[inodeOf(id)]
	if c == nil {
		return nil
	}
	for i, f := range c.spare {
		if has, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); err == nil && has&unix.O_ACCMODE == flag {
			c.spare = slices.Delete(c.spare, i, i+1)
			return f
		}
	}
	return nil
}

// closeFile ends the locks of an open file, and closes it or leaves that to the end of
// the last lock which the process has on the same file.
func closeFile(f *os.File) {
	runtime.SetFinalizer(f, nil)
	id, err := f.Stat()
	if err != nil {
		f.Close() // it is closed already: nothing else fails here
		return
	}
	lockedHere.Lock()
	defer lockedHere.Unlock()
	l := newByteLocks(f, id)
	c := lockedHere.files[l.of]
	if c == nil {
		f.Close()
		return
	}
	c.spare = append(c.spare, f)
	for _, has := range slices.Clone(c.claims) {
		if has.file == f {
			_ = l.drop(has.span)
		}
	}
}
