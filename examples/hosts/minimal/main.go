// Minimal is the shortest program that peers can ask: the README begins with it. The
// database has the tables of the standard schema, and gateway.Table for the grants.
//
//	DATABASE_URL=postgres:///app CURSOR_KEY=$(openssl rand -hex 32) ADDR=127.0.0.1:8080 go run ./examples/hosts/minimal
package main

import (
	"database/sql"
	"log"
	"log/slog"
	"os"

	_ "github.com/lib/pq" // the driver "postgres"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/examples/hosts/gateway"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

func main() {
	db := must(sql.Open("postgres", os.Getenv("DATABASE_URL")))
	schema := listquery.Schema{TeamsOfMembersOnly: true}
	store := must(listquery.NewStore(db, listquery.Config{ // where the rows are, and who may see them
		Dialect:   listquery.Postgres,
		Schema:    schema,
		Resources: must(listquery.Standard(schema)), // tasks, notes and memory
	}))
	keys := must(cursor.NewKeyring([]byte(os.Getenv("CURSOR_KEY")))) // 32 secret bytes or more
	handler := must(federation.NewHandler(federation.Config{
		Authenticator: gateway.Tokens{DB: db}, // yours: finds the grant behind a request
		Evaluator:     must(scope.NewRules(scope.Config{Registry: scope.Standard(), Native: store})),
		Lister:        store,
		Getter:        store,
		Cursors:       must(cursor.New(cursor.Config{Keys: keys})),
		Logger:        slog.Default(), // why something was refused or failed: peers are not told
	}))
	server := must(federation.NewServer(handler, 0)) // or mount the handler at federation.Prefix
	server.Addr = os.Getenv("ADDR")
	log.Fatal(server.ListenAndServe())
}

// must ends a program that cannot start.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
