package lawtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

// estate is one subject with one project and one mission in it, to hang many
// rows on.
type estate struct {
	subject, team, project, mission string
}

func newEstate(r random) (estate, *world) {
	e := estate{subject: "user-1", team: r.uuid(), project: r.uuid(), mission: r.uuid()}
	return e, &world{
		users:    []user{{e.subject}, {"user-2"}},
		teams:    []team{{e.team, "user-2"}},
		members:  []member{{e.team, e.subject}},
		projects: []project{{id: e.project, ownerType: "user", ownerID: &e.subject}},
		missions: []mission{{e.mission, &e.project, e.subject}},
	}
}

func (e estate) filter(resource string, limit int) scope.Filter {
	return scope.Filter{Resource: resource, Subject: e.subject, Personal: true, Limit: limit}
}

func (e estate) task(id string, at time.Time) task {
	return task{id: id, title: "t", status: "done", priority: "low", projectID: &e.project, createdAt: at, updatedAt: at}
}

func (e estate) note(id, content string, at time.Time) note {
	return note{id: id, missionID: e.mission, userID: e.subject, status: "done", notes: &content, createdAt: at, updatedAt: at}
}

func (e estate) insight(id string, at time.Time) insight {
	return insight{id: id, userID: e.subject, content: "c", source: "agent", category: "general", createdAt: at, updatedAt: at}
}

func (e estate) preference(id string, at time.Time) preference {
	return preference{id: id, userID: e.subject, key: id, value: "1", category: "general", createdAt: at, updatedAt: at}
}

// everyKind adds a row of every kind at that time.
func (e estate) everyKind(r random, w *world, at time.Time) {
	w.tasks = append(w.tasks, e.task(r.uuid(), at))
	w.notes = append(w.notes, e.note(r.uuid(), "n", at))
	w.insights = append(w.insights, e.insight(r.uuid(), at))
	w.preferences = append(w.preferences, e.preference(r.uuid(), at))
}

// tiedEstate opens a database with an estate of n rows of every kind, all of one
// and the same microsecond.
func tiedEstate(t *testing.T, open Open, n int) (DB, estate, *world) {
	t.Helper()
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	for range n {
		e.everyKind(r, w, noon)
	}
	w.load(t, db)
	return db, e, w
}

// reachesAll walks each resource by the limit and expects every row.
func reachesAll(t *testing.T, db DB, e estate, w *world, limit int) {
	t.Helper()
	s := db.store(t)
	for _, resource := range resources {
		f := e.filter(resource, limit)
		sameRows(t, fmt.Sprintf("%s by pages of %d", resource, limit), walk(t, s, f), oracle{world: w}.list(f))
	}
}

// findingOneTransaction: 100 rows of one transaction, limit 10. With a cursor of
// milliseconds, 10 of the 100 were reachable.
func findingOneTransaction(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	for range 100 {
		e.everyKind(r, w, time.Date(2026, 6, 24, 3, 0, 0, 123456000, time.UTC))
	}
	w.load(t, db)
	reachesAll(t, db, e, w, 10)
}

// findingMicroseconds: 1000 rows 137 µs apart, of which the seed reached 687.
func findingMicroseconds(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	for i := range 1000 {
		e.everyKind(r, w, noon.Add(time.Duration(i)*137*time.Microsecond))
	}
	w.load(t, db)
	reachesAll(t, db, e, w, 25)
}

// findingSixEmptyNotes: six empty notes among 1000 left 35 reachable, because
// they were dropped after the limit.
func findingSixEmptyNotes(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	for i := range 1000 {
		content := "a note"
		if i%160 == 40 && i < 6*160 {
			content = ""
		}
		w.notes = append(w.notes, e.note(r.uuid(), content, noon.Add(time.Duration(i)*time.Second)))
	}
	w.load(t, db)
	f := e.filter("notes", 5)
	got := walk(t, db.store(t), f)
	if len(got) != 994 {
		t.Errorf("%d of 994 notes are reachable", len(got))
	}
	sameRows(t, "the notes that are not empty", got, oracle{world: w}.list(f))
}

// findingElevenEmptyNotes: eleven empty newest notes gave an empty first page
// that claimed to be the last.
func findingElevenEmptyNotes(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	for i := range 31 {
		n := e.note(r.uuid(), "a note", noon.Add(time.Duration(i)*time.Second))
		if i >= 20 {
			n.notes = text("")
		}
		if i%2 == 1 && i >= 20 {
			n.notes = nil
		}
		w.notes = append(w.notes, n)
	}
	w.load(t, db)
	f := e.filter("notes", 10)
	rows, next := page(t, db.store(t), f, nil)
	if len(rows) != 10 || next == nil {
		t.Errorf("the first page behind eleven empty notes has %d rows and next %v", len(rows), next)
	}
	sameRows(t, "the notes that are not empty", walk(t, db.store(t), f), oracle{world: w}.list(f))
}

// findingTies: rows of one millisecond whose ids sort against their
// microseconds. A second sort in memory, by millisecond and by locale, changed
// which row was the last of the page, and one was lost.
func findingTies(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	digits := "0123456789abcdef"
	for i := range 16 {
		d := strings.Repeat(digits[i:i+1], 8)
		at := noon.Add(time.Duration(15-i) * time.Microsecond)
		w.tasks = append(w.tasks, e.task(d+"-0000-4000-8000-000000000001", at), e.task(d+"-0000-4000-8000-000000000002", at))
		w.notes = append(w.notes, e.note(d+"-0000-4000-8000-000000000003", "n", at), e.note(d+"-0000-4000-8000-000000000004", "n", at))
		w.insights = append(w.insights, e.insight(d+"-0000-4000-8000-000000000005", at))
		w.preferences = append(w.preferences, e.preference(d+"-0000-4000-8000-000000000006", at))
	}
	w.load(t, db)
	for _, limit := range []int{1, 2, 3, 5, 31} {
		reachesAll(t, db, e, w, limit)
	}
}

// findingMemoryTypes: memory rows say which table they come from, as their first
// member, because `kind` means the source of one and the category of the other.
func findingMemoryTypes(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	id := r.uuid() // the same in both tables
	w.insights = []insight{e.insight(id, noon)}
	w.preferences = []preference{e.preference(id, noon)}
	w.load(t, db)
	rows, next := page(t, db.store(t), e.filter("memory", 2), nil)
	if len(rows) != 2 || next != nil {
		t.Fatalf("memory has %d rows, next %v; an insight and a preference are due", len(rows), next)
	}
	for i, want := range []string{`{"type":"insight",`, `{"type":"preference",`} {
		if compact := compacted(t, rows[i]); !strings.HasPrefix(compact, want) {
			t.Errorf("the row %s does not begin with %s", compact, want)
		}
	}
	sameRows(t, "memory", decodeItems(t, rows), oracle{world: w}.list(e.filter("memory", 2)))
	sameRows(t, "memory by pages of one", walk(t, db.store(t), e.filter("memory", 1)), oracle{world: w}.list(e.filter("memory", 1)))
}

func compacted(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	b, err := json.Marshal(raw)
	if err != nil {
		t.Fatalf("the row %s is no JSON: %v", raw, err)
	}
	return string(b)
}
