package federation

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A fakeRow is a row of a fakePeer. Few times and few ids make many rows share one or
// both with rows of other sources.
type fakeRow struct {
	micros int64
	id     cursor.UUID
	stays  bool // is there from the first page to the last
	text   string
}

func newFakeRow(micros int64, id int) fakeRow {
	var u cursor.UUID
	u[0], u[14], u[15] = byte(id>>16), byte(id>>8), byte(id)
	at := time.UnixMicro(micros).UTC().Format(time.RFC3339Nano)
	return fakeRow{micros: micros, id: u, text: fmt.Sprintf(`{"id":"%s","createdAt":"%s","n":%d`, u, at, id)}
}

// compare puts the newest row first.
func (r fakeRow) compare(other fakeRow) int {
	if r.micros != other.micros {
		return int(other.micros - r.micros)
	}
	return bytes.Compare(other.id[:], r.id[:])
}

// A fakePeer is a gateway in memory that answers as the wire contract says: with cursors
// of its own, and those at the ends of its pages only.
type fakePeer struct {
	name  string
	local bool
	cap   int // of its pages

	mu     sync.Mutex
	rows   []fakeRow // in order
	fault  func(r *fakeReply)
	after  int // requests that are answered before the fault counts
	hit    bool
	asked  int
	given  int // rows sent
	filler string
	// The cursors are valid for this generation.
	generation int
}

// A fakeReply is an answer that a fault may spoil.
type fakeReply struct {
	peer   *fakePeer
	limit  int
	token  string
	start  int
	status int
	items  []string
	next   string
	body   string // if not empty, instead of the page
	err    error  // of the connection
}

// list answers one request.
func (p *fakePeer) list(limit int, token string) *fakeReply {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	r := &fakeReply{peer: p, status: 200, limit: limit, token: token}
	start, ok := p.find(token)
	if !ok {
		r.status, r.body = 400, `{"error":{"code":"invalid_request","message":"cursor"}}`
		return r
	}
	r.start = start
	if limit = min(limit, p.cap); limit == 0 {
		limit = p.cap
	}
	end := min(start+limit, len(p.rows))
	for _, row := range p.rows[start:end] {
		r.items = append(r.items, row.text+`,"_source":"local"}`)
	}
	p.given += len(r.items)
	if end < len(p.rows) {
		r.next = p.token(p.rows[end-1])
	}
	if p.fault != nil {
		if p.after > 0 {
			p.after--
		} else {
			p.hit = true
			p.fault(r)
		}
	}
	return r
}

// token is the cursor behind a row.
func (p *fakePeer) token(row fakeRow) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s %s", p.generation, row.micros, row.id, p.filler))
}

// find returns the index of the first row behind a cursor.
func (p *fakePeer) find(token string) (int, bool) {
	if token == "" {
		return 0, true
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	parts := strings.SplitN(string(text), " ", 4)
	if err != nil || len(parts) != 4 || parts[0] != strconv.Itoa(p.generation) {
		return 0, false
	}
	var at fakeRow
	if at.micros, err = strconv.ParseInt(parts[1], 10, 64); err != nil {
		return 0, false
	}
	if at.id, err = cursor.ParseUUID(parts[2]); err != nil {
		return 0, false
	}
	i, found := slices.BinarySearchFunc(p.rows, at, fakeRow.compare)
	if found {
		i++
	}
	return i, true
}

// RoundTrip makes a fakePeer the transport of a client.
func (p *fakePeer) RoundTrip(request *http.Request) (*http.Response, error) {
	var asked struct {
		Limit  int
		Cursor string
		Source *string
	}
	body, _ := io.ReadAll(request.Body)
	if err := json.Unmarshal(body, &asked); err != nil || asked.Source != nil || request.Header.Get(hopHeader) == "" {
		return nil, fmt.Errorf("a peer was asked %s with the hop %q", body, request.Header.Get(hopHeader))
	}
	r := p.list(asked.Limit, asked.Cursor)
	if r.err != nil {
		return nil, r.err
	}
	text := r.body
	if text == "" {
		text = r.page()
	}
	return &http.Response{
		StatusCode: r.status, Header: http.Header{}, ContentLength: -1,
		Body: io.NopCloser(strings.NewReader(text)), Request: request,
	}, nil
}

func (r *fakeReply) page() string {
	text := `{"items":[` + strings.Join(r.items, ",") + `]`
	if r.next != "" {
		text += `,"nextCursor":"` + r.next + `","_truncated":true`
	}
	return text + "}"
}

// ReadLocal makes a fakePeer the rows of the gateway itself.
func (p *fakePeer) ReadLocal(_ context.Context, limit int, token string) (Page, error) {
	r := p.list(limit, token)
	if r.status == 400 {
		return Page{}, ErrInvalidRequest
	}
	if r.err != nil || r.status != 200 {
		return Page{}, errors.Join(r.err, fmt.Errorf("status %d", r.status))
	}
	page := Page{Next: r.next}
	for _, item := range r.items {
		page.Items = append(page.Items, json.RawMessage(strings.TrimSuffix(item, `,"_source":"local"}`)+"}"))
	}
	return page, nil
}

// insert adds a row if there is none with its key.
func (p *fakePeer) insert(row fakeRow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i, there := slices.BinarySearchFunc(p.rows, row, fakeRow.compare); !there {
		p.rows = slices.Insert(p.rows, i, row)
	}
}

// remove takes away a row that need not stay.
func (p *fakePeer) remove(rng *rand.Rand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rows) == 0 {
		return
	}
	if i := rng.IntN(len(p.rows)); !p.rows[i].stays {
		p.rows = slices.Delete(p.rows, i, i+1)
	}
}

