package federation

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// startServer serves the host by NewServer on a port of its own, and returns its
// address.
func startServer(t *testing.T, h *host, tune func(*http.Server)) string {
	t.Helper()
	server, err := NewServer(h.serving(t), h.timeout)
	if err != nil {
		t.Fatal(err)
	}
	if tune != nil {
		tune(server)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return listener.Addr().String()
}

// How long a test waits at most, and how long a connection is open at most that a server
// lets go of after less than a second: on a machine that is as busy as can be.
const (
	testWait = 2 * time.Minute
	testOpen = time.Minute
)

// dial connects, and gives up on the connection after testWait.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testWait)); err != nil {
		t.Fatal(err)
	}
	return conn
}

const goodHead = "POST " + Prefix + "list/tasks HTTP/1.1\r\nHost: gateway\r\n"

// mustServe asks for a page as a good peer does. A server that lets go of slow peers after
// less than a second may take it for one of them if the machine is busy.
func mustServe(t *testing.T, address string) {
	t.Helper()
	response, err := persistently(func() (*http.Response, error) {
		return http.Post("http://"+address+Prefix+"list/tasks", "application/json", strings.NewReader("{}"))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("a good peer is answered with %d", response.StatusCode)
	}
}

// persistently asks until there is an answer, or for testWait.
func persistently(ask func() (*http.Response, error)) (response *http.Response, err error) {
	for deadline := time.Now().Add(testWait); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if response, err = ask(); err == nil {
			return response, nil
		}
	}
	return nil, err
}

// A hundred clients send a header byte by byte; each is gone after ReadHeaderTimeout,
// nobody of the host has heard of them, and good peers are served meanwhile.
func TestASlowHeaderEndsItsConnection(t *testing.T) {
	h := newHost(t)
	address := startServer(t, h, func(s *http.Server) { s.ReadHeaderTimeout = 300 * time.Millisecond })
	var wait sync.WaitGroup
	for range 100 {
		conn := dial(t, address)
		wait.Go(func() {
			if _, err := io.WriteString(conn, goodHead); err != nil {
				return
			}
			go func() {
				for i := 0; ; i++ { // until the connection is closed
					if _, err := fmt.Fprintf(conn, "X-%d: y\r\n", i); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}()
			started := time.Now()
			if got, err := io.ReadAll(conn); strings.Contains(string(got), "200 OK") {
				t.Errorf("a header without end is answered with %.100q, %v", got, err)
			}
			if waited := time.Since(started); waited > testOpen {
				t.Errorf("the connection was open for %v", waited)
			}
		})
	}
	mustServe(t, address)
	asked := h.authenticated.Load()
	wait.Wait()
	if asked != 2 || h.authenticated.Load() != 2 {
		t.Errorf("the authenticator was asked %d times for one page", h.authenticated.Load())
	}
}

func TestASlowBodyEndsItsRequest(t *testing.T) {
	h := newHost(t)
	address := startServer(t, h, func(s *http.Server) { s.ReadTimeout = 300 * time.Millisecond })
	var got []byte
	// Where the machine is busy, it may not get to the header in time.
	for deadline := time.Now().Add(testWait); len(h.log.lines(t)) == 0 && time.Now().Before(deadline); {
		conn := dial(t, address)
		fmt.Fprintf(conn, goodHead+"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
		got, _ = io.ReadAll(conn)
	}
	if strings.Contains(string(got), "200 OK") || h.authenticated.Load() != 0 {
		t.Errorf("a body that does not come is answered with %.100q; the authenticator was asked %d times", got, h.authenticated.Load())
	}
	if line := h.log.last(t); line["code"] != "bad_body" {
		t.Errorf("the log says %v", line)
	}
}

func TestAHeaderOfAMegabyteIsRefused(t *testing.T) {
	h := newHost(t)
	address := startServer(t, h, nil)
	refused := 0
	for name, header := range map[string]string{
		"one field":   "X-Long: " + strings.Repeat("x", 1<<20) + "\r\n",
		"many fields": strings.Repeat("X-Field: value of a field\r\n", 40_000),
		"32 KiB":      "X-Long: " + strings.Repeat("x", 32<<10) + "\r\n",
	} {
		conn := dial(t, address)
		go func() { _, _ = io.WriteString(conn, goodHead+header+"\r\n") }()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			continue // the server was done before the client was
		}
		refused++
		if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: the answer is %d", name, response.StatusCode)
		}
	}
	if refused == 0 {
		t.Error("no client was told anything")
	}
	if n := h.authenticated.Load(); n != 0 {
		t.Errorf("the authenticator was asked %d times", n)
	}
	mustServe(t, address)
}

// A peer that does not read its page: the handler is rid of it after WriteTimeout.
func TestAPeerThatDoesNotReadIsLetGo(t *testing.T) {
	h := newHost(t)
	h.concurrent = 1
	row := json.RawMessage(`{"text":"` + strings.Repeat("x", 8<<20) + `"}`) // twice what Linux keeps for a sender
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return []json.RawMessage{row}, nil, nil
	}
	address := startServer(t, h, func(s *http.Server) { s.WriteTimeout = 500 * time.Millisecond })
	conn := dial(t, address)
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprint(conn, goodHead+"\r\n")
	h.awaitLine(t, "the handler still writes to a peer that does not read")
	if line := h.log.last(t); line["code"] != "client_gone" {
		t.Errorf("the log says %v", line)
	}
	if requests, _ := h.countUnderWay(t); requests != 0 {
		t.Errorf("%d requests are under way", requests)
	}
}

// awaitLine waits for the end of a request.
func (h *host) awaitLine(t *testing.T, otherwise string) {
	t.Helper()
	for deadline := time.Now().Add(testWait); len(h.log.lines(t)) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(otherwise)
		}
	}
}

func TestAServerHasALimitForEverything(t *testing.T) {
	for timeout, write := range map[time.Duration]time.Duration{0: 52 * time.Second, time.Minute: 102 * time.Second} {
		s, err := NewServer(http.NotFoundHandler(), timeout)
		if err != nil {
			t.Fatal(err)
		}
		if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 || s.MaxHeaderBytes > 64<<10 || s.WriteTimeout != write {
			t.Errorf("the limits for a timeout of %v are %v, %v, %v, %v, %d", timeout, s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout, s.MaxHeaderBytes)
		}
	}
	if s, err := NewServer(nil, 0); s != nil || err == nil {
		t.Error("a server without handler is made: it would serve http.DefaultServeMux")
	}
	if s, err := NewServer(http.NotFoundHandler(), -1); s != nil || err == nil {
		t.Error("a negative timeout is accepted")
	}
}

// OPTIONS * belongs to no path: net/http would answer it with a 200 of its own.
func TestOptionsOfTheServerAreRefused(t *testing.T) {
	conn := dial(t, startServer(t, newHost(t), nil))
	fmt.Fprint(conn, "OPTIONS * HTTP/1.1\r\nHost: gateway\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusNotFound || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer is %+v, %v", response, err)
	}
}
