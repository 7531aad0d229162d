package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/listquery"
)

// demoSchema is the schema that everything of this program lives in. All gateways on
// one database share it.
const demoSchema = "fedkit_demo"

// mark is the comment on the schema, by which this program knows it for its own.
const mark = "Demo data of the fedkit gateway, which drops it with -reset."

// fillLock is the key of the advisory lock of whoever looks into the schema and fills
// it, so that of two gateways on one empty database the second finds what the first
// has made.
const fillLock = 0x6665646b6974 // "fedkit"

// demoTables are the tables of the standard schema, and the grants.
var demoTables = []string{"users", "teams", "team_members", "projects", "missions", "tasks",
	"mission_tasks", "insights", "preferences", "grants"}

// connectTime is how long the database may take to answer at start.
const connectTime = 10 * time.Second

// postgresConnections bounds the pool; requests beyond it wait for their turn.
const postgresConnections = 10

// openPostgres opens the Postgres database, whose schema it fills if there is none.
// Data that is there is served as it is, and -reset replaces it. A schema of the same
// name that another made stays untouched.
func openPostgres(ctx context.Context, asked arguments, data demo.Data, about string) (*database, error) {
	pool, err := connect(ctx, asked.db)
	if err != nil {
		return nil, err
	}
	filled, err := prepare(ctx, pool, asked, data)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("schema %s: %w", demoSchema, err)
	}
	if !filled {
		about = "the data found"
	}
	return &database{
		pool:    pool,
		dialect: listquery.Postgres,
		schema:  listquery.Schema{}.In(demoSchema),
		grants:  demoSchema + ".grants",
		about:   about + " in Postgres, schema " + demoSchema,
		close:   func() { pool.Close() },
	}, nil
}

// connect opens a pool on the URL and waits until the database answers. None of its
// errors holds the password.
func connect(ctx context.Context, dsn string) (*sql.DB, error) {
	if !isPostgresURL(dsn) {
		return nil, errors.New("-db must be a URL like postgres://user:password@localhost:5432/database, " +
			"with special characters percent-encoded (@ is %40)")
	}
	connector, err := pq.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("-db: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(postgresConnections)
	pool.SetMaxIdleConns(postgresConnections)
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		if errors.Is(err, pq.ErrSSLNotSupported) {
			return nil, fmt.Errorf("%w; to do without, add sslmode=disable to the URL", err)
		}
		return nil, fmt.Errorf("the database does not answer: %w", err)
	}
	return pool, nil
}

// isPostgresURL refuses, beside what is no URL at all, one whose password was not
// escaped: a part of it would be taken for the host or the port, and so be printed in
// an error. For the same reason nobody sees the error of url.Parse.
func isPostgresURL(dsn string) bool {
	u, err := url.Parse(dsn)
	if err != nil || u.Opaque != "" || u.Fragment != "" {
		return false
	}
	ats := 0
	if u.User != nil {
		ats = 1
	}
	return (u.Scheme == "postgres" || u.Scheme == "postgresql") && strings.Count(dsn, "@") == ats
}

// prepare makes the schema hold data, and reports whether it is the data given. It is
// one transaction: there is never half a schema.
func prepare(ctx context.Context, pool *sql.DB, asked arguments, data demo.Data) (filled bool, err error) {
	// Read committed, whatever the database's default: what another gateway did while
	// this one waited for the lock must be visible.
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(fillLock)); err != nil {
		return false, err
	}
	found, err := schemaExists(ctx, tx)
	switch {
	case err != nil:
		return false, err
	case found && !asked.reset && asked.fixture != "":
		return false, fmt.Errorf("there is data already; add -reset to replace it by %s", asked.fixture)
	case found && !asked.reset:
		return false, nil
	case found:
		if err := dropSchema(ctx, tx); err != nil {
			return false, err
		}
	}
	if err := fillSchema(ctx, tx, data); err != nil {
		return false, err
	}
	return true, tx.Commit()
}

// schemaExists looks for the schema. One that lacks the mark is an error.
func schemaExists(ctx context.Context, tx *sql.Tx) (bool, error) {
	var comment sql.NullString
	err := tx.QueryRowContext(ctx, "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1",
		demoSchema).Scan(&comment)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case comment.String != mark:
		return false, errors.New("another program made it, and this one does not touch it; rename it or take another database")
	}
	return true, nil
}

// dropSchema drops the demo's own tables and then the schema, none of them by CASCADE:
// if anything else lies in the schema or depends on it, Postgres refuses and all stays.
func dropSchema(ctx context.Context, tx *sql.Tx) error {
	prefix := demoSchema + "."
	_, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS "+prefix+strings.Join(demoTables, ", "+prefix)+
		"; DROP SCHEMA "+demoSchema)
	return err
}

// fillSchema makes the schema, its mark, its tables and its rows.
func fillSchema(ctx context.Context, tx *sql.Tx, data demo.Data) error {
	_, err := tx.ExecContext(ctx, "CREATE SCHEMA "+demoSchema+
		"; COMMENT ON SCHEMA "+demoSchema+" IS "+pq.QuoteLiteral(mark))
	if err != nil {
		return err
	}
	return fill(ctx, tx, demo.Postgres, demoSchema, data)
}
