// Package hosttest runs the programs of this module as processes of their own, over a
// Postgres database, and asks them over HTTP.
package hosttest

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

// A host is a running program, with the database that it serves.
type host struct {
	*programtest.Program
	url string
	db  *sql.DB
}

// start fills a database and starts the program on it.
func start(t *testing.T) host {
	t.Helper()
	dsn := pgtest.DSN(t)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	fill(t, db)
	h := host{db: db}
	programtest.Eventually(t, "the program listens", func() bool {
		addr := freeAddress(t)
		h.Program, h.url = launch(t, dsn, addr), "http://"+addr
		return h.Program != nil
	})
	return h
}

// launch starts the program, and returns it when it listens. It returns nil if another
// process has the port.
func launch(t *testing.T, dsn, addr string) *programtest.Program {
	t.Helper()
	cmd := programtest.Command()
	cmd.Env = append(cmd.Env, "DATABASE_URL="+dsn, "ADDR="+addr, "CURSOR_KEY="+strings.Repeat("k", 32))
	p := programtest.Start(t, cmd)
	programtest.Eventually(t, "the program listens or has ended", func() bool { return p.Ended() || listens(addr) })
	if !p.Ended() {
		return p
	}
	if got := p.End(t); !strings.Contains(got.Stderr, "address already in use") {
		t.Fatalf("the program ends with %d:\n%s", got.Code, got.Stderr)
	}
	return nil
}

func listens(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// freeAddress returns one at which nobody listens. Its port is of those that systems give
// to nobody who takes any, so it is most likely still free when the program comes.
// Other tests leave it alone for as long as this one has the same port of UDP.
func freeAddress(t *testing.T) string {
	for {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))
		claim, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		t.Cleanup(func() { claim.Close() })
		if !listens(addr) {
			return addr
		}
	}
}
