package listquery_test

import (
	"database/sql"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// An event has a time that may be null and one that may not.
type event struct {
	ID  int64      `json:"id"`
	At  time.Time  `json:"at"`
	Due *time.Time `json:"due"`
}

func events(t *testing.T, db *sql.DB) (*listquery.Resource[event], *listquery.Store) {
	t.Helper()
	r, err := listquery.Define(listquery.Definition[event]{
		Name:  "events",
		Table: "events",
		Columns: []listquery.Column[event]{
			listquery.Col("id", func(e *event) *int64 { return &e.ID }),
			listquery.Col("at", func(e *event) *time.Time { return &e.At }),
			listquery.Col("due", func(e *event) **time.Time { return &e.Due }),
		},
		OrderBy:   []string{"at"},
		Key:       "id",
		Ascending: true,
		Visible:   listquery.Personal("owner"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, storeOf(t, db, r)
}

func storeOf(t *testing.T, db *sql.DB, r listquery.AnyResource) *listquery.Store {
	t.Helper()
	s, err := listquery.NewStore(db, listquery.Config{Dialect: listquery.Postgres, Resources: []listquery.AnyResource{r}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func eventTable(t *testing.T, rows string) *sql.DB {
	t.Helper()
	db := pgtest.Open(t)
	_, err := db.Exec(`CREATE TABLE events (id bigint PRIMARY KEY, owner text, at timestamptz, due timestamptz);
		INSERT INTO events SELECT id, 'user-1', at::timestamptz, due::timestamptz FROM (VALUES ` + rows + `) v(id, at, due)`)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

var eventsOfUser1 = scope.Filter{Resource: "events", Subject: "user-1", Personal: true, Limit: 2}

func TestATimeThatRFC3339CannotWriteIsNullWhereNullMayStand(t *testing.T) {
	t.Parallel()
	db := eventTable(t, `
		(1, '2026-01-01 00:00Z', 'infinity'),
		(2, '2026-01-02 00:00Z', '-infinity'),
		(3, '2026-01-03 00:00Z', '12000-01-01 00:00Z'),
		(4, '2026-01-04 00:00Z', '0044-03-15 00:00Z BC'),
		(5, '2026-01-05 00:00Z', '9999-12-31 23:59:59.999999Z'),
		(6, '2026-01-06 00:00Z', '0001-01-01 00:00Z')`)
	_, store := events(t, db)
	var got []string
	for row, err := range store.All(t.Context(), eventsOfUser1) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(row))
	}
	want := []string{
		`{"id":1,"at":"2026-01-01T00:00:00Z","due":null}`,
		`{"id":2,"at":"2026-01-02T00:00:00Z","due":null}`,
		`{"id":3,"at":"2026-01-03T00:00:00Z","due":null}`,
		`{"id":4,"at":"2026-01-04T00:00:00Z","due":null}`,
		`{"id":5,"at":"2026-01-05T00:00:00Z","due":"9999-12-31T23:59:59.999999Z"}`,
		`{"id":6,"at":"2026-01-06T00:00:00Z","due":"0001-01-01T00:00:00Z"}`,
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows came, want %d: %s", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("row %d is %s, want %s", i+1, got[i], want[i])
		}
	}
}

func TestAnOrderThatHasNoPlaceForARowIsAnErrorAndNotTheEnd(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{"null": "NULL", "infinity": "'infinity'"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := eventTable(t, `(1, '2026-01-01 00:00Z', NULL), (2, `+at+`, NULL)`)
			r, store := events(t, db)
			page, err := r.List(t.Context(), store, eventsOfUser1, nil)
			if err == nil {
				t.Errorf("a page with a row at %s came as %+v, want an error", name, page)
			}
		})
	}
}

func TestAPositionIsTheLastRowOfItsPage(t *testing.T) {
	t.Parallel()
	db := eventTable(t, `(1, '2026-01-01 00:00:00.000001Z', NULL), (2, '2026-01-01 00:00:00.000001Z', NULL), (3, '2026-01-02 00:00Z', NULL)`)
	r, store := events(t, db)
	page, err := r.List(t.Context(), store, eventsOfUser1, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := cursor.Position{cursor.TimeValue(time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC)), cursor.Int64Value(2)}
	if len(page.Next) != 2 || page.Next[0] != want[0] || page.Next[1] != want[1] {
		t.Errorf("behind the first page of two comes %v, want %v", page.Next, want)
	}
}

type document struct {
	ID   cursor.UUID `json:"id"`
	Text string      `json:"text"`
}

// documents lists a table whose ids are of type text.
func documents(t *testing.T, rows string) (*listquery.Resource[document], *listquery.Store) {
	t.Helper()
	db := pgtest.Open(t)
	_, err := db.Exec("CREATE TABLE documents (id text PRIMARY KEY, owner text, text text); INSERT INTO documents " + rows)
	if err != nil {
		t.Fatal(err)
	}
	r, err := listquery.Define(listquery.Definition[document]{
		Name:  "documents",
		Table: "documents",
		Columns: []listquery.Column[document]{
			listquery.Col("id", func(d *document) *cursor.UUID { return &d.ID }),
			listquery.Col("text", func(d *document) *string { return &d.Text }),
		},
		Key:     "id",
		Visible: listquery.Personal("owner"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, storeOf(t, db, r)
}

func TestAUUIDThatWouldCompareDifferentlyInACursorIsAnError(t *testing.T) {
	t.Parallel()
	r, store := documents(t, "SELECT upper(md5(n::text)::uuid::text), 'user-1', '' FROM generate_series(1, 3) n")
	f := scope.Filter{Resource: "documents", Subject: "user-1", Personal: true, Limit: 1}
	if page, err := r.List(t.Context(), store, f, nil); err == nil {
		t.Errorf("a uuid in upper case came as %+v, and no page would follow it", page)
	}
}

func TestALargeRowCostsAFewTimesItsSize(t *testing.T) {
	const size = 4 << 20
	_, store := documents(t, fmt.Sprintf("SELECT md5('1')::uuid::text, 'user-1', repeat('a', %d)", size))
	f := scope.Filter{Resource: "documents", Subject: "user-1", Personal: true, Limit: 100}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows, _, err := store.List(t.Context(), f, nil)
	runtime.ReadMemStats(&after)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 16*size {
		t.Errorf("a row of %d bytes took %d bytes of memory", size, cost)
	}
}
