package lawtest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// storeTrials are what a store promises beside the laws.
func storeTrials(t *testing.T, open Open) {
	run(t, open, []trial{
		{"reads inside a transaction what only the transaction sees", storeOnTx},
		{"reads on a single connection", storeOnConn},
		{"serves many goroutines on a pool", storeShared},
		{"gives its connection back when a loop stops early", allStopsEarly},
		{"holds no connection while the body of a loop runs", allLetsOthersIn},
		{"stops a loop at the first error", allStopsAtError},
		{"tells a cancelled context by its own error", storeCancelled},
		{"tells a passed deadline by its own error while the database works", storeDeadline},
		{"lists the same rows by the typed resource", typedRows},
		{"never passes a broken result off as the last page", brokenResult},
		{"refuses limits out of range without a statement", badLimits},
		{"answers a filter that shows nothing without a statement", emptyFilters},
		{"compares ids exactly as scope.Filter does", lookalikes},
		{"hands out rows that share no memory", rowsOfTheCaller},
		{"fails on a time that has no exact form rather than skip its row", timesWithoutForm},
	})
}

func storeOnTx(t *testing.T, open Open) {
	db, e, w := tiedEstate(t, open, 1)
	tx, err := db.SQL.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "DELETE FROM tasks"); err != nil {
		t.Fatal(err)
	}
	inside := db.storeOn(t, tx, listquery.Schema{})
	if rows := walk(t, inside, e.filter("tasks", 5)); len(rows) != 0 {
		t.Errorf("the transaction deleted all tasks and still lists %d", len(rows))
	}
	sameRows(t, "memory in a transaction", walk(t, inside, e.filter("memory", 1)), oracle{world: w}.list(e.filter("memory", 1)))
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	sameRows(t, "tasks after the rollback", walk(t, db.store(t), e.filter("tasks", 5)), oracle{world: w}.list(e.filter("tasks", 5)))
}

func storeOnConn(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, small)
	w.load(t, db)
	conn, err := db.SQL.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := db.storeOn(t, conn, listquery.Schema{})
	for _, resource := range resources {
		f := randomFilter(r, w, resource)
		f.Limit = 2
		sameRows(t, describe(f)+" on one connection", walk(t, s, f), oracle{world: w}.list(f))
	}
	access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "g", Subject: w.users[0].id, Resource: "tasks"})
	if got := slices.Sorted(slices.Values(access.Teams)); err != nil || !slices.Equal(got, w.teamsOf(w.users[0].id)) {
		t.Errorf("native access on one connection is %+v, %v; the teams are %v", access, err, w.teamsOf(w.users[0].id))
	}
}

func storeShared(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, small)
	w.load(t, db)
	s := db.store(t)
	var wg sync.WaitGroup
	for i := range 8 {
		f := randomFilter(r, w, resources[i%3])
		f.Limit = 1 + i
		want := oracle{world: w}.list(f)
		wg.Go(func() {
			for range 5 {
				var got []json.RawMessage
				for raw, err := range s.All(context.Background(), f) {
					if err != nil || len(got) > tooMany {
						t.Errorf("%s among other goroutines: %d rows and %v", describe(f), len(got), err)
						return
					}
					got = append(got, raw)
				}
				if len(got) != len(want) {
					t.Errorf("%s among other goroutines has %d rows instead of %d", describe(f), len(got), len(want))
				}
			}
		})
	}
	wg.Wait()
}

func allStopsEarly(t *testing.T, open Open) {
	db, e, _ := tiedEstate(t, open, 10)
	s := db.store(t)
	for _, resource := range resources {
		for _, after := range []int{1, 3, 4} {
			n := 0
			for _, err := range s.All(t.Context(), e.filter(resource, 3)) {
				if err != nil {
					t.Fatalf("all %s: %v", resource, err)
				}
				if n++; n == after {
					break
				}
			}
			if inUse := db.SQL.Stats().InUse; n != after || inUse != 0 {
				t.Errorf("the loop over %s stopped after %d rows and left %d connections in use", resource, n, inUse)
			}
		}
	}
}

