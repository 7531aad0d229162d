package drivertest

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/mosaicstack/fedkit/internal/lawtest"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// openPGX opens an empty schema of Postgres through pgx.
func openPGX(t *testing.T) lawtest.DB {
	t.Helper()
	return lawtest.NewDB(t, pgxConnector(t, pgtest.DSN(t)), listquery.Postgres)
}

func pgxConnector(t *testing.T, dsn string) driver.Connector {
	t.Helper()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("pgx refuses the data source name %q: %v", dsn, err)
	}
	return stdlib.GetConnector(*cfg)
}

func TestStorageOnPostgresByPGX(t *testing.T) { lawtest.Storage(t, openPGX) }

func TestGatewayOnPostgresByPGX(t *testing.T) { lawtest.Gateway(t, openPGX) }

func TestRecoveryOfPostgresByPGX(t *testing.T) {
	t.Parallel()
	lawtest.Recovery(t, func(t *testing.T) lawtest.Outage {
		cluster := pgtest.NewCluster(t)
		return lawtest.Outage{
			DB:    lawtest.NewDB(t, pgxConnector(t, cluster.DSN()), listquery.Postgres),
			Stop:  func() { cluster.Stop(t) },
			Start: func() { cluster.Start(t) },
		}
	})
}

// TestASessionOfPGX runs pages as every option asks for, and the check of the catalog.
func TestASessionOfPGX(t *testing.T) {
	t.Parallel()
	db := openPGX(t).SQL
	resources, err := listquery.Standard(listquery.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := listquery.NewStore(db, listquery.Config{
		Dialect: listquery.Postgres, Resources: resources,
		Prepared: true, ReadOnly: true, StatementTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, r := range resources {
		f := scope.Filter{Resource: r.Name(), Subject: "user-1", Personal: true, Teams: []string{"00000000-0000-4000-8000-00000000000a"}, Limit: 10}
		if rows, next, err := s.List(t.Context(), f, nil); err != nil || len(rows) > 0 || next != nil {
			t.Errorf("a page of no %s has %d rows, next %v, %v", r.Name(), len(rows), next, err)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check says %v", err)
	}
	if _, err := db.Exec("DROP INDEX tasks_newest"); err != nil {
		t.Fatal(err)
	}
	var missing *listquery.MissingError
	if err := s.Check(t.Context()); !errors.As(err, &missing) || len(missing.Missing) != 1 {
		t.Errorf("without an index Check says %v", err)
	}
}

func TestTroubleOfPostgresByPGX(t *testing.T) {
	t.Parallel()
	lawtest.Trouble(t, func(t *testing.T, dsn string) *sql.DB {
		db := sql.OpenDB(pgxConnector(t, dsn))
		t.Cleanup(func() { db.Close() })
		return db
	})
}
