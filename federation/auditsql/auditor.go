package auditsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// An Execer runs statements: a *sql.DB, a *sql.Tx or a *sql.Conn.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// An Auditor is a [federation.Auditor] that inserts each record into a table. It is safe
// for concurrent use if its Execer is: a *sql.DB is.
type Auditor struct {
	db      Execer
	dialect Dialect
	insert  string
}

// New returns an Auditor over the table of cfg, which must be there: see [DDL]. It does
// not ask the database for anything.
func New(db Execer, cfg Config) (*Auditor, error) {
	if db == nil {
		return nil, errors.New("auditsql: no database")
	}
	table, err := cfg.table()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(columns))
	marks := make([]string, len(columns))
	for i, c := range columns {
		names[i], marks[i] = c.name, cfg.Dialect.mark(i+1)
	}
	return &Auditor{
		db:      db,
		dialect: cfg.Dialect,
		insert:  fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ", "), strings.Join(marks, ", ")),
	}, nil
}

// Audit inserts a record. Its time is cut to the microsecond.
func (a *Auditor) Audit(ctx context.Context, r federation.Record) error {
	args := make([]any, len(columns))
	for i, c := range columns {
		args[i] = c.value(r)
		if at, isTime := args[i].(time.Time); isTime && a.dialect == SQLite {
			args[i] = at.UnixMicro()
		}
	}
	if _, err := a.db.ExecContext(ctx, a.insert, args...); err != nil {
		return fmt.Errorf("auditsql: %w", err)
	}
	return nil
}
