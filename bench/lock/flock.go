//go:build unix

package main

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A flockSeat is flock(2) on a descriptor that stays open, the least that a lock between
// processes can cost.
type flockSeat struct{ fd int }

func joinFlock(path string) func() (seat, error) {
	return func() (seat, error) {
		fd, err := openForFlock(path)
		return flockSeat{fd}, err
	}
}

// openForFlock makes the one system call that is needed; os.OpenFile makes five more.
func openForFlock(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// callFlock sleeps in the kernel until the lock is granted.
func callFlock(fd, how int) error {
	for {
		if err := unix.Flock(fd, how); !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("flock", err)
		}
	}
}

func (s flockSeat) lock(context.Context) error { return callFlock(s.fd, unix.LOCK_EX) }

func (s flockSeat) unlock() error { return callFlock(s.fd, unix.LOCK_UN) }
