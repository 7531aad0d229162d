package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"strings"

	_ "github.com/lib/pq"

	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/federation/sqlstore"
	"github.com/mosaicstack/fedkit/scope"
)

// grantStores is what a host makes of the tables: who changes grants, who finds them for a
// request, and where the tokens of peers that enroll are kept.
func grantStores(ctx context.Context, db *sql.DB) (*grants.Registrar, *mtls.Authenticator, enroll.Tickets, error) {
	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.Postgres, Prepared: true}
	store, err := sqlstore.NewGrants(ctx, cfg) // Close it when the server has shut down
	if err != nil {
		return nil, nil, nil, err
	}
	tickets, err := sqlstore.NewTickets(ctx, cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	registrar, err := grants.NewRegistrar(grants.Config{Store: store, Registry: scope.Standard()})
	if err != nil {
		return nil, nil, nil, err
	}
	authenticator, err := mtls.New(mtls.Config{Find: store.Find, Registry: scope.Standard()})
	return registrar, authenticator, tickets, err
}

// A gateway whose database is not there, or has not the tables, does not start.
func Example() {
	db, err := sql.Open("postgres", "host=/run/nobody/listens/here dbname=app")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, _, _, err := grantStores(context.Background(), db); err != nil {
		fmt.Println("the gateway does not start without its grants")
	}
	// Output: the gateway does not start without its grants
}

// The tables are made by the host's own migrations.
func ExampleDDL() {
	statements, err := sqlstore.DDL(sqlstore.Postgres, "app")
	if err != nil {
		log.Fatal(err)
	}
	for _, statement := range statements {
		first, _, _ := strings.Cut(statement, " (")
		fmt.Println(first)
	}
	// Output:
	// CREATE TABLE "app".federation_grants
	// CREATE TABLE "app".federation_tickets
}
