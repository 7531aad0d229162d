package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// auditorFunc is an Auditor.
type auditorFunc func(ctx context.Context, r Record) error

func (f auditorFunc) Audit(ctx context.Context, r Record) error { return f(ctx, r) }

// A journal is an Auditor that remembers.
type journal struct {
	mu      sync.Mutex
	records []Record
}

func (j *journal) Audit(_ context.Context, r Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	return nil
}

func (j *journal) kept() []Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.records)
}

// mustOne returns the only record.
func (j *journal) mustOne(tb testing.TB, what string) Record {
	tb.Helper()
	records := j.kept()
	if len(records) != 1 {
		tb.Fatalf("%s left %d records: %+v", what, len(records), records)
	}
	return records[0]
}

// Every row of the table, for each verb: one record, which says what the wire does and
// what the log does.
func TestEachDecisionIsOneRecord(t *testing.T) {
	forEachCondition(t, func(name string, s *situation, c condition) {
		kept := new(journal)
		s.host.auditor = kept
		got := s.serve(t)
		r := kept.mustOne(t, name)
		line := s.host.log.last(t)
		if r.RequestID != got.Header().Get("X-Request-ID") || r.Status != got.Code || r.Bytes != got.Body.Len() || r.Code != string(c.code) {
			t.Errorf("%s: the record is of request %s, status %d, %d bytes, code %s", name, r.RequestID, r.Status, r.Bytes, r.Code)
		}
		for field, value := range map[string]any{
			"verb": r.Verb, "resource": r.Resource, "code": r.Code, "stage": r.Stage,
			"grant": r.Grant, "peer": r.Peer, "subject": r.Subject, "rows": float64(r.Rows),
		} {
			if line[field] != value {
				t.Errorf("%s: the record has %s %v, the log %v", name, field, value, line[field])
			}
		}
		if (r.Rows > 0) != (c.wire == "" && c.name != "14 nothing left") {
			t.Errorf("%s: the record says %d rows", name, r.Rows)
		}
		if r.Time.IsZero() || r.Time.Location() != time.UTC || r.Latency < 0 {
			t.Errorf("%s: the record is of %v after %v", name, r.Time, r.Latency)
		}
	})
}

func TestTheRecordOfAPageHasItsLimitsAndItsFilter(t *testing.T) {
	h, kept := newHost(t), new(journal)
	h.auditor = kept
	h.post(t, "tasks", `{"limit":"70"}`)
	want := Record{
		Grant: "grant-1", Peer: "peer-1", Subject: "user-1", Revision: 1, Verb: "list", Resource: "tasks", Known: true, Status: 200, Code: "ok",
		LimitAsked: "70", LimitApplied: 25, Rows: 25,
		Filter: filterHash(scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Teams: []string{"team-1"}}),
	}
	ignored := cmpopts.IgnoreFields(Record{}, "Time", "RequestID", "Bytes", "Latency")
	if diff := cmp.Diff(want, kept.kept()[0], ignored); diff != "" {
		t.Errorf("the record of a page (-want +got):\n%s", diff)
	}
	h.getItem(t, "tasks", "7")
	want.Verb, want.Item, want.LimitAsked, want.LimitApplied, want.Rows = "get", "7", "not asked", 1, 1
	if diff := cmp.Diff(want, kept.kept()[1], ignored); diff != "" {
		t.Errorf("the record of a get (-want +got):\n%s", diff)
	}
	h.post(t, "tasks", `{"limit":0}`)
	if r := kept.kept()[2]; r.LimitAsked != "invalid" || r.LimitApplied != 0 || r.Filter != "" || r.Code != "invalid_limit" {
		t.Errorf("the record of a bad limit is %+v", r)
	}
}

