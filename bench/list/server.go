package main

import (
	"context"
	"database/sql"
	"strings"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// A server is a throwaway Postgres, with the memory that one in use would have.
type server struct {
	cluster *pgtest.Cluster
}

func launch(buffers string) (*server, error) {
	c, err := pgtest.Launch(
		"shared_buffers = "+pq.QuoteLiteral(buffers),
		"maintenance_work_mem = '512MB'",
		"max_wal_size = '8GB'",
		"wal_level = minimal", // so that loading writes no log
		"max_wal_senders = 0",
		"autovacuum = off", // which would be at work while pages are measured
	)
	return &server{c}, err
}

// newSchema makes a schema, and returns where to connect to have it.
func (s *server) newSchema(ctx context.Context, name string) (dsn string, err error) {
	db, err := sql.Open("postgres", s.cluster.DSN())
	if err != nil {
		return "", err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "CREATE SCHEMA "+pq.QuoteIdentifier(name))
	return with(s.cluster.DSN(), "search_path", name), err
}

func (s *server) close() error { return s.cluster.Close() }

// version is that of the server, without the system it was built for.
func version(ctx context.Context, db *sql.DB) (string, error) {
	var v string
	err := db.QueryRowContext(ctx, "SHOW server_version").Scan(&v)
	v, _, _ = strings.Cut(v, " ")
	return v, err
}
