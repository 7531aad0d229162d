package main

import (
	"database/sql"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

// A server hands out databases of its own to tests: the schema of the demo has the
// same name everywhere, so a schema per test would not do.
type server struct{ *pgtest.Cluster }

// database makes an empty database, and returns its URL and a pool on it.
func (s server) database(t *testing.T) (dsn string, pool *sql.DB) {
	t.Helper()
	name := "gateway_" + strings.ToLower(strings.NewReplacer("/", "_", "#", "_").Replace(t.Name()))
	name = name[max(0, len(name)-60):]
	execute(t, open(t, s.DSN()), `CREATE DATABASE "`+name+`"`)
	u, err := url.Parse(s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String(), open(t, u.String())
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	pool, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}

func execute(t *testing.T, pool *sql.DB, statement string) {
	t.Helper()
	if _, err := pool.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// count returns the single number that a query gives.
func count(t *testing.T, pool *sql.DB, query string) int {
	t.Helper()
	var n int
	if err := pool.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestOnPostgres(t *testing.T) {
	t.Parallel()
	s := server{pgtest.NewCluster(t)}
	t.Run("group", func(t *testing.T) { // ends when all of these have ended
		for _, test := range []struct {
			name string
			run  func(*testing.T, server)
		}{
			{"every page is what the oracle shows", pagesOnPostgres},
			{"data found is served as it is", foundDataIsServed},
			{"reset replaces the data", resetReplacesTheData},
			{"a fixture does not replace data unasked", aFixtureDoesNotReplaceData},
			{"a foreign schema is not touched", aForeignSchemaIsNotTouched},
			{"what others put into the schema is not dropped", othersTablesAreNotDropped},
			{"what others built on the schema is not dropped", othersViewsAreNotDropped},
			{"many gateways at once fill once", manyAtOnce},
			{"a failed start leaves nothing", aFailedStartLeavesNothing},
			{"the gateway keeps the contract", keepsTheContract},
			{"a start on a busy port changes nothing", aBusyPortChangesNothing},
			{"a signal drains a query in flight", aQueryInFlightIsDrained},
			{"a signal ends the wait for another gateway", aSignalEndsTheWait},
			{"an invalid scope is logged and denies", anInvalidScopeDenies},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.run(t, s)
			})
		}
	})
}

func pagesOnPostgres(t *testing.T, s server) {
	dsn, _ := s.database(t)
	checkPages(t, start(t, "-db", dsn), 1, 7, 10_000)
}

func foundDataIsServed(t *testing.T, s server) {
	dsn, pool := s.database(t)
	start(t, "-db", dsn)
	execute(t, pool, "UPDATE fedkit_demo.tasks SET title = 'changed'")
	p := start(t, "-db", dsn)
	for _, item := range list(t, p, firstToken(t, p), "tasks", 3).items {
		if item["title"] != "changed" {
			t.Errorf("the second gateway serves the title %q, want what it found: changed", item["title"])
		}
	}
}

func resetReplacesTheData(t *testing.T, s server) {
	dsn, pool := s.database(t)
	start(t, "-db", dsn)
	start(t, "-db", dsn, "-reset", "-fixture", writeFixture(t, oneTask))
	if n := count(t, pool, "SELECT count(*) FROM fedkit_demo.tasks"); n != 1 {
		t.Errorf("after -reset with a fixture of one task there are %d", n)
	}
	checkPages(t, start(t, "-db", dsn, "-reset"), 50)
}

func aFixtureDoesNotReplaceData(t *testing.T, s server) {
	dsn, pool := s.database(t)
	start(t, "-db", dsn)
	before := count(t, pool, "SELECT count(*) FROM fedkit_demo.tasks")
	complains(t, runToEnd(t, "-db", dsn, "-fixture", writeFixture(t, oneTask)), "-reset", demoSchema)
	if n := count(t, pool, "SELECT count(*) FROM fedkit_demo.tasks"); n != before {
		t.Errorf("the refused fixture changes the tasks from %d to %d", before, n)
	}
}

func aForeignSchemaIsNotTouched(t *testing.T, s server) {
	dsn, pool := s.database(t)
	execute(t, pool, "CREATE SCHEMA fedkit_demo; CREATE TABLE fedkit_demo.tasks (x int)")
	for _, comment := range []string{"NULL", "'mine'"} {
		execute(t, pool, "COMMENT ON SCHEMA fedkit_demo IS "+comment)
		complains(t, runToEnd(t, "-db", dsn), demoSchema)
		complains(t, runToEnd(t, "-db", dsn, "-reset"), demoSchema)
		if n := count(t, pool, "SELECT count(*) FROM pg_class WHERE relnamespace = 'fedkit_demo'::regnamespace"); n != 1 {
			t.Errorf("the foreign schema with the comment %s held one table, now it holds %d", comment, n)
		}
	}
}

func othersTablesAreNotDropped(t *testing.T, s server) {
	dsn, pool := s.database(t)
	start(t, "-db", dsn)
	execute(t, pool, "CREATE TABLE fedkit_demo.mine AS SELECT 1 AS x")
	complains(t, runToEnd(t, "-db", dsn, "-reset"), demoSchema)
	if n := count(t, pool, "SELECT count(*) FROM fedkit_demo.mine"); n != 1 {
		t.Errorf("the table beside the demo's has %d rows, want its one", n)
	}
	checkPages(t, start(t, "-db", dsn), 50)
}

func othersViewsAreNotDropped(t *testing.T, s server) {
	dsn, pool := s.database(t)
	start(t, "-db", dsn)
	execute(t, pool, "CREATE VIEW public.mine AS SELECT id FROM fedkit_demo.tasks")
	complains(t, runToEnd(t, "-db", dsn, "-reset"), demoSchema)
	if n := count(t, pool, "SELECT count(*) FROM public.mine"); n == 0 {
		t.Error("the view upon the demo's tasks is empty after a refused -reset")
	}
}

func manyAtOnce(t *testing.T, s server) {
	dsn, _ := s.database(t)
	var all []*programtest.Program
	for range 4 {
		all = append(all, programtest.Start(t, command("-db", dsn)))
	}
	filled := 0
	for _, p := range all {
		if strings.Contains(served(t, p).banner, "built-in") {
			filled++
		}
	}
	if filled != 1 {
		t.Errorf("of %d gateways that start at once %d say that they filled the database, want one", len(all), filled)
	}
	checkPages(t, served(t, all[0]), 50)
}

func aFailedStartLeavesNothing(t *testing.T, s server) {
	dsn, pool := s.database(t)
	execute(t, pool, `CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
		$$ BEGIN IF tg_tag = 'CREATE INDEX' THEN RAISE 'no'; END IF; END $$;
		CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()`)
	complains(t, runToEnd(t, "-db", dsn), demoSchema)
	if n := count(t, pool, "SELECT count(*) FROM pg_namespace WHERE nspname = 'fedkit_demo'"); n != 0 {
		t.Error("a start that failed half way leaves a schema behind")
	}
}

func aBusyPortChangesNothing(t *testing.T, s server) {
	dsn, pool := s.database(t)
	busy := strings.TrimPrefix(start(t, "-db", dsn).url, "http://")
	execute(t, pool, "DELETE FROM fedkit_demo.tasks")
	complains(t, runToEnd(t, "-addr", busy, "-db", dsn, "-reset"), busy)
	if n := count(t, pool, "SELECT count(*) FROM fedkit_demo.tasks"); n != 0 {
		t.Errorf("a gateway that cannot listen resets the data nevertheless: there are %d tasks again", n)
	}
}

// hold takes a lock that stops every read of tasks, until the test releases it.
func hold(t *testing.T, pool *sql.DB) (release func()) {
	t.Helper()
	tx, err := pool.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	if _, err := tx.Exec("LOCK TABLE fedkit_demo.tasks IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() { tx.Rollback() }
}

// waits tells if a connection of the database waits for a lock.
func waits(t *testing.T, pool *sql.DB) func() bool {
	return func() bool {
		return count(t, pool, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
	}
}

func aQueryInFlightIsDrained(t *testing.T, s server) {
	dsn, pool := s.database(t)
	p := start(t, "-db", dsn)
	release := hold(t, pool)
	answer := make(chan int, 1)
	request := listRequest(p, firstToken(t, p), "tasks", `{"limit":1}`)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answer <- 0
			return
		}
		response.Body.Close()
		answer <- response.StatusCode
	}()
	programtest.Eventually(t, "the query waits for the lock", waits(t, pool))
	p.Signal(t, syscall.SIGTERM)
	programtest.Eventually(t, "the gateway refuses new connections", p.refusesConnections)
	release()
	if status := <-answer; status != http.StatusOK {
		t.Errorf("the query in flight is answered with %d, want 200", status)
	}
	if code := p.End(t).Code; code != 0 {
		t.Errorf("the gateway ends with %d, want 0", code)
	}
}

func aSignalEndsTheWait(t *testing.T, s server) {
	dsn, pool := s.database(t)
	tx, err := pool.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("SELECT pg_advisory_xact_lock($1)", int64(fillLock)); err != nil {
		t.Fatal(err)
	}
	p := programtest.Start(t, command("-db", dsn))
	programtest.Eventually(t, "the gateway waits for the lock", waits(t, pool))
	p.Signal(t, syscall.SIGTERM)
	if got := p.End(t); got != (programtest.Outcome{}) {
		t.Errorf("a gateway that is stopped while it waits for another ends with %+v, want 0 and silence", got)
	}
}

func anInvalidScopeDenies(t *testing.T, s server) {
	dsn, pool := s.database(t)
	token := firstToken(t, start(t, "-db", dsn))
	execute(t, pool, `UPDATE fedkit_demo.grants SET scope = '{"resources":["everything"],"max_rows_per_query":5}' WHERE token = '`+token+`'`)
	p := start(t, "-db", dsn)
	if status := list(t, p, token, "tasks", 1).status; status != http.StatusForbidden {
		t.Errorf("a grant with an invalid scope is answered with %d, want 403", status)
	}
	if !strings.Contains(p.Stderr.String(), "invalid scope") || !strings.Contains(p.banner, "(invalid scope)") {
		t.Errorf("the invalid scope stands in neither log nor banner; log %q, banner:\n%s", p.Stderr, p.banner)
	}
	other := "demo-2"
	if status := list(t, p, other, "tasks", 1).status; status != http.StatusOK {
		t.Errorf("the grant %s beside an invalid one is answered with %d, want 200", other, status)
	}
}

func TestADatabaseThatIsDownIs503UntilItIsBack(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t)
	p := start(t, "-db", cluster.DSN())
	token := firstToken(t, p)
	if got := list(t, p, token, "tasks", 1).status; got != http.StatusOK {
		t.Fatalf("with the database up the list is answered with %d, want 200", got)
	}
	cluster.Stop(t)
	for range 3 {
		if got := exchange(t, listRequest(p, token, "tasks", `{"limit":1}`)).status; got != http.StatusServiceUnavailable {
			t.Errorf("with the database down the list is answered with %d, want 503", got)
		}
	}
	cluster.Start(t)
	if got := list(t, p, token, "tasks", 1).status; got != http.StatusOK {
		t.Errorf("with the database up again the list is answered with %d, want 200", got)
	}
	cluster.Stop(t)
	complains(t, runToEnd(t, "-db", cluster.DSN()), "the database does not answer")
}

func TestADatabaseURLThatIsNoneIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"host=localhost password=s3cret",
		"mysql://user:s3cret@localhost/db",
		"postgres:user:s3cret@localhost",
		"postgres://user:s3cret%zz@localhost/db",
		"postgres://user:s3cret/x@localhost/db",
		"postgres://user:53437/s3cret@localhost/db",
		"postgres://user:53437?s3cret@localhost/db",
		"postgres://user:53437#s3cret@localhost/db",
		"postgres://user:x@s3cret/y@localhost/db",
		"postgres://user:x@s3cret?y@localhost/db",
		"postgres://user:x@s3cret#y@localhost/db",
		"postgres://user:s3cret@localhost:port/db",
		"postgres://user:s3cret@localhost/db?sslmode=nonsense",
		"postgres://user:s3cret@localhost/db?connect_timeout=x",
		"postgres://user:s3cret@127.0.0.1:1/db?sslmode=disable",
	} {
		got := runToEnd(t, "-db", dsn)
		complains(t, got)
		if strings.Contains(got.Stderr, "s3cret") || strings.Contains(got.Stderr, "53437") {
			t.Errorf("-db %s is answered with %q, which holds of the password", dsn, got.Stderr)
		}
	}
}