func TestFiltersThatAllowOtherRowsHaveOtherHashes(t *testing.T) {
	base := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Teams: []string{"a", "bc"}, Limit: 5}
	seen := map[string]string{filterHash(base): "the base"}
	for name, change := range map[string]func(*scope.Filter){
		"resource":    func(f *scope.Filter) { f.Resource = "notes" },
		"subject":     func(f *scope.Filter) { f.Subject = "user-2" },
		"personal":    func(f *scope.Filter) { f.Personal = false },
		"no teams":    func(f *scope.Filter) { f.Teams = nil },
		"a team less": func(f *scope.Filter) { f.Teams = []string{"a"} },
		"other cut":   func(f *scope.Filter) { f.Teams = []string{"ab", "c"} },
		"one team":    func(f *scope.Filter) { f.Teams = []string{"abc"} },
	} {
		f := base
		change(&f)
		if other, twice := seen[filterHash(f)]; twice {
			t.Errorf("another %s has the hash of %s", name, other)
		}
		seen[filterHash(f)] = name
	}
	limited := base
	limited.Limit = 6
	if filterHash(limited) != filterHash(base) {
		t.Error("the limit plays a part in the hash")
	}
}

// auditFaults are the ways in which an Auditor may not keep a record.
var auditFaults = map[string]auditorFunc{
	"returns an error":       func(context.Context, Record) error { return errors.New("canary: disk full") },
	"returns a broken error": func(context.Context, Record) error { return (*brokenError)(nil) },
	"returns a vicious one":  func(context.Context, Record) error { return viciousError{} },
	"panics":                 func(context.Context, Record) error { panic("canary") },
	"panics with nil":        func(context.Context, Record) error { panic(nil) },
	"hangs":                  func(ctx context.Context, _ Record) error { <-ctx.Done(); return ctx.Err() },
	"is late":                func(ctx context.Context, _ Record) error { <-ctx.Done(); return nil },
}

// Without its record no answer leaves, whatever it would have been. All that do not are
// the same bytes, so that an audit that is down tells nothing either.
func TestNothingLeavesWithoutItsRecord(t *testing.T) {
	var first string
	for fault, auditor := range auditFaults {
		for _, table := range decisionTests() {
			for _, c := range table.conditions {
				synctest.Test(t, func(t *testing.T) {
					s := table.situation(t)
					c.hold(s)
					calls := 0
					s.host.auditor = auditorFunc(func(ctx context.Context, r Record) error { calls++; return auditor(ctx, r) })
					started := time.Now()
					got := s.serve(t)
					if first == "" {
						first = bytesOf(got)
					}
					if got.Code != http.StatusServiceUnavailable || bytesOf(got) != first || calls != 1 {
						t.Errorf("%s, an auditor that %s, asked %d times: the answer is\n%s", c.name, fault, calls, bytesOf(got))
					}
					if waited := time.Since(started); waited > defaultAuditTimeout {
						t.Errorf("%s, an auditor that %s: the answer took %v", c.name, fault, waited)
					}
					line := s.host.log.last(t)
					if line["code"] != "audit_failed" || line["stage"] != "audit" || line["rows"] != 0.0 || line["level"] != "ERROR" || !strings.Contains(fmt.Sprint(line["err"]), string(c.code)) {
						t.Errorf("%s, an auditor that %s: the log says %v", c.name, fault, line)
					}
				})
			}
		}
	}
}

// Law 10 with an auditor that is slow. P is the request, Q the host:
//
//	P: authenticate, list, authenticate again, audit …
//	                                                     Q: revoke
//	P: … kept. Authenticate once more -> 403, the page is thrown away
func TestAGrantRevokedWhileItsPageIsAuditedGetsNothing(t *testing.T) {
	for _, path := range []string{"list/tasks", "get/tasks/7", "get/tasks/none"} {
		for name, test := range map[string]struct {
			takes   time.Duration
			revoked bool
			status  int
			codes   string
			asked   int64
		}{
			"slow, revoked":       {slowAudit + 1, true, 403, " grant_revoked", 3},
			"slow, and it stands": {slowAudit + 1, false, 0, "", 3},
			"fast":                {slowAudit, true, 0, "", 2},
		} {
			synctest.Test(t, func(t *testing.T) {
				h, kept := newHost(t), new(journal)
				want, code := h.serve(t, newPost(Prefix+path, "")), h.log.last(t)["code"].(string)
				h, revoked := newHost(t), false
				h.authenticate = func(r *http.Request) (scope.Grant, error) {
					if err := r.Context().Err(); err != nil {
						t.Errorf("%s, %s: the authenticator is asked in a context with %v", path, name, err)
					}
					if revoked {
						return scope.Grant{}, ErrGrantRevoked
					}
					return h.grant, nil
				}
				h.auditor = auditorFunc(func(ctx context.Context, r Record) error {
					time.Sleep(test.takes)
					revoked = test.revoked
					return kept.Audit(ctx, r)
				})
				got := h.serve(t, newPost(Prefix+path, ""))
				if test.status == 0 && bytesOf(got) != bytesOf(want) {
					t.Errorf("%s, %s: the answer is\n%s\nand not\n%s", path, name, bytesOf(got), bytesOf(want))
				}
				if test.status != 0 && (got.Code != test.status || mustError(t, got) != "forbidden") {
					t.Errorf("%s, %s: the answer is %d %s", path, name, got.Code, got.Body)
				}
				codes := ""
				for _, r := range kept.kept() {
					codes += " " + r.Code
				}
				if codes != " "+code+test.codes || h.authenticated.Load() != test.asked {
					t.Errorf("%s, %s: the records are%s after %d looks at the grant, want %s%s after %d", path, name, codes, h.authenticated.Load(), code, test.codes, test.asked)
				}
			})
		}
	}
}

