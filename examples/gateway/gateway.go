package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// A gateway is what the host has: a database, grants, and the codec of its cursors.
type gateway struct {
	db      *database
	grants  []grant
	cursors *cursor.Codec
}

// handler wires the packages of fedkit. This is what a host writes.
func (g gateway) handler(logger *slog.Logger) (http.Handler, error) {
	// What can be listed: tasks, notes and memory, out of tables that the host may
	// have named otherwise. Teams come from the same database, so each page holds
	// their membership to its own snapshot.
	schema := g.db.schema
	schema.TeamsOfMembersOnly = true
	resources, err := listquery.Standard(schema)
	if err != nil {
		return nil, err
	}
	// Where the rows are. The store reads pages of them, and knows the teams of a user.
	store, err := listquery.NewStore(g.db.pool, listquery.Config{
		Dialect:   g.db.dialect,
		Schema:    schema,
		Resources: resources,
	})
	if err != nil {
		return nil, err
	}
	// Who may read what: the scope of the grant, and the host's own access control.
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: store})
	if err != nil {
		return nil, err
	}
	// How peers ask for it: over HTTP, with a credential that the host understands.
	api, err := federation.NewHandler(federation.Config{
		Authenticator: newTokens(g.grants),
		Evaluator:     rules,
		Lister:        store,
		Getter:        store,
		Cursors:       g.cursors,
		Contract:      true, // peers may read what the contract is
		Logger:        logger,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(federation.Prefix, withChallenge(api))
	return mux, nil
}

// newCursors makes the codec that seals the cursors of this gateway. Gateways behind
// one address must share their key.
func newCursors(key string) (*cursor.Codec, error) {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	if key != "" {
		var err error
		if secret, err = hex.DecodeString(key); err != nil || len(secret) < 32 {
			return nil, errors.New("FEDKIT_CURSOR_KEY must be 64 or more hexadecimal digits, such as `openssl rand -hex 32` prints")
		}
	}
	keys, err := cursor.NewKeyring(secret)
	if err != nil {
		return nil, err
	}
	return cursor.New(cursor.Config{Keys: keys})
}
