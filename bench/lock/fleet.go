//go:build unix

package main

import (
	"context"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A fleetSeat shares the process's one Lock.
type fleetSeat struct {
	shared *fleetlock.Lock
	held   *fleetlock.Held
}

// joinFleetlock has each grant on the disk before it counts, as fleetlock does unless
// it is told otherwise.
func joinFleetlock(path string) func() (seat, error) { return joinFleet(path) }

func joinFleetlockNoSync(path string) func() (seat, error) {
	return joinFleet(path, fleetlock.NoSync())
}

func joinFleet(path string, opts ...fleetlock.Option) func() (seat, error) {
	l := fleetlock.File(path, opts...)
	return func() (seat, error) { return &fleetSeat{shared: l}, nil }
}

func (s *fleetSeat) lock(ctx context.Context) (err error) {
	s.held, err = s.shared.Acquire(ctx)
	return err
}

func (s *fleetSeat) unlock() error { return s.held.Release() }
