package lawtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/scope"
)

// grants is an Authenticator that keeps everything in memory, so that whatever
// the database counts was asked by somebody else. The bearer token of a grant is
// the key of the map.
type grants struct {
	mu      sync.Mutex
	byToken map[string]scope.Grant
	errs    map[string]error
}

func (g *grants) Authenticate(r *http.Request) (scope.Grant, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return scope.Grant{}, federation.ErrNoCredential
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.errs[token]; err != nil {
		return scope.Grant{}, err
	}
	grant, ok := g.byToken[token]
	if !ok {
		return scope.Grant{}, federation.ErrGrantUnknown
	}
	return grant, nil
}

// give makes the token stand for the grant from now on.
func (g *grants) give(token string, grant scope.Grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byToken[token] = grant
}

// fail makes the token fail from now on.
func (g *grants) fail(token string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errs[token] = err
}

// gateway is federation's handler with a store behind it.
type gateway struct {
	db      DB
	handler http.Handler
	grants  *grants
	codec   *cursor.Codec
}

// parts are what a test may exchange in a gateway before it is built.
type parts struct {
	federation.Config
	Registry scope.Registry
	Native   scope.NativeRBAC
	Patience time.Duration // of native access
}

// lawKey is fixed, so that two gateways make the same cursors.
var lawKey = bytes.Repeat([]byte("fedkit law "), 4)

// sealed is the codec that a host would use.
func sealed(t *testing.T) *cursor.Codec { return codecOf(t, cursor.Sealed) }

func codecOf(t *testing.T, form cursor.Form) *cursor.Codec {
	t.Helper()
	cfg := cursor.Config{Form: form}
	if form != cursor.Plain {
		keys, err := cursor.NewKeyring(lawKey)
		if err != nil {
			t.Fatalf("the key ring: %v", err)
		}
		cfg.Keys = keys
	}
	codec, err := cursor.New(cfg)
	if err != nil {
		t.Fatalf("the cursor codec: %v", err)
	}
	return codec
}

// newGateway composes a gateway in front of the database, after tune has had its
// way with the parts.
func newGateway(t *testing.T, db DB, tune ...func(*parts)) gateway {
	t.Helper()
	s := db.store(t)
	g := &grants{byToken: map[string]scope.Grant{}, errs: map[string]error{}}
	// On a machine that does a hundred things, the database may be slow.
	p := parts{Registry: scope.Standard(), Native: s, Patience: time.Minute}
	p.Timeout = 2 * time.Minute
	p.Authenticator, p.Lister, p.Getter, p.Cursors = g, s, s, sealed(t)
	for _, f := range tune {
		f(&p)
	}
	if p.Evaluator == nil {
		rules, err := scope.NewRules(scope.Config{Registry: p.Registry, Native: p.Native, Timeout: p.Patience})
		if err != nil {
			t.Fatalf("the rules: %v", err)
		}
		p.Evaluator = rules
	}
	handler, err := federation.NewHandler(p.Config)
	if err != nil {
		t.Fatalf("the handler: %v", err)
	}
	return gateway{db: db, handler: contracttest.WatchRows(t, handler), grants: g, codec: p.Cursors}
}

// terms are what a stored scope says.
type terms struct {
	Resources []string               `json:"resources"`
	Excluded  []string               `json:"excluded_resources,omitempty"`
	Filters   map[string]filterTerms `json:"filters,omitempty"`
	Cap       int                    `json:"max_rows_per_query"`
}

type filterTerms struct {
	Teams    *[]string `json:"include_teams,omitempty"`
	Personal *bool     `json:"include_personal,omitempty"`
}

// everything grants all that can be listed, by pages of up to n rows.
func everything(n int) terms { return terms{Resources: resources, Cap: n} }

// scope parses the terms as a host does.
func (k terms) scope(t *testing.T) scope.Scope {
	t.Helper()
	data, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scope.Parse(scope.Standard(), data)
	if err != nil {
		t.Fatalf("the scope %s is refused: %v", data, err)
	}
	return sc
}

