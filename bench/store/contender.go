package main

import (
	"context"
	"errors"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// The stores.
const (
	postgres = "Postgres"
	etcd     = "etcd"
	redis    = "Redis"
)

// A durability is when a server says that a write is done.
type durability bool

const (
	written durability = false // when it has handed it to the operating system, or not even that
	synced  durability = true  // when it is on the disk, so that a power failure loses nothing
)

// A contender is one lock.
type contender struct {
	name, store string
	ours        bool
	// here and there acquire the lock as two machines do.
	here, there acquire
	// synced is here on a server that syncs every write.
	synced acquire

	pairs       []float64 // nanoseconds of each acquisition and release
	syncedPairs []float64 // the same where every write is synced
	handovers   []float64 // nanoseconds from before a release to after the next grant
}

// An acquire waits for a lock and returns the release.
type acquire func(context.Context) (release func() error, err error)

// pairs measures acquisitions and releases for a time.
func (a acquire) pairs(ctx context.Context, d time.Duration) (took []float64, err error) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		began := time.Now()
		release, err := a(ctx)
		if err != nil {
			return nil, err
		}
		if err := release(); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began)))
	}
	return took, nil
}

const handoversPerRound = 10

func (c *contender) measure(ctx context.Context, d time.Duration) error {
	took, err := c.here.pairs(ctx, d)
	if err != nil {
		return err
	}
	c.pairs = append(c.pairs, took...)
	if took, err = c.synced.pairs(ctx, d); err != nil {
		return err
	}
	c.syncedPairs = append(c.syncedPairs, took...)
	for range handoversPerRound {
		if err := c.handOver(ctx); err != nil {
			return err
		}
	}
	return nil
}

// handOver has one wait while the other holds the lock, and measures how long it waits
// after the release.
func (c *contender) handOver(ctx context.Context) error {
	release, err := c.here(ctx)
	if err != nil {
		return err
	}
	type grant struct {
		at      time.Time
		release func() error
		err     error
	}
	granted := make(chan grant, 1)
	go func() {
		release, err := c.there(ctx)
		granted <- grant{time.Now(), release, err}
	}()
	time.Sleep(30 * time.Millisecond) // until it waits
	released := time.Now()
	if err := release(); err != nil {
		return err
	}
	g := <-granted
	if g.err != nil {
		return g.err
	}
	c.handovers = append(c.handovers, float64(g.at.Sub(released)))
	return g.release()
}

const lease = 10 * time.Second

// fleet is the lock of fedkit in a register.
func fleet(store string, here, there fleetlock.Register) *contender {
	in := func(r fleetlock.Register) acquire {
		lock := fleetlock.On(r, "bench", fleetlock.Lease(lease))
		return func(ctx context.Context) (func() error, error) {
			held, err := lock.Acquire(ctx)
			if err != nil {
				return nil, err
			}
			return held.Release, nil
		}
	}
	return &contender{name: "fleetlock on " + store, store: store, ours: true, here: in(here), there: in(there)}
}

// open starts the servers and returns all contenders, and what ends the servers even if
// there is an error.
func open(ctx context.Context) (all []*contender, done func(), err error) {
	var ends []func() error
	done = func() {
		for i := len(ends) - 1; i >= 0; i-- {
			_ = ends[i]() // nothing is left to lose
		}
	}
	for _, on := range []func(context.Context, durability, func(func() error)) ([]*contender, error){onPostgres, onEtcd, onRedis} {
		var twice [][]*contender
		for _, d := range []durability{written, synced} {
			some, err := on(ctx, d, func(end func() error) { ends = append(ends, end) })
			if err != nil && !errors.Is(err, errNotInstalled) {
				return nil, done, err
			}
			twice = append(twice, some)
		}
		for i, c := range twice[0] {
			c.synced = twice[1][i].here
			all = append(all, c)
		}
	}
	return all, done, nil
}

// errNotInstalled says that a server is not there to be measured.
var errNotInstalled = errors.New("not installed")
