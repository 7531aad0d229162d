// Package hosttest runs the programs of this module as processes of their own, over a
// Postgres database, and asks them over HTTP.
package hosttest

import (
	"bytes"
	"database/sql"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// variable says in the environment that the test binary is to be the program.
const variable = "FEDKIT_HOSTTEST_PROGRAM"

// Main is the TestMain of a program.
func Main(m *testing.M, program func()) {
	if os.Getenv(variable) != "" {
		program()
		return
	}
	os.Exit(m.Run())
}

// A host is a running program, with the database that it serves.
type host struct {
	url string
	db  *sql.DB
}

// patience is how long a program may take to listen.
const patience = 2 * time.Minute

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
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if url, ok := launch(t, dsn); ok {
			return host{url, db}
		}
	}
	t.Fatalf("the program does not listen within %s", patience)
	return host{}
}

// launch starts the program on a port that was free a moment ago. It is not ok if
// another process has taken the port.
func launch(t *testing.T, dsn string) (url string, ok bool) {
	t.Helper()
	addr := freeAddress(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variable+"=1", "DATABASE_URL="+dsn, "ADDR="+addr, "CURSOR_KEY="+strings.Repeat("k", 32))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
		select {
		case err := <-ended:
			if strings.Contains(stderr.String(), "address already in use") {
				return "", false
			}
			t.Fatalf("the program ends with %v:\n%s", err, stderr.Bytes())
		default:
		}
		if response, err := http.Get("http://" + addr); err == nil {
			response.Body.Close()
			t.Cleanup(func() { cmd.Process.Kill(); <-ended })
			return "http://" + addr, true
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
