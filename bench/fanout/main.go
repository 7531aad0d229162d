package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, os.Args[1:]); errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("fanout", flag.ContinueOnError)
	pages := flags.Int("pages", 40, "how many pages of each list are measured")
	out := flags.String("out", "", "file to write the tables to, too")
	svg := flags.String("svg", "", "file to write a picture of the pages to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *pages < 2 || flags.NArg() > 0 {
		return errors.New("there are at least 2 pages, and there are no arguments")
	}
	var all []result
	for _, c := range cells() {
		fmt.Fprintf(os.Stderr, "fanout: %s\n", c.name())
		r, err := measure(ctx, c, *pages)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		all = append(all, r)
	}
	text := page(all, *pages)
	fmt.Print(text)
	return errors.Join(figures.Save(*out, text), figures.Save(*svg, picture(all)))
}

// page is all that there is to read.
func page(all []result, pages int) string {
	return fmt.Sprintf("%s, %s/%s, %d CPUs; medians of %d pages of %d rows.\n\n%s\n%s",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), pages, pageRows,
		table(all), figures.Targets("Merged list", targets(all)))
}
