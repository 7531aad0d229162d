package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// leakVariable makes the gateway of a test leak.
const leakVariable = "FEDKIT_BENCH_LOAD_LEAK"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(gatewayVariable); dsn != "" {
		os.Exit(beGateway(context.Background(), dsn, leaks[os.Getenv(leakVariable)]))
	}
	os.Exit(m.Run())
}

var (
	leakedLock sync.Mutex
	leaked     [][]byte
	requests   atomic.Int64
)

// leaks are what a gateway may keep of each request.
var leaks = map[string]func(http.Handler) http.Handler{
	"": whole,
	"memory": func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			leakedLock.Lock()
			leaked = append(leaked, make([]byte, 8<<10))
			leakedLock.Unlock()
			h.ServeHTTP(w, r)
		})
	},
	"goroutines": func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1)%16 == 0 {
				go func() { select {} }()
			}
			h.ServeHTTP(w, r)
		})
	},
}

// newGateway is a process of its own, over a schema of its own.
func newGateway(t *testing.T, environment ...string) *process {
	t.Helper()
	_, dsn := pgtest.Schema(t)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := fill(t.Context(), db, 2000); err != nil {
		t.Fatal(err)
	}
	gateway, err := launch(context.Background(), dsn, environment...) // the context of a test ends before its cleanup
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gateway.close(); err != nil {
			t.Errorf("the gateway ends with %v", err)
		}
	})
	return gateway
}

// leastPages are read whatever time that takes: enough for a leak to be seen.
const leastPages = 1500

// long is 10 minutes in the long form of the test.
func long(short time.Duration) time.Duration {
	if os.Getenv("FEDKIT_TORTURE") == "1" {
		return 10 * time.Minute
	}
	return short
}

func TestMemoryIsFlatUnderLoad(t *testing.T) {
	t.Parallel()
	var seen []error
	for range 3 { // what grows does so every time, and what a busy machine puts off does not
		w, err := watchMemory(t.Context(), newGateway(t), long(3*time.Second), leastPages)
		if err != nil {
			t.Fatal(err)
		}
		if err = w.flat(); err == nil && len(w.samples) >= 6 {
			return
		}
		seen = append(seen, fmt.Errorf("by %d samples in %d pages: %v", len(w.samples), w.pages, err))
	}
	t.Error(errors.Join(seen...))
}

// What the test above would not see is not flat.
func TestALeakIsSeen(t *testing.T) {
	t.Parallel()
	for leak, grows := range map[string]string{"memory": "live heap", "goroutines": "goroutines"} {
		t.Run(leak, func(t *testing.T) {
			t.Parallel()
			w, err := watchMemory(t.Context(), newGateway(t, leakVariable+"="+leak), time.Second, leastPages)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.flat(); err == nil || !strings.Contains(err.Error(), grows) {
				t.Errorf("a gateway that leaks %s is taken for flat: %v, %+v", leak, err, w)
			}
		})
	}
}

// The whole measurement in small: all contenders send the same rows, and everything that
// is written down is there.
func TestAMeasurementCanBeReadOnPaper(t *testing.T) {
	t.Parallel()
	r := &run{
		options: options{rows: 2000, rounds: 1, turn: 50 * time.Millisecond, flat: time.Second},
		say:     func(string, ...any) {}, version: "15",
	}
	if err := r.against(t.Context(), newGateway(t)); err != nil {
		t.Fatal(err)
	}
	text, picture := r.page(), r.picture()
	for _, want := range append([]string{"## 1 connection\n", "## 16 connections\n", "## 256 connections\n", "p99", "## Memory over 1s\n", "live heap"}, contenders...) {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if n := strings.Count(picture, "<rect"); n != 9 || strings.Contains(text+picture, "NaN") {
		t.Errorf("there are %d bars in\n%s", n, picture)
	}
}
