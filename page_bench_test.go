package fedkit_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

const pageRows = 50

// A recorder is a Querier that remembers the statements, so that the benchmark can run
// the very same ones by hand.
type recorder struct {
	*sql.DB
	statements []statement
}

type statement struct {
	query string
	args  []any
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.statements = append(r.statements, statement{query, args})
	return r.DB.QueryContext(ctx, query, args...)
}

// BenchmarkPage compares a page of 50 tasks through the handler, with all its checks and
// its JSON, with the same SQL run and scanned by hand: the look-up of the subject's teams
// and the statement of the page. The two take turns, so that whatever else the machine
// does slows both. The metrics are medians; "ratio" is the handler's over that by hand,
// "ratio-to-page" the handler's over that of the page's statement alone.
func BenchmarkPage(b *testing.B) {
	db := pgtest.Open(b)
	db.SetMaxIdleConns(4)
	fillTasks(b, db)
	teams, page := pageStatements(b, db)
	gateway := benchmarkGateway(b, db)

	var lookedUp, scanned, handled []time.Duration
	for b.Loop() {
		lookedUp = append(lookedUp, timed(func() { scanTeams(b, db, teams) }))
		scanned = append(scanned, timed(func() { scanTasks(b, db, page) }))
		handled = append(handled, timed(func() { handlePage(b, gateway) }))
	}
	byHand := median(lookedUp) + median(scanned)
	b.ReportMetric(float64(byHand), "ns/by-hand")
	b.ReportMetric(float64(median(handled)), "ns/handler")
	b.ReportMetric(float64(median(handled))/float64(byHand), "ratio")
	b.ReportMetric(float64(median(handled))/float64(median(scanned)), "ratio-to-page")
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// A response is a ResponseWriter that keeps the status alone, as the connection of a
// real server would not keep the body either.
type response struct {
	header http.Header
	status int
}

func (r *response) Header() http.Header {
	if r.header == nil {
		r.header = make(http.Header)
	}
	return r.header
}

func (r *response) WriteHeader(status int)         { r.status = status }
func (r *response) Write(body []byte) (int, error) { return len(body), nil }

// fillTasks stores 2,000 tasks of the subject and of a team.
func fillTasks(b *testing.B, db *sql.DB) {
	for _, statement := range demo.DDL(demo.Postgres, "") {
		if _, err := db.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
	_, err := db.Exec(`
		INSERT INTO users VALUES ('user-1', 'User', 'user-1@example.test');
		INSERT INTO teams VALUES ('00000000-0000-0000-0000-00000000000a', 'Team', 'team', 'user-1', 'user-1');
		INSERT INTO team_members VALUES ('00000000-0000-0000-0000-00000000000a', 'user-1');
		INSERT INTO projects
			SELECT md5('p'||n)::uuid, 'project', CASE n%2 WHEN 0 THEN 'user' ELSE 'team' END,
				CASE n%2 WHEN 0 THEN 'user-1' END,
				CASE n%2 WHEN 1 THEN '00000000-0000-0000-0000-00000000000a'::uuid END
			FROM generate_series(1, 20) n;
		INSERT INTO tasks
			SELECT md5('t'||n)::uuid, 'task '||n, 'what there is to do', 'open', 'high', md5('p'||n%20+1)::uuid,
				NULL, 'user-2', '["a","b"]', now(), '{"k":[1,2,3]}', now() - n * interval '1 minute', now()
			FROM generate_series(1, 2000) n;
		ANALYZE users, teams, team_members, projects, tasks`)
	if err != nil {
		b.Fatal(err)
	}
}

// pageStatements are the statements that listquery runs for the page.
func pageStatements(b *testing.B, db *sql.DB) (teams, page statement) {
	tasks, err := listquery.Tasks(listquery.Schema{TeamsOfMembersOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	r := &recorder{DB: db}
	store, err := listquery.NewStore(r, listquery.Config{Dialect: listquery.Postgres, Resources: []listquery.AnyResource{tasks}})
	if err != nil {
		b.Fatal(err)
	}
	access, err := store.ReadAccess(b.Context(), scope.AccessRequest{Subject: "user-1", Resource: "tasks"})
	if err != nil {
		b.Fatal(err)
	}
	filter := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Limit: pageRows, Teams: access.Teams}
	if _, _, err := store.List(b.Context(), filter, nil); err != nil {
		b.Fatal(err)
	}
	return r.statements[0], r.statements[1]
}

func scanTeams(b *testing.B, db *sql.DB, s statement) {
	rows, err := db.QueryContext(b.Context(), s.query, s.args...)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var team string
	for rows.Next() {
		if err := rows.Scan(&team); err != nil {
			b.Fatal(err)
		}
	}
	if team == "" || rows.Err() != nil {
		b.Fatalf("no team by hand: %v", rows.Err())
	}
}

// scanTasks runs the statement and scans its page into fields.
func scanTasks(b *testing.B, db *sql.DB, s statement) {
	rows, err := db.QueryContext(b.Context(), s.query, s.args...)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var id, title, status, priority string
	var description, project, mission, assignee *string
	var tags, metadata []byte
	var due *time.Time
	var created, updated time.Time
	count := 0
	for count < pageRows && rows.Next() {
		err := rows.Scan(&id, &title, &description, &status, &priority, &project, &mission,
			&assignee, &tags, &due, &metadata, &created, &updated)
		if err != nil {
			b.Fatal(err)
		}
		count++
	}
	if count != pageRows {
		b.Fatalf("%d rows by hand, want %d: %v", count, pageRows, rows.Err())
	}
}

func handlePage(b *testing.B, gateway http.Handler) {
	var answer response
	request := httptest.NewRequest(http.MethodPost, federation.Prefix+"list/tasks", nil)
	request.Header.Set("Authorization", "Bearer secret")
	gateway.ServeHTTP(&answer, request)
	if answer.status != http.StatusOK {
		b.Fatalf("the handler answered %d", answer.status)
	}
}

func benchmarkGateway(b *testing.B, db *sql.DB) http.Handler {
	text := fmt.Sprintf(`{"resources":["tasks"],"max_rows_per_query":%d}`, pageRows)
	granted, err := scope.Parse(scope.Standard(), []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	auth := oneToken{"secret", scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: "user-1", Scope: granted}}
	gateway, err := newGateway(db, auth, []byte("32 bytes from a random source..."))
	if err != nil {
		b.Fatal(err)
	}
	return gateway
}
