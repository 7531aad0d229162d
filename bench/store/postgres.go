package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	_ "github.com/lib/pq"

	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

func onPostgres(ctx context.Context, d durability, end func(func() error)) ([]*contender, error) {
	var settings []string
	if d == synced {
		settings = []string{"fsync = on", "synchronous_commit = on", "full_page_writes = on"}
	}
	cluster, err := pgtest.Launch(settings...)
	if err != nil {
		return nil, err
	}
	end(cluster.Close)
	db, err := sql.Open("postgres", cluster.DSN())
	if err != nil {
		return nil, err
	}
	end(db.Close)
	db.SetMaxIdleConns(8)
	ddl, err := pglock.DDL("")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, ddl+schemeTable); err != nil {
		return nil, err
	}
	var registers []*pglock.Register
	for range 2 {
		r, err := pglock.New(ctx, pglock.Config{DB: db, Listen: cluster.DSN(), Prepared: true})
		if err != nil {
			return nil, err
		}
		end(r.Close)
		registers = append(registers, r)
	}
	here, there := scheme{db, "here"}, scheme{db, "there"}
	return []*contender{
		fleet(postgres, registers[0], registers[1]),
		{name: "pglock's scheme, 50 ms poll", store: postgres, here: here.acquire, there: there.acquire},
	}, nil
}

// A scheme is that of cirello.io/pglock v1: a row that has a record version number drawn
// from a sequence while somebody holds it, and none otherwise. Here each step is one
// statement, without the transaction around it that the library has; and a waiter tries
// again sooner than the library does, which waits for a lease.
type scheme struct {
	db    *sql.DB
	owner string
}

const schemeTable = `;
CREATE TABLE locks (
	name character varying(255) PRIMARY KEY,
	record_version_number bigint,
	data bytea,
	owner character varying(255)
);
CREATE SEQUENCE locks_rvn OWNED BY locks.record_version_number`

const schemePoll = 50 * time.Millisecond

func (s scheme) acquire(ctx context.Context) (func() error, error) {
	for {
		var version int64
		err := s.db.QueryRowContext(ctx, `INSERT INTO locks AS l (name, record_version_number, data, owner)
			VALUES ($1, nextval('locks_rvn'), $2, $3)
			ON CONFLICT (name) DO UPDATE SET record_version_number = EXCLUDED.record_version_number, data = EXCLUDED.data, owner = EXCLUDED.owner
			WHERE l.record_version_number IS NULL
			RETURNING record_version_number`, "bench", []byte{}, s.owner).Scan(&version)
		if err == nil {
			return func() error { return s.release(ctx, version) }, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		time.Sleep(schemePoll)
	}
}

func (s scheme) release(ctx context.Context, version int64) error {
	_, err := s.db.ExecContext(ctx, `UPDATE locks SET record_version_number = NULL WHERE name = $1 AND record_version_number = $2`, "bench", version)
	return err
}