// deafWriter notes how many records were there when the first of the answer came.
type deafWriter struct {
	http.ResponseWriter
	before func() int
	seen   int
}

func (w *deafWriter) WriteHeader(status int) {
	w.seen = w.before()
	w.ResponseWriter.WriteHeader(status)
}

func TestTheRecordIsThereBeforeTheAnswerLeaves(t *testing.T) {
	h, kept := newHost(t), new(journal)
	h.auditor = kept
	w := &deafWriter{ResponseWriter: newRecorder(), before: func() int { return len(kept.kept()) }}
	h.serving(t).ServeHTTP(w, newPost(Prefix+"list/tasks", ""))
	if w.seen != 1 {
		t.Errorf("%d records were kept when the answer left", w.seen)
	}
}

// Who hangs up is in the audit like anybody else, and the auditor's context lives on.
func TestADecisionThatNobodyWaitsForIsKept(t *testing.T) {
	h, kept := newHost(t), new(journal)
	type key struct{}
	ctx, hangUp := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		hangUp()
		return nil, nil, errors.New("gone")
	}
	h.auditor = auditorFunc(func(ctx context.Context, r Record) error {
		if _, limited := ctx.Deadline(); ctx.Err() != nil || !limited || ctx.Value(key{}) != "value" {
			t.Errorf("the auditor's context is %v", ctx)
		}
		return kept.Audit(ctx, r)
	})
	h.serve(t, newPost(Prefix+"list/tasks", "").WithContext(ctx))
	if r := kept.mustOne(t, "a client that hangs up"); r.Code != "client_gone" || r.Status != 499 || r.Grant != "grant-1" || r.Rows != 0 {
		t.Errorf("the record is %+v", r)
	}
}

func TestAnAbortIsKept(t *testing.T) {
	h, kept := newHost(t), new(journal)
	h.auditor = kept
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		panic(http.ErrAbortHandler)
	}
	func() {
		defer func() { _ = recover() }()
		h.serving(t).ServeHTTP(newRecorder(), newPost(Prefix+"list/tasks", ""))
	}()
	if r := kept.mustOne(t, "an abort"); r.Code != "aborted" || r.Status != 0 || r.Grant != "grant-1" {
		t.Errorf("the record is %+v", r)
	}
}

// Bodies, rows, cursors, errors and credentials have canaries in them; no record has.
func TestNoCanaryIsEverInTheAudit(t *testing.T) {
	const canary = "canary"
	h, kept := newHost(t), new(journal)
	var lines bytes.Buffer
	toLog, err := NewLogAuditor(slog.NewJSONHandler(&lines, nil))
	if err != nil {
		t.Fatal(err)
	}
	h.auditor = auditorFunc(func(ctx context.Context, r Record) error {
		return errors.Join(kept.Audit(ctx, r), toLog.Audit(ctx, r))
	})
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return []json.RawMessage{json.RawMessage(`{"title":"canary"}`)}, cursor.Position{cursor.Int64Value(1)}, nil
	}
	h.get = func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) {
		return json.RawMessage(`{"title":"canary"}`), true, nil
	}
	token := mustPage(t, h.post(t, "tasks", "", "Authorization", "Bearer canary")).NextCursor
	h.post(t, "tasks", `{"cursor":"`+token+`"}`)
	h.post(t, "tasks", `{"cursor":"canary"}`)
	h.post(t, "tasks", `{"limit":"canary"}`)
	h.post(t, "tasks", `{"canary":1}`)
	h.post(t, "tasks", `canary`)
	h.getItem(t, "tasks", "7", "Cookie", "canary")
	h.list = failing(errors.New(canary))
	h.post(t, "tasks", "")
	refusing(errors.Join(ErrGrantRevoked, errors.New(canary)))(h)
	h.post(t, "tasks", "")
	text, err := json.Marshal(kept.kept())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{canary, token} {
		if strings.Contains(string(text), secret) || strings.Contains(lines.String(), secret) {
			t.Errorf("%q is in the audit:\n%s\n%s", secret, text, &lines)
		}
	}
	if len(kept.kept()) != 9 {
		t.Errorf("%d records were kept", len(kept.kept()))
	}
}

