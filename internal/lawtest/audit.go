package lawtest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/auditsql"
	"github.com/mosaicstack/fedkit/listquery"
)

// auditTrials hold the table of the audit on a real database.
func auditTrials(t *testing.T, open Open) {
	run(t, open, []trial{
		{"has a row for every request, hostile ones included", auditOfEverything},
		{"lets nothing out that it could not write down", auditThatFails},
		{"may lie in a schema and be made twice", auditInSchema},
		{"says which sources a list was of", auditOfSources},
	})
}

// audited makes the table of the audit and an Auditor over it.
func (d DB) audited(t *testing.T, table string) *auditsql.Auditor {
	t.Helper()
	cfg := d.auditConfig(table)
	ddl, err := auditsql.DDL(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, statement := range ddl {
			d.exec(t, statement)
		}
	}
	auditor, err := auditsql.New(d.SQL, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return auditor
}

// auditConfig says where the audit is.
func (d DB) auditConfig(table string) auditsql.Config {
	if d.Dialect == listquery.SQLite {
		return auditsql.Config{Dialect: auditsql.SQLite, Table: table}
	}
	return auditsql.Config{Dialect: auditsql.Postgres, Table: table}
}

// auditTime is a time as an argument for its table.
func (d DB) auditTime(t time.Time) any {
	if d.Dialect == listquery.SQLite {
		return t.UnixMicro()
	}
	return t
}

// count asks for one number.
func (d DB) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := d.SQL.QueryRowContext(t.Context(), d.numbered(query), args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func auditOfEverything(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	fillTransaction(r, e, w)
	w.load(t, db)
	auditor := db.audited(t, "")
	g := newGateway(t, db, func(p *parts) { p.Auditor, p.AuditTimeout = auditor, time.Minute })
	g.grant(t, "grant-1", e.subject, everything(10))
	requests := 0
	answered := func(got reply, status int) {
		t.Helper()
		requests++
		if got.status != status {
			t.Errorf("%d was due, and %v came", status, got)
		}
	}
	page := g.list("grant-1", "tasks", ask(7, ""))
	_, next := page.page(t)
	answered(page, 200)
	answered(g.list("grant-1", "tasks", ask(70, next)), 200)
	answered(g.get("grant-1", "notes", w.notes[0].id), 200)
	answered(g.get("grant-1", "notes", r.uuid()), 404)
	answered(g.list("grant-1", "credentials", ""), 403)
	answered(g.list("nobody", "tasks", ""), 403)
	answered(g.send(http.MethodPut, "/", ""), 404)
	for _, name := range []string{"\x00", "\xff\xfe", "'; DROP TABLE federation_audit; --", `\`, "ü\u2028", strings.Repeat("ü", 5000), "$1", "?"} {
		answered(g.list("grant-1", name, ""), 400)
		answered(g.get("grant-1", "tasks", name), 404)
	}
	if n := db.count(t, "SELECT count(*) FROM federation_audit"); n != requests {
		t.Errorf("%d requests left %d rows", requests, n)
	}
	for where, want := range map[string]int{
		"code = 'ok' AND grant_id = 'grant-1' AND peer_id = 'peer-1' AND subject_id = 'user-1' AND resource = 'tasks' AND row_count = 7 AND limit_asked = '7' AND limit_applied = 7 AND length(filter_hash) = 64": 1,
		"code = 'ok' AND row_count = 10 AND limit_asked = '70' AND limit_applied = 10":                  1,
		"verb = 'get' AND code = 'ok' AND item = '" + w.notes[0].id + "' AND row_count = 1":             1,
		"verb = 'get' AND code = 'item_not_found' AND status = 404 AND row_count = 0":                   9,
		"code = 'resource_not_granted' AND stage = 'resource_allowlist' AND status = 403":               1,
		"code = 'grant_unknown' AND stage = 'grant' AND grant_id = '' AND byte_count > 0":               1,
		"verb = '' AND code = 'bad_path'":                                                               1,
		"code = 'invalid_resource' AND limit_applied = 0 AND filter_hash = '' AND length(resource) > 0": 8,
		"request_id = 'law' AND latency_us >= 0":                                                        requests,
	} {
		if n := db.count(t, "SELECT count(*) FROM federation_audit WHERE "+where); n != want {
			t.Errorf("%d rows have %s, and %d were due", n, where, want)
		}
	}
	hourAgo := db.auditTime(time.Now().Add(-time.Hour))
	if n := db.count(t, "SELECT count(*) FROM federation_audit WHERE at > ?", hourAgo); n != requests {
		t.Errorf("%d of %d rows are of this hour", n, requests)
	}
}

func auditOfSources(t *testing.T, open Open) {
	db := open(t)
	auditor := db.audited(t, "")
	for _, r := range []federation.Record{
		{Time: noon},
		{Time: noon, Source: "all", Partial: true, Sources: []federation.SourceStatus{
			{Name: "local", State: federation.SourceOK},
			{Name: "peer:b", State: federation.SourceFailed, Code: federation.ErrTimeout},
		}},
	} {
		if err := auditor.Audit(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, where := range []string{
		"source = '' AND sources = '' AND NOT partial",
		`source = 'all' AND sources = '[{"name":"local","state":"ok"},{"name":"peer:b","state":"failed","code":"timeout"}]' AND partial`,
	} {
		if n := db.count(t, "SELECT count(*) FROM federation_audit WHERE "+where); n != 1 {
			t.Errorf("%d rows have %s", n, where)
		}
	}
}

func auditThatFails(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	fillTransaction(r, e, w)
	w.load(t, db)
	auditor := db.audited(t, "")
	strict := newGateway(t, db, func(p *parts) { p.Auditor, p.AuditTimeout = auditor, time.Minute })
	strict.grant(t, "grant-1", e.subject, everything(10))
	queue, err := federation.NewAuditQueue(federation.AuditQueueConfig{Auditor: auditor})
	if err != nil {
		t.Fatal(err)
	}
	lenient := newGateway(t, db, func(p *parts) { p.Auditor = queue })
	lenient.grant(t, "grant-1", e.subject, everything(10))

	db.exec(t, "DROP TABLE federation_audit")
	strict.list("grant-1", "tasks", "").refused(t, "a page that cannot be written down", http.StatusServiceUnavailable, "unavailable")
	strict.get("grant-1", "tasks", w.tasks[0].id).refused(t, "a row that cannot be written down", http.StatusServiceUnavailable, "unavailable")
	strict.list("grant-1", "credentials", "").refused(t, "a denial that cannot be written down", http.StatusServiceUnavailable, "unavailable")
	if items, _ := lenient.list("grant-1", "tasks", "").page(t); len(items) != 10 {
		t.Errorf("the page of a gateway that audits as it can has %d rows", len(items))
	}
	if err := queue.Close(context.Background()); err != nil || queue.Failed() != 1 {
		t.Errorf("the queue closes with %v, %d records failed", err, queue.Failed())
	}
}

func auditInSchema(t *testing.T, open Open) {
	db := open(t)
	table := "main.of_peers"
	if db.Dialect == listquery.Postgres {
		var schema string
		if err := db.SQL.QueryRowContext(t.Context(), "SELECT current_schema").Scan(&schema); err != nil {
			t.Fatal(err)
		}
		table = schema + "." + strings.Repeat("of_peers", 7)
	}
	if err := db.audited(t, table).Audit(t.Context(), federation.Record{Time: noon}); err != nil {
		t.Fatal(err)
	}
	if n := db.count(t, "SELECT count(*) FROM "+table); n != 1 {
		t.Errorf("the table %s has %d rows", table, n)
	}
}
