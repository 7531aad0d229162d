//go:build unix

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

func main() {
	workIfTold()
	figures.Main("lock", start)
}

func start(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("lock", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "how often everything is measured")
	d := flags.Duration("time", 2*time.Second, "how long each crowd of a round competes; the other measurements take a share of it")
	out := flags.String("out", "", "file to write the tables to, too")
	svg := flags.String("svg", "", "file to write a picture of the hand-overs to")
	where := flags.String("dir", "", "directory of the lock files, for another file system than that of temporary files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *d < 100*time.Millisecond || flags.NArg() > 0 {
		return errors.New("there is at least 1 round, of at least 100ms, and there are no arguments")
	}
	summaries, err := measureIn(ctx, *where, *rounds, *d)
	if err != nil {
		return err
	}
	text := page(summaries, *rounds, *d)
	fmt.Print(text)
	return errors.Join(figures.Save(*out, text), figures.Save(*svg, picture(summaries)))
}

// measureIn measures in a directory in where that it removes.
func measureIn(ctx context.Context, where string, rounds int, d time.Duration) (_ []summary, err error) {
	dir, err := os.MkdirTemp(where, "lock-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := newRun(rounds, d, dir)
	r.say = figures.Progress("lock")
	if err := r.measure(ctx); err != nil {
		return nil, err
	}
	return summarize(r.results), nil
}

// page is all that there is to read.
func page(all []summary, rounds int, d time.Duration) string {
	return fmt.Sprintf("%s; medians of %d rounds, crowds of %v.\n\n%s\n%s\n%s", figures.Machine(), rounds, d,
		costTable(all), waitTable(all), figures.Targets("fleetlock, NoSync", targets(all)))
}
