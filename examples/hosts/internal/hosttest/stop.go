package hosttest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

// Stops tests that a program which is told to stop answers what it was asked before, and
// nothing after that.
func Stops(t *testing.T) {
	h := start(t)
	addr := strings.TrimPrefix(h.url, "http://")
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(programtest.Patience))
	const body = `{"limit":1}`
	fmt.Fprintf(conn, "POST %slist/tasks HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		federation.Prefix, addr, token, len(body))
	// The server asks for the body when the handler reads it: the request is in flight.
	answers := bufio.NewReader(conn)
	if response, err := http.ReadResponse(answers, nil); err != nil || response.StatusCode != http.StatusContinue {
		t.Fatalf("the header of a request is answered with %v and %v, want 100", response, err)
	}
	h.Signal(t, syscall.SIGTERM)
	programtest.Eventually(t, "the program listens no more", func() bool { return !listens(addr) })
	fmt.Fprint(conn, body)
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("the request in flight gets no answer: %v", err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the request in flight is answered with %d, want 200", response.StatusCode)
	}
	if got := h.End(t); got.Code != 0 {
		t.Errorf("the program ends with %d, want 0: %s", got.Code, got.Stderr)
	}
}
