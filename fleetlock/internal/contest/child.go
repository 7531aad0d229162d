//go:build unix

// Package contest has processes contend for a lock while its store and its holders are
// maltreated, and judges what they saw. It is for tests: a test binary that calls Main
// first is what the processes run.
package contest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

const (
	storeVariable = "FLEETLOCK_CONTEST_STORE"
	leaseVariable = "FLEETLOCK_CONTEST_LEASE"
)

const lockName = "contest"

// Main runs a contender instead of the tests if this process is one, and does not return
// then. Open opens the store that the test gave to Start.
func Main(open func(store string) (fleetlock.Register, error)) {
	store := os.Getenv(storeVariable)
	if store == "" {
		return
	}
	if err := contend(store, open); err != nil {
		fmt.Fprintln(os.Stderr, "a contender:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// contend acquires and releases until standard input ends, as it does when the test dies.
func contend(store string, open func(string) (fleetlock.Register, error)) error {
	lease, err := time.ParseDuration(os.Getenv(leaseVariable))
	if err != nil {
		return err
	}
	register, err := open(store)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		stop()
	}()
	lock := fleetlock.On(register, lockName, fleetlock.Lease(lease))
	for ctx.Err() == nil {
		held, err := lock.Acquire(ctx)
		if err != nil {
			say(failed, 0)
			time.Sleep(20 * time.Millisecond)
			continue
		}
		hold(ctx, held)
	}
	return nil
}

// hold says all the while whether it holds.
func hold(ctx context.Context, held *fleetlock.Held) {
	token := held.Token()
	say(granted, token)
	stop := context.AfterFunc(held.Context(), func() {
		if errors.Is(context.Cause(held.Context()), fleetlock.ErrLost) {
			say(toldLoss, token)
		}
	})
	for end := time.Now().Add(time.Duration(20+rand.IntN(60)) * time.Millisecond); time.Now().Before(end) && ctx.Err() == nil; {
		asked := time.Now()
		err := held.Err()
		if err == nil {
			sayAt(asked, claimed, token) // it held the lock at some time after it asked
		}
		if errors.Is(err, fleetlock.ErrLost) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	say(leaving, token)
	stop()
	_ = held.Release() // a loss was told
}

// What a contender says.
const (
	granted  = "granted"
	claimed  = "claimed"
	toldLoss = "told"
	leaving  = "leaving"
	failed   = "failed"
)

var mouth sync.Mutex

func say(what string, token uint64) { sayAt(time.Now(), what, token) }

// sayAt writes a line. The wall clock is that of all contenders.
func sayAt(when time.Time, what string, token uint64) {
	mouth.Lock()
	defer mouth.Unlock()
	fmt.Printf("%s %d %d\n", what, token, when.UnixNano())
}
