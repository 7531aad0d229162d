package federation

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/internal/certtest"
	"github.com/mosaicstack/fedkit/scope"
)

// A secureServer is NewServer over TLS, with HTTP/2.
type secureServer struct {
	address string
	client  *tls.Config
}

func startSecure(t *testing.T, h *host, tune func(*http.Server)) secureServer {
	t.Helper()
	server, err := NewServer(h.serving(t), h.timeout)
	if err != nil {
		t.Fatal(err)
	}
	root := certtest.NewRoot(t, "root")
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{root.Server(t)}}
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	tune(server)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.ServeTLS(listener, "", "")
	t.Cleanup(func() { server.Close() })
	return secureServer{listener.Addr().String(), &tls.Config{RootCAs: root.Pool(), NextProtos: []string{"h2"}}}
}

// http is a client that speaks HTTP/2 and nothing else.
func (s secureServer) http(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: s.client.Clone(), Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: testWait}
}

func (s secureServer) post(t *testing.T, client *http.Client, headers ...string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://"+s.address+Prefix+"list/tasks", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return client.Do(r)
}

// mustServe asks for a page as a good peer does.
func (s secureServer) mustServe(t *testing.T) {
	t.Helper()
	client := s.http(t)
	response, err := persistently(func() (*http.Response, error) { return s.post(t, client) })
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ProtoMajor != 2 {
		t.Errorf("a good peer is answered with %d, over %s", response.StatusCode, response.Proto)
	}
}

func TestAHeaderOfAMegabyteIsRefusedOverHTTP2(t *testing.T) {
	h := newHost(t)
	s := startSecure(t, h, func(*http.Server) {})
	for name, headers := range map[string][]string{
		"one field":   {"X-Long", strings.Repeat("x", 1<<20)},
		"many fields": strings.Split(strings.Repeat("X-Field,value of a field,", 40_000)+"X,y", ","),
	} {
		response, err := s.post(t, s.http(t), headers...)
		if err != nil {
			continue // the server said so in its settings, or was done before the client was
		}
		response.Body.Close()
		if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: the answer is %d", name, response.StatusCode)
		}
	}
	if n := h.authenticated.Load(); n != 0 {
		t.Errorf("the authenticator was asked %d times", n)
	}
	s.mustServe(t)
}

// Pieces of HTTP/2, by RFC 9113: what a client begins with, and a header of a request
// that does not end.
const (
	preface        = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	halfAHeader    = "\x00\x00\x01\x01\x00\x00\x00\x00\x01\x83" // HEADERS of stream 1, without END_HEADERS
	moreOfTheSame  = "\x00\x00\x01\x09\x00\x00\x00\x00\x01\x84" // CONTINUATION
	emptyOfTheSame = "\x00\x00\x00\x09\x00\x00\x00\x00\x01"
)

// Whoever says nothing, or goes on and on with one header, is let go by the server, and
// nobody of the host has heard of them. (For a preface that does not come net/http has 10
// seconds of its own.)
func TestAConnectionThatComesToNothingIsLetGo(t *testing.T) {
	h := newHost(t)
	s := startSecure(t, h, func(s *http.Server) { s.ReadHeaderTimeout, s.IdleTimeout = 300*time.Millisecond, 300*time.Millisecond })
	attacks := map[string]struct {
		secure       bool
		first, again string
	}{
		"no handshake":             {},
		"half a handshake":         {first: "\x16\x03\x01"},
		"a preface":                {secure: true, first: preface},
		"half a header":            {secure: true, first: preface + halfAHeader},
		"a header that goes on":    {secure: true, first: preface + halfAHeader, again: moreOfTheSame},
		"a header of empty frames": {secure: true, first: preface + halfAHeader, again: emptyOfTheSame},
	}
	var all sync.WaitGroup
	for name, attack := range attacks {
		all.Go(func() {
			conn, err := net.DialTimeout("tcp", s.address, testWait)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(testWait))
			if attack.secure {
				conn = tls.Client(conn, s.serverName())
			}
			_, _ = io.WriteString(conn, attack.first)
			if attack.again != "" {
				go func() {
					for {
						if _, err := io.WriteString(conn, attack.again); err != nil {
							return
						}
						time.Sleep(20 * time.Millisecond)
					}
				}()
			}
			started := time.Now()
			if _, err := io.Copy(io.Discard, conn); time.Since(started) > testOpen {
				t.Errorf("%s: the connection was open for %v, and ended in %v", name, time.Since(started), err)
			}
		})
	}
	s.mustServe(t) // meanwhile
	all.Wait()
	if n := h.authenticated.Load(); n != 2 {
		t.Errorf("the authenticator was asked %d times for one page", n)
	}
}

// serverName is what tls.Client needs beside.
func (s secureServer) serverName() *tls.Config {
	config := s.client.Clone()
	config.ServerName = "127.0.0.1"
	return config
}

// A stream that is not read is let go like a connection is, and the others of its
// connection go on.
func TestAPeerThatDoesNotReadItsStreamIsLetGo(t *testing.T) {
	h := newHost(t)
	h.concurrent = 1
	long := json.RawMessage(`{"text":"` + strings.Repeat("x", 6<<20) + `"}`) // the client has room for 4 MB
	h.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		if f.Limit == 1 {
			return []json.RawMessage{long}, nil, nil
		}
		return listNumbers(ctx, f, after)
	}
	s := startSecure(t, h, func(s *http.Server) { s.WriteTimeout = 2 * time.Second })
	client := s.http(t)
	patient := &http.Client{Transport: client.Transport} // waits for as long as the server lets it
	// Where the machine is busy, a connection may not come about in time.
	for deadline := time.Now().Add(testWait); h.listed.Load() == 0 && time.Now().Before(deadline); {
		stalled, err := patient.Post(fmt.Sprintf("https://%s%slist/tasks", s.address, Prefix), "application/json", strings.NewReader(`{"limit":1}`))
		if err == nil { // or its header did not come in time
			defer stalled.Body.Close()
		}
	}
	h.awaitLine(t, "the handler still writes to a stream that is not read")
	if line := h.log.last(t); line["code"] != "client_gone" {
		t.Errorf("the log says %v", line)
	}
	if requests, _ := h.countUnderWay(t); requests != 0 {
		t.Errorf("%d requests are under way", requests)
	}
	response, err := persistently(func() (*http.Response, error) { return s.post(t, client) })
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the next request of the connection gets %d", response.StatusCode)
	}
}
