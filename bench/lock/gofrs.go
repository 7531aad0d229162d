//go:build unix

package main

import (
	"context"
	"time"

	"github.com/gofrs/flock"
)

// gofrsPoll is how often a waiter looks. The library leaves that to its caller.
const gofrsPoll = 10 * time.Millisecond

// A gofrsSeat has a flock.Flock of its own: one that is locked grants itself to whoever
// asks again.
type gofrsSeat struct{ *flock.Flock }

func joinGofrs(path string) func() (seat, error) {
	return func() (seat, error) { return gofrsSeat{flock.New(path)}, nil }
}

func (s gofrsSeat) lock(ctx context.Context) error {
	_, err := s.TryLockContext(ctx, gofrsPoll)
	return err
}

func (s gofrsSeat) unlock() error { return s.Unlock() }
