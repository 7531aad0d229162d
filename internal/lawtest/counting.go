package lawtest

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
)

// meter counts what reaches a database, and may interfere with it. It sits below
// database/sql, so a statement that no test expects is counted as well.
type meter struct {
	queries, execs, prepares, begins atomic.Int64

	last   atomic.Pointer[statement]
	tamper atomic.Pointer[tamper]
}

// statement is a query as it left database/sql.
type statement struct {
	text string
	args []driver.NamedValue
}

// tamper is what a test does to the statements that pass. Nil members do nothing.
type tamper struct {
	// before runs ahead of each query; its error becomes the query's.
	before func(ctx context.Context, query string) error
	// row runs ahead of each row, counted from 0 in each result; its error
	// becomes the result's, as if the connection had broken there.
	row func(n int) error
}

// statements is the number of calls that asked anything of the database.
func (m *meter) statements() int64 {
	return m.queries.Load() + m.execs.Load() + m.prepares.Load() + m.begins.Load()
}

// during counts the statements that f causes.
func (m *meter) during(f func()) int64 {
	before := m.statements()
	f()
	return m.statements() - before
}

func (m *meter) beforeQuery(ctx context.Context, query string, args []driver.NamedValue) error {
	m.queries.Add(1)
	m.last.Store(&statement{text: query, args: args})
	if tm := m.tamper.Load(); tm != nil && tm.before != nil {
		return tm.before(ctx, query)
	}
	return nil
}

// Connector makes a driver.Connector of a driver that is known by its data
// source name only.
func Connector(d driver.Driver, dsn string) driver.Connector {
	return dsnConnector{d, dsn}
}

type dsnConnector struct {
	driver driver.Driver
	dsn    string
}

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c dsnConnector) Driver() driver.Driver                        { return c.driver }

type meteredConnector struct {
	driver.Connector
	meter *meter
}

func (c meteredConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &meteredConn{Conn: conn, meter: c.meter}, nil
}

// meteredConn hands on every optional interface of the connection below it. What
// that one lacks is answered with driver.ErrSkip, and database/sql then goes the
// way it would have gone without the meter.
type meteredConn struct {
	driver.Conn
	meter *meter
}

func (c *meteredConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *meteredConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.meter.prepares.Add(1)
	var stmt driver.Stmt
	var err error
	if below, ok := c.Conn.(driver.ConnPrepareContext); ok {
		stmt, err = below.PrepareContext(ctx, query)
	} else {
		stmt, err = c.Conn.Prepare(query)
	}
	if err != nil {
		return nil, err
	}
	return &meteredStmt{Stmt: stmt, conn: c, query: query}, nil
}

func (c *meteredConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	below, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	if err := c.meter.beforeQuery(ctx, query, args); err != nil {
		return nil, err
	}
	rows, err := below.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return &meteredRows{Rows: rows, meter: c.meter}, nil
}

func (c *meteredConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	below, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	c.meter.execs.Add(1)
	return below.ExecContext(ctx, query, args)
}

func (c *meteredConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.meter.begins.Add(1)
	if below, ok := c.Conn.(driver.ConnBeginTx); ok {
		return below.BeginTx(ctx, opts)
	}
	return nil, errors.New("lawtest: the driver cannot begin a transaction with options")
}

func (c *meteredConn) Ping(ctx context.Context) error {
	if below, ok := c.Conn.(driver.Pinger); ok {
		return below.Ping(ctx)
	}
	return nil
}

func (c *meteredConn) ResetSession(ctx context.Context) error {
	if below, ok := c.Conn.(driver.SessionResetter); ok {
		return below.ResetSession(ctx)
	}
	return nil
}

func (c *meteredConn) IsValid() bool {
	if below, ok := c.Conn.(driver.Validator); ok {
		return below.IsValid()
	}
	return true
}

func (c *meteredConn) CheckNamedValue(v *driver.NamedValue) error {
	if below, ok := c.Conn.(driver.NamedValueChecker); ok {
		return below.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type meteredStmt struct {
	driver.Stmt
	conn  *meteredConn
	query string
}

func (s *meteredStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	below, ok := s.Stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, errors.New("lawtest: the driver cannot query with a context")
	}
	if err := s.conn.meter.beforeQuery(ctx, s.query, args); err != nil {
		return nil, err
	}
	rows, err := below.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	return &meteredRows{Rows: rows, meter: s.conn.meter}, nil
}

func (s *meteredStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	below, ok := s.Stmt.(driver.StmtExecContext)
	if !ok {
		return nil, errors.New("lawtest: the driver cannot execute with a context")
	}
	s.conn.meter.execs.Add(1)
	return below.ExecContext(ctx, args)
}

func (s *meteredStmt) CheckNamedValue(v *driver.NamedValue) error {
	if below, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return below.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}

type meteredRows struct {
	driver.Rows
	meter *meter
	n     int
}

func (r *meteredRows) Next(dest []driver.Value) error {
	if tm := r.meter.tamper.Load(); tm != nil && tm.row != nil {
		if err := tm.row(r.n); err != nil {
			return err
		}
	}
	r.n++
	return r.Rows.Next(dest)
}
