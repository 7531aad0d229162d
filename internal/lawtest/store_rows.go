package lawtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

func typedRows(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, small)
	w.load(t, db)
	tasks, err := listquery.Tasks(listquery.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	notes, err := listquery.Notes(listquery.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	memory, err := listquery.Memory(listquery.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	s := db.storeOf(t, db.SQL, listquery.Schema{}, tasks, notes, memory)
	for range 4 {
		compareTyped(t, s, tasks, w, randomFilter(r, w, "tasks"))
		compareTyped(t, s, notes, w, randomFilter(r, w, "notes"))
		compareTyped(t, s, memory, w, randomFilter(r, w, "memory"))
	}
}

func compareTyped[T any](t *testing.T, s *listquery.Store, res *listquery.Resource[T], w *world, f scope.Filter) {
	t.Helper()
	f.Limit = 3
	var listed []T
	var after cursor.Position
	for first := true; first || after != nil; first = false {
		p, err := res.List(t.Context(), s, f, after)
		if err != nil || len(listed) > tooMany {
			t.Fatalf("the typed page of %s behind %v, after %d rows: %v", describe(f), after, len(listed), err)
		}
		listed, after = append(listed, p.Items...), p.Next
	}
	want := oracle{world: w}.list(f)
	sameRows(t, "typed pages of "+describe(f), encodeItems(t, listed), want)
	all := collect(t, describe(f), res.All(t.Context(), s, f))
	sameRows(t, "all typed rows of "+describe(f), encodeItems(t, all), want)
}

// encodeItems encodes typed rows and decodes them as a peer would.
func encodeItems[T any](t *testing.T, rows []T) []map[string]any {
	t.Helper()
	raws := make([]json.RawMessage, len(rows))
	for i, v := range rows {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("the typed row %+v has no JSON: %v", v, err)
		}
		raws[i] = raw
	}
	return decodeItems(t, raws)
}

// lookalikes asks with teams and subjects that are spelled almost like those of
// the rows. What scope.Filter.Allows takes for another id must be another id to
// the database, and none of them may be an error.
func lookalikes(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, size{users: len(userIDs), teams: 3, projects: 30, missions: 30, rows: 90})
	w.load(t, db)
	s := db.store(t)
	id := w.teams[0].id
	teams := []string{
		strings.ToUpper(id), "{" + id + "}", strings.ReplaceAll(id, "-", ""), " " + id, id + " ", "urn:uuid:" + id,
		"not-a-uuid", "NULL", "", `"`, `\`, "{}", "[]", "ü", id[:35], id + "," + w.teams[1].id,
	}
	for _, resource := range []string{"tasks", "notes"} {
		for _, name := range teams {
			f := scope.Filter{Resource: resource, Subject: w.users[0].id, Teams: []string{name}, Limit: plenty}
			if rows, _, err := s.List(t.Context(), f, nil); err != nil || len(rows) > 0 {
				t.Errorf("the team %q is none of the world's, and shows %d %s, error %v", name, len(rows), resource, err)
			}
		}
	}
	for _, u := range w.users {
		for _, resource := range resources {
			f := scope.Filter{Resource: resource, Subject: u.id, Personal: true, Limit: plenty}
			sameRows(t, fmt.Sprintf("%s of the user %q", resource, u.id), walk(t, s, f), oracle{world: w}.list(f))
		}
		access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "g", Subject: u.id, Resource: "tasks"})
		if got := slices.Sorted(slices.Values(access.Teams)); err != nil || !slices.Equal(got, w.teamsOf(u.id)) {
			t.Errorf("the teams of %q are %v, %v; %v are due", u.id, got, err, w.teamsOf(u.id))
		}
	}
}

// rowsOfTheCaller writes behind and into every row of a page. No other row of
// this page, and no row of another page, may change by it.
func rowsOfTheCaller(t *testing.T, open Open) {
	db, e, w := tiedEstate(t, open, 6)
	s := db.store(t)
	for _, resource := range resources {
		f := e.filter(resource, plenty)
		want := oracle{world: w}.list(f)
		rows, _ := page(t, s, f, nil)
		for _, row := range rows {
			_ = append(row, "garbage garbage garbage"...)
		}
		sameRows(t, resource+" after appending to each row", decodeItems(t, rows), want)
		for _, row := range rows {
			clear(row)
		}
		sameRows(t, resource+" after wiping another page", walk(t, s, f), want)
	}
}

// timesWithoutForm stores times that no RFC 3339 text and no cursor can hold.
func timesWithoutForm(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	e.everyKind(r, w, noon)
	e.everyKind(r, w, noon.Add(time.Second))
	w.load(t, db)
	times := []string{"253402300800000000", "-62135596800000001", "9223372036854775807", "-9223372036854775808"}
	if db.Dialect == listquery.Postgres {
		times = []string{"'infinity'", "'-infinity'", "'10000-01-01 00:00:00Z'", "'294276-12-31 23:59:59Z'", "'0044-03-15 00:00:00Z BC'", "'4713-01-01 00:00:00Z BC'"}
	}
	s := db.store(t)
	for _, at := range times {
		db.exec(t, "UPDATE tasks SET created_at = "+at+" WHERE id = ?", w.tasks[0].id)
		for _, limit := range []int{1, 5} {
			rows, next, err := s.List(t.Context(), e.filter("tasks", limit), nil)
			whole := limit == 1 && len(rows) == 1 && next != nil || limit == 5 && len(rows) == 2 && next == nil
			if err == nil && !whole {
				t.Errorf("the time %s by pages of %d: %d rows, next %v and no error", at, limit, len(rows), next)
			}
			decodeItems(t, rows) // which refuses what is no time
			if err != nil && (rows != nil || next != nil) {
				t.Errorf("the time %s by pages of %d: %d rows beside the error %v", at, limit, len(rows), err)
			}
		}
	}
}
