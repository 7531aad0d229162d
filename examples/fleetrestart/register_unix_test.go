//go:build unix

package main

import (
	"database/sql"
	"testing"

	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

// Two machines have a fleet each, and one database.
func TestOfTheFleetsOfSeveralMachinesOneRestartsAtATime(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	here, there := newFleet(t), newFleet(t)
	on := []string{"-register", dsn, "-lease", "1m", "-agents", "1"} // a machine that stands still for long ends no lease
	succeed(t, here, on...)
	agent, hears := deaf(t, here, "agent-1")
	first := start(t, here, on...)
	first.Says(t, "stopping pid "+pidText(agent.PID))
	second := start(t, there, on...)
	second.Says(t, "waiting, held by")
	hears()
	if one, other := first.End(t), second.End(t); one.Code != 0 || other.Code != 0 {
		t.Fatalf("the restarts end with %d and %d: %s%s", one.Code, other.Code, one.Stderr, other.Stderr)
	}
}

// Two first runs at once, on an empty database:
//
//	P: begins to make the table
//	Q:                           finds none, makes it, and has to wait for P
//	P: commits
//	Q:                           is told that there is one
func TestWhoFindsTheTableMadeMeanwhileUsesIt(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	p := openPool(t, dsn)
	tx, err := p.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	ddl, err := pglock.DDL("")
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if err := tx.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), ddl); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		_, done, err := arguments{register: dsn}.openPostgres(t.Context())
		if err == nil {
			err = done()
		}
		opened <- err
	}()
	programtest.Eventually(t, "the other one waits", func() (waits bool) {
		const query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))"
		if err := p.QueryRowContext(t.Context(), query, pid).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		return waits
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("the table is there, and cannot be used: %v", err)
	}
}

func TestStatusMakesNoTable(t *testing.T) {
	t.Parallel()
	dsn, f := pgtest.DSN(t), newFleet(t)
	if got := runToEnd(t, f, "-register", dsn, "-status"); got.Code != exitFailure || !hasLine(got.Stderr, "its table is missing") {
		t.Errorf("the status of a register without a table ends with %d, want %d: %s", got.Code, exitFailure, got.Stderr)
	}
	var made bool
	if err := openPool(t, dsn).QueryRowContext(t.Context(), "SELECT to_regclass('fleetlock') IS NOT NULL").Scan(&made); err != nil || made {
		t.Errorf("-status has made the table: %v, %v", made, err)
	}
}

func openPool(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
