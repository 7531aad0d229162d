package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
	"github.com/mosaicstack/fedkit/federation"
)

// A result is what a cell came to.
type result struct {
	cell
	merged []float64 // nanoseconds of a page of the merged list
	alone  []float64 // of a page of the slowest peer, asked alone
	rows   float64   // fetched per source and page
	asked  float64   // requests per source and page
	bytes  float64   // allocated per page, by all gateways together
}

// over is how much longer a merged page takes than the slowest peer's answer, in percent,
// after the millisecond that it may take in any case.
func (r result) over() float64 {
	alone := figures.Median(r.alone)
	return 100 * (figures.Median(r.merged) - float64(time.Millisecond) - alone) / alone
}

// measure reads a merged list page by page, and beside each page one of the slowest peer.
func measure(ctx context.Context, c cell, pages int) (result, error) {
	r := result{cell: c}
	w, err := newWorld(c, (pages+4)*pageRows)
	defer w.close()
	if err != nil {
		return r, err
	}
	next := ""
	var memory runtime.MemStats
	for n := range pages + 2 { // two to open the connections
		began := time.Now()
		if _, err := w.slowest.List(ctx, "tasks", federation.ListRequest{Limit: pageRows}); err != nil {
			return r, err
		}
		alone := time.Since(began)
		runtime.ReadMemStats(&memory)
		allocated, fetched, asked := memory.TotalAlloc, w.fetched.Load(), w.asked.Load()
		began = time.Now()
		page, err := w.gateway.List(ctx, "tasks", federation.ListRequest{Source: "all", Limit: pageRows, Cursor: next})
		merged := time.Since(began)
		if err := check(page, n, err); err != nil {
			return r, err
		}
		runtime.ReadMemStats(&memory)
		if next = page.Next; n < 2 {
			continue
		}
		r.alone = append(r.alone, float64(alone))
		r.merged = append(r.merged, float64(merged))
		r.rows += float64(w.fetched.Load()-fetched) / float64(pages*c.peers)
		r.asked += float64(w.asked.Load()-asked) / float64(pages*c.peers)
		r.bytes += float64(memory.TotalAlloc-allocated) / float64(pages)
	}
	return r, nil
}

// check makes sure that what was measured is the list: all rows, one behind the other.
func check(page federation.Page, number int, err error) error {
	switch {
	case err != nil:
		return err
	case len(page.Items) != pageRows || page.Partial || page.Next == "":
		return fmt.Errorf("page %d has %d rows, partial %t", number, len(page.Items), page.Partial)
	}
	for i, item := range page.Items {
		if want := fmt.Sprintf(`{"place":%d,`, number*pageRows+i); !strings.HasPrefix(string(item), want) {
			return fmt.Errorf("page %d, row %d is %.40s and not %s", number, i, item, want)
		}
	}
	return nil
}

func table(all []result) *figures.Table {
	t := &figures.Table{Head: []string{"", "slowest peer", "merged page", "p90", "above + 1 ms", "rows", "requests", "memory per source"}}
	for _, r := range all {
		t.Add(r.name(), figures.Duration(figures.Median(r.alone)), figures.Duration(figures.Median(r.merged)),
			figures.Duration(figures.Quantile(r.merged, 0.9)), fmt.Sprintf("%.1f %%", r.over()),
			fmt.Sprintf("%.0f", r.rows), fmt.Sprintf("%.2f", r.asked), fmt.Sprintf("%.0f KiB", r.bytes/float64(r.peers)/1024))
	}
	return t
}

func targets(all []result) (targets []figures.Target) {
	for _, r := range all {
		if r.peers == 8 {
			targets = append(targets, figures.Target{
				Name: r.name() + ": page above slowest peer + 1 ms", Value: r.over(), Limit: 10, Unit: " %", Decimals: 1,
			})
		}
	}
	worst, heaviest := 0.0, 0.0
	for _, r := range all {
		worst = max(worst, r.rows)
		heaviest = max(heaviest, r.bytes/float64(r.peers*pageRows*rowBytes))
	}
	return append(targets,
		figures.Target{Name: "rows fetched per source and page, at worst", Value: worst, Limit: 2 * pageRows, Decimals: 0},
		figures.Target{Name: "memory per page, at worst, in pages of all sources", Value: heaviest, Limit: 12, Decimals: 1})
}
