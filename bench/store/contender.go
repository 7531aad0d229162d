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

// A contender is one lock. Acquire waits and returns the release.
type contender struct {
	name, store string
	ours        bool
	// here and there acquire the lock as two machines do.
	here, there func(context.Context) (release func() error, err error)

	pairs     []float64 // nanoseconds of each acquisition and release
	handovers []float64 // nanoseconds from before a release to after the next grant
}

const handoversPerRound = 10

func (c *contender) measure(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		began := time.Now()
		release, err := c.here(ctx)
		if err != nil {
			return err
		}
		if err := release(); err != nil {
			return err
		}
		c.pairs = append(c.pairs, float64(time.Since(began)))
	}
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
	acquire := func(r fleetlock.Register) func(context.Context) (func() error, error) {
		lock := fleetlock.On(r, "bench", fleetlock.Lease(lease))
		return func(ctx context.Context) (func() error, error) {
			held, err := lock.Acquire(ctx)
			if err != nil {
				return nil, err
			}
			return held.Release, nil
		}
	}
	return &contender{name: "fleetlock on " + store, store: store, ours: true, here: acquire(here), there: acquire(there)}
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
	for _, on := range []func(context.Context, func(func() error)) ([]*contender, error){onPostgres, onEtcd, onRedis} {
		some, err := on(ctx, func(end func() error) { ends = append(ends, end) })
		if err != nil && !errors.Is(err, errNotInstalled) {
			return nil, done, err
		}
		all = append(all, some...)
	}
	return all, done, nil
}

// errNotInstalled says that a server is not there to be measured.
var errNotInstalled = errors.New("not installed")
