package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"regexp"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

func main() { figures.Main("list", start) }

// options are the flags.
type options struct {
	rows, grow, rounds int
	buffers, server    string
	cells              *regexp.Regexp // nil for all
	ours               bool
	out, svg           string
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	flags.IntVar(&o.rows, "rows", 3_000_000, "how many tasks there are")
	flags.IntVar(&o.grow, "grow", 0, "if more than 1, measure with this many times the tasks as well; 10 takes 20 GB of disk")
	flags.IntVar(&o.rounds, "rounds", 15, "how often everything is measured")
	flags.StringVar(&o.buffers, "buffers", "2GB", "shared_buffers of the server")
	flags.StringVar(&o.server, "server", "", "URL of a Postgres, as superuser, that keeps the data for the next run in schemas even, skewed and grown; defaults to a throwaway one")
	flags.Func("cells", "regular `expression` for the cells to measure, such as '^Tasks: .*200 teams'; defaults to all", func(text string) (err error) {
		o.cells, err = regexp.Compile(text)
		return err
	})
	flags.BoolVar(&o.ours, "ours", false, "leave out all contenders but the floor and fedkit")
	flags.StringVar(&o.out, "out", "", "file to write the tables to, too")
	flags.StringVar(&o.svg, "svg", "", "file to write a picture of the tasks to")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.rows < 10_000 || o.rounds < 1 || o.grow < 0 || flags.NArg() > 0 {
		return o, errors.New("there are at least 10000 rows and 1 round, and there are no arguments")
	}
	return o, nil
}

// command has the flags that the numbers depend on.
func (o options) command() string {
	command := fmt.Sprintf("go run ./bench/list -rows %d -rounds %d", o.rows, o.rounds)
	if o.grow > 1 {
		command += fmt.Sprintf(" -grow %d", o.grow)
	}
	return command
}

func start(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	server, err := serve(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	b := &bench{options: o, server: server, say: figures.Progress("list")}
	if err := b.measure(ctx); err != nil {
		return err
	}
	text := b.page()
	fmt.Print(text)
	return errors.Join(figures.Save(o.out, text), figures.Save(o.svg, picture(b.run.tables[0])))
}
