package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A mergingHost is a gateway of numbers in ascending order, {"n":1} and so on, that
// merges lists with those of its peers.
type mergingHost struct {
	*host
	numbers []int64
	peers   []Peer
	sent    atomic.Int64 // requests to peers
	peersOf func(scope.Grant) ([]Peer, error)
}

func newMergingHost(tb testing.TB, numbers ...int64) *mergingHost {
	tb.Helper()
	m := &mergingHost{host: newHost(tb), numbers: numbers}
	m.list = m.listNumbers
	m.peersOf = func(scope.Grant) ([]Peer, error) { return m.peers, nil }
	var err error
	m.fanOut, err = NewFanOut(FanOutConfig{
		Peers:         func(_ context.Context, grant scope.Grant) ([]Peer, error) { return m.peersOf(grant) },
		Keys:          fanOutKeys,
		Orders:        map[string]Order{"tasks": {Fields: []OrderField{{"n", cursor.KindInt64}}, Ascending: true}},
		SourceTimeout: time.Minute,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func (m *mergingHost) listNumbers(_ context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	if most := m.grant.Scope.MaxRows(); f.Limit > most {
		return nil, nil, fmt.Errorf("%d rows are asked for where %d are allowed", f.Limit, most)
	}
	start := 0
	if after != nil {
		start, _ = slices.BinarySearch(m.numbers, after[0].Int64()+1)
	}
	end := min(start+f.Limit, len(m.numbers))
	var rows []json.RawMessage
	for _, n := range m.numbers[start:end] {
		rows = append(rows, fmt.Appendf(nil, `{"n":%d}`, n))
	}
	if end == len(m.numbers) {
		return rows, nil, nil
	}
	return rows, cursor.Position{cursor.Int64Value(m.numbers[end-1])}, nil
}

// addPeer makes another gateway a peer, over real HTTP.
func (m *mergingHost) addPeer(tb testing.TB, name string, other http.Handler) *httptest.Server {
	tb.Helper()
	server := httptest.NewServer(other)
	tb.Cleanup(server.Close)
	m.peers = append(m.peers, Peer{Name: name, Client: newClient(tb, server.URL, counted(&m.sent))})
	return server
}

// mergedResponse is the body of a 200 of a merged list.
type mergedResponse struct {
	Items []struct {
		N      int64
		Source string `json:"_source"`
	}
	NextCursor string         `json:"nextCursor"`
	Truncated  bool           `json:"_truncated"`
	Partial    bool           `json:"_partial"`
	Sources    []SourceStatus `json:"_sources"`
}

func mustMerged(tb testing.TB, response *httptest.ResponseRecorder) mergedResponse {
	tb.Helper()
	var page mergedResponse
	decoder := json.NewDecoder(strings.NewReader(response.Body.String()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&page); response.Code != http.StatusOK || err != nil {
		tb.Fatalf("the merged list answers %d %s: %v", response.Code, response.Body, err)
	}
	if page.Truncated != (page.NextCursor != "") {
		tb.Errorf("truncated is %t, and the cursor %q", page.Truncated, page.NextCursor)
	}
	if got := response.Header()["Cache-Control"]; len(got) != 1 || got[0] != "no-store" {
		tb.Errorf("a page, partial %t, has Cache-Control %q", page.Partial, got)
	}
	return page
}

// walk reads the merged list of a source.
func (m *mergingHost) walk(tb testing.TB, source string, limit int) (rows []string, pages []mergedResponse) {
	tb.Helper()
	next := ""
	for first := true; first || next != ""; first = false {
		body := fmt.Sprintf(`{"source":%q,"limit":%d}`, source, limit)
		if next != "" {
			body = fmt.Sprintf(`{"source":%q,"limit":"%d","cursor":%q}`, source, limit, next)
		}
		page := mustMerged(tb, m.post(tb, "tasks", body))
		for _, row := range page.Items {
			rows = append(rows, fmt.Sprintf("%d %s", row.N, row.Source))
		}
		pages = append(pages, page)
		next = page.NextCursor
	}
	return rows, pages
}

func TestAHandlerServesTheListsOfItsPeersAsOne(t *testing.T) {
	gateway := newMergingHost(t, 1, 4, 7, 10)
	b, c := newMergingHost(t, 2, 4, 8), newMergingHost(t, 3, 4, 9)
	gateway.addPeer(t, "c", c.serving(t))
	gateway.addPeer(t, "b", b.serving(t))
	for limit := 1; limit < 12; limit++ {
		got, pages := gateway.walk(t, "all", limit)
		want := []string{"1 local", "2 peer:b", "3 peer:c", "4 local", "4 peer:b", "4 peer:c", "7 local", "8 peer:b", "9 peer:c", "10 local"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("pages of %d (-want +got):\n%s", limit, diff)
		}
		last := pages[len(pages)-1]
		if diff := cmp.Diff([]SourceStatus{{"local", SourceExhausted, ""}, {"peer:b", SourceExhausted, ""}, {"peer:c", SourceExhausted, ""}}, last.Sources); diff != "" || last.Partial {
			t.Errorf("the sources in the end (-want +got):\n%s", diff)
		}
	}
	got, _ := gateway.walk(t, "federated:b", 2)
	if diff := cmp.Diff([]string{"2 peer:b", "4 peer:b", "8 peer:b"}, got); diff != "" {
		t.Errorf("one peer (-want +got):\n%s", diff)
	}
	for _, body := range []string{``, `{"source":"local"}`} {
		response := gateway.post(t, "tasks", body)
		if want := `{"items":[{"n":1,"_source":"local"},{"n":4,"_source":"local"},{"n":7,"_source":"local"},{"n":10,"_source":"local"}]}` + "\n"; response.Body.String() != want {
			t.Errorf("%s is answered with %s", body, response.Body)
		}
	}
	response := gateway.post(t, "tasks", `{"source":"all"}`, requestIDHeader, "one-id-for-all")
	mustMerged(t, response)
	for name, line := range map[string]map[string]any{"the gateway": gateway.log.last(t), "the peer": b.log.last(t)} {
		if line["request_id"] != "one-id-for-all" || line["code"] != "ok" {
			t.Errorf("the log of %s has %v", name, line)
		}
	}
	if line := gateway.log.last(t); line["source"] != "all" || line["sources"] != "local exhausted, peer:b exhausted, peer:c exhausted" || line["rows"] != 10.0 {
		t.Errorf("the log has %v", line)
	}
}

func TestTheGatewayReadsNoMoreOfItsOwnRowsThanTheGrantAllows(t *testing.T) {
	numbers := make([]int64, 100)
	for i := range numbers {
		numbers[i] = int64(2 * i)
	}
	gateway := newMergingHost(t, numbers...)
	gateway.addPeer(t, "b", newMergingHost(t, numbers...).serving(t))
	got, pages := gateway.walk(t, "all", 25)
	if last := pages[len(pages)-1]; len(got) != 200 || last.Partial {
		t.Errorf("%d of 200 rows, and %v", len(got), last.Sources)
	}
}

// A gateway gives up what it no longer needs. Its peers see clients that hang up, and must
// not call for anybody's help.
func TestAListThatGoesWellIsNoAlarmOfAPeer(t *testing.T) {
	gateway, peer := newMergingHost(t, 1, 3, 5, 7, 9), newMergingHost(t, 2, 4, 6, 8)
	list, pages, nearer := peer.list, new(atomic.Int64), make(chan struct{}, 9)
	peer.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		if f.Limit < 4 { // for a nearer cursor
			nearer <- struct{}{}
			<-ctx.Done()
			return nil, nil, ctx.Err()
		}
		if pages.Add(1) == 2 { // and the request for that is to come here before it is given up
			select {
			case <-nearer:
			case <-ctx.Done():
			}
		}
		return list(ctx, f, after)
	}
	gateway.addPeer(t, "b", peer.serving(t))
	rows, _ := gateway.walk(t, "all", 4)
	if len(rows) != 9 {
		t.Errorf("the list is %v", rows)
	}
	gone := func() (gone []map[string]any) {
		for _, line := range peer.log.lines(t) {
			if line["code"] != "ok" {
				gone = append(gone, line)
			}
		}
		return gone
	}
	for deadline := time.Now().Add(testWait); len(gone()) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no request of the gateway was given up")
		}
	}
	for _, line := range gone() {
		if line["code"] != "client_gone" || line["level"] != "INFO" || line["status"] != 499.0 {
			t.Errorf("the log of the peer says %v", line)
		}
	}
}

func TestAClientReadsTheMergedList(t *testing.T) {
	gateway := newMergingHost(t, 1, 3)
	gateway.addPeer(t, "b", newMergingHost(t, 2, 4).serving(t))
	server := httptest.NewServer(gateway.serving(t))
	defer server.Close()
	client := newClient(t, server.URL)
	var got []string
	for item, err := range client.All(t.Context(), "tasks", ListRequest{Source: "all", Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(item))
	}
	want := []string{`{"n":1,"_source":"local"}`, `{"n":2,"_source":"peer:b"}`, `{"n":3,"_source":"local"}`, `{"n":4,"_source":"peer:b"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	gateway.peers[0].Client = newClient(t, "http://127.0.0.1:1", func(cfg *ClientConfig) { cfg.Attempts = 1 })
	var last error
	for _, err := range client.All(t.Context(), "tasks", ListRequest{Source: "all"}) {
		last = err
	}
	if !errors.Is(last, ErrPartial) {
		t.Errorf("a list without the rows of a peer ends in %v", last)
	}
}

// Which source failed how is said also where no page is left to say it, in either form of
// an error and to the client, and to nobody else.
func TestWhenAllSourcesFailTheErrorSaysHow(t *testing.T) {
	m := newMergingHost(t, 1)
	m.addPeer(t, "b", http.NotFoundHandler())
	m.list = failing(errors.New("down"))
	want := []SourceStatus{{"local", SourceFailed, ErrInternal}, {"peer:b", SourceFailed, ErrProtocolViolation}}
	const said = `"details":{"sources":[{"name":"local","state":"failed","code":"internal_error"},{"name":"peer:b","state":"failed","code":"protocol_violation"}]}`
	for _, accept := range errorForms {
		response := m.post(t, "tasks", `{"source":"all"}`, "Accept", accept)
		if response.Code != http.StatusServiceUnavailable || strings.Count(response.Body.String(), said) != 1 {
			t.Errorf("Accept %q: all sources failed, and the answer is %d %s", accept, response.Code, response.Body)
		}
	}

	server := httptest.NewServer(m.serving(t))
	defer server.Close()
	_, err := newClient(t, server.URL).List(t.Context(), "tasks", ListRequest{Source: "all"})
	var failed *SourcesError
	if !errors.Is(err, ErrUnavailable) || !errors.As(err, &failed) {
		t.Fatalf("all sources failed: %v", err)
	}
	if diff := cmp.Diff(want, failed.Sources); diff != "" {
		t.Errorf("the sources (-want +got):\n%s", diff)
	}

	m.authenticate = revokedAfter(m, 1)
	if response := m.post(t, "tasks", `{"source":"all"}`); response.Code != http.StatusForbidden || strings.Contains(response.Body.String(), "sources") {
		t.Errorf("the grant was revoked meanwhile: %d %s", response.Code, response.Body)
	}
}

// Drivers have words of their own for a statement that a context has ended.
func TestOwnRowsThatComeTooLateAreUnavailable(t *testing.T) {
	m := newMergingHost(t, 1)
	m.fanOut.cfg.SourceTimeout = 50 * time.Millisecond
	m.list = func(ctx context.Context, _ scope.Filter, _ cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		<-ctx.Done()
		return nil, nil, errors.New("pq: canceling statement due to user request")
	}
	response := m.post(t, "tasks", `{"source":"all"}`)
	if want := `"sources":[{"name":"local","state":"failed","code":"unavailable"}]`; !strings.Contains(response.Body.String(), want) {
		t.Errorf("rows that came too late are %d %s", response.Code, response.Body)
	}
}

func TestGatewaysThatArePeersOfOneAnotherMakeNoCircle(t *testing.T) {
	a, b := newMergingHost(t, 1), newMergingHost(t, 2)
	b.addPeer(t, "a", a.serving(t))
	handler := b.serving(t)
	inject := false
	a.addPeer(t, "b", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if inject { // somebody between the two wants a circle
			r = newPost(r.URL.Path, `{"source":"all"}`, hopHeader, r.Header.Get(hopHeader))
		}
		handler.ServeHTTP(w, r)
	}))
	got, _ := a.walk(t, "all", 10)
	if diff := cmp.Diff([]string{"1 local", "2 peer:b"}, got); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if n := a.listed.Load(); n != 1 {
		t.Errorf("the gateway was asked for its own rows %d times", n)
	}
	inject = true
	_, pages := a.walk(t, "all", 10)
	if got := pages[0].Sources[1]; got.Code != ErrInvalidRequest || b.log.last(t)["code"] != string(codeHopLimit) {
		t.Errorf("a peer that was made to ask its peers is %+v, and its log says %v", got, b.log.last(t)["code"])
	}
	if n := a.listed.Load(); n != 2 {
		t.Errorf("the circle came round: the gateway was asked for its own rows %d times", n)
	}
}

func TestASourceIsUnknownToAHandlerThatMergesNothing(t *testing.T) {
	h := newHost(t)
	response := h.post(t, "tasks", `{"source":"local"}`)
	if response.Code != http.StatusBadRequest || h.log.last(t)["code"] != string(codeBadBody) {
		t.Errorf("a source is answered with %d %s", response.Code, response.Body)
	}
}

func TestAMemberThatIsUnknownToAHandlerThatMergesIsToldOfSources(t *testing.T) {
	response := newMergingHost(t, 1).post(t, "tasks", `{"sources":"all"}`)
	if response.Code != http.StatusBadRequest || !strings.Contains(response.Body.String(), "nor source") {
		t.Errorf("the answer is %d %s", response.Code, response.Body)
	}
}

// mergedFaults are the ways in which a merged list ends without a page.
func mergedFaults() []failure {
	fault := func(name string, code scope.Code, body string, spoil func(m *mergingHost), header ...string) failure {
		return failure{"merged: " + name, code, func(tb testing.TB, h *host) *httptest.ResponseRecorder {
			m := newMergingHost(tb, 1, 2)
			h.fanOut, h.list = m.fanOut, m.list
			spoil(m)
			h.grant, h.list = m.grant, m.list
			h.authenticate = func(*http.Request) (scope.Grant, error) { return h.grant, nil }
			return h.post(tb, "tasks", body, header...)
		}}
	}
	all := `{"source":"all"}`
	nothing := func(*mergingHost) {}
	return []failure{
		fault("a request of another gateway", codeHopLimit, all, nothing, hopHeader, "1"),
		fault("a peer that is none", codeSourceUnknown, `{"source":"peer:x"}`, nothing),
		fault("a resource without an order", codeSourceUnknown, all, func(m *mergingHost) { delete(m.fanOut.orders, "tasks") }),
		fault("peers cannot be told", codePeersUnavailable, all, func(m *mergingHost) {
			m.peersOf = func(scope.Grant) ([]Peer, error) { return nil, errors.New("the table is locked") }
		}),
		fault("peers panic", codePeersUnavailable, all, func(m *mergingHost) {
			m.peersOf = func(scope.Grant) ([]Peer, error) { panic("boom") }
		}),
		fault("all sources fail", codeSourcesFailed, all, func(m *mergingHost) { m.list = failing(errors.New("down")) }),
		fault("an empty cursor", codeCursorNotText, `{"source":"all","cursor":""}`, nothing),
		fault("a cursor of nobody", codeCursorVersion, `{"source":"all","cursor":"bm90IG91cnM"}`, nothing),
		fault("a source that is no text", codeBadBody, `{"source":7}`, nothing),
		fault("a source of no kind", codeBadBody, `{"source":"everything"}`, nothing),
		fault("no source", codeBadBody, `{"source":null}`, nothing),
	}
}

func TestACursorThatIsRefusedCostsNoPeerARequest(t *testing.T) {
	m := newMergingHost(t, 1, 2, 3)
	b := newMergingHost(t, 4, 5)
	m.addPeer(t, "b", b.serving(t))
	good := mustMerged(t, m.post(t, "tasks", `{"source":"all","limit":1}`)).NextCursor
	local := mustPage(t, m.post(t, "tasks", `{"limit":1}`)).NextCursor
	asked, found := b.listed.Load(), m.listed.Load()
	m.peersOf = func(scope.Grant) ([]Peer, error) { t.Error("the host was asked for peers"); return m.peers, nil }
	for name, body := range map[string]string{
		"of the gateway's own list": `{"source":"all","cursor":"` + local + `"}`,
		"of another source":         `{"source":"peer:b","cursor":"` + good + `"}`,
		"with one letter changed":   `{"source":"all","cursor":"` + good[:50] + flip(good[50]) + good[51:] + `"}`,
		"cut":                       `{"source":"all","cursor":"` + good[:len(good)-4] + `"}`,
		"of the merged list":        `{"cursor":"` + good + `"}`,
	} {
		if response := m.post(t, "tasks", body); response.Code != http.StatusBadRequest {
			t.Errorf("a cursor %s is answered with %d %s", name, response.Code, response.Body)
		}
	}
	if b.listed.Load() != asked || m.listed.Load() != found {
		t.Error("a cursor that was refused cost a list")
	}
}

// flip returns another letter of base64url.
func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestAMergedPageOfARevokedGrantIsThrownAway(t *testing.T) {
	m := newMergingHost(t, 1)
	m.addPeer(t, "b", newMergingHost(t, 2).serving(t))
	m.authenticate = revokedAfter(m, 1)
	if response := m.post(t, "tasks", `{"source":"all"}`); response.Code != http.StatusForbidden || strings.Contains(response.Body.String(), "peer:") {
		t.Errorf("the grant was revoked meanwhile: %d %s", response.Code, response.Body)
	}
}

func TestThePeersAreThoseOfTheGrant(t *testing.T) {
	m := newMergingHost(t, 1)
	b := newMergingHost(t, 2)
	m.addPeer(t, "b", b.serving(t))
	m.peersOf = func(grant scope.Grant) ([]Peer, error) {
		if grant.Peer != "" { // of another gateway: what ours gave to us is not for it
			return nil, nil
		}
		return m.peers, nil
	}
	got, _ := m.walk(t, "all", 5)
	if diff := cmp.Diff([]string{"1 local"}, got); diff != "" || b.listed.Load() != 0 {
		t.Errorf("a peer's grant lists (-want +got):\n%s", diff)
	}
	m.grant.Peer = ""
	if got, _ = m.walk(t, "all", 5); len(got) != 2 {
		t.Errorf("the own grant lists %v", got)
	}
}

// What a peer says goes no further than the log, and what the gateway's own parts say
// neither.
func TestNothingThatAPeerSaysIsOnTheWire(t *testing.T) {
	const canary = "canary-4711"
	m := newMergingHost(t, 1)
	m.addPeer(t, "b", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", canary)
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"error":{"code":%q,"message":%q}}`, canary, canary)
	}))
	m.peersOf = func(scope.Grant) ([]Peer, error) { return m.peers, nil }
	response := m.post(t, "tasks", `{"source":"all"}`)
	page := mustMerged(t, response)
	if page.Sources[1] != (SourceStatus{"peer:b", SourceDenied, ErrForbidden}) {
		t.Errorf("the peer is %+v", page.Sources[1])
	}
	m.list = failing(errors.New(canary))
	for _, response := range []*httptest.ResponseRecorder{response, m.post(t, "tasks", `{"source":"all"}`)} {
		if strings.Contains(bytesOf(response), canary) {
			t.Errorf("the canary is in %s", bytesOf(response))
		}
	}
	if line := m.log.last(t); !strings.Contains(fmt.Sprint(line["err"]), canary) {
		t.Errorf("the log does not say why: %v", line)
	}
}

