package main

import (
	"fmt"
	"strings"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// mostOverhead is what all checks together may cost, in percent of a page.
const mostOverhead = 15

// page is all that there is to read.
func (r *run) page() string {
	var p strings.Builder
	fmt.Fprintf(&p, "# What a gateway serves\n\n%s; Postgres %s and the client on the same machine.\n\n    %s\n\n",
		figures.Machine(), r.version, r.command())
	p.WriteString(manual)
	fmt.Fprintf(&p, "## Targets\n\n%s\n![Pages per second](bench-load.svg)\n\n", figures.Targets("fedkit", r.targets()))
	for _, n := range crowds {
		fmt.Fprintf(&p, "## %s\n\n%s\n", connectionsOf(n), r.table(n))
	}
	if r.memory != nil {
		fmt.Fprintf(&p, "## Memory over %v\n\n%s", r.memory.long, r.memory.page())
	}
	return strings.TrimSuffix(p.String(), "\n")
}

// manual says how to read the tables.
const manual = `One process is the gateway, and another one, the client, reads pages of 50 tasks from it
over TLS with client certificates, as fast as each connection gets its answers. The page
is the second one of the list; user-1, whose tasks they are, owns 5 projects and is in 3
teams. Numbers are for comparison with each other, since client, gateway and database
share the processors.

- **no fedkit** is the handler that a host would write that trusts everybody: it looks up
  the teams of the user, runs the same statement for the page, and sends the rows.
- **fedkit, grants in memory** makes all checks: the certificate and its grant, twice for
  each page, limits by address, by grant and of requests under way, the scope, the cursor,
  an audit and a log. The lines of these two go nowhere.
- **fedkit, grants in Postgres** looks the grant up in the database, twice for each page.
  That is what makes a revocation count from the next answer on, whatever process it was
  made by.

All of them read by one listquery.Store with Config.Prepared, and the grants are looked up
by sqlstore.Config.Prepared, over a pool of 8 connections. They take turns, in an order
that changes. Pages per second are the median of the turns. The cost is that of all three
processes together: for one connection by p10, the time of the quickest tenth of the
pages, during which the machine did little else, and for more by pages per second, the
median of the rounds.

`

func connectionsOf(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}

func (r *run) table(n int) *figures.Table {
	t := &figures.Table{Head: []string{"", "pages/s", "cost", "p10", "p50", "p99", "longest"}}
	for _, name := range contenders {
		c := r.cell(name, n)
		cost := ""
		if name != bare {
			cost = fmt.Sprintf("%+.1f %%", r.overhead(name, n))
		}
		t.Add(name, fmt.Sprintf("%.0f", figures.Median(c.rates)), cost, figures.Duration(figures.Quantile(c.times, quickest)), figures.Duration(figures.Quantile(c.times, 0.5)),
			figures.Duration(figures.Quantile(c.times, 0.99)), figures.Duration(figures.Quantile(c.times, 1)))
	}
	return t
}

func (r *run) targets() []figures.Target {
	var all []figures.Target
	for _, name := range contenders[1:] {
		for _, n := range crowds {
			all = append(all, figures.Target{
				Name: fmt.Sprintf("%s, %s", strings.TrimPrefix(name, "fedkit, "), connectionsOf(n)), Value: r.overhead(name, n),
				Limit: mostOverhead, Unit: " %", Decimals: 1,
			})
		}
	}
	if r.memory == nil {
		return all
	}
	for _, q := range quantities {
		first, last := r.memory.thirds(q.of)
		all = append(all, figures.Target{
			Name: fmt.Sprintf("%s, last third of %v", q.name, r.memory.long), Value: last / q.unit,
			Limit: rounded((first*(1+q.share) + q.more) / q.unit), Unit: q.in, Decimals: 1,
		})
	}
	return append(all, figures.Target{
		Name: "goroutines, behind the last connection", Value: r.memory.after.Goroutines, Limit: r.memory.before.Goroutines,
	})
}

func rounded(x float64) float64 { return float64(int(10*x+0.5)) / 10 }

// page says what was held over time.
func (w *watch) page() string {
	t := &figures.Table{Head: []string{"", "first third", "last third", "most"}}
	for _, q := range quantities {
		first, last := w.thirds(q.of)
		most := 0.0
		for _, s := range w.samples {
			most = max(most, q.of(s))
		}
		t.Add(q.name, inUnit(first/q.unit, q.in), inUnit(last/q.unit, q.in), inUnit(most/q.unit, q.in))
	}
	return fmt.Sprintf("%d pages over %d connections, with grants in Postgres; medians of %d samples behind a first fifth that does\n"+
		"not count, each after a collection of garbage.\n\n%s\nBefore the first connection there are %.0f goroutines, and %.0f behind the last one.\n",
		w.pages, watchers, len(w.samples), t, w.before.Goroutines, w.after.Goroutines)
}

func inUnit(x float64, unit string) string { return fmt.Sprintf("%.1f%s", x, unit) }
