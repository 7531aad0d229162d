package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

func main() {
	if dsn := os.Getenv(gatewayVariable); dsn != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		os.Exit(beGateway(ctx, dsn, whole))
	}
	figures.Main("load", start)
}

// options are the flags.
type options struct {
	rows, rounds int
	turn, flat   time.Duration
	out, svg     string
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.IntVar(&o.rows, "rows", 200_000, "how many tasks there are")
	flags.IntVar(&o.rounds, "rounds", 40, "how often each handler has a turn")
	flags.DurationVar(&o.turn, "turn", 250*time.Millisecond, "how long a turn is")
	flags.DurationVar(&o.flat, "flat", 10*time.Minute, "how long memory is watched; 0 is not at all")
	flags.StringVar(&o.out, "out", "", "file to write the tables to, too")
	flags.StringVar(&o.svg, "svg", "", "file to write a picture to")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.rows < 1000 || o.rounds < 1 || o.turn <= 0 || o.flat < 0 || flags.NArg() > 0 {
		return o, errors.New("there are at least 1000 rows, 1 round and a time for it, and there are no arguments")
	}
	return o, nil
}

// command has the flags that the numbers depend on.
func (o options) command() string {
	return fmt.Sprintf("go run ./bench/load -rows %d -rounds %d -turn %v -flat %v", o.rows, o.rounds, o.turn, o.flat)
}

func start(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	r := &run{options: o, say: figures.Progress("load")}
	if err := r.measure(ctx); err != nil {
		return err
	}
	text := r.page()
	fmt.Print(text)
	return errors.Join(figures.Save(o.out, text), figures.Save(o.svg, r.picture()))
}
