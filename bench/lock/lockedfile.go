//go:build unix

package main

import (
	"context"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// A lockedfileSeat shares the process's one Mutex.
type lockedfileSeat struct {
	mutex   *lockedfile.Mutex
	release func()
}

func joinLockedfile(path string) func() (seat, error) {
	mutex := lockedfile.MutexAt(path)
	return func() (seat, error) { return &lockedfileSeat{mutex: mutex}, nil }
}

func (s *lockedfileSeat) lock(context.Context) (err error) {
	s.release, err = s.mutex.Lock()
	return err
}

func (s *lockedfileSeat) unlock() error {
	s.release()
	return nil
}
