package federation

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A gatewayStub is a server over a real socket that answers as a func says.
type gatewayStub struct {
	*httptest.Server
	asked atomic.Int64
}

func newGatewayStub(tb testing.TB, answer func(n int64, w http.ResponseWriter, r *http.Request)) *gatewayStub {
	tb.Helper()
	g := &gatewayStub{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a server sees that a client has gone once it has read the body
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer(g.asked.Add(1), w, r)
	}))
	tb.Cleanup(g.Close)
	return g
}

// newClient returns a client that does not wait between attempts.
func newClient(tb testing.TB, url string, tune ...func(*ClientConfig)) *Client {
	tb.Helper()
	cfg := ClientConfig{URL: url, HTTP: &http.Client{Transport: &http.Transport{}}, Timeout: time.Minute}
	for _, f := range tune {
		f(&cfg)
	}
	c, err := NewClient(cfg)
	if err != nil {
		tb.Fatalf("the client is refused: %v", err)
	}
	c.pause = func(context.Context, time.Duration) error { return nil }
	tb.Cleanup(c.http.CloseIdleConnections)
	return c
}

// counted lets a client count what it sends. The other side may not have heard of a
// request that was given up.
func counted(sent *atomic.Int64) func(*ClientConfig) {
	return func(cfg *ClientConfig) {
		next := cfg.HTTP.Transport
		cfg.HTTP.Transport = roundTripFunc(func(r *http.Request) (*http.Response, error) {
			sent.Add(1)
			return next.RoundTrip(r)
		})
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// emptyPage is an answer to a list.
const emptyPage = `{"items":[]}`

func TestAClientReadsWhatAHandlerServes(t *testing.T) {
	h := newHost(t)
	server := httptest.NewServer(h.serving(t))
	defer server.Close()
	c := newClient(t, server.URL)
	ctx := t.Context()

	type number struct {
		ID     string `json:"id"`
		Source string `json:"_source"`
	}
	var ids, want []string
	for row, err := range AllAs[number](ctx, c, "tasks", ListRequest{Limit: 7}) {
		if err != nil || row.Source != "local" {
			t.Fatalf("the row %+v has the error %v", row, err)
		}
		ids = append(ids, row.ID)
	}
	for n := range storedRows {
		want = append(want, fmt.Sprint(n+1))
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("all rows (-want +got):\n%s", diff)
	}
	row, err := GetAs[number](ctx, c, "tasks", "17")
	if err != nil || row.ID != "17" {
		t.Errorf("the row 17 is %+v: %v", row, err)
	}
	for _, id := range []string{"99", "a/b", "ä ö?#%"} {
		if _, err := c.Get(ctx, "tasks", id); !errors.Is(err, ErrNotFound) {
			t.Errorf("the row %q is not found, but %v", id, err)
		}
		if got := h.log.last(t)["item"]; got != id {
			t.Errorf("the id %q came as %q", id, got)
		}
	}
	got, err := c.Capabilities(ctx)
	if err != nil || got.MaxRowsPerQuery != 25 || !slices.Contains(got.Resources, "tasks") || got.Limits["max_body_bytes"] != maxBody {
		t.Errorf("the capabilities are %+v: %v", got, err)
	}
	if _, err := c.List(ctx, "invoices/..", ListRequest{}); !errors.Is(err, ErrInvalidRequest) && !errors.Is(err, ErrNotFound) {
		t.Errorf("a strange resource is %v", err)
	}
}

const failedSource = `{"sources":[{"name":"peer:b","state":"failed","code":"timeout"}]}`

func TestAnErrorCarriesWhatTheGatewaySays(t *testing.T) {
	problem := `{"type":"about:blank","title":"Forbidden","status":403,"code":"forbidden","detail":"access denied"}`
	for name, c := range map[string]struct {
		status int
		header string
		body   string
		want   PeerError
	}{
		"envelope":            {400, "", `{"error":{"code":"invalid_request","message":"bad limit"}}`, PeerError{Code: ErrInvalidRequest, Message: "bad limit"}},
		"problem details":     {403, "", problem, PeerError{Code: ErrForbidden, Message: "access denied"}},
		"retry after seconds": {429, "7", `{"error":{"code":"rate_limited","message":"slow"}}`, PeerError{Code: ErrRateLimited, Message: "slow", RetryAfter: 7 * time.Second}},
		"retry after nonsense": {429, "-7", `{"error":{"code":"rate_limited","message":"slow"}}`,
			PeerError{Code: ErrRateLimited, Message: "slow"}},
		"a proxy's page":          {502, "", `<html>bad gateway</html>`, PeerError{Code: ErrUnavailable}},
		"a proxy's 404":           {404, "", `<html>not here</html>`, PeerError{Code: ErrProtocolViolation}},
		"a proxy's 401":           {401, "", ``, PeerError{Code: ErrUnauthorized}},
		"a teapot":                {418, "", ``, PeerError{Code: ErrProtocolViolation}},
		"a code of its own":       {403, "", `{"error":{"code":"no_credential<script>","message":"m"}}`, PeerError{Code: ErrForbidden}},
		"a code of this side":     {500, "", `{"error":{"code":"timeout","message":"m"}}`, PeerError{Code: ErrInternal}},
		"a message of many lines": {500, "", `{"error":{"code":"internal_error","message":"a\r\nb\u0000c"}}`, PeerError{Code: ErrInternal, Message: "a  b c"}},
		"a long message": {500, "", `{"error":{"code":"internal_error","message":"` + strings.Repeat("x", 9000) + `"}}`,
			PeerError{Code: ErrInternal, Message: strings.Repeat("x", 253) + "…"}},
		"a 204": {204, "", ``, PeerError{Code: ErrProtocolViolation}},
		"states of sources": {503, "", `{"error":{"code":"unavailable","message":"m","details":` + failedSource + `}}`,
			PeerError{Code: ErrUnavailable, Message: "m", Err: &SourcesError{Code: ErrUnavailable, Sources: []SourceStatus{{"peer:b", SourceFailed, ErrTimeout}}}}},
		"states of sources, as problem details": {503, "", `{"status":"503","code":"unavailable","detail":"m","details":` + failedSource + `}`,
			PeerError{Code: ErrUnavailable, Message: "m", Err: &SourcesError{Code: ErrUnavailable, Sources: []SourceStatus{{"peer:b", SourceFailed, ErrTimeout}}}}},
		"details of its own":       {403, "", `{"error":{"code":"forbidden","message":"m","details":{"reason":"r"}}}`, PeerError{Code: ErrForbidden, Message: "m"}},
		"details of no kind":       {403, "", `{"error":{"code":"forbidden","message":"m","details":7}}`, PeerError{Code: ErrForbidden, Message: "m"}},
		"sources of no kind":       {503, "", `{"error":{"code":"unavailable","message":"m","details":{"sources":"all"}}}`, PeerError{Code: ErrUnavailable, Message: "m"}},
		"states that are no words": {503, "", `{"error":{"code":"unavailable","message":"m","details":{"sources":[{"name":"peer:b","state":"\n"}]}}}`, PeerError{Code: ErrUnavailable, Message: "m"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGatewayStub(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Request-Id", "id-of-the-gateway")
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			client := newClient(t, g.URL, func(cfg *ClientConfig) { cfg.Attempts = 1 })
			_, err := client.List(t.Context(), "tasks", ListRequest{})
			var got *PeerError
			if !errors.As(err, &got) {
				t.Fatalf("%d %s is the error %v", c.status, c.body, err)
			}
			c.want.Status, c.want.RequestID = c.status, "id-of-the-gateway"
			if diff := cmp.Diff(c.want, *got); diff != "" {
				t.Errorf("%d %s (-want +got):\n%s", c.status, c.body, diff)
			}
			if !errors.Is(err, c.want.Code) || errors.Is(err, ErrPartial) {
				t.Errorf("%v does not match %s alone", err, c.want.Code)
			}
		})
	}
}

func TestNoRedirectionIsFollowed(t *testing.T) {
	other := newGatewayStub(t, func(_ int64, w http.ResponseWriter, r *http.Request) { io.WriteString(w, emptyPage) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		g := newGatewayStub(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, status)
		})
		_, err := newClient(t, g.URL).List(t.Context(), "tasks", ListRequest{Cursor: "secret"})
		if !errors.Is(err, ErrProtocolViolation) {
			t.Errorf("a %d is %v", status, err)
		}
	}
	if n := other.asked.Load(); n != 0 {
		t.Errorf("%d requests went where a peer had sent them", n)
	}
}

// A peer that sends more than it may is not read to its end.
func TestALongAnswerIsRefused(t *testing.T) {
	const most = 64 << 10
	filler := []byte(strings.Repeat(" ", 32<<10))
	packed := gzipped(filler)
	for name, send := range map[string]func(w http.ResponseWriter) int64{
		"announced": func(w http.ResponseWriter) int64 {
			w.Header().Set("Content-Length", "1000000000")
			n, _ := w.Write(filler)
			return int64(n)
		},
		"not announced": func(w http.ResponseWriter) (sent int64) {
			for sent < 1e9 {
				n, err := w.Write(filler)
				if sent += int64(n); err != nil {
					break
				}
			}
			return sent
		},
		"compressed": func(w http.ResponseWriter) (sent int64) {
			w.Header().Set("Content-Encoding", "gzip")
			for range 1e9 / len(filler) { // a member behind the other (RFC 1952, section 2.2)
				if _, err := w.Write(packed); err != nil {
					break
				}
			}
			return 0 // bytes on the wire do not tell
		},
	} {
		t.Run(name, func(t *testing.T) {
			sent := make(chan int64, 1)
			g := newGatewayStub(t, func(_ int64, w http.ResponseWriter, r *http.Request) { sent <- send(w) })
			client := newClient(t, g.URL, func(cfg *ClientConfig) { cfg.MaxResponse, cfg.Attempts = most, 1 })
			_, err := client.List(t.Context(), "tasks", ListRequest{})
			if !errors.Is(err, ErrProtocolViolation) || !errors.Is(err, errTooLong) {
				t.Errorf("an answer of 1 GB is %v", err)
			}
			if n := <-sent; n > 64<<20 {
				t.Errorf("%d bytes of it were read", n)
			}
		})
	}
}

func TestASlowAnswerEndsWithItsTime(t *testing.T) {
	g := newGatewayStub(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"items":[`)
		for r.Context().Err() == nil { // a byte at a time
			io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	var sent atomic.Int64
	client := newClient(t, g.URL, counted(&sent), func(cfg *ClientConfig) { cfg.Timeout, cfg.Attempts = 100*time.Millisecond, 2 })
	began := time.Now()
	_, err := client.List(t.Context(), "tasks", ListRequest{})
	if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || sent.Load() != 2 {
		t.Errorf("an answer that does not end is %v after %d requests", err, sent.Load())
	}
	if took := time.Since(began); took > 30*time.Second { // on a machine that is busy enough
		t.Errorf("two attempts of 100 ms took %v", took)
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	g := newGatewayStub(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		hangUp()
		<-r.Context().Done()
	})
	var sent atomic.Int64
	client := newClient(t, g.URL, counted(&sent))
	if _, err := client.List(ctx, "tasks", ListRequest{}); !errors.Is(err, ErrCanceled) || !errors.Is(err, context.Canceled) {
		t.Errorf("a call whose context was canceled is %v", err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := client.List(soon, "tasks", ListRequest{}); !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call whose context had a deadline is %v", err)
	}
	if n := sent.Load(); n != 2 {
		t.Errorf("two calls were %d requests", n)
	}
}

func TestNobodyListeningIsUnreachable(t *testing.T) {
	g := newGatewayStub(t, func(int64, http.ResponseWriter, *http.Request) {})
	client := newClient(t, g.URL)
	g.Close()
	_, err := client.List(t.Context(), "tasks", ListRequest{})
	var failed *PeerError
	if !errors.Is(err, ErrUnreachable) || !errors.As(err, &failed) || failed.Status != 0 || failed.Err == nil {
		t.Errorf("a closed port is %v", err)
	}
}

func TestAnIncompleteClientConfigIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*ClientConfig){
		"no URL":            func(c *ClientConfig) { c.URL = "" },
		"a URL of a file":   func(c *ClientConfig) { c.URL = "file:///etc" },
		"a URL of no host":  func(c *ClientConfig) { c.URL = "https:///x" },
		"a query":           func(c *ClientConfig) { c.URL += "?x" },
		"a password":        func(c *ClientConfig) { c.URL = "https://a:b@host" },
		"no HTTP":           func(c *ClientConfig) { c.HTTP = nil },
		"negative timeout":  func(c *ClientConfig) { c.Timeout = -1 },
		"negative attempts": func(c *ClientConfig) { c.Attempts = -1 },
		"negative size":     func(c *ClientConfig) { c.MaxResponse = -1 },
		"a size of no end":  func(c *ClientConfig) { c.MaxResponse = math.MaxInt64 },
	} {
		cfg := ClientConfig{URL: "https://gateway.example/base/", HTTP: http.DefaultClient}
		if c, err := NewClient(cfg); err != nil || c.base != "https://gateway.example/base/api/federation/v1/" {
			t.Fatalf("a good config is refused, or asks %q: %v", c.base, err)
		}
		if spoil(&cfg); true {
			if _, err := NewClient(cfg); err == nil {
				t.Errorf("%s passes", name)
			}
		}
	}
	if http.DefaultClient.CheckRedirect != nil {
		t.Error("the host's client was changed")
	}
}

func gzipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(text)
	w.Close()
	return b.Bytes()
}
