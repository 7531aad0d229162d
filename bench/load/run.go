package main

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// crowds are how many connections there are.
var crowds = []int{1, 16, 256}

// A run is everything that is measured.
type run struct {
	options
	say     func(format string, args ...any)
	version string // of the database
	cells   []*cell
	memory  *watch // nil if it was not watched
}

// A cell is what one contender did for a crowd.
type cell struct {
	contender string
	crowd     int
	rates     []float64 // pages per second, in each round
	times     []float64 // of all pages, in nanoseconds
}

func (r *run) measure(ctx context.Context) (err error) {
	cluster, err := pgtest.Launch("shared_buffers = '512MB'", "autovacuum = off")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	db, err := sql.Open("postgres", cluster.DSN())
	if err != nil {
		return err
	}
	defer db.Close()
	r.say("filling a database with %d tasks", r.rows)
	if err := fill(ctx, db, r.rows); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "SELECT split_part(current_setting('server_version'), ' ', 1)").Scan(&r.version); err != nil {
		return err
	}
	gateway, err := launch(ctx, cluster.DSN())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gateway.close()) }()
	return r.against(ctx, gateway)
}

// against measures a gateway.
func (r *run) against(ctx context.Context, gateway *process) error {
	config, err := gateway.clientTLS()
	if err != nil {
		return err
	}
	if err := compare(ctx, gateway, config); err != nil {
		return err
	}
	for _, n := range crowds {
		r.say("%d connections", n)
		if err := r.takeTurns(ctx, gateway, config, n); err != nil {
			return err
		}
	}
	if r.flat == 0 {
		return nil
	}
	r.say("watching the memory for %v", r.flat)
	r.memory, err = watchMemory(ctx, gateway, r.flat, 1)
	return err
}

// compare makes sure that all contenders send the same rows, and enough of them.
func compare(ctx context.Context, gateway *process, config *tls.Config) error {
	var want []struct{ ID string }
	for _, name := range contenders {
		c := newClient(gateway.Addresses[name], config)
		defer c.close()
		err := c.turnToSecond(ctx)
		var got page
		if err == nil {
			got, err = c.decoded(ctx)
		}
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case want == nil:
			want = got.Items
		case !slices.Equal(got.Items, want):
			return fmt.Errorf("%s sends other rows than %s", name, contenders[0])
		}
		if len(got.Items) != pageRows {
			return fmt.Errorf("%s sends %d rows", name, len(got.Items))
		}
	}
	return nil
}

// takeTurns gives each contender its turns with a crowd, in an order that changes. Turns
// are short and many, so that what else the machine does is the same for all of them; for
// a large crowd, whose pages take long, they are longer and fewer. That the connections
// are made is no part of it.
func (r *run) takeTurns(ctx context.Context, gateway *process, config *tls.Config, n int) error {
	cells, all := make([]*cell, len(contenders)), make([]crowd, len(contenders))
	for i, name := range contenders {
		var err error
		cells[i] = &cell{contender: name, crowd: n}
		all[i], err = newCrowd(ctx, n, gateway.Addresses[name], config)
		defer all[i].close()
		if err != nil {
			return fmt.Errorf("%s, %s: %w", name, connectionsOf(n), err)
		}
	}
	longer := 1 + n/64
	for round := range max(1, r.rounds/longer) {
		for i := range cells {
			i := (i + round) % len(cells)
			if err := cells[i].take(ctx, all[i], r.turn*time.Duration(longer)); err != nil {
				return fmt.Errorf("%s, %s: %w", contenders[i], connectionsOf(n), err)
			}
		}
	}
	r.cells = append(r.cells, cells...)
	return nil
}

// take measures one turn.
func (c *cell) take(ctx context.Context, all crowd, long time.Duration) error {
	began := time.Now()
	times, err := all.read(ctx, long, 1)
	c.rates = append(c.rates, float64(len(times))/time.Since(began).Seconds())
	c.times = append(c.times, times...)
	return err
}

// cell returns that of a contender.
func (r *run) cell(contender string, crowd int) *cell {
	i := slices.IndexFunc(r.cells, func(c *cell) bool { return c.contender == contender && c.crowd == crowd })
	return r.cells[i]
}

// quickest is the share of the pages that counts where one page at a time is read: those
// during which the machine did nothing else.
const quickest = 0.1

// overhead is how much longer than without fedkit a page takes, in percent: for one
// connection by the longest of the quickest pages, and else the machine, by the median of
// the rounds.
func (r *run) overhead(contender string, crowd int) float64 {
	with, without := r.cell(contender, crowd), r.cell(bare, crowd)
	if crowd == 1 {
		return 100 * (figures.Quantile(with.times, quickest)/figures.Quantile(without.times, quickest) - 1)
	}
	ratios := make([]float64, len(with.rates))
	for i := range ratios {
		ratios[i] = 100 * (without.rates[i]/with.rates[i] - 1)
	}
	return figures.Median(ratios)
}
