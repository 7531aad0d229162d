package mtls_test

import (
	"net/http"
	"testing"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/sqlstore"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/scope"
)

// The host revokes in the database, from another process for all that the gateway knows,
// and the next answer on the same connection says so.
func TestARevocationInPostgresCountsWithTheNextAnswer(t *testing.T) {
	t.Parallel()
	onKeptConnection(t, func() (kept bool) {
		g := newGateway(t)
		store := onPostgres(t, g)
		g.cfg.Find = store.Find
		g.start(t)
		client := g.client(t, g.good)
		if got := g.mustAsk(t, client); got.status != http.StatusOK {
			t.Fatalf("before, the answer is %d %s", got.status, got.wire)
		}
		registrar, err := grants.NewRegistrar(grants.Config{Store: store, Registry: scope.Standard()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := registrar.Revoke(t.Context(), grantID); err != nil {
			t.Fatal(err)
		}
		got, kept := g.askTraced(t, client)
		if got.status != http.StatusForbidden || g.code(t) != "grant_revoked" {
			t.Errorf("after, the answer is %d %s", got.status, got.wire)
		}
		return kept
	})
}

// onPostgres copies the grants of a gateway into Postgres.
func onPostgres(tb testing.TB, g *gateway) *sqlstore.Grants {
	db := pgtest.Open(tb)
	statements, err := sqlstore.DDL(sqlstore.Postgres, "")
	if err != nil {
		tb.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			tb.Fatal(err)
		}
	}
	store, err := sqlstore.NewGrants(tb.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.Postgres})
	if err != nil {
		tb.Fatal(err)
	}
	all, err := g.store.List(tb.Context(), "", 100)
	for _, grant := range all {
		if err == nil {
			err = store.Insert(tb.Context(), grant)
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
	return store
}
