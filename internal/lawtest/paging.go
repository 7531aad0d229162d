package lawtest

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// A store stands in for the host's lister and its native access.
var (
	_ federation.Lister = (*listquery.Store)(nil)
	_ scope.NativeRBAC  = (*listquery.Store)(nil)
)

// resources are those of the standard schema that can be listed.
var resources = []string{"tasks", "notes", "memory"}

// plenty is a limit that no world of these tests exceeds.
const plenty = listquery.MaxLimit

// tooMany is more rows than any world of these tests has, by far less than it
// takes to list them one by one for ever.
const tooMany = 2500

// store makes a store of the standard resources on the database's pool.
func (d DB) store(t *testing.T) *listquery.Store {
	t.Helper()
	return d.storeOn(t, d.SQL, listquery.Schema{})
}

// storeOn makes a store of the standard resources under the names of schema.
func (d DB) storeOn(t *testing.T, q listquery.Querier, schema listquery.Schema) *listquery.Store {
	t.Helper()
	known, err := listquery.Standard(schema)
	if err != nil {
		t.Fatalf("the standard resources cannot be defined: %v", err)
	}
	return d.storeOf(t, q, schema, known...)
}

func (d DB) storeOf(t *testing.T, q listquery.Querier, schema listquery.Schema, known ...listquery.AnyResource) *listquery.Store {
	t.Helper()
	s, err := listquery.NewStore(q, listquery.Config{Dialect: d.Dialect, Schema: schema, Resources: known})
	if err != nil {
		t.Fatalf("no store can be made of the resources: %v", err)
	}
	return s
}

// page reads one page, which must succeed.
func page(t *testing.T, l federation.Lister, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position) {
	t.Helper()
	rows, next, err := l.List(t.Context(), f, after)
	if err != nil {
		t.Fatalf("the page of %s behind %v fails: %v", describe(f), after, err)
	}
	return rows, next
}

// eachPage reads pages to the end and hands them on. The filter is asked for
// ahead of each page. A page that has a next one must be full, and the next one
// must begin further on.
func eachPage(t *testing.T, l federation.Lister, filter func() scope.Filter, do func(rows []json.RawMessage)) {
	t.Helper()
	var after cursor.Position
	been := make(map[string]bool)
	for {
		f := filter()
		rows, next := page(t, l, f, after)
		if len(rows) > f.Limit || next != nil && len(rows) != f.Limit {
			t.Fatalf("a page of %s behind %v has %d rows and next %v", describe(f), after, len(rows), next)
		}
		if do(rows); next == nil {
			return
		}
		if been[fmt.Sprint(next)] {
			t.Fatalf("the pages of %s come back to %v", describe(f), next)
		}
		been[fmt.Sprint(next)], after = true, next
	}
}

// walk reads all pages of a filter, none of which may be empty behind another.
func walk(t *testing.T, l federation.Lister, f scope.Filter) []map[string]any {
	t.Helper()
	var all []json.RawMessage
	eachPage(t, l, func() scope.Filter { return f }, func(rows []json.RawMessage) {
		if len(rows) == 0 && len(all) > 0 {
			t.Fatalf("the last page of %s is empty", describe(f))
		}
		all = append(all, rows...)
	})
	return decodeItems(t, all)
}

// collect reads a sequence of rows to its end.
func collect[T any](t *testing.T, what string, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			t.Fatalf("all rows of %s fail: %v", what, err)
		}
		if all = append(all, v); len(all) > tooMany {
			t.Fatalf("the rows of %s do not end", what)
		}
	}
	return all
}

// describe names a filter in a message.
func describe(f scope.Filter) string {
	text, err := json.Marshal(f)
	if err != nil {
		return err.Error()
	}
	if len(text) > 500 {
		text = append(text[:500], "…"...)
	}
	return string(text)
}

// randomFilter asks for a resource as one of the world's users, a stranger or
// nobody, with some of the teams of the world and at times one outside of it.
func randomFilter(r random, w *world, resource string) scope.Filter {
	f := scope.Filter{
		Resource: resource, Subject: oneOf(r, w.users).id, Limit: plenty,
		Personal: r.chance(60), Teams: someOf(r, w.teamIDs()),
	}
	switch r.IntN(12) {
	case 0:
		f.Subject = "a stranger"
	case 1:
		f.Teams = nil
	case 2:
		f.Teams = append(f.Teams, r.uuid())
	}
	slices.Sort(f.Teams)
	return f
}

// tally guards a property test against proving nothing: it counts how many of
// the oracle's answers held no row, every row, or some of them.
type tally struct{ none, some, every int }

func (c *tally) add(answer, candidates int) {
	switch answer {
	case 0:
		c.none++
	case candidates:
		c.every++
	default:
		c.some++
	}
}

// bites tells if enough answers were some of the rows: not none, not every.
func (c *tally) bites() bool {
	return c.some >= max(3, (c.none+c.some+c.every)/8)
}

func (c *tally) String() string {
	return fmt.Sprintf("%d answers empty, %d some rows, %d every row", c.none, c.some, c.every)
}

// lawOfPages is law 1 on a store: for every resource and many limits, the pages
// one after the other are the big query and the oracle's answer.
func lawOfPages(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	s := db.store(t)
	var tasks, notes, memory tally
	seen := map[string]*tally{"tasks": &tasks, "notes": &notes, "memory": &memory}
	bites := func() bool { return tasks.bites() && notes.bites() && memory.bites() }
	play(t, 4, bites, func() {
		w := newWorld(r, small)
		w.load(t, db)
		o := oracle{world: w}
		for _, resource := range resources {
			for range 4 {
				f := randomFilter(r, w, resource)
				want := o.list(f)
				seen[resource].add(len(want), len(o.candidates(resource)))
				comparePages(t, s, f, want)
			}
		}
	})
	t.Logf("tasks: %v; notes: %v; memory: %v", &tasks, &notes, &memory)
}

// comparePages walks a filter with many limits, of which the last ones are those
// around the number of rows and the one big query, and lists it as one sequence.
func comparePages(t *testing.T, s *listquery.Store, f scope.Filter, want []map[string]any) {
	t.Helper()
	n := len(want)
	limits := []int{1, 2, 7, n - 1, n, n + 1}
	slices.Sort(limits)
	for _, limit := range slices.Compact(limits) {
		if limit < 1 {
			continue
		}
		f.Limit = limit
		sameRows(t, "the pages of "+describe(f), walk(t, s, f), want)
	}
	f.Limit = 3
	all := collect(t, describe(f), s.All(t.Context(), f))
	sameRows(t, "all rows of "+describe(f), decodeItems(t, all), want)
}
