package lawtest

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// storageFindings are regression tests for what is wrong in the seed's lists, as
// far as it is the storage's part. The numbers are those of the list of
// findings.
func storageFindings(t *testing.T, open Open) {
	run(t, open, []trial{
		{"1 all 100 rows of one transaction are reachable by tens", findingOneTransaction},
		{"1 all 1000 rows that lie 137 µs apart are reachable", findingMicroseconds},
		{"2 six empty notes among 1000 hide no other", findingSixEmptyNotes},
		{"2 eleven empty newest notes are no end of the list", findingElevenEmptyNotes},
		{"3 ties within a millisecond lose no row", findingTies},
		{"4 a page is one statement", findingOneStatement},
		{"4 a project moved while a page is asked for leaks nothing", findingMovedProject},
		{"4 a subject in 70,000 teams is served", findingManyTeams},
		{"4 a team with 70,000 projects is served", findingManyProjects},
		{"5 a deep page costs as little as the first", findingDeepPage},
		{"6 positions that fit no order reach no database", findingBadPositions},
		{"8 names never heard of are denied", findingUnknownNames},
		{"8 and 10 a broken database is an error that can be recognised", findingBrokenAccess},
		{"11 memory rows say which table they are from", findingMemoryTypes},
	})
}

// findingOneStatement counts what a page costs, on its way down too.
func findingOneStatement(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, small)
	w.load(t, db)
	s := db.store(t)
	for _, resource := range resources {
		f := randomFilter(r, w, resource)
		f.Personal, f.Subject, f.Limit = true, w.users[0].id, 2
		before := db.meter.statements()
		eachPage(t, s, func() scope.Filter { return f }, func([]json.RawMessage) {
			if n := db.meter.statements() - before; n != 1 {
				t.Errorf("a page of %s took %d statements instead of one", describe(f), n)
			}
			before = db.meter.statements()
		})
	}
}

// findingMovedProject moves the project out of the subject's reach at the moment
// a statement begins: the first, the second and so on. The answer must be of one
// moment, so once the project has moved no row of it may come.
func findingMovedProject(t *testing.T, open Open) {
	db, e, _ := tiedEstate(t, open, 5)
	s := db.store(t)
	for _, resource := range []string{"tasks", "notes"} {
		for when := range 4 {
			db.exec(t, "UPDATE projects SET owner_id = ? WHERE id = ?", e.subject, e.project)
			var n, moved atomic.Int64
			db.meter.tamper.Store(&tamper{before: func(context.Context, string) error {
				if n.Add(1) == int64(when)+1 {
					moved.Add(1)
					return db.try("UPDATE projects SET owner_id = 'user-2' WHERE id = ?", e.project)
				}
				return nil
			}})
			rows, _ := page(t, s, e.filter(resource, 10), nil)
			db.meter.tamper.Store(nil)
			if moved.Load() > 0 && len(rows) > 0 {
				t.Errorf("%s: the project moved before statement %d ran, and %d of its rows came", resource, when+1, len(rows))
			}
			if moved.Load() == 0 && len(rows) != 5 {
				t.Errorf("%s: the project did not move, and %d of its 5 rows came", resource, len(rows))
			}
		}
	}
}

// crowd is more than the parameters that one statement may have: 65,535 in
// Postgres, 32,766 in SQLite.
func (d DB) crowd() int {
	if d.Dialect == listquery.SQLite {
		return 33_000
	}
	return 70_000
}

// someIDs returns n ids in ascending order, as a list and as a JSON array.
func someIDs(t *testing.T, r random, n int) (ids []string, array string) {
	t.Helper()
	for range n {
		ids = append(ids, r.uuid())
	}
	slices.Sort(ids)
	text, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	return ids, string(text)
}

// each returns the FROM clause that yields every text of a JSON array parameter
// as v, and how such a text becomes an id.
func (d DB) each() (from, id string) {
	if d.Dialect == listquery.SQLite {
		return "(SELECT value AS v FROM json_each(?)) x", "v"
	}
	return "(SELECT json_array_elements_text(?::json) AS v) x", "v::uuid"
}

