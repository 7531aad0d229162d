package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// A run measures all cells of all sections, round by round.
type run struct {
	worlds   map[string]*sql.DB // where pages are looked for
	places   map[spot]*place
	found    map[string]request
	tables   []*tableau
	rounds   int
	patience time.Duration // for a page
	say      func(format string, args ...any)
}

// A spot is a world in a mode.
type spot struct {
	world string
	mode  mode
}

// A tableau is a section with what was measured of it.
type tableau struct {
	section
	requests [][2]request // of each cell: in the world of the section, and in the grown one
	measured [][]series   // of each cell and contender
}

// A series has nanoseconds for each round, NaN where the contender sat out.
type series struct {
	rounds []float64
	failed error
}

// settle finds the pages of all cells.
func (r *run) settle(ctx context.Context, sections []section) error {
	for _, s := range sections {
		r.say("looking for the pages of: %s", s.title)
		t := &tableau{section: s, requests: make([][2]request, len(s.cells)), measured: make([][]series, len(s.cells))}
		for i, c := range s.cells {
			t.measured[i] = make([]series, len(s.contenders))
			for _, one := range s.contenders {
				q, err := r.find(ctx, s.worldOf(one), c)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.title, c.label(), err)
				}
				t.requests[i][index(one.grown)] = q
			}
		}
		r.tables = append(r.tables, t)
	}
	return nil
}

// find looks for a page that may have been looked for already.
func (r *run) find(ctx context.Context, world string, c cell) (request, error) {
	name := fmt.Sprint(world, c.resource.name, c.subject, c.grant.teams, c.depth, c.byTime)
	if q, known := r.found[name]; known {
		return q, nil
	}
	q, err := find(ctx, r.worlds[world], c)
	r.found[name] = q
	return q, err
}

func index(grown bool) int {
	if grown {
		return 1
	}
	return 0
}

// place is where a contender reads.
func (r *run) place(s section, c contender) *place {
	return r.places[spot{s.worldOf(c), s.mode}]
}

// measure goes through the cells in a new order in each round, and through the
// contenders of a cell one after the other, in a new order too.
func (r *run) measure(ctx context.Context) error {
	for round := range r.rounds {
		r.say("round %d of %d", round+1, r.rounds)
		for _, j := range shuffled(r.jobs()) {
			for _, i := range rand.Perm(len(j.table.contenders)) {
				if err := r.turn(ctx, j.table, j.cell, i); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// A job is one cell of one table.
type job struct {
	table *tableau
	cell  int
}

func (r *run) jobs() []job {
	var jobs []job
	for _, t := range r.tables {
		for i := range t.cells {
			jobs = append(jobs, job{t, i})
		}
	}
	return jobs
}

func shuffled[T any](all []T) []T {
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

const (
	calls     = 4                     // that a turn measures
	slow      = 50 * time.Millisecond // from which on one call is a turn
	slowTurns = 3                     // that are enough
)

// turn measures one contender in one cell.
func (r *run) turn(ctx context.Context, t *tableau, cell, number int) error {
	s, one := &t.measured[cell][number], t.contenders[number]
	if s.failed != nil || !one.ours && s.done() {
		s.rounds = append(s.rounds, math.NaN())
		return nil
	}
	q, p := t.requests[cell][index(one.grown)], r.place(t.section, one)
	ns, err := measured(ctx, r.patience, func(ctx context.Context) error {
		_, err := one.page(ctx, p, t.cells[cell].resource, q)
		return err
	})
	if err != nil {
		err = fmt.Errorf("%s, %s, %s: %w", t.title, t.cells[cell].label(), one.name, err)
		if one.ours || ctx.Err() != nil {
			return err
		}
		r.say("%v", err)
		s.failed, ns = err, math.NaN()
	}
	s.rounds = append(s.rounds, ns)
	return nil
}

// done reports whether there is little to learn from further turns of a slow contender.
func (s *series) done() bool {
	return len(s.rounds) >= slowTurns && median(s.rounds) >= float64(slow)
}

// measured is the median time of some calls behind one that warms up; or of the first
// one, if it is slow.
func measured(ctx context.Context, patience time.Duration, call func(context.Context) error) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var times []float64
	for range calls + 1 {
		start := time.Now()
		if err := call(ctx); err != nil {
			return math.NaN(), errors.Join(err, context.Cause(ctx))
		}
		times = append(times, float64(time.Since(start)))
		if times[0] >= float64(slow) {
			return times[0], nil
		}
	}
	return median(times[1:]), nil
}

// median is the one of the rounds in which there was a measurement.
func median(rounds []float64) float64 {
	return figures.Median(slices.DeleteFunc(slices.Clone(rounds), math.IsNaN))
}

// ratio is the median of the ratios of two series, round by round: what else the machine
// did in a round was the same for both.
func ratio(a, b series) float64 {
	var ratios []float64
	for i := range min(len(a.rounds), len(b.rounds)) {
		ratios = append(ratios, a.rounds[i]/b.rounds[i])
	}
	return median(ratios)
}
