// Package fixturetest serves demo data out of a real Postgres, for the tests of what tests
// gateways.
package fixturetest

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// tokens are the grants of the fixture.
type tokens demo.Data

func (d tokens) Authenticate(r *http.Request) (scope.Grant, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return scope.Grant{}, federation.ErrNoCredential
	}
	for _, g := range d.Grants {
		if g.Token == token {
			parsed, err := scope.Parse(scope.Standard(), g.Scope)
			status := map[string]error{"pending": federation.ErrGrantPending, "revoked": federation.ErrGrantRevoked, "expired": federation.ErrGrantExpired}[g.Status]
			return scope.Grant{ID: g.ID, Peer: g.PeerID, Subject: g.SubjectUserID, Revision: 1, Scope: parsed}, errors.Join(err, status)
		}
	}
	return scope.Grant{}, federation.ErrNoCredential
}

// Parts fills a database with a fixture, and returns all that a handler needs to serve it
// to the bearer tokens of its grants.
func Parts(t *testing.T, fixture string) federation.Config {
	t.Helper()
	data, err := demo.Parse(strings.NewReader(fixture))
	if err != nil {
		t.Fatal(err)
	}
	db := pgtest.Open(t)
	for _, statement := range demo.DDL(demo.Postgres, "") {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := demo.Load(t.Context(), db, demo.Postgres, "", data); err != nil {
		t.Fatal(err)
	}
	named := listquery.Schema{TeamsOfMembersOnly: true}
	resources, err := listquery.Standard(named)
	if err != nil {
		t.Fatal(err)
	}
	store, err := listquery.NewStore(db, listquery.Config{Dialect: listquery.Postgres, Schema: named, Resources: resources})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: store, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := cursor.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return federation.Config{
		Authenticator: tokens(data), Evaluator: rules, Lister: store, Getter: store, Cursors: cursors, Contract: true,
		Timeout: 2 * time.Minute, // a busy machine takes its time
	}
}
