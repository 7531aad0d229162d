package main

import (
	"bufio"
	"errors"
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

// slowRequest sends the header of a list request and waits until the gateway has
// begun to read the body. It returns the connection and the missing body.
func slowRequest(t *testing.T, p *program) (conn net.Conn, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatalf("the gateway is not reached: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	body = `{"limit":1}`
	// The server asks for the body once the handler reads it: the request is in flight.
	fmt.Fprintf(conn, "POST %slist/tasks HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		federation.Prefix, firstToken(t, p), len(body))
	conn.SetDeadline(time.Now().Add(programtest.Patience))
	line, err := bufio.NewReaderSize(conn, 25).ReadString('\n') // reads no further than "HTTP/1.1 100 Continue\r\n\r\n"
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the gateway answers the header with %q and %v, want 100 Continue", line, err)
	}
	return conn, body
}

// firstToken returns the first token of an active grant in the banner.
func firstToken(t *testing.T, p *program) string {
	t.Helper()
	for line := range strings.Lines(p.banner) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[3] == "active" {
			return fields[0]
		}
	}
	t.Fatalf("no active grant stands in the banner:\n%s", p.banner)
	return ""
}

// refusesConnections tells if nothing listens any more.
func (p *program) refusesConnections() bool {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(p.url, "http://"), programtest.Patience)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

func TestASignalDrainsRequestsInFlightAndEndsWith0(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := startSmall(t)
			conn, body := slowRequest(t, p)
			p.Signal(t, sig)
			programtest.Eventually(t, "the gateway refuses new connections", p.refusesConnections)
			fmt.Fprint(conn, body)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("the request in flight gets no answer: %v", err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("the request in flight is answered with %d, want 200", response.StatusCode)
			}
			if code := p.End(t).Code; code != 0 {
				t.Errorf("after %s the gateway ends with %d, want 0", sig, code)
			}
		})
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startSmall(t)
	slowRequest(t, p)
	p.Signal(t, syscall.SIGTERM)
	programtest.Eventually(t, "the gateway refuses new connections", p.refusesConnections)
	p.Signal(t, syscall.SIGTERM)
	if code := p.End(t).Code; code == 0 { // as it would be after waiting for the body
		t.Error("a gateway that should cut off a request ends with 0")
	}
}

func TestAnIdleGatewayEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startSmall(t)
	p.Signal(t, syscall.SIGTERM)
	if code := p.End(t).Code; code != 0 {
		t.Errorf("the gateway ends with %d, want 0", code)
	}
}

func TestAnUnspecifiedAddressIsPrintedAsOneToConnectTo(t *testing.T) {
	t.Parallel()
	p := startSmall(t, "-addr", ":0")
	if !strings.HasPrefix(p.url, "http://localhost:") || p.refusesConnections() {
		t.Errorf("a gateway at -addr :0 prints %q, want a URL of localhost that answers", p.url)
	}
}