// grant stores a grant of these terms under the token, which is its id too.
func (g gateway) grant(t *testing.T, token, subject string, k terms) {
	t.Helper()
	g.grants.give(token, scope.Grant{ID: token, Peer: "peer-1", Subject: subject, Revision: 1, Scope: k.scope(t)})
}

// reply is a response as the peer sees it.
type reply struct {
	status int
	header http.Header
	body   string
}

// send asks the gateway; the header is a list of names and values. Any method
// and any path will do, those no URL parser would let through included.
func (g gateway) send(method, path, body string, header ...string) reply {
	r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
	r.Method, r.URL, r.RequestURI = method, &url.URL{Path: path}, path
	if unescaped, err := url.PathUnescape(path); err == nil && unescaped != path {
		r.URL.Path, r.URL.RawPath = unescaped, path
	}
	r.Header.Set("X-Request-Id", "law")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return reply{status: w.Code, header: w.Header(), body: w.Body.String()}
}

// list asks for one page of a resource.
func (g gateway) list(token, resource, body string) reply {
	return g.send(http.MethodPost, federation.Prefix+"list/"+resource, body, "Authorization", "Bearer "+token)
}

// ask makes the body of a list request.
func ask(limit int, cursor string) string {
	body := map[string]any{}
	if limit > 0 {
		body["limit"] = limit
	}
	if cursor != "" {
		body["cursor"] = cursor
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// envelope is the body of a page.
type envelope struct {
	Items     []json.RawMessage `json:"items"`
	Next      *string           `json:"nextCursor"`
	Truncated *bool             `json:"_truncated"`
}

// page reads the reply as a page. Each row must be tagged as local, and the two
// members that speak of more rows come together or not at all.
func (r reply) page(t *testing.T) (items []map[string]any, next string) {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("a page was due, and %d came: %s", r.status, r.body)
	}
	var e envelope
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil || e.Items == nil {
		t.Fatalf("the page %s cannot be read: %v", r.body, err)
	}
	more := e.Next != nil
	if more != (e.Truncated != nil) || (e.Truncated != nil && !*e.Truncated) || (more && *e.Next == "") {
		t.Fatalf("nextCursor and _truncated disagree in %s", r.body)
	}
	for _, item := range decodeItems(t, e.Items) {
		if item["_source"] != "local" {
			t.Fatalf("the row %v is not tagged as local", item)
		}
		delete(item, "_source")
		items = append(items, item)
	}
	if more {
		next = *e.Next
	}
	return items, next
}

// errorCode reads the reply as an error and returns its code.
func (r reply) errorCode(t *testing.T) string {
	t.Helper()
	var e struct {
		Error *struct {
			Code, Message string
			Details       json.RawMessage
		}
	}
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil || e.Error == nil || e.Error.Message == "" {
		t.Fatalf("%d with %s is no error envelope: %v", r.status, r.body, err)
	}
	return e.Error.Code
}

// refused fails the test unless the reply is an error of that status and code.
func (r reply) refused(t *testing.T, what string, status int, code string) {
	t.Helper()
	if r.status != status || r.errorCode(t) != code {
		t.Errorf("%s: %d %s came instead of %d %s", what, r.status, strings.TrimSpace(r.body), status, code)
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control is %q", what, got)
	}
}

// walk lists a resource to its end, by pages of that limit.
func (g gateway) walk(t *testing.T, token, resource string, limit int) []map[string]any {
	t.Helper()
	var all []map[string]any
	after, been := "", make(map[string]bool)
	for {
		items, next := g.list(token, resource, ask(limit, after)).page(t)
		if len(items) > limit || (next != "" && len(items) != limit) {
			t.Fatalf("a page of %s by %d has %d rows, next %q", resource, limit, len(items), next)
		}
		all = append(all, items...)
		if next == "" {
			return all
		}
		if been[next] {
			t.Fatalf("the pages of %s come back to the cursor %q", resource, next)
		}
		been[next], after = true, next
	}
}

// String names a reply in a message.
func (r reply) String() string { return fmt.Sprintf("%d %v %s", r.status, r.header, r.body) }
