package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/federation/ratelimit"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// The contenders.
const (
	bare     = "no fedkit"
	inMemory = "fedkit, grants in memory"
	inTable  = "fedkit, grants in Postgres"
)

var contenders = []string{bare, inMemory, inTable}

// patience is how long a page may take. With 256 connections on a busy machine it takes
// its time, which is measured, and not refused.
const patience = time.Minute

// pageRows is how many rows a page has.
const pageRows = 50

var schema = listquery.Schema{TeamsOfMembersOnly: true}

// newStore is what all contenders read by. Its statements are prepared.
func newStore(db *sql.DB) (*listquery.Store, error) {
	resources, err := listquery.Standard(schema)
	if err != nil {
		return nil, err
	}
	return listquery.NewStore(db, listquery.Config{
		Dialect: listquery.Postgres, Schema: schema, Resources: resources, Prepared: true,
	})
}

// bareHandler is what a host would write that trusts everybody: it looks up the teams of
// the subject, runs the statement that fedkit runs for the second page, and sends the
// rows.
func bareHandler(store *listquery.Store, after cursor.Position) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Limit  int    `json:"limit"`
			Cursor string `json:"cursor"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		rows, err := readRows(r.Context(), store, after)
		if err != nil {
			http.Error(w, "failed", http.StatusInternalServerError)
			return
		}
		body := []byte(`{"items":[`)
		for i, row := range rows {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(body, row...)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(body, "]}"...))
	})
}

func readRows(ctx context.Context, store *listquery.Store, after cursor.Position) ([]json.RawMessage, error) {
	access, err := store.ReadAccess(ctx, scope.AccessRequest{Subject: subject, Resource: "tasks"})
	if err != nil {
		return nil, err
	}
	rows, _, err := store.List(ctx, tasksOf(access), after)
	return rows, err
}

func tasksOf(access scope.Access) scope.Filter {
	return scope.Filter{Resource: "tasks", Subject: subject, Personal: true, Teams: access.Teams, Limit: pageRows}
}

// secondPage is where it starts.
func secondPage(ctx context.Context, store *listquery.Store) (cursor.Position, error) {
	access, err := store.ReadAccess(ctx, scope.AccessRequest{Subject: subject, Resource: "tasks"})
	if err != nil {
		return nil, err
	}
	_, next, err := store.List(ctx, tasksOf(access), nil)
	return next, err
}

// checkedHandler is fedkit's, with all checks: client certificates, limits by address and
// by grant and of requests under way, an audit and a log, whose lines nobody reads.
func checkedHandler(store *listquery.Store, find func(context.Context, string) (grants.Grant, error)) (http.Handler, error) {
	authenticator, err := mtls.New(mtls.Config{Find: find, Registry: scope.Standard()})
	if err != nil {
		return nil, err
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: store, Timeout: patience})
	if err != nil {
		return nil, err
	}
	keys, err := cursor.NewKeyring([]byte("32 bytes from a random source..."))
	if err != nil {
		return nil, err
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		return nil, err
	}
	limit, err := ratelimit.New(ratelimit.Config{Rate: 1e6})
	if err != nil {
		return nil, err
	}
	nowhere := slog.NewJSONHandler(io.Discard, nil)
	auditor, err := federation.NewLogAuditor(nowhere)
	if err != nil {
		return nil, err
	}
	return federation.NewHandler(federation.Config{
		Authenticator: authenticator, Evaluator: rules, Lister: store, Getter: store, Cursors: cursors,
		Addresses: limit, Grants: limit, Concurrent: 10_000, Auditor: auditor, Logger: slog.New(nowhere),
		Timeout: patience, AuditTimeout: patience,
	})
}
