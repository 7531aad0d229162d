package pglock_test

import (
	"database/sql"
	"net/url"
	"testing"
	"time"

	_ "github.com/lib/pq"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// patience is the time after which a test calls something stuck.
const patience = time.Minute

// open returns a pool on the database of a DSN, with the table if it is asked for.
func open(t *testing.T, dsn string, table bool) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if table {
		ddl, err := pglock.DDL("")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ddl); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func newRegister(t *testing.T, cfg pglock.Config) *pglock.Register {
	t.Helper()
	r, err := pglock.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestARegisterThatListensPasses(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	db := open(t, dsn, true)
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	here := newRegister(t, pglock.Config{DB: db, Listen: dsn, Prepared: true})
	fleetlocktest.Run(t, func() fleetlock.Register { return here })
}

// As behind a pooler in transaction mode: nothing is prepared, and nobody listens.
func TestARegisterForAPoolerPasses(t *testing.T) {
	t.Parallel()
	dsn, err := url.Parse(pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	dsn.RawQuery += "&binary_parameters=yes"
	db := open(t, dsn.String(), true)
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	here := newRegister(t, pglock.Config{DB: db})
	fleetlocktest.Run(t, func() fleetlock.Register { return here })
}