func findingManyTeams(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	w.members = nil
	crowd := db.crowd()
	teams, array := someIDs(t, r, crowd)
	w.load(t, db)
	from, id := db.each()
	if db.Dialect == listquery.Postgres { // which checks the reference
		db.exec(t, "INSERT INTO teams (id, name, slug, owner_id, manager_id) SELECT "+id+", v, v, 'user-2', 'user-2' FROM "+from, array)
	}
	db.exec(t, "INSERT INTO team_members (team_id, user_id) SELECT "+id+", 'user-1' FROM "+from, array)
	for _, i := range []int{0, crowd / 2, crowd - 1} {
		p := project{id: r.uuid(), ownerType: "team", teamID: &teams[i]}
		m := mission{r.uuid(), &p.id, "user-2"}
		w.projects, w.missions = append(w.projects, p), append(w.missions, m)
		k, n := taskIn(r, p.id), noteOn(r, m.id, e.subject)
		w.tasks, w.notes = append(w.tasks, k), append(w.notes, n)
		db.insert(t, p, m, k, n)
	}
	s := db.store(t)
	access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "g", Subject: e.subject, Resource: "tasks"})
	if err != nil || len(access.Teams) != crowd {
		t.Fatalf("native access finds %d of %d teams: %v", len(access.Teams), crowd, err)
	}
	slices.Sort(access.Teams)
	for _, resource := range []string{"tasks", "notes"} {
		f := scope.Filter{Resource: resource, Subject: e.subject, Teams: access.Teams, Limit: 2}
		want := oracle{world: w}.list(f)
		if len(want) != 3 {
			t.Fatalf("the oracle sees %d of 3 %s", len(want), resource)
		}
		sameRows(t, resource+" of a crowd of teams", walk(t, s, f), want)
	}
	g := newGateway(t, db)
	g.grant(t, "grant-1", e.subject, everything(plenty))
	items, _ := g.list("grant-1", "tasks", "").page(t)
	f := scope.Filter{Resource: "tasks", Subject: e.subject, Teams: access.Teams}
	sameRows(t, "tasks of a crowd of teams over HTTP", items, oracle{world: w}.list(f))
}

func findingManyProjects(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	crowd := db.crowd()
	ids, array := someIDs(t, r, crowd)
	w.load(t, db)
	from, id := db.each()
	db.exec(t, "INSERT INTO projects (id, name, owner_type, owner_id) SELECT "+id+", v, 'user', 'user-1' FROM "+from, array)
	for _, i := range []int{0, crowd / 2, crowd - 1} {
		w.projects = append(w.projects, project{id: ids[i], ownerType: "user", ownerID: &e.subject})
		m := mission{r.uuid(), &ids[i], "user-2"}
		w.missions = append(w.missions, m)
		k, n := taskIn(r, ids[i]), noteOn(r, m.id, e.subject)
		w.tasks, w.notes = append(w.tasks, k), append(w.notes, n)
		db.insert(t, m, k, n)
	}
	s := db.store(t)
	for _, resource := range []string{"tasks", "notes"} {
		f := e.filter(resource, 2)
		sameRows(t, resource+" of a crowd of projects", walk(t, s, f), oracle{world: w}.list(f))
	}
}