func allLetsOthersIn(t *testing.T, open Open) {
	db, e, _ := tiedEstate(t, open, 4)
	conn, err := db.SQL.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := db.storeOn(t, conn, listquery.Schema{})
	n := 0
	for _, err := range s.All(t.Context(), e.filter("tasks", 3)) {
		if err != nil {
			t.Fatalf("all tasks: %v", err)
		}
		n++
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if _, err := conn.ExecContext(ctx, "UPDATE tasks SET title = title"); err != nil {
			t.Fatalf("the connection is not free inside the loop: %v", err)
		}
		cancel()
	}
	if n != 4 {
		t.Errorf("the loop saw %d of 4 tasks", n)
	}
}

var errBroken = errors.New("lawtest: the connection broke")

func allStopsAtError(t *testing.T, open Open) {
	db, e, _ := tiedEstate(t, open, 5)
	s := db.store(t)
	for _, resource := range resources {
		calls, rows, failed := 0, 0, 0
		db.meter.tamper.Store(&tamper{before: func(context.Context, string) error {
			if calls++; calls == 2 {
				return errBroken
			}
			return nil
		}})
		for raw, err := range s.All(t.Context(), e.filter(resource, 2)) {
			if err == nil {
				rows++
				continue
			}
			failed++
			if !errors.Is(err, errBroken) || raw != nil {
				t.Errorf("the broken second page of %s yields %s and %v", resource, raw, err)
			}
		}
		db.meter.tamper.Store(nil)
		if rows != 2 || failed != 1 || calls != 2 {
			t.Errorf("%s with a broken second page: %d rows, %d errors, %d statements; 2, 1 and 2 are due", resource, rows, failed, calls)
		}
	}
}

func storeCancelled(t *testing.T, open Open) {
	db, s := seedStore(t, open)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := scope.Filter{Resource: "tasks", Subject: seedSubject, Personal: true, Limit: 2}
	if rows, next, err := s.List(ctx, f, nil); !errors.Is(err, context.Canceled) || rows != nil || next != nil {
		t.Errorf("a list with a cancelled context: %d rows, next %v, error %v", len(rows), next, err)
	}
	access, err := s.ReadAccess(ctx, scope.AccessRequest{Grant: "g", Subject: seedSubject, Resource: "tasks"})
	if !errors.Is(err, context.Canceled) || access.Allowed {
		t.Errorf("native access with a cancelled context: %+v, %v", access, err)
	}
	failed := false
	for _, err := range s.All(ctx, f) {
		failed = errors.Is(err, context.Canceled)
	}
	if !failed || db.SQL.Stats().InUse != 0 {
		t.Errorf("all rows with a cancelled context: error seen %t, %d connections in use", failed, db.SQL.Stats().InUse)
	}
}

// slow is a condition that keeps the database busy for much longer than any
// deadline of these tests.
func (d DB) slow() squirrel.Sqlizer {
	if d.Dialect == listquery.Postgres {
		return squirrel.Expr("(SELECT count(*) FROM pg_sleep(300)) = ?", 1)
	}
	return squirrel.Expr("(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000000000) SELECT count(*) FROM c) > ?", 0)
}

