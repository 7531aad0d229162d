package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// pageSize is how many rows a page has.
const pageSize = 8

// A task is what is shown of a row.
type task struct {
	Source    string    `json:"_source"`
	Title     string    `json:"title"`
	Status    string    `json:"status"`
	Priority  string    `json:"priority"`
	CreatedAt time.Time `json:"createdAt"`
}

// A listing is a merged list that was read to its end.
type listing struct {
	rows    map[string]int // of each source
	pages   int
	partial bool
}

// total is how many rows there were.
func (l listing) total() int {
	sum := 0
	for _, n := range l.rows {
		sum += n
	}
	return sum
}

// sources says how many rows there were of which source.
func (l listing) sources() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(l.rows)) {
		parts = append(parts, fmt.Sprintf("%d of %s", l.rows[name], name))
	}
	return strings.Join(parts, ", ")
}

// read lists the tasks of all sources page by page, and says what is on each. Between two
// pages it calls between with the number of the page that it has read.
func read(ctx context.Context, client *federation.Client, say *log.Logger, between func(page int) error) (listing, error) {
	l := listing{rows: make(map[string]int)}
	request := federation.ListRequest{Limit: pageSize, Source: string(federation.SourceAll)}
	for {
		tasks, page, err := federation.ListAs[task](ctx, client, "tasks", request)
		if err != nil {
			return l, err
		}
		l.pages++
		l.partial = page.Partial
		say.Printf("   page %d: %s", l.pages, states(page))
		say.Printf("      %-9s  %-22s  %s", "SOURCE", "CREATED", "TASK")
		for _, t := range tasks {
			l.rows[t.Source]++
			say.Printf("      %-9s  %s  %s", t.Source, t.CreatedAt.Format("Jan 02 15:04:05.000000"), t.Title)
		}
		if page.Next == "" {
			return l, nil
		}
		if err := between(l.pages); err != nil {
			return l, err
		}
		request.Cursor = page.Next
	}
}

// states says how the sources of a page are.
func states(page federation.Page) string {
	var parts []string
	for _, s := range page.Sources {
		parts = append(parts, s.String())
	}
	text := strings.Join(parts, ", ")
	if page.Partial {
		text = "PARTIAL, " + text
	}
	return text
}