// label is the source that its rows have in a merged list.
func (p *fakePeer) label() string {
	if p.local {
		return "local"
	}
	return "peer:" + p.name
}

// A fakeFederation is a gateway with its peers.
type fakeFederation struct {
	fanOut  *FanOut
	sources []*fakePeer // by label
	peers   []Peer
	grant   scope.Grant
	now     time.Time
	mu      sync.Mutex
}

// newFederation returns a federation of sources without rows: the gateway itself, unless
// it is told otherwise, and peers with the names p01, p02 and so on.
func newFederation(tb testing.TB, peers int, local bool, tune ...func(*FanOutConfig)) *fakeFederation {
	tb.Helper()
	f := &fakeFederation{grant: scope.Grant{ID: "grant-1", Subject: "user-1", Scope: narrower}, now: time.Unix(1e9, 0)}
	if local {
		f.sources = append(f.sources, &fakePeer{local: true, cap: 1000})
	}
	for i := range peers {
		p := &fakePeer{name: fmt.Sprintf("p%02d", i+1), cap: 1000}
		f.sources = append(f.sources, p)
		f.peers = append(f.peers, Peer{Name: p.name, Client: newFakeClient(tb, p)})
	}
	cfg := FanOutConfig{
		Peers:         func(context.Context, scope.Grant) ([]Peer, error) { return f.peers, nil },
		Keys:          fanOutKeys,
		SourceTimeout: time.Minute,
	}
	for _, change := range tune {
		change(&cfg)
	}
	var err error
	if f.fanOut, err = NewFanOut(cfg); err != nil {
		tb.Fatalf("the fan-out is refused: %v", err)
	}
	f.fanOut.breakers.now = func() time.Time {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.now
	}
	return f
}

var fanOutKeys = func() *cursor.Keyring {
	keys, err := cursor.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		panic(err)
	}
	return keys
}()

func newFakeClient(tb testing.TB, transport http.RoundTripper) *Client {
	tb.Helper()
	c, err := NewClient(ClientConfig{URL: "http://peer.example", HTTP: &http.Client{Transport: transport}, Attempts: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// sleep lets time pass for the breakers.
func (f *fakeFederation) sleep(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// list asks for a page of tasks of all sources.
func (f *fakeFederation) list(ctx context.Context, limit int, token string) (Page, error) {
	r := FanOutRequest{Grant: f.grant, Resource: "tasks", Source: SourceAll, Limit: limit, Cursor: token}
	if f.sources[0].local {
		r.Local = f.sources[0].ReadLocal
	}
	return f.fanOut.List(ctx, r)
}

// A mergedRow is a row of the merged list.
type mergedRow struct {
	fakeRow
	source string
}

// A rowKey tells a row from all others of all sources.
type rowKey struct {
	micros int64
	id     cursor.UUID
	source string
}

func (r mergedRow) key() rowKey { return rowKey{r.micros, r.id, r.source} }

func readMerged(tb testing.TB, item json.RawMessage) mergedRow {
	tb.Helper()
	var row struct {
		ID        cursor.UUID `json:"id"`
		CreatedAt time.Time   `json:"createdAt"`
		Source    string      `json:"_source"`
	}
	if err := json.Unmarshal(item, &row); err != nil {
		tb.Fatalf("the row %s: %v", item, err)
	}
	return mergedRow{fakeRow{micros: row.CreatedAt.UnixMicro(), id: row.ID}, row.Source}
}

// compare is the order of a merged list.
func (r mergedRow) compare(other mergedRow) int {
	if c := r.fakeRow.compare(other.fakeRow); c != 0 {
		return c
	}
	return strings.Compare(r.source, other.source)
}

// sourceNamed finds the status of a source.
func sourceNamed(page Page, name string) SourceStatus {
	for _, s := range page.Sources {
		if s.Name == name {
			return s
		}
	}
	return SourceStatus{}
}

// A slowTransport never answers.
type slowTransport struct{ inner *fakePeer }

func (s *slowTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A countingTransport counts what is under way.
type countingTransport struct {
	inner *fakePeer
	count func(int)
}

func (c *countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	c.count(1)
	defer c.count(-1)
	time.Sleep(2 * time.Millisecond)
	return c.inner.RoundTrip(r)
}

// A lateTransport answers after a while.
type lateTransport struct {
	inner *fakePeer
	wait  time.Duration
}

func (l *lateTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := pause(r.Context(), l.wait); err != nil {
		return nil, err
	}
	return l.inner.RoundTrip(r)
}
