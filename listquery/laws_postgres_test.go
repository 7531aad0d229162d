package listquery_test

import (
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/internal/lawtest"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
)

// openPQ opens an empty schema of Postgres through lib/pq.
func openPQ(t *testing.T) lawtest.DB {
	t.Helper()
	return lawtest.NewDB(t, pqConnector(t, pgtest.DSN(t)), listquery.Postgres)
}

func pqConnector(t *testing.T, dsn string) *pq.Connector {
	t.Helper()
	c, err := pq.NewConnector(dsn)
	if err != nil {
		t.Fatalf("lib/pq refuses the data source name %q: %v", dsn, err)
	}
	return c
}

func TestStorageOnPostgresByPQ(t *testing.T) { lawtest.Storage(t, openPQ) }

func TestGatewayOnPostgresByPQ(t *testing.T) { lawtest.Gateway(t, openPQ) }

func TestRecoveryOfPostgresByPQ(t *testing.T) {
	t.Parallel()
	lawtest.Recovery(t, func(t *testing.T) lawtest.Outage {
		cluster := pgtest.NewCluster(t)
		return lawtest.Outage{
			DB:    lawtest.NewDB(t, pqConnector(t, cluster.DSN()), listquery.Postgres),
			Stop:  func() { cluster.Stop(t) },
			Start: func() { cluster.Start(t) },
		}
	})
}

func TestTroubleOfPostgresByPQ(t *testing.T) {
	t.Parallel()
	lawtest.Trouble(t, func(t *testing.T, dsn string) *sql.DB { return pooled(t, pqConnector(t, dsn)) })
}

func pooled(t *testing.T, c driver.Connector) *sql.DB {
	t.Helper()
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	return db
}
