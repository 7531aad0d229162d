package sqlstore

import (
	"context"
	"database/sql"
)

// A lookup is a statement that finds one row by one argument, prepared or not.
type lookup struct {
	db       *sql.DB
	text     string
	prepared *sql.Stmt // nil if it is not
}

func newLookup(ctx context.Context, cfg Config, text string) (lookup, error) {
	l := lookup{db: cfg.DB, text: text}
	if !cfg.Prepared {
		return l, nil
	}
	var err error
	l.prepared, err = cfg.DB.PrepareContext(ctx, text)
	return l, err
}

func (l lookup) row(ctx context.Context, key string) *sql.Row {
	if l.prepared != nil {
		return l.prepared.QueryRowContext(ctx, key)
	}
	return l.db.QueryRowContext(ctx, l.text, key)
}

func (l lookup) close() error {
	if l.prepared == nil {
		return nil
	}
	return l.prepared.Close()
}
