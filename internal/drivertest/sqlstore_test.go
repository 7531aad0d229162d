package drivertest

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/enroll/enrolltest"
	"github.com/mosaicstack/fedkit/federation/grants/grantstest"
	"github.com/mosaicstack/fedkit/federation/sqlstore"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// openTables returns the pool with the tables of sqlstore in it.
func openTables(t *testing.T, db *sql.DB, dialect sqlstore.Dialect) sqlstore.Config {
	t.Helper()
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("the pool does not close: %v", err)
		}
	})
	statements, err := sqlstore.DDL(dialect, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("the database refuses %s: %v", statement, err)
		}
	}
	return sqlstore.Config{DB: db, Dialect: dialect}
}

// sqliteTables returns the tables in an SQLite database of their own, in a file.
func sqliteTables(t *testing.T) sqlstore.Config {
	t.Helper()
	dsn := url.URL{
		Scheme: "file",
		Path:   filepath.Join(t.TempDir(), "grants.db"),
		RawQuery: url.Values{"_pragma": {
			"busy_timeout(20000)", "journal_mode(WAL)", "synchronous(OFF)",
		}}.Encode(),
	}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		t.Fatal(err)
	}
	return openTables(t, db, sqlstore.SQLite)
}

// pgxTables returns the tables in a Postgres schema of their own, through pgx.
func pgxTables(t *testing.T) sqlstore.Config {
	t.Helper()
	cfg, err := pgx.ParseConfig(pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	return openTables(t, stdlib.OpenDB(*cfg), sqlstore.Postgres)
}

func newGrants(t *testing.T, cfg sqlstore.Config) grantstest.Store {
	t.Helper()
	store, err := sqlstore.NewGrants(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("the store does not close: %v", err)
		}
	})
	return store
}

func prepared(cfg sqlstore.Config) sqlstore.Config {
	cfg.Prepared = true
	return cfg
}

func TestSQLiteIsAStoreOfGrants(t *testing.T) {
	t.Parallel()
	grantstest.Run(t, func(t *testing.T) grantstest.Store { return newGrants(t, sqliteTables(t)) })
}

func TestPostgresByPGXIsAStoreOfGrants(t *testing.T) {
	t.Parallel()
	grantstest.Run(t, func(t *testing.T) grantstest.Store { return newGrants(t, pgxTables(t)) })
}

func TestPreparedLookUpsAreAStoreOfGrants(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		grantstest.Run(t, func(t *testing.T) grantstest.Store { return newGrants(t, prepared(sqliteTables(t))) })
	})
	t.Run("pgx", func(t *testing.T) {
		grantstest.Run(t, func(t *testing.T) grantstest.Store { return newGrants(t, prepared(pgxTables(t))) })
	})
}

func newTickets(t *testing.T, cfg sqlstore.Config) enroll.Tickets {
	t.Helper()
	if err := newGrants(t, cfg).Insert(t.Context(), grantstest.New("g")); err != nil {
		t.Fatal(err)
	}
	tickets, err := sqlstore.NewTickets(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tickets
}

func TestSQLiteIsAStoreOfTickets(t *testing.T) {
	t.Parallel()
	enrolltest.Run(t, func(t *testing.T) enroll.Tickets { return newTickets(t, sqliteTables(t)) })
}

func TestPostgresByPGXIsAStoreOfTickets(t *testing.T) {
	t.Parallel()
	enrolltest.Run(t, func(t *testing.T) enroll.Tickets { return newTickets(t, pgxTables(t)) })
}

// SQLite refuses by itself what would be a hole, whoever writes it.
func TestTheTableOfSQLiteRefusesWhatIsNoGrant(t *testing.T) {
	t.Parallel()
	cfg := sqliteTables(t)
	if err := newGrants(t, cfg).Insert(t.Context(), grantstest.New("a")); err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{
		"id = NULL", "status = 'Active'", "status = NULL", "pin = ''", "expires = not_before", "expires = NULL",
		"expires = '2030-01-01T00:00:00Z'", "subject = ''", "peer = ''", "scope = ''", "revision = 0",
	} {
		if _, err := cfg.DB.Exec("UPDATE federation_grants SET " + set); err == nil {
			t.Errorf("SET %s is stored", set)
		}
	}
}
