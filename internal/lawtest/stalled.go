package lawtest

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// stalledPeers ask for pages of megabytes over a real connection and never read them,
// while the pool has a single connection. It is free all the same: a page is read to
// its end before its first byte is sent.
func stalledPeers(t *testing.T, open Open) {
	const peers = 4
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	long := e.task(r.uuid(), noon)
	long.title = strings.Repeat("x", 12<<20) // more than the buffers of both sockets take
	w.tasks = append(w.tasks, long)
	e.everyKind(r, w, noon.Add(-time.Hour))
	w.load(t, db)
	db.SQL.SetMaxOpenConns(1)
	g := newGateway(t, db)
	g.grant(t, "grant-1", e.subject, everything(10))

	var writing atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.handler.ServeHTTP(&writeNoted{ResponseWriter: w, writing: &writing}, r)
	}))
	// The peers hang up before the server closes, which waits for them.
	defer server.Close()
	for i := range peers {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		path := federation.Prefix + "list/tasks"
		if i%2 == 1 {
			path = federation.Prefix + "get/tasks/" + long.id
		}
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer grant-1\r\nContent-Length: 0\r\n\r\n", path)
	}
	deadline := time.Now().Add(time.Minute)
	for writing.Load() < peers {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d answers are on their way", writing.Load(), peers)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if n := db.SQL.Stats().InUse; n != 0 {
		t.Errorf("%d connections are in use while peers do not read", n)
	}
	for _, resource := range resources {
		if items, _ := g.list("grant-1", resource, ask(1, "")).page(t); len(items) != 1 {
			t.Errorf("beside peers that do not read, a page of %s has %d rows", resource, len(items))
		}
	}
	if n := writing.Load(); n != peers {
		t.Errorf("%d of %d answers were still on their way; nothing was tried", n, peers)
	}
}

// writeNoted counts the answers that are being written.
type writeNoted struct {
	http.ResponseWriter
	writing *atomic.Int64
}

func (w *writeNoted) Write(p []byte) (int, error) {
	w.writing.Add(1)
	defer w.writing.Add(-1)
	return w.ResponseWriter.Write(p)
}
