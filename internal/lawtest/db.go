package lawtest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/listquery"
)

// DB is a database under test: the empty tables of the standard schema, reached
// through a driver whose statements are counted. NewDB makes it.
type DB struct {
	// SQL is the pool that the tests use; it is closed at the end of the test.
	SQL *sql.DB
	// Dialect is what the database speaks.
	Dialect listquery.Dialect

	meter *meter
}

// Open hands a test a database of its own with the empty tables of the standard
// schema. It may be called several times in one test, and by tests that run in
// parallel; each call gives another database.
type Open func(t *testing.T) DB

// NewDB opens a pool on the connector, below which every statement is counted,
// and makes the tables of the standard schema in it.
func NewDB(t *testing.T, c driver.Connector, d listquery.Dialect) DB {
	t.Helper()
	m := new(meter)
	pool := sql.OpenDB(meteredConnector{c, m})
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Errorf("the pool does not close: %v", err)
		}
	})
	pool.SetMaxIdleConns(8)
	db := DB{SQL: pool, Dialect: d, meter: m}
	names := map[listquery.Dialect]demo.Dialect{listquery.Postgres: demo.Postgres, listquery.SQLite: demo.SQLite}
	for _, statement := range demo.DDL(names[d], "") {
		db.exec(t, statement)
	}
	return db
}

// tables are those of the standard schema, owners before what they own.
var tables = []string{
	"users", "teams", "team_members", "projects", "missions", "tasks",
	"mission_tasks", "insights", "preferences",
}

// clear empties every table.
func (d DB) clear(t *testing.T) {
	t.Helper()
	for i := len(tables) - 1; i >= 0; i-- {
		d.exec(t, "DELETE FROM "+tables[i])
	}
}

// analyze has the planner know the rows that there are, and leaves the tables of other
// tests as they are.
func (d DB) analyze(t *testing.T) {
	t.Helper()
	for _, table := range tables {
		d.exec(t, "ANALYZE "+table)
	}
}

// exec runs a statement whose parameters are written as ? in both dialects.
func (d DB) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if err := d.try(query, args...); err != nil {
		t.Fatalf("the statement %s fails: %v", query, err)
	}
}

// try is exec for goroutines that must not end the test.
func (d DB) try(query string, args ...any) error {
	_, err := d.SQL.ExecContext(context.Background(), d.numbered(query), d.bind(args)...)
	return err
}

// numbered replaces each ? by the parameter mark of the dialect.
func (d DB) numbered(query string) string {
	if d.Dialect == listquery.SQLite {
		return query
	}
	var b strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			fmt.Fprintf(&b, "$%d", i)
		}
		b.WriteString(part)
	}
	return b.String()
}

// bind turns values into what the dialect stores.
func (d DB) bind(values []any) []any {
	bound := make([]any, len(values))
	for i, v := range values {
		bound[i] = d.stored(v)
	}
	return bound
}

func (d DB) stored(v any) any {
	switch v := v.(type) {
	case *string:
		if v == nil {
			return nil
		}
		return *v
	case document:
		if v == "" {
			return nil
		}
		return string(v)
	case *time.Time:
		if v == nil {
			return nil
		}
		return d.stored(*v)
	case time.Time:
		if d.Dialect == listquery.SQLite {
			return v.UnixMicro()
		}
		return v
	case bool:
		if d.Dialect == listquery.SQLite && v {
			return 1
		} else if d.Dialect == listquery.SQLite {
			return 0
		}
	}
	return v
}

// insert stores rows; those of one table go in few statements.
func (d DB) insert(t *testing.T, rows ...row) {
	t.Helper()
	if err := d.tryInsert(rows...); err != nil {
		t.Fatalf("the rows cannot be stored: %v", err)
	}
}

// tryInsert is insert for goroutines that must not end the test.
func (d DB) tryInsert(rows ...row) error {
	const batch = 500
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && n < batch && rows[n].table() == rows[0].table() {
			n++
		}
		query, args := insertStatement(rows[:n])
		if err := d.try(query, args...); err != nil {
			return fmt.Errorf("%s: %w", rows[0].table(), err)
		}
		rows = rows[n:]
	}
	return nil
}

func insertStatement(rows []row) (string, []any) {
	var names []string
	for _, c := range rows[0].columns() {
		names = append(names, c.name)
	}
	marks := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ") + ")"
	var args []any
	for _, r := range rows {
		for _, c := range r.columns() {
			args = append(args, c.value)
		}
	}
	return "INSERT INTO " + rows[0].table() + " (" + strings.Join(names, ", ") + ") VALUES " +
		strings.TrimSuffix(strings.Repeat(marks+", ", len(rows)), ", "), args
}
