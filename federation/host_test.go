package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/internal/programtest"
	"github.com/mosaicstack/fedkit/scope"
)

// grantedScope grants tasks, notes, memory and api_keys, excludes credentials, and
// caps pages at 25 rows.
const grantedScope = `{"resources":["tasks","notes","memory","api_keys"],
	"excluded_resources":["credentials"],"max_rows_per_query":25}`

// storedRows is how many rows each resource of a host has.
const storedRows = 60

// A host is what a handler is plugged into. Each func may be replaced before the
// first request; calls to it are counted.
type host struct {
	grant        scope.Grant
	authenticate func(r *http.Request) (scope.Grant, error)
	native       func(ctx context.Context, req scope.AccessRequest) (scope.Access, error)
	layout       func(resource string) (cursor.Layout, bool)
	list         func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error)
	get          func(ctx context.Context, f scope.Filter, id string) (json.RawMessage, bool, error) // nil: not served
	evaluator    scope.Evaluator                                                                     // nil: scope.Rules over native
	auditor      Auditor
	concurrent   int
	observer     Observer
	underWay     int // requests of the grant that do not end
	addresses    Limiter
	grants       Limiter
	cursors      *cursor.Codec
	timeout      time.Duration // 0: the handler's default
	contract     bool
	fanOut       *FanOut

	authenticated, nativeAsked, layoutAsked, listed, got atomic.Int64

	log     logLines
	once    sync.Once
	built   *handler
	handler http.Handler // built, and watched
}

// newHost returns a host whose grant shows tasks, notes and memory.
func newHost(tb testing.TB) *host {
	tb.Helper()
	h := &host{grant: newGrant(tb, grantedScope), cursors: newCodec(tb, cursor.Config{}), timeout: testWait}
	h.authenticate = func(*http.Request) (scope.Grant, error) { return h.grant, nil }
	h.native = func(_ context.Context, req scope.AccessRequest) (scope.Access, error) {
		listed := req.Resource == "tasks" || req.Resource == "notes" || req.Resource == "memory"
		return scope.Access{Allowed: listed, Personal: true, Teams: []string{"team-1"}}, nil
	}
	layout := newLayout(tb)
	h.layout = func(resource string) (cursor.Layout, bool) {
		return layout, resource == "tasks" || resource == "notes" || resource == "memory"
	}
	h.list = listNumbers
	h.get = getNumber
	return h
}

func newGrant(tb testing.TB, stored string) scope.Grant {
	tb.Helper()
	parsed, err := scope.Parse(scope.Standard(), []byte(stored))
	if err != nil {
		tb.Fatalf("the scope %s does not parse: %v", stored, err)
	}
	return scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: "user-1", Revision: 1, Scope: parsed}
}

func newLayout(tb testing.TB) cursor.Layout {
	tb.Helper()
	layout, err := cursor.NewLayout("number asc; v1", cursor.Field{Kind: cursor.KindInt64})
	if err != nil {
		tb.Fatalf("the layout of the numbers is refused: %v", err)
	}
	return layout
}

// newCodec returns a sealing codec with the one key that all hosts share, unless
// cfg brings its own.
func newCodec(tb testing.TB, cfg cursor.Config) *cursor.Codec {
	tb.Helper()
	if cfg.Keys == nil {
		cfg.Keys = newKeyring(tb, "k")
	}
	codec, err := cursor.New(cfg)
	if err != nil {
		tb.Fatalf("the codec is refused: %v", err)
	}
	return codec
}

func newKeyring(tb testing.TB, letter string) *cursor.Keyring {
	tb.Helper()
	keys, err := cursor.NewKeyring([]byte(strings.Repeat(letter, 32)))
	if err != nil {
		tb.Fatalf("the keyring is refused: %v", err)
	}
	return keys
}

// listNumbers is a list of the rows {"id":"1"} to {"id":"60"}.
func listNumbers(_ context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	var last int64
	if after != nil {
		last = after[0].Int64()
	}
	var rows []json.RawMessage
	for last < storedRows && len(rows) < f.Limit {
		last++
		rows = append(rows, json.RawMessage(fmt.Sprintf(`{"id":"%d"}`, last)))
	}
	if last == storedRows {
		return rows, nil, nil
	}
	return rows, cursor.Position{cursor.Int64Value(last)}, nil
}

// getNumber finds the rows that listNumbers lists.
func getNumber(_ context.Context, _ scope.Filter, id string) (json.RawMessage, bool, error) {
	n, err := strconv.Atoi(id)
	if err != nil || strconv.Itoa(n) != id || n < 1 || n > storedRows {
		return nil, false, nil
	}
	return json.RawMessage(`{"id":"` + id + `"}`), true, nil
}

func (h *host) Authenticate(r *http.Request) (scope.Grant, error) {
	h.authenticated.Add(1)
	return h.authenticate(r)
}

func (h *host) ReadAccess(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
	h.nativeAsked.Add(1)
	return h.native(ctx, req)
}

func (h *host) Layout(resource string) (cursor.Layout, bool) {
	h.layoutAsked.Add(1)
	return h.layout(resource)
}

func (h *host) List(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	h.listed.Add(1)
	return h.list(ctx, f, after)
}

func (h *host) Get(ctx context.Context, f scope.Filter, id string) (json.RawMessage, bool, error) {
	h.got.Add(1)
	return h.get(ctx, f, id)
}

// reads is how often rows were asked for.
func (h *host) reads() int64 { return h.listed.Load() + h.got.Load() }

