package federation_test

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// everybody has the grant.
type everybody struct{ grant scope.Grant }

func (e everybody) Authenticate(*http.Request) (scope.Grant, error) { return e.grant, nil }

// longTasks are 14 tasks of user-1, of half a megabyte each.
const longTasks = `
	INSERT INTO users VALUES ('user-1', 'User', 'user-1@example.test');
	INSERT INTO projects SELECT md5('p')::uuid, 'project', 'user', 'user-1', NULL;
	INSERT INTO tasks
		SELECT md5('t' || n)::uuid, 'task', repeat('x', 1 << 19), 'open', 'high', md5('p')::uuid,
			NULL, 'user-1', '[]', NULL, '{}', now() - n * interval '1 minute', now()
		FROM generate_series(1, 14) n`

// serveTasks serves the rows over a pool, merged with those of others if there is a fan-out.
func serveTasks(t *testing.T, db *sql.DB, rows string, fanOut *federation.FanOut) http.Handler {
	t.Helper()
	for _, statement := range append(demo.DDL(demo.Postgres, ""), rows) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	schema := listquery.Schema{TeamsOfMembersOnly: true}
	resources, err := listquery.Standard(schema)
	must(err)
	store, err := listquery.NewStore(db, listquery.Config{Dialect: listquery.Postgres, Schema: schema, Resources: resources})
	must(err)
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: store, Timeout: 30 * time.Second})
	must(err)
	granted, err := scope.Parse(scope.Standard(), []byte(`{"resources":["tasks"],"max_rows_per_query":50}`))
	must(err)
	cursors, err := cursor.New(cursor.Config{Keys: newKeys(t)})
	must(err)
	handler, err := federation.NewHandler(federation.Config{
		Authenticator: everybody{scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: "user-1", Scope: granted}},
		Evaluator:     rules, Lister: store, FanOut: fanOut, Cursors: cursors, Timeout: time.Minute,
	})
	must(err)
	return contracttest.Watch(t, handler)
}

func newKeys(t *testing.T) *cursor.Keyring {
	t.Helper()
	keys, err := cursor.NewKeyring([]byte("32 random bytes from your secrets"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// startOnPostgres serves long tasks over a pool, and returns the address.
func startOnPostgres(t *testing.T, db *sql.DB) string {
	t.Helper()
	server, err := federation.NewServer(serveTasks(t, db, longTasks, nil), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// The pool has one connection. Peers that ask for a page of 7 MB and do not read it have
// had it from the database, and hold nothing there: a peer that reads gets its own page,
// and the connection is free.
func TestPeersThatDoNotReadHoldNoConnectionOfTheDatabase(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	db.SetMaxOpenConns(1)
	address := startOnPostgres(t, db)
	for range 2 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(conn, "POST %slist/tasks HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n", federation.Prefix)
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
		if _, err := io.ReadFull(conn, make([]byte, 15)); err != nil { // the page has begun, and is read no further
			t.Fatal(err)
		}
	}
	client := &http.Client{Timeout: 2 * time.Minute}
	response, err := client.Post("http://"+address+federation.Prefix+"list/tasks", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK || n < 7<<20 {
		t.Errorf("a peer that reads gets %d and %d bytes, %v", response.StatusCode, n, err)
	}
	if s := db.Stats(); s.InUse != 0 || s.OpenConnections != 1 {
		t.Errorf("the pool is %+v", s)
	}
}