func TestADatabaseWithoutTLSIsToldHowToDoWithout(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() { // a Postgres server that knows one letter: no TLS
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 8))
			conn.Write([]byte("N"))
			conn.Close()
		}
	}()
	complains(t, runToEnd(t, "-db", "postgres://user@"+listener.Addr().String()+"/db"), "sslmode=disable")
}

// oneTask is a fixture of one user, one task and one grant.
const oneTask = `{
	"users": [{"id": "user-1", "name": "User", "email": "user@example.test"}],
	"teams": [], "team_members": [],
	"projects": [{"id": "5f557203-3018-50c5-a38f-d547923a7369", "name": "P", "owner_type": "user", "owner_id": "user-1", "team_id": null}],
	"missions": [],
	"tasks": [{"id": "8483f8b8-332d-d331-3a0b-9965cda6c6fd", "title": "the only one", "description": null, "status": "done",
		"priority": "high", "project_id": "5f557203-3018-50c5-a38f-d547923a7369", "mission_id": null, "assignee": null, "tags": [],
		"due_date": null, "metadata": null, "created_at": "2026-06-28T23:42:28.858084Z", "updated_at": "2026-06-28T23:42:28.858084Z"}],
	"mission_tasks": [], "insights": [], "preferences": [],
	"grants": [{"id": "445ca795-b754-d058-23d6-8b9814d8f58e", "peer_id": "peer-1", "subject_user_id": "user-1",
		"scope": {"resources": ["tasks"], "max_rows_per_query": 5}, "status": "active", "token": "only"}]
}`

func writeFixture(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fixture.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
