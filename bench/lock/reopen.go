//go:build unix

package main

import (
	"context"

	"golang.org/x/sys/unix"
)

// A reopenSeat is flock(2) as most programs use it: the file is opened for each
// acquisition, and closing it releases the lock.
type reopenSeat struct {
	path string
	fd   int
}

func joinReopen(path string) func() (seat, error) {
	return func() (seat, error) { return &reopenSeat{path: path}, nil }
}

func (s *reopenSeat) lock(context.Context) (err error) {
	if s.fd, err = openForFlock(s.path); err != nil {
		return err
	}
	return callFlock(s.fd, unix.LOCK_EX)
}

func (s *reopenSeat) unlock() error { return unix.Close(s.fd) }
