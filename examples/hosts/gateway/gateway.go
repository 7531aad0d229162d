// Package gateway is what a service writes to let peers read its rows: one handler, which
// each program beside this package mounts in its own way. Serve, too, is theirs in common.
package gateway

import (
	"database/sql"
	"log/slog"
	"net/http"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// New returns the handler of everything under federation.Prefix. The key seals cursors:
// 32 secret bytes or more, which outlive the process and are the same on every instance.
func New(db *sql.DB, key []byte) (http.Handler, error) {
	schema := listquery.Schema{TeamsOfMembersOnly: true}
	resources, err := listquery.Standard(schema) // or definitions of your own tables
	if err != nil {
		return nil, err
	}
	store, err := listquery.NewStore(db, listquery.Config{
		Dialect:   listquery.Postgres,
		Schema:    schema,
		Resources: resources,
	})
	if err != nil {
		return nil, err
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: store})
	if err != nil {
		return nil, err
	}
	keys, err := cursor.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		return nil, err
	}
	return federation.NewHandler(federation.Config{
		Authenticator: Tokens{DB: db},
		Evaluator:     rules,
		Lister:        store,
		Getter:        store,
		Cursors:       cursors,
		Logger:        slog.Default(), // why something was refused or failed: peers are not told
	})
}
