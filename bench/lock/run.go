//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// A run measures all contenders, round by round.
type run struct {
	rounds  int
	time    time.Duration // of a crowd; the other measurements have a share of it
	turns   int           // in which a round measures what takes no crowd
	dir     string        // of everything that it makes
	say     func(format string, args ...any)
	results []result // of the contenders, in their order
}

// A result is all that was measured of one contender.
type result struct {
	contender  contender
	solo       []float64 // nanoseconds for an acquisition and release
	goroutines []crowd   // of each round
	processes  []crowd
	handovers  []float64 // nanoseconds from release to acquisition
	kills      []float64 // nanoseconds from SIGKILL to acquisition
}

func newRun(rounds int, d time.Duration, dir string) *run {
	r := &run{rounds: rounds, time: d, turns: 20, dir: dir, say: func(string, ...any) {}}
	for _, c := range contenders {
		r.results = append(r.results, result{contender: c})
	}
	return r
}

func (r *run) measure(ctx context.Context) error {
	for round := range r.rounds {
		r.say("round %d of %d", round+1, r.rounds)
		for _, measure := range []func(context.Context) error{r.measureSolo, r.measureCrowds, r.measureHandovers, r.measureKills} {
			if err := measure(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) measureSolo(ctx context.Context) (err error) {
	s, err := startSolo(r.newDir)
	defer func() { err = errors.Join(err, s.stop()) }()
	if err != nil {
		return err
	}
	return r.inTurns(ctx, func(i int, out *result) error {
		ns, err := s.measure(i, r.turn(4))
		out.solo = append(out.solo, ns)
		return err
	})
}

func (r *run) measureCrowds(ctx context.Context) error {
	err := r.each(ctx, func(_ int, out *result) error {
		got, err := measureCrowd(out.contender, r.newDir, 1, crowdSize, r.time)
		out.goroutines = append(out.goroutines, got)
		return err
	})
	if err != nil {
		return err
	}
	return r.each(ctx, func(_ int, out *result) error {
		got, err := measureCrowd(out.contender, r.newDir, crowdSize, 1, r.time)
		out.processes = append(out.processes, got)
		return err
	})
}

func (r *run) measureHandovers(ctx context.Context) (err error) {
	s, err := startSuccession(r.newDir)
	defer func() { err = errors.Join(err, s.stop()) }()
	if err != nil {
		return err
	}
	return r.inTurns(ctx, func(i int, out *result) error {
		waits, err := asOften(r.turn(2), s[i].handover)
		out.handovers = append(out.handovers, waits...)
		return err
	})
}

func (r *run) measureKills(ctx context.Context) (err error) {
	s, err := startSuccession(r.newDir)
	defer func() { err = errors.Join(err, s.stop()) }()
	if err != nil {
		return err
	}
	return r.inTurns(ctx, func(i int, out *result) error {
		if out.contender.stale != "" {
			return nil
		}
		waits, err := asOften(r.turn(2), s[i].kill)
		out.kills = append(out.kills, waits...)
		return err
	})
}

// turn is how long a turn is, of measurements that take the nth part of a crowd's time.
func (r *run) turn(n int) time.Duration { return r.time / time.Duration(n*r.turns) }

func (r *run) inTurns(ctx context.Context, do func(i int, out *result) error) error {
	for range r.turns {
		if err := r.each(ctx, do); err != nil {
			return err
		}
	}
	return nil
}

// each goes through the contenders in a new order, so that none always follows the
// same one, whose writes may still be on their way to the disk.
func (r *run) each(ctx context.Context, do func(i int, out *result) error) error {
	for _, i := range rand.Perm(len(r.results)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(i, &r.results[i]); err != nil {
			return fmt.Errorf("%s: %w", r.results[i].contender.name, err)
		}
	}
	return nil
}

func (r *run) newDir() (string, error) { return os.MkdirTemp(r.dir, "") }
