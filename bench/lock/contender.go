//go:build unix

package main

import (
	"context"
	"time"
)

// A contender is one way to lock a file.
type contender struct {
	name string

	// join makes the lock at path known to a process; each of its goroutines then takes
	// a seat of its own. The directory of path is the contender's alone.
	join func(path string) func() (seat, error)

	// poll is the longest time between two looks of a waiter, zero if the kernel wakes
	// it.
	poll time.Duration

	// stale says what the death of a holder costs where that is no matter of
	// measurement: a time that the lock has to be old. Empty if it is.
	stale string
}

// A seat is a contender's lock in the hands of one goroutine.
type seat interface {
	// lock waits for the lock. Contenders whose library takes no context wait on when
	// ctx ends.
	lock(ctx context.Context) error
	unlock() error
}

// The baseline, and the rows that the targets are about.
const (
	rawFlock  = "flock, open descriptor"
	theSeed   = "the seed's algorithm"
	fleetFast = "fleetlock, NoSync"
)

var contenders = []contender{
	{name: rawFlock, join: joinFlock},
	{name: "open + flock + close", join: joinReopen},
	{name: "gofrs/flock, 10 ms poll", join: joinGofrs, poll: gofrsPoll},
	{name: "go-internal/lockedfile", join: joinLockedfile},
	{name: "alexflint/go-filemutex", join: joinFilemutex},
	{name: "nightlyone/lockfile, 1 ms poll", join: joinNightlyone, poll: nightlyonePoll},
	{name: theSeed, join: joinSeed, poll: seedTimes.poll, stale: "its stale age"},
	{name: fleetFast, join: joinFleetlockNoSync},
	{name: "fleetlock", join: joinFleetlock},
}

// contenderNamed returns the contender that a worker was started for.
func contenderNamed(name string) (contender, bool) {
	for _, c := range contenders {
		if c.name == name {
			return c, true
		}
	}
	return contender{}, false
}
