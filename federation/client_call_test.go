package federation

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// A server that closes a connection while the next request is on its way has not seen it:
// net/http may send it again on another connection, which is no second attempt.
func TestAConnectionThatWasKeptTooLongIsNoFailure(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			requests := bufio.NewReader(conn)
			for n := range 2 { // the second one gets no answer
				request, err := http.ReadRequest(requests)
				if err != nil {
					break
				}
				io.Copy(io.Discard, request.Body)
				if n == 0 {
					fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(emptyPage), emptyPage)
				}
			}
			conn.Close()
		}
	}()
	client := newClient(t, "http://"+listener.Addr().String(), func(cfg *ClientConfig) { cfg.Attempts = 1 })
	for n := range 3 {
		if _, err := client.List(t.Context(), "tasks", ListRequest{Limit: 1}); err != nil {
			t.Errorf("call %d: %v", n, err)
		}
	}
}
