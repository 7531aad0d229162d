package demo

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// DB is where data is loaded: a *sql.Tx, *sql.DB or *sql.Conn, of any driver.
type DB interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// Load adds the rows of data to the tables that [DDL] made with the same dialect and
// schema, all or none: on a *sql.DB or *sql.Conn in a transaction of its own, on a
// *sql.Tx in that one, which the caller commits or rolls back. Afterwards the query
// planner knows how many rows there are. Load panics where DDL does.
func Load(ctx context.Context, db DB, d Dialect, schema string, data Data) error {
	l := loader{ctx, db, d, prefix(d, schema)}
	pool, ok := db.(interface {
		BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
	})
	if !ok {
		return l.load(data)
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("loading demo data: %w", err)
	}
	defer tx.Rollback() // does nothing after Commit
	l.db = tx
	if err := l.load(data); err != nil {
		return err
	}
	return tx.Commit()
}

type loader struct {
	ctx     context.Context
	db      DB
	dialect Dialect
	prefix  string
}

func (l loader) load(data Data) error {
	for _, t := range data.tables() {
		if err := l.table(t); err != nil {
			return fmt.Errorf("loading demo data into %s: %w", t.name, err)
		}
	}
	return nil
}

// table inserts the rows in as few statements as pay: Postgres, a process apart, gets
// many rows at once, with fewer parameters than the 65,535 it takes; for SQLite, in
// this process, one prepared row at a time is as good.
func (l loader) table(t table) error {
	batch := 1
	if l.dialect == Postgres {
		batch = 500
	}
	if t.len() >= batch {
		insert, err := l.db.PrepareContext(l.ctx, l.insert(t, batch))
		if err != nil {
			return err
		}
		defer insert.Close()
		for from := 0; from+batch <= t.len(); from += batch {
			if _, err := insert.ExecContext(l.ctx, l.values(t, from, from+batch)...); err != nil {
				return err
			}
		}
	}
	if rest := t.len() % batch; rest > 0 {
		if _, err := l.db.ExecContext(l.ctx, l.insert(t, rest), l.values(t, t.len()-rest, t.len())...); err != nil {
			return err
		}
	}
	_, err := l.db.ExecContext(l.ctx, "ANALYZE "+l.prefix+t.name)
	return err
}

// insert returns the statement that inserts that many rows.
func (l loader) insert(t table, rows int) string {
	var names []string
	for _, c := range t.at(0) {
		names = append(names, c.name)
	}
	var b strings.Builder
	b.WriteString("INSERT INTO " + l.prefix + t.name + " (" + strings.Join(names, ", ") + ") VALUES ")
	for n := range rows * len(names) {
		switch {
		case n == 0:
			b.WriteString("(")
		case n%len(names) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString(l.parameter(n + 1))
	}
	b.WriteString(")")
	return b.String()
}

func (l loader) parameter(n int) string {
	if l.dialect == SQLite {
		return "?"
	}
	return "$" + strconv.Itoa(n)
}

// values returns the arguments of an insert of the rows from until to.
func (l loader) values(t table, from, to int) []any {
	var values []any
	for i := from; i < to; i++ {
		for _, c := range t.at(i) {
			values = append(values, c.value(l.dialect))
		}
	}
	return values
}