// storeDeadline runs a statement that would take minutes. lib/pq answers a
// cancelled statement with SQLSTATE 57014, SQLite with an interrupt; the caller
// must see its own context's error in either case.
func storeDeadline(t *testing.T, open Open) {
	db := open(t)
	seedWorld().load(t, db)
	slow, err := listquery.Define(listquery.Definition[listquery.Note]{
		Name: "slow", Table: "mission_tasks", Key: "id",
		Columns: []listquery.Column[listquery.Note]{listquery.Col("id", func(n *listquery.Note) *cursor.UUID { return &n.ID })},
		Visible: listquery.Personal("user_id"), Where: db.slow(),
	})
	if err != nil {
		t.Fatalf("the slow resource cannot be defined: %v", err)
	}
	s := db.storeOf(t, db.SQL, listquery.Schema{}, slow)
	f := scope.Filter{Resource: "slow", Subject: seedSubject, Personal: true, Limit: 2}
	for name, due := range map[string]error{"deadline": context.DeadlineExceeded, "cancel": context.Canceled} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if name == "cancel" {
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
		}
		start := time.Now()
		rows, next, err := s.List(ctx, f, nil)
		cancel()
		if !errors.Is(err, due) || rows != nil || next != nil {
			t.Errorf("a slow list ended by its %s: %d rows, next %v, error %v", name, len(rows), next, err)
		}
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("a slow list ended by its %s took %v", name, took)
		}
	}
}

// brokenResult breaks the connection before each row of a page in turn, the end
// of the result included. A reader that forgets to ask for the result's error
// would take the rows so far for a whole page.
func brokenResult(t *testing.T, open Open) {
	db, e, w := tiedEstate(t, open, 3)
	s := db.store(t)
	for _, resource := range resources {
		n := len(oracle{world: w}.list(e.filter(resource, plenty)))
		for at := range n + 1 {
			db.meter.tamper.Store(&tamper{row: func(i int) error {
				if i == at {
					return errBroken
				}
				return nil
			}})
			rows, next, err := s.List(t.Context(), e.filter(resource, plenty), nil)
			access, accessErr := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "g", Subject: e.subject, Resource: "tasks"})
			db.meter.tamper.Store(nil)
			if !errors.Is(err, errBroken) || rows != nil || next != nil {
				t.Errorf("%s breaking before row %d of %d: %d rows, next %v, error %v", resource, at, n, len(rows), next, err)
			}
			if at < 1 && (!errors.Is(accessErr, errBroken) || access.Allowed) {
				t.Errorf("native access breaking before its first row: %+v, %v", access, accessErr)
			}
		}
	}
	if inUse := db.SQL.Stats().InUse; inUse != 0 {
		t.Errorf("broken results left %d connections in use", inUse)
	}
}

func badLimits(t *testing.T, open Open) {
	db, s := seedStore(t, open)
	for _, limit := range []int{0, -1, listquery.MaxLimit + 1, int(^uint(0) >> 1)} {
		n := db.meter.during(func() {
			rows, next, err := s.List(t.Context(), scope.Filter{Resource: "notes", Subject: seedSubject, Personal: true, Limit: limit}, nil)
			if !errors.Is(err, listquery.ErrLimit) || rows != nil || next != nil {
				t.Errorf("the limit %d: %d rows, next %v, error %v; ErrLimit is due", limit, len(rows), next, err)
			}
		})
		if n != 0 {
			t.Errorf("the limit %d took %d statements", limit, n)
		}
	}
}

func emptyFilters(t *testing.T, open Open) {
	db, s := seedStore(t, open)
	for _, f := range []scope.Filter{
		{},
		{Resource: "tasks", Limit: 5},
		{Resource: "tasks", Subject: seedSubject, Limit: 5},
		{Resource: "notes", Subject: seedSubject, Limit: 5},
		{Resource: "memory", Subject: seedSubject, Limit: 5},
		{Resource: "tasks", Personal: true, Limit: 5},
	} {
		n := db.meter.during(func() {
			rows, next, err := s.List(t.Context(), f, nil)
			if len(rows) != 0 || next != nil || (err != nil && f.Resource != "") {
				t.Errorf("the filter %s, which shows nothing: %d rows, next %v, error %v", describe(f), len(rows), next, err)
			}
		})
		if n != 0 {
			t.Errorf("the filter %s, which shows nothing, took %d statements", describe(f), n)
		}
	}
}
