package fedkit_test

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// BenchmarkChecks tells what all checks of a page of 50 tasks cost together. "bare" is a
// handler that looks up the subject's teams, reads the page and sends it, and checks
// nothing; "handler" is fedkit's with the parts that it requires; "all" has limits by
// address and by grant, a limit of requests under way, an audit and an observer besides,
// and logs. They take turns, as in BenchmarkPage; the metrics are of the tenth of the
// times that is quickest, those when the machine did nothing else. "overhead" and
// "overhead-all" are in percent of the bare page; the aim is 15 at most. "get" is one row
// with all parts.
func BenchmarkChecks(b *testing.B) {
	db := pgtest.Open(b)
	db.SetMaxIdleConns(4)
	fillTasks(b, db)
	store := taskStore(b, db)
	bare, plain, all := barePage(store), checkedPage(b, store, nil), checkedPage(b, store, everyPart(b))
	var id string
	if err := db.QueryRow("SELECT id FROM tasks LIMIT 1").Scan(&id); err != nil {
		b.Fatal(err)
	}

	var bareTimes, plainTimes, allTimes, getTimes []time.Duration
	for b.Loop() {
		bareTimes = append(bareTimes, timed(func() { handle(b, bare, "list/tasks") }))
		plainTimes = append(plainTimes, timed(func() { handle(b, plain, "list/tasks") }))
		allTimes = append(allTimes, timed(func() { handle(b, all, "list/tasks") }))
		getTimes = append(getTimes, timed(func() { handle(b, all, "get/tasks/"+id) }))
	}
	of := func(times []time.Duration) float64 {
		return 100 * (quick(times)/quick(bareTimes) - 1)
	}
	b.ReportMetric(quick(bareTimes), "ns/bare")
	b.ReportMetric(quick(plainTimes), "ns/handler")
	b.ReportMetric(quick(allTimes), "ns/all")
	b.ReportMetric(quick(getTimes), "ns/get")
	b.ReportMetric(of(plainTimes), "%overhead")
	b.ReportMetric(of(allTimes), "%overhead-all")
}

// quick is the longest of the tenth of the times that is quickest.
func quick(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/10])
}

func handle(b *testing.B, handler http.Handler, path string) {
	var answer response
	// A server's requests can be cancelled, for which drivers keep watch.
	request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, federation.Prefix+path, nil)
	request.Header.Set("Authorization", "Bearer secret")
	handler.ServeHTTP(&answer, request)
	if answer.status != http.StatusOK {
		b.Fatalf("%s is answered with %d", path, answer.status)
	}
}

func taskStore(b *testing.B, db *sql.DB) *listquery.Store {
	tasks, err := listquery.Tasks(listquery.Schema{TeamsOfMembersOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	store, err := listquery.NewStore(db, listquery.Config{Dialect: listquery.Postgres, Resources: []listquery.AnyResource{tasks}})
	if err != nil {
		b.Fatal(err)
	}
	return store
}

// barePage is what a host would write that trusts everybody.
func barePage(store *listquery.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		access, err := store.ReadAccess(r.Context(), scope.AccessRequest{Subject: "user-1", Resource: "tasks"})
		if err != nil {
			http.Error(w, "", http.StatusInternalServerError)
			return
		}
		rows, _, err := store.List(r.Context(), scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Teams: access.Teams, Limit: pageRows}, nil)
		if err != nil {
			http.Error(w, "", http.StatusInternalServerError)
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
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(append(body, "]}"...))
	})
}

// checkedPage is fedkit's handler over the store.
func checkedPage(b *testing.B, store *listquery.Store, tune func(*federation.Config)) http.Handler {
	granted, err := scope.Parse(scope.Standard(), []byte(`{"resources":["tasks"],"max_rows_per_query":50}`))
	if err != nil {
		b.Fatal(err)
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: store})
	if err != nil {
		b.Fatal(err)
	}
	keys, err := cursor.NewKeyring([]byte("32 bytes from a random source..."))
	if err != nil {
		b.Fatal(err)
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		b.Fatal(err)
	}
	cfg := federation.Config{
		Authenticator: oneToken{"secret", scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: "user-1", Scope: granted}},
		Evaluator:     rules, Lister: store, Getter: store, Cursors: cursors,
	}
	if tune != nil {
		tune(&cfg)
	}
	handler, err := federation.NewHandler(cfg)
	if err != nil {
		b.Fatal(err)
	}
	return handler
}

// everyPart plugs in all that is optional. The audit and the log are written to nobody.
func everyPart(b *testing.B) func(*federation.Config) {
	return func(cfg *federation.Config) {
		auditor, err := federation.NewLogAuditor(slog.NewJSONHandler(io.Discard, nil))
		if err != nil {
			b.Fatal(err)
		}
		cfg.Auditor, cfg.Logger = auditor, slog.New(slog.NewJSONHandler(io.Discard, nil))
		cfg.Addresses, cfg.Grants, cfg.Concurrent = new(counters), new(counters), 8
		cfg.Observer = noticing{}
	}
}

// counters is a Limiter that counts and allows.
type counters struct {
	mu    sync.Mutex
	times map[string]int
}

func (c *counters) Allow(key string) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = make(map[string]int)
	}
	c.times[key]++
	return 0, true
}

// noticing is an Observer that takes the time of everything.
type noticing struct{}

type noticed struct{}

func (noticing) Request(r *http.Request, _ string) (context.Context, func(federation.Record)) {
	started := time.Now()
	return context.WithValue(r.Context(), noticed{}, started), func(federation.Record) { _ = time.Since(started) }
}

func (noticing) Part(ctx context.Context, _ string) (context.Context, func(error)) {
	started := time.Now()
	return context.WithValue(ctx, noticed{}, started), func(error) { _ = time.Since(started) }
}