// serving returns the handler of the host as it is by now. It logs to h.log, and the
// contract has all that it answers.
func (h *host) serving(tb testing.TB) http.Handler {
	tb.Helper()
	h.once.Do(func() {
		h.built = h.build(tb, slog.New(slog.NewJSONHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		h.handler = contracttest.Watch(tb, h.built)
	})
	return h.handler
}

// quiet returns a handler of the host that logs nothing, for measurements and to be
// watched by the caller.
func (h *host) quiet(tb testing.TB) http.Handler {
	tb.Helper()
	return h.build(tb, nil)
}

func (h *host) build(tb testing.TB, logger *slog.Logger) *handler {
	tb.Helper()
	if h.evaluator == nil {
		h.evaluator = newRules(tb, h)
	}
	cfg := Config{
		Authenticator: h, Evaluator: h.evaluator, Lister: h, Cursors: h.cursors,
		Addresses: h.addresses, Grants: h.grants, Timeout: h.timeout, Logger: logger,
		Auditor: h.auditor, Concurrent: h.concurrent, Observer: h.observer, Contract: h.contract,
		FanOut: h.fanOut,
	}
	if h.get != nil {
		cfg.Getter = h
	}
	built, err := NewHandler(cfg)
	if err != nil {
		tb.Fatalf("the handler is refused: %v", err)
	}
	for range h.underWay {
		built.(*handler).running.enter(h.grant.ID)
	}
	return built.(*handler)
}

// busy makes the grant have as many requests under way as it may have.
func (h *host) busy() { h.concurrent, h.underWay = 1, 1 }

func newRules(tb testing.TB, native scope.NativeRBAC) *scope.Rules {
	tb.Helper()
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: native, Timeout: testWait})
	if err != nil {
		tb.Fatalf("the rules are refused: %v", err)
	}
	return rules
}

// serve answers r.
func (h *host) serve(tb testing.TB, r *http.Request) *httptest.ResponseRecorder {
	tb.Helper()
	recorder := httptest.NewRecorder()
	h.serving(tb).ServeHTTP(recorder, r)
	return recorder
}

// post asks for a page of resource; header holds pairs of name and value.
func (h *host) post(tb testing.TB, resource, body string, header ...string) *httptest.ResponseRecorder {
	tb.Helper()
	return h.serve(tb, newPost(Prefix+"list/"+resource, body, header...))
}

// getItem asks for one row of resource.
func (h *host) getItem(tb testing.TB, resource, id string, header ...string) *httptest.ResponseRecorder {
	tb.Helper()
	return h.serve(tb, newPost(Prefix+"get/"+resource+"/"+id, "", header...))
}

// newPost returns a POST with a JSON body, or with none if body is empty.
func newPost(target, body string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.URL.Path = target
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// listResponse is the body of a 200, read the way a peer reads it.
type listResponse struct {
	Items      []map[string]any `json:"items"`
	NextCursor string           `json:"nextCursor"`
	Truncated  bool             `json:"_truncated"`
}

// mustPage reads the page of a 200.
func mustPage(tb testing.TB, response *httptest.ResponseRecorder) listResponse {
	tb.Helper()
	if response.Code != http.StatusOK {
		tb.Fatalf("the list answers %d %s where a page was due", response.Code, response.Body)
	}
	var page listResponse
	if err := json.Unmarshal(response.Body.Bytes(), &page); err != nil {
		tb.Fatalf("the page %s is no JSON: %v", response.Body, err)
	}
	return page
}

// mustItem reads the row of a 200.
func mustItem(tb testing.TB, response *httptest.ResponseRecorder) map[string]any {
	tb.Helper()
	var answer struct {
		Item map[string]any `json:"item"`
	}
	decoder := json.NewDecoder(bytes.NewReader(response.Body.Bytes()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&answer); response.Code != http.StatusOK || err != nil || answer.Item == nil {
		tb.Fatalf("get answers %d %s where a row was due: %v", response.Code, response.Body, err)
	}
	return answer.Item
}

// mustError returns the code of an error envelope, which must have nothing else
// than a code and a message.
func mustError(tb testing.TB, response *httptest.ResponseRecorder) string {
	tb.Helper()
	var envelope wireError
	decoder := json.NewDecoder(bytes.NewReader(response.Body.Bytes()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&envelope); err != nil {
		tb.Fatalf("%d %s is no error envelope: %v", response.Code, response.Body, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		tb.Fatalf("something follows the error envelope in %s", response.Body)
	}
	if envelope.Error.Message == "" {
		tb.Errorf("the error %s has no message", response.Body)
	}
	if envelope.Error.Details != nil && envelope.Error.Code != wireUnavailable {
		tb.Errorf("the error %s has details", response.Body)
	}
	return envelope.Error.Code
}

// bytesOf renders all that a peer sees of a response but the request id, which
// differs from request to request.
func bytesOf(response *httptest.ResponseRecorder) string {
	header := response.Result().Header.Clone()
	header.Del(requestIDHeader)
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", response.Code)
	_ = header.Write(&b) // sorted by name
	b.WriteString("\n" + response.Body.String())
	return b.String()
}

// logLines collects log lines, also of several requests at once.
type logLines struct{ programtest.Notes }

// lines returns the lines so far.
func (l *logLines) lines(tb testing.TB) []map[string]any {
	tb.Helper()
	var lines []map[string]any
	decoder := json.NewDecoder(strings.NewReader(l.String()))
	for decoder.More() {
		var line map[string]any
		if err := decoder.Decode(&line); err != nil {
			tb.Fatalf("the log is no JSON: %v", err)
		}
		lines = append(lines, line)
	}
	return lines
}

// last returns the line of the last request.
func (l *logLines) last(tb testing.TB) map[string]any {
	tb.Helper()
	lines := l.lines(tb)
	if len(lines) == 0 {
		tb.Fatal("the request left no line in the log")
	}
	return lines[len(lines)-1]
}
