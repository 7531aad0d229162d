package federation_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/scope"
)

// everyOtherTask has four tasks of user-1 with the minute of each as its title: that and
// every other one after it, the newest first.
func everyOtherTask(minute int) string {
	return fmt.Sprintf(`
		INSERT INTO users VALUES ('user-1', 'User', 'user-1@example.test');
		INSERT INTO projects SELECT md5('p')::uuid, 'project', 'user', 'user-1', NULL;
		INSERT INTO tasks
			SELECT md5('t' || n)::uuid, n::text, '', 'open', 'high', md5('p')::uuid,
				NULL, 'user-1', '[]', NULL, '{}', timestamptz '2026-06-24' - n * interval '1 minute', now()
			FROM generate_series(%d, 8, 2) n`, minute)
}

// startGateway serves tasks over a pool and returns a client of it.
func startGateway(t *testing.T, db *sql.DB, rows string, fanOut *federation.FanOut) *federation.Client {
	t.Helper()
	server := httptest.NewServer(serveTasks(t, db, rows, fanOut))
	t.Cleanup(server.Close)
	client, err := federation.NewClient(federation.ClientConfig{
		URL: server.URL, HTTP: server.Client(), Timeout: 2 * time.Minute, Attempts: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A migration of the gateway has its tasks locked, and nothing else: who may read what is
// known, and the peers have their rows.
func TestOwnRowsThatAreOutOfReachLeaveTheRowsOfThePeers(t *testing.T) {
	t.Parallel()
	own := pgtest.Open(t)
	own.SetMaxOpenConns(2) // one is the migration's
	migration, err := own.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer migration.Close()
	peer := federation.Peer{Name: "b", Client: startGateway(t, pgtest.Open(t), everyOtherTask(2), nil)}
	fanOut, err := federation.NewFanOut(federation.FanOutConfig{
		Peers:         func(context.Context, scope.Grant) ([]federation.Peer, error) { return []federation.Peer{peer}, nil },
		Keys:          newKeys(t),
		SourceTimeout: 50 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	gateway := startGateway(t, own, everyOtherTask(1), fanOut)
	// On the connection that is left. Nothing but the lock makes a statement wait for one.
	if _, err := own.Exec("SET lock_timeout = '100ms'"); err != nil {
		t.Fatal(err)
	}

	next := ""
	page := func(limit int, want []string, local, b federation.SourceStatus, partial bool) {
		t.Helper()
		got, err := gateway.List(t.Context(), "tasks", federation.ListRequest{Source: "all", Limit: limit, Cursor: next})
		if err != nil {
			t.Fatal(err)
		}
		next = got.Next
		if diff := cmp.Diff(want, titles(t, got.Items)); diff != "" || got.Partial != partial {
			t.Errorf("the page, partial %t (-want +got):\n%s", got.Partial, diff)
		}
		if diff := cmp.Diff([]federation.SourceStatus{local, b}, got.Sources); diff != "" {
			t.Errorf("the sources (-want +got):\n%s", diff)
		}
	}
	state := func(name string, state federation.SourceState, code federation.ErrorCode) federation.SourceStatus {
		return federation.SourceStatus{Name: name, State: state, Code: code}
	}
	page(2, []string{"1 local", "2 peer:b"},
		state("local", federation.SourceOK, ""), state("peer:b", federation.SourceOK, ""), false)

	for _, statement := range []string{"BEGIN", "LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE"} {
		if _, err := migration.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	page(2, []string{"4 peer:b", "6 peer:b"},
		state("local", federation.SourceFailed, federation.ErrUnavailable), state("peer:b", federation.SourceOK, ""), true)

	if _, err := migration.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	page(2, []string{"7 local", "8 peer:b"},
		state("local", federation.SourceExhausted, ""), state("peer:b", federation.SourceExhausted, ""), true)
	if next != "" {
		t.Error("the list goes on behind its last row")
	}
}

// titles are the titles and sources of tasks.
func titles(t *testing.T, items []json.RawMessage) (rows []string) {
	t.Helper()
	for _, item := range items {
		var task struct {
			Title  string `json:"title"`
			Source string `json:"_source"`
		}
		if err := json.Unmarshal(item, &task); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, task.Title+" "+task.Source)
	}
	return rows
}
