package main

import (
	"context"
	"database/sql"
	"strings"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// A server is a Postgres where worlds are made.
type server struct {
	dsn     string
	cluster *pgtest.Cluster // nil if the server stays
}

// serve returns the server of that name, or launches one.
func serve(o options) (*server, error) {
	if o.server != "" {
		return &server{dsn: o.server}, nil
	}
	return launch(o.buffers)
}

// launch starts a throwaway server, with the memory that one in use would have.
func launch(buffers string) (*server, error) {
	c, err := pgtest.Launch(
		"shared_buffers = "+pq.QuoteLiteral(buffers),
		"maintenance_work_mem = '512MB'",
		"max_wal_size = '8GB'",
		"wal_level = minimal", // so that loading writes no log
		"max_wal_senders = 0",
		"autovacuum = off", // which would be at work while pages are measured
	)
	if err != nil {
		return nil, err
	}
	return &server{c.DSN(), c}, nil
}

// newSchema makes a schema, unless the world is in it that a run before has left there,
// and returns where to connect to have it.
func (s *server) newSchema(ctx context.Context, w world) (dsn string, kept bool, err error) {
	db, err := sql.Open("postgres", s.dsn)
	if err != nil {
		return "", false, err
	}
	defer db.Close()
	name := pq.QuoteIdentifier(w.name)
	err = db.QueryRowContext(ctx, "SELECT COALESCE(obj_description(to_regnamespace($1), 'pg_namespace'), '') = $2", name, w.fingerprint()).Scan(&kept)
	if err == nil && !kept {
		_, err = db.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+name+" CASCADE; CREATE SCHEMA "+name)
	}
	return with(s.dsn, "search_path", w.name), kept, err
}

func (s *server) close() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.Close()
}

// version is that of the server, without the system it was built for.
func version(ctx context.Context, db *sql.DB) (string, error) {
	var v string
	err := db.QueryRowContext(ctx, "SHOW server_version").Scan(&v)
	v, _, _ = strings.Cut(v, " ")
	return v, err
}