// A hostile name must not make a database refuse the record.
func TestWhatIsAuditedIsTextThatEveryDatabaseTakes(t *testing.T) {
	h, kept := newHost(t), new(journal)
	h.auditor = kept
	h.grant.Peer = "peer\x00\xff"
	for _, name := range []string{"\x00", "a\x00b", "\xff\xfe", "ü\xc3", strings.Repeat("ü", 1<<20), strings.Repeat("\x00", 1<<20), strings.Repeat("\xff", 300)} {
		h.post(t, name, "")
		h.getItem(t, "tasks", name)
		h.getItem(t, name, name)
	}
	for _, r := range kept.kept() {
		for _, text := range []string{r.Resource, r.Item, r.Peer} {
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") || len(text) > maxLoggedName {
				t.Errorf("%.200q is audited", text)
			}
		}
		if r.Status >= 500 {
			t.Errorf("%.80q is answered with %d", r.Resource, r.Status)
		}
	}
}

// Known resources make labels of metrics; what a client made up does not.
func TestAResourceIsKnownOnceTheRegistryHasSaidSo(t *testing.T) {
	known := map[string]bool{}
	forEachCondition(t, func(name string, s *situation, c condition) {
		kept := new(journal)
		s.host.auditor = kept
		s.serve(t)
		row, _, _ := strings.Cut(c.name, " ")
		want := !slices.Contains([]string{"1", "2", "3", "4", "5", "6"}, row)
		if r := kept.mustOne(t, name); r.Known != want {
			t.Errorf("%s: the resource %q is known: %t", name, r.Resource, r.Known)
		}
		known[row] = true
	})
}

func TestTheLogAuditorWritesEveryFieldWhateverTheLevel(t *testing.T) {
	var text bytes.Buffer
	auditor, err := NewLogAuditor(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 6, 24, 3, 0, 0, 0, time.UTC)
	record := Record{at, "id", "g", "p", "s", 3, "a", "get", "tasks", true, "7", 200, "ok", "after", "not asked", 1, 2, 3, SourceAll,
		[]SourceStatus{{"local", SourceOK, ""}, {"peer:b", SourceFailed, ErrTimeout}}, true, "hash", time.Millisecond}
	if err := auditor.Audit(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-06-24T03:00:00Z","level":"INFO","msg":"federation audit","request_id":"id","grant":"g","peer":"p","subject":"s","revision":3,"actor":"a",` +
		`"verb":"get","resource":"tasks","known":true,"item":"7","status":200,"code":"ok","stage":"after","limit_asked":"not asked","limit":1,` +
		`"rows":2,"bytes":3,"source":"all","sources":"local ok, peer:b failed (timeout)","partial":true,"filter":"hash","latency":1000000}` + "\n"
	if text.String() != want {
		t.Errorf("the line is\n%s\nand not\n%s", &text, want)
	}
}

// brokenPipe is a writer that nobody reads from any more.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestALogThatCannotBeWrittenStopsTheAnswer(t *testing.T) {
	h := newHost(t)
	var err error
	if h.auditor, err = NewLogAuditor(slog.NewTextHandler(brokenPipe{}, nil)); err != nil {
		t.Fatal(err)
	}
	if got := h.post(t, "tasks", ""); got.Code != http.StatusServiceUnavailable {
		t.Errorf("the answer is %d %s", got.Code, got.Body)
	}
	if auditor, err := NewLogAuditor(nil); auditor != nil || err == nil {
		t.Error("an auditor to no handler is made")
	}
}
