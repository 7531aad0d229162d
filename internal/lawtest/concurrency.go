package lawtest

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// lawOfConcurrency is law 2 on a store.
func lawOfConcurrency(t *testing.T, open Open) {
	run(t, open, []trial{
		{"while others write", pagesUnderChurn},
		{"though the cursor's row is deleted", deletedCursorRow},
		{"though rows appear before and behind the cursor", rowsAroundTheCursor},
		{"though the subject changes teams between pages", teamsBetweenPages},
	})
}

// pagesUnderChurn walks all resources while other goroutines insert, delete,
// change memberships and move a project. Access is evaluated afresh for each
// page, as a gateway does.
func pagesUnderChurn(t *testing.T, open Open) {
	db, r, th, _ := openTheatre(t, open, 25)

	var writes atomic.Int64
	stop := th.churn(t, db, r, &writes)
	defer stop()
	s := db.store(t)
	walkUnderChurn(t, rounds(t, 6), &writes, func() {
		for _, resource := range resources {
			th.checkWalk(t, s, resource, 1+r.IntN(5))
		}
	})
}

// walkUnderChurn walks as often as told, and then on until enough was written
// meanwhile to make the walks worth something.
func walkUnderChurn(t *testing.T, times int, writes *atomic.Int64, walk func()) {
	t.Helper()
	const enough = 50
	patience := time.Now().Add(2 * time.Minute)
	for n := 0; n < times || writes.Load() < enough && time.Now().Before(patience); n++ {
		walk()
	}
	if n := writes.Load(); n < enough {
		t.Errorf("only %d writes happened meanwhile; the law was hardly tried", n)
	}
}

// checkWalk lists a resource to its end under the writers' hands.
func (th *theatre) checkWalk(t *testing.T, s *listquery.Store, resource string, limit int) {
	t.Helper()
	var all []json.RawMessage
	native := func() scope.Filter {
		access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "g", Subject: th.subject, Resource: resource})
		if err != nil || !access.Allowed {
			t.Fatalf("native access to %s fails: %+v, %v", resource, access, err)
		}
		slices.Sort(access.Teams)
		return scope.Filter{Resource: resource, Subject: th.subject, Personal: access.Personal, Teams: access.Teams, Limit: limit}
	}
	eachPage(t, s, native, func(rows []json.RawMessage) { all = append(all, rows...) })
	th.judge(t, resource, limit, decodeItems(t, all))
}

// judge holds the pages of one walk against law 2.
func (th *theatre) judge(t *testing.T, resource string, limit int, all []map[string]any) {
	t.Helper()
	count := make(map[string]int)
	last := ""
	for _, item := range all {
		id := item["id"].(string)
		count[id]++
		key := sortKey(item)
		if last != "" && key >= last {
			t.Errorf("%s by pages of %d: the row %s came behind %s, out of order", resource, limit, key, last)
		}
		last = key
	}
	for id := range th.stable[resource] {
		if count[id] != 1 {
			t.Errorf("%s by pages of %d: the row %s was visible throughout and came %d times", resource, limit, id, count[id])
		}
	}
	for id, n := range count {
		if n > 1 {
			t.Errorf("%s by pages of %d: the row %s came %d times", resource, limit, id, n)
		}
		if th.forbidden[resource][id] {
			t.Errorf("%s by pages of %d: the row %s was never visible and came", resource, limit, id)
		}
	}
}

// sortKey orders items as text, the newest as the largest; insights are larger
// than preferences.
func sortKey(item map[string]any) string {
	block := "1"
	if item["type"] == "preference" {
		block = "0"
	}
	return strings.Join([]string{block, item["createdAt"].(time.Time).Format("2006-01-02T15:04:05.000000"), item["id"].(string)}, " ")
}

// deletedCursorRow deletes the last row of each page before the next is read.
func deletedCursorRow(t *testing.T, open Open) {
	db, _, th, w := openTheatre(t, open, 20)
	s := db.store(t)
	tables := map[any]string{"tasks": "tasks", "notes": "mission_tasks", "insight": "insights", "preference": "preferences"}
	for _, resource := range resources {
		f := scope.Filter{Resource: resource, Subject: th.subject, Personal: true, Teams: []string{th.anchor}, Limit: 3}
		want := oracle{world: w}.list(f)
		var got []map[string]any
		eachPage(t, s, func() scope.Filter { return f }, func(rows []json.RawMessage) {
			got = append(got, decodeItems(t, rows)...)
			last := got[len(got)-1]
			from := tables[resource]
			if resource == "memory" {
				from = tables[last["type"]]
			}
			db.exec(t, "DELETE FROM "+from+" WHERE id = ?", last["id"])
		})
		sameRows(t, resource+" with every cursor row deleted", got, want)
	}
}

// rowsAroundTheCursor inserts rows at the cursor's own microsecond, with larger
// and smaller ids, after the first page was read.
func rowsAroundTheCursor(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	th, w := newTheatre(r)
	tie := func(id string) task {
		k := taskIn(r, th.home)
		k.id, k.createdAt = id, noon
		return k
	}
	w.tasks = []task{
		tie("80000000-0000-4000-8000-000000000000"), tie("60000000-0000-4000-8000-000000000000"),
		tie("40000000-0000-4000-8000-000000000000"),
	}
	w.load(t, db)
	s := db.store(t)
	f := scope.Filter{Resource: "tasks", Subject: th.subject, Personal: true, Limit: 2}
	_, after := page(t, s, f, nil)
	db.insert(t, tie("70000000-0000-4000-8000-000000000000"), tie("50000000-0000-4000-8000-000000000000"))
	rows, next := page(t, s, f, after)
	want := oracle{world: &world{projects: w.projects, tasks: []task{tie("50000000-0000-4000-8000-000000000000"), w.tasks[2]}}}.list(f)
	sameRows(t, "the page behind the tie", decodeItems(t, rows), want)
	if next != nil {
		t.Errorf("the last page names the next position %v", next)
	}
}

// teamsBetweenPages drops a team after the first page: its rows stop, the rest
// goes on behind the same position.
func teamsBetweenPages(t *testing.T, open Open) {
	db, _, th, w := openTheatre(t, open, 20)
	s := db.store(t)
	f := scope.Filter{Resource: "tasks", Subject: th.subject, Personal: true, Teams: []string{th.anchor}, Limit: 5}
	rows, after := page(t, s, f, nil)
	last := sortKey(decodeItems(t, rows)[len(rows)-1])

	f.Teams, f.Limit = nil, plenty
	var want []map[string]any
	for _, item := range (oracle{world: w}).list(f) {
		if sortKey(item) < last {
			want = append(want, item)
		}
	}
	rows, _ = page(t, s, f, after)
	sameRows(t, "the rest without the team", decodeItems(t, rows), want)
}
