package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

func main() { figures.Main("fanout", start) }

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
	return fmt.Sprintf("%s; medians of %d pages of %d rows.\n\n%s\n%s", figures.Machine(), pages, pageRows,
		table(all), figures.Targets("Merged list", targets(all)))
}