// findingBadPositions hands the store positions that no cursor of the resource
// holds, as a host might that decodes plain cursors by itself.
func findingBadPositions(t *testing.T, open Open) {
	db, e, _ := tiedEstate(t, open, 1)
	s := db.store(t)
	id, at := cursor.UUIDValue(cursor.UUID{1}), cursor.TimeValue(noon)
	year := func(y int) cursor.Value { return cursor.TimeValue(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)) }
	positions := map[string]cursor.Position{
		"no value":           {},
		"one value":          {at},
		"four values":        {cursor.EnumValue(0), at, id, id},
		"text for a time":    {cursor.TextValue("2026-02-30"), id},
		"text for a uuid":    {at, cursor.TextValue("not-a-uuid")},
		"NUL":                {at, cursor.TextValue("\x00")},
		"null time":          {cursor.NullValue(), id},
		"null id":            {at, cursor.NullValue()},
		"swapped":            {id, at},
		"an integer":         {cursor.Int64Value(math.MaxInt64), id},
		"member 2 of 2":      {cursor.EnumValue(2), at, id},
		"member -1":          {cursor.EnumValue(-1), at, id},
		"null block":         {cursor.NullValue(), at, id},
		"year 0":             {year(0), id},
		"year -1":            {year(-1), id},
		"year 10000":         {year(10000), id},
		"year 275760":        {year(275760), id},
		"below microseconds": {cursor.TimeValue(noon.Add(1)), id},
	}
	for _, resource := range resources {
		for name, p := range positions {
			n := db.meter.during(func() {
				rows, next, err := s.List(t.Context(), e.filter(resource, 5), p)
				if !errors.Is(err, listquery.ErrPosition) || rows != nil || next != nil {
					t.Errorf("%s behind the position %s %v: %d rows, next %v, error %v; ErrPosition is due", resource, name, p, len(rows), next, err)
				}
			})
			if n != 0 {
				t.Errorf("%s behind the position %s took %d statements", resource, name, n)
			}
		}
	}
}

func findingUnknownNames(t *testing.T, open Open) {
	db := open(t)
	seedWorld().load(t, db)
	s := db.store(t)
	for _, resource := range []string{"", "Tasks", "tasks ", "mission_tasks", "users", "nonsense", "tasks\x00", "*"} {
		n := db.meter.during(func() {
			access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "g", Subject: seedSubject, Resource: resource})
			if access.Allowed || access.Personal || len(access.Teams) > 0 {
				t.Errorf("native access to %q is %+v, %v", resource, access, err)
			}
		})
		if n != 0 {
			t.Errorf("denying %q took %d statements", resource, n)
		}
		if _, ok := s.Layout(resource); ok {
			t.Errorf("the store claims to list %q", resource)
		}
	}
}

// findingBrokenAccess puts the database out of reach: nothing may be allowed, and
// the error must be one that a host can tell apart without reading its text.
func findingBrokenAccess(t *testing.T, open Open) {
	db := open(t)
	seedWorld().load(t, db)
	s := db.store(t)
	for _, cause := range []error{
		driver.ErrBadConn,
		&net.OpError{Op: "dial", Net: "unix", Err: syscall.ECONNREFUSED},
		fmt.Errorf("of a driver: %w", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}),
	} {
		db.meter.tamper.Store(&tamper{before: func(context.Context, string) error { return cause }})
		nothingComes(t, db, s, cause.Error(), scope.ErrUnavailable)
		db.meter.tamper.Store(nil)
	}
	db.meter.tamper.Store(&tamper{before: func(context.Context, string) error { return errBroken }})
	nothingComes(t, db, s, errBroken.Error(), errBroken)
	db.meter.tamper.Store(nil)
	if err := db.SQL.Close(); err != nil {
		t.Fatal(err)
	}
	nothingComes(t, db, s, "a closed pool", nil)
}

// nothingComes expects every read to fail, with an error that matches due.
func nothingComes(t *testing.T, db DB, s *listquery.Store, what string, due error) {
	t.Helper()
	access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "g", Subject: seedSubject, Resource: "tasks"})
	if err == nil || !errors.Is(err, due) && due != nil || access.Allowed || access.Personal || len(access.Teams) > 0 {
		t.Errorf("native access with %s: %+v, error %v, which should match %v", what, access, err, due)
	}
	for _, resource := range resources {
		rows, next, err := s.List(t.Context(), scope.Filter{Resource: resource, Subject: seedSubject, Personal: true, Limit: 2}, nil)
		if err == nil || !errors.Is(err, due) && due != nil || rows != nil || next != nil {
			t.Errorf("%s with %s: %d rows, next %v, error %v, which should match %v", resource, what, len(rows), next, err, due)
		}
	}
	if inUse := db.SQL.Stats().InUse; inUse != 0 {
		t.Errorf("%s leaves %d connections in use", what, inUse)
	}
}
