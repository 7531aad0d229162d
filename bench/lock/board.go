//go:build unix

package main

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A board is memory that all who compete for a lock share. Whoever holds the lock
// writes on it, which shows whether another one does, too.
type board struct {
	inside   atomic.Int64 // who holds the lock; zero if nobody
	overlaps atomic.Int64 // how often somebody else did already
	count    atomic.Int64 // of acquisitions, added up as if nobody else could be adding
}

// newBoardFile makes a board that processes can share, by its path.
func newBoardFile(path string) error {
	return os.WriteFile(path, make([]byte, unsafe.Sizeof(board{})), 0o600)
}

// openBoard opens a board, until it is closed.
func openBoard(path string) (b *board, close func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	memory, err := unix.Mmap(int(f.Fd()), 0, int(unsafe.Sizeof(board{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return (*board)(unsafe.Pointer(unsafe.SliceData(memory))), func() { _ = unix.Munmap(memory) }, nil
}

// visit is what is done under the lock. Who is not zero.
func (b *board) visit(who int64) {
	if !b.inside.CompareAndSwap(0, who) {
		b.overlaps.Add(1)
	}
	b.count.Store(b.count.Load() + 1)
	b.inside.CompareAndSwap(who, 0)
}

// faults returns how often the lock was seen to have two holders, or an addition was
// lost.
func (b *board) faults(acquisitions int64) int64 {
	return max(b.overlaps.Load(), acquisitions-b.count.Load())
}
