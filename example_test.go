package fedkit_test

import (
	"crypto/subtle"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	_ "github.com/lib/pq"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// newGateway is all the wiring that a host with the standard schema writes.
func newGateway(db *sql.DB, auth federation.Authenticator, cursorKey []byte) (*http.ServeMux, error) {
	schema := listquery.Schema{TeamsOfMembersOnly: true}
	resources, err := listquery.Standard(schema) // tasks, notes and memory
	if err != nil {
		return nil, err
	}
	store, err := listquery.NewStore(db, listquery.Config{
		Dialect:   listquery.Postgres,
		Resources: resources,
		Schema:    schema,
	})
	if err != nil {
		return nil, err
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: store})
	if err != nil {
		return nil, err
	}
	keys, err := cursor.NewKeyring(cursorKey) // 32 secret bytes or more, the same on every instance
	if err != nil {
		return nil, err
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		return nil, err
	}
	handler, err := federation.NewHandler(federation.Config{
		Authenticator: auth, // yours: finds the grant behind a request
		Evaluator:     rules,
		Lister:        store,
		Getter:        store,
		Cursors:       cursors,
		Logger:        slog.Default(), // why something was refused or failed: peers are not told
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(federation.Prefix, handler)
	return mux, nil
}

// oneToken is an Authenticator that knows a single grant. A real one reads the state
// of the grant from the host's database, for each request anew.
type oneToken struct {
	token string
	grant scope.Grant
}

func (a oneToken) Authenticate(r *http.Request) (scope.Grant, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(a.token)) != 1 {
		return scope.Grant{}, federation.ErrNoCredential
	}
	return a.grant, nil
}

// A gateway over a Postgres database. The requests shown are answered without it:
// what a grant excludes costs no statement.
func Example() {
	db, err := sql.Open("postgres", "host=/var/run/postgresql dbname=app")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	granted, err := scope.Parse(scope.Standard(), []byte(`{"resources":["tasks"],"max_rows_per_query":100}`))
	if err != nil {
		panic(err)
	}
	auth := oneToken{"secret", scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: "user-1", Scope: granted}}
	gateway, err := newGateway(db, auth, []byte("32 bytes from a random source..."))
	if err != nil {
		panic(err)
	}

	for _, resource := range []string{"notes", "nonsense"} {
		request := httptest.NewRequest("POST", federation.Prefix+"list/"+resource, nil)
		request.Header.Set("Authorization", "Bearer secret")
		answer := httptest.NewRecorder()
		gateway.ServeHTTP(answer, request)
		fmt.Print(answer.Code, " ", answer.Body)
	}
	// Output:
	// 403 {"error":{"code":"scope_violation","message":"this resource may not be read"}}
	// 400 {"error":{"code":"invalid_request","message":"no such resource"}}
}
