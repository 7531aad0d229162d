// Store measures fleetlock on Postgres and etcd next to other locks on the same servers, in
// one run: what an acquisition and a release cost that nobody disputes, and how long it takes
// from a release to the next grant.
//
//	go run ./bench/store
//
// It starts a throwaway Postgres, an etcd of one member and, where redis-server is
// installed, a Redis, each twice: as it is when it writes nothing through to the disk, which
// shows what the locks themselves cost, and when it syncs every write, which is what they
// cost where none may be lost.
//
// The contenders take turns, in rounds, so that what disturbs one disturbs the next one,
// too. The table has medians over all of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

func main() { figures.Main("store", run) }

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("store", flag.ContinueOnError)
	rounds := flags.Int("rounds", 9, "how often everything is measured")
	each := flags.Duration("time", 300*time.Millisecond, "for how long each contender of a round acquires and releases, on either server")
	out := flags.String("out", "", "file to write the tables to, too")
	svg := flags.String("svg", "", "file to write a picture of the costs to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *each <= 0 || flags.NArg() > 0 {
		return errors.New("there is at least 1 round of some time, and there are no arguments")
	}
	contenders, done, err := open(ctx)
	defer done()
	if err != nil {
		return err
	}
	for round := range *rounds {
		for _, c := range contenders {
			if err := c.measure(ctx, *each); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		fmt.Fprintf(os.Stderr, "store: round %d of %d\n", round+1, *rounds)
	}
	text := fmt.Sprintf("%s; medians over %d rounds of %v.\n\n%s\n%s", figures.Machine(), *rounds, *each, table(contenders), targets(contenders))
	fmt.Print(text)
	return errors.Join(figures.Save(*out, text), figures.Save(*svg, picture(contenders)))
}

func table(all []*contender) *figures.Table {
	t := &figures.Table{Head: []string{"", "acquire + release", "every write synced", "release → acquire", "p90"}}
	for _, c := range all {
		t.Add(c.name, figures.Duration(figures.Median(c.pairs)), figures.Duration(figures.Median(c.syncedPairs)), figures.Duration(figures.Quantile(c.handovers, .5)), figures.Duration(figures.Quantile(c.handovers, .9)))
	}
	return t
}

// targets are that fedkit costs no more than the others on a store, and passes the lock on
// in 5 ms on Postgres.
func targets(all []*contender) *figures.Table {
	var wanted []figures.Target
	for _, ours := range all {
		if !ours.ours {
			continue
		}
		for _, other := range all {
			if !other.ours && other.store == ours.store {
				wanted = append(wanted, atLeastAsFast("acquire + release on "+ours.store, ours.pairs, other.pairs, other.name),
					atLeastAsFast("the same, every write synced", ours.syncedPairs, other.syncedPairs, other.name))
			}
		}
		if ours.store == postgres {
			wanted = append(wanted, figures.Target{
				Name:  "release → acquire on Postgres, median",
				Value: figures.Quantile(ours.handovers, .5) / float64(time.Millisecond), Limit: 5, Unit: "ms", Decimals: 2,
			})
		}
	}
	return figures.Targets("fleetlock", wanted)
}

func atLeastAsFast(what string, ours, others []float64, name string) figures.Target {
	return figures.Target{Name: what, Value: figures.Median(ours) / figures.Median(others), Limit: 1, Unit: "× " + name, Decimals: 2}
}
