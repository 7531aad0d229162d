package lawtest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
)

// findingDeepPage compares the work of the first page, and of one in the middle
// of many rows, with the same rows fetched by hand. The seed's condition
// a<x OR (a=x AND b<y) made the database read everything before the page.
func findingDeepPage(t *testing.T, open Open) {
	const rows, limit = 8_000, 50
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	_, array := someIDs(t, r, rows)
	w.load(t, db)
	from, id := db.each()
	at := fmt.Sprintf("%d - row_number() OVER () * 1000", noon.UnixMicro())
	if db.Dialect == listquery.Postgres {
		at = "timestamptz '2026-06-24 03:00:00Z' - row_number() OVER () * interval '1 millisecond'"
	}
	db.exec(t, fmt.Sprintf(`INSERT INTO tasks (id, title, status, priority, project_id, created_at, updated_at)
		SELECT %s, 't', 'done', 'low', '%s', %s, %s FROM %s`, id, e.project, at, at, from), array)
	db.analyze(t)
	s := db.store(t)
	f := e.filter("tasks", limit)
	middle := cursor.Position{
		cursor.TimeValue(noon.Add(-rows / 2 * time.Millisecond)),
		cursor.UUIDValue(cursor.UUID{0x80}),
	}
	floor := db.cost(t, func() { db.byHand(t, e.project, limit+1) })
	first := db.cost(t, func() { page(t, s, f, nil) })
	deep := db.cost(t, func() {
		if rows, next := page(t, s, f, middle); len(rows) != limit || next == nil {
			t.Errorf("the deep page has %d rows, next %v", len(rows), next)
		}
	})
	t.Logf("by hand %d, the first page %d, the deep page %d", floor, first, deep)
	if bound := 6*floor + 100; first > bound || deep > bound {
		t.Errorf("the first page costs %d and the deep page %d, by hand it is %d; it must not grow with the rows", first, deep, floor)
	}
}

// byHand reads the newest tasks of a project as nobody could read them faster.
func (d DB) byHand(t *testing.T, project string, limit int) {
	t.Helper()
	rows, err := d.SQL.QueryContext(context.Background(), d.numbered(`SELECT id, title, description, status, priority, project_id, mission_id,
		assignee, tags, due_date, metadata, created_at, updated_at FROM tasks WHERE project_id = ? ORDER BY created_at DESC, id DESC LIMIT ?`), project, limit)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil || n != limit {
		t.Fatalf("by hand there are %d rows: %v", n, err)
	}
}

// cost is what the one statement of list costs: in Postgres the blocks that it
// touches; in SQLite, which does not tell, its best time in tens of microseconds.
func (d DB) cost(t *testing.T, list func()) int64 {
	t.Helper()
	if d.Dialect == listquery.Postgres {
		list()
		return d.blocks(t, d.meter.last.Load())
	}
	best := time.Hour
	for range 25 { // of which a busy machine lets some pass
		start := time.Now()
		list()
		best = min(best, time.Since(start))
	}
	return int64(best / (10 * time.Microsecond))
}

// blocks runs a statement once more and returns how many blocks it touched.
func (d DB) blocks(t *testing.T, st *statement) int64 {
	t.Helper()
	args := make([]any, len(st.args))
	for i, a := range st.args {
		args[i] = a.Value
	}
	var text []byte
	row := d.SQL.QueryRowContext(context.Background(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+st.text, args...)
	if err := row.Scan(&text); err != nil {
		t.Fatalf("the statement %s cannot be explained: %v", st.text, err)
	}
	var plans []struct {
		Plan struct {
			Hit  int64 `json:"Shared Hit Blocks"`
			Read int64 `json:"Shared Read Blocks"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		t.Fatalf("the plan %s cannot be read: %v", text, err)
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read
}
