package listquery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// A session runs the statements of a store in the way that its Config asks for.
type session struct {
	db       Querier
	beginner beginner // nil without transactions
	timeout  time.Duration
	readOnly bool

	preparer preparer // nil without prepared statements

	mu       sync.RWMutex
	prepared map[*statement]*sql.Stmt
	outdated []*sql.Stmt // which others may still be running
	closed   bool
}

// A beginner is a *sql.DB or a *sql.Conn.
type beginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// A preparer is a *sql.DB, a *sql.Conn or a *sql.Tx.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// mostTimeout is the largest statement_timeout that Postgres has.
const mostTimeout = math.MaxInt32 * time.Millisecond

func newSession(db Querier, cfg Config) (*session, error) {
	s := &session{db: db, timeout: cfg.StatementTimeout, readOnly: cfg.ReadOnly, prepared: make(map[*statement]*sql.Stmt)}
	if cfg.StatementTimeout < 0 || cfg.StatementTimeout > mostTimeout {
		return nil, fmt.Errorf("the statement timeout %s is negative or longer than %s", cfg.StatementTimeout, mostTimeout)
	}
	if cfg.Prepared {
		p, ok := db.(preparer)
		if !ok {
			return nil, fmt.Errorf("statements cannot be prepared on a %T", db)
		}
		s.preparer = p
	}
	if !cfg.ReadOnly && cfg.StatementTimeout == 0 {
		return s, nil
	}
	if cfg.Dialect != Postgres {
		return nil, fmt.Errorf("%s has no read-only transactions and statement timeouts here", cfg.Dialect)
	}
	b, ok := db.(beginner)
	if !ok {
		return nil, fmt.Errorf("a %T begins no transactions", db)
	}
	s.beginner = b
	return s, nil
}

// query runs a statement and calls read for its rows. It returns the first error of
// the statement, of read, of the rows behind those that read took, and of the
// transaction, if there is one.
func (s *session) query(ctx context.Context, st *statement, args []any, read func(*sql.Rows) error) error {
	stmt, err := s.statement(ctx, st)
	if err != nil {
		return err
	}
	begun := false
	err = s.run(ctx, stmt, st, args, func(rows *sql.Rows) error {
		begun = true
		return read(rows)
	})
	switch {
	case err == nil || stmt == nil:
		return err
	case s.isClosed():
		return fmt.Errorf("%w: %w", ErrClosed, err)
	case !begun && isOutdated(err):
		s.forget(st, stmt)
		if again := s.run(ctx, nil, st, args, read); again != nil {
			return fmt.Errorf("%w, after %w", again, err) // what counts is the one that comes first
		}
		return nil
	}
	return err
}

// isOutdated tells that the type of a column has changed since a statement was prepared,
// of which Postgres says feature_not_supported: "cached plan must not change result type".
func isOutdated(err error) bool {
	var postgres interface{ SQLState() string }
	return errors.As(err, &postgres) && postgres.SQLState() == "0A000"
}

// forget has the statement prepared anew by the next one who needs it.
func (s *session) forget(st *statement, stmt *sql.Stmt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepared[st] == stmt {
		delete(s.prepared, st)
		s.outdated = append(s.outdated, stmt)
	}
}

// run runs a statement, prepared or not, within a transaction or not.
func (s *session) run(ctx context.Context, stmt *sql.Stmt, st *statement, args []any, read func(*sql.Rows) error) error {
	if s.beginner == nil {
		return rowsOf(ctx, s.db, stmt, st, args, read)
	}
	tx, err := s.beginner.BeginTx(ctx, &sql.TxOptions{ReadOnly: s.readOnly})
	if err != nil {
		return err
	}
	defer tx.Rollback() // which does nothing after Commit
	if s.timeout > 0 {
		timeout := fmt.Sprintf("SET LOCAL statement_timeout = %d", max(1, s.timeout.Milliseconds()))
		if _, err := tx.ExecContext(ctx, timeout); err != nil {
			return err
		}
	}
	if stmt != nil {
		stmt = tx.StmtContext(ctx, stmt)
	}
	if err := rowsOf(ctx, tx, stmt, st, args, read); err != nil {
		return err
	}
	return tx.Commit()
}

// rowsOf has read take the rows of a statement, and leaves no error behind in them.
func rowsOf(ctx context.Context, db Querier, stmt *sql.Stmt, st *statement, args []any, read func(*sql.Rows) error) error {
	var rows *sql.Rows
	var err error
	if stmt != nil {
		rows, err = stmt.QueryContext(ctx, args...)
	} else {
		rows, err = db.QueryContext(ctx, st.sql, args...)
	}
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := read(rows); err != nil {
		return err
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

// statement returns the prepared statement, or nil if statements are not prepared.
func (s *session) statement(ctx context.Context, st *statement) (*sql.Stmt, error) {
	s.mu.RLock()
	stmt, closed := s.prepared[st], s.closed
	s.mu.RUnlock()
	switch {
	case closed:
		return nil, ErrClosed
	case stmt != nil || s.preparer == nil:
		return stmt, nil
	}
	// No lock is held while the database works: others have their own statements to
	// run. Of two that prepare the same one, the second is given back.
	stmt, err := s.preparer.PrepareContext(ctx, st.sql)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(ErrClosed, stmt.Close())
	}
	if other := s.prepared[st]; other != nil {
		stmt.Close() // the other one is as good
		return other, nil
	}
	s.prepared[st] = stmt
	return stmt, nil
}

func (s *session) isClosed() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, stmt := range slices.AppendSeq(s.outdated, maps.Values(s.prepared)) {
		errs = append(errs, stmt.Close())
	}
	s.outdated = nil
	clear(s.prepared)
	s.closed = true
	return errors.Join(errs...)
}
