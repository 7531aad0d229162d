package drivertest

import (
	"database/sql/driver"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/mosaicstack/fedkit/internal/lawtest"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
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