func TestTheCapabilitiesNameTheLargerLimits(t *testing.T) {
	m := newMergingHost(t, 1)
	r := httptest.NewRequest(http.MethodGet, Prefix+"capabilities", nil)
	var got Capabilities
	if err := json.Unmarshal(m.serve(t, r).Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(got.Features, "sources") || got.Limits["max_cursor_length"] != defaultFanOutCursor || got.Limits["max_body_bytes"] != m.fanOut.cfg.MaxCursor+bodyBeside {
		t.Errorf("the capabilities are %+v", got)
	}
	most := got.Limits["max_body_bytes"]
	for size, want := range map[int]int{most: 200, most + 1: 413} {
		if response := m.post(t, "tasks", `{"limit":1}`+strings.Repeat(" ", size-len(`{"limit":1}`))); response.Code != want {
			t.Errorf("a body of %d bytes is answered with %d %s", size, response.Code, response.Body)
		}
	}
}

func TestTheTimeOfASourceIsLessThanThatOfThePage(t *testing.T) {
	m := newMergingHost(t, 1)
	_, err := NewHandler(Config{Authenticator: m, Evaluator: newRules(t, m), Lister: m, Cursors: m.cursors, FanOut: m.fanOut, Timeout: m.fanOut.cfg.SourceTimeout})
	if err == nil {
		t.Error("a source may take all the time of a page")
	}
}

func TestANoneDecisionStillListsThePeers(t *testing.T) {
	m := newMergingHost(t, 1)
	m.addPeer(t, "b", newMergingHost(t, 2, 3, 4).serving(t))
	m.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return scope.Access{Allowed: true}, nil
	}
	m.grant = newGrant(t, `{"resources":["tasks"],"filters":{"tasks":{"include_personal":false}},"max_rows_per_query":2}`)
	page := mustMerged(t, m.post(t, "tasks", `{"source":"all"}`))
	if len(page.Items) != 2 || page.Items[0].Source != "peer:b" || page.Sources[0] != (SourceStatus{"local", SourceExhausted, ""}) || m.listed.Load() != 0 {
		t.Errorf("the page is %+v", page)
	}
	if page = mustMerged(t, m.post(t, "tasks", `{"source":"all","limit":1}`)); len(page.Items) != 1 {
		t.Errorf("a page of one row has %d", len(page.Items))
	}
}
