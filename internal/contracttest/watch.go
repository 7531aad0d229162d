// Package contracttest sees to it that no answer which a test gets escapes the contract.
package contracttest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/mosaicstack/fedkit/internal/openapi"
)

var description = openapi.Contract()

// Watch returns a handler that answers as next does, and fails the test for each answer
// that the contract does not have, to whomever it went. An answer that next aborts is
// none. Nothing may stand between it and a handler of the library: its headers must be
// those of the contract, and no other.
func Watch(tb testing.TB, next http.Handler) http.Handler {
	return watch(tb, next, func(a openapi.Answer) error { return description.Check(a, true) })
}

// WatchRows is Watch for a handler whose rows are those of the standard schema: these are
// held against the contract, too.
func WatchRows(tb testing.TB, next http.Handler) http.Handler {
	return watch(tb, next, func(a openapi.Answer) error {
		return errors.Join(description.Check(a, true), description.CheckRows(a))
	})
}

func watch(tb testing.TB, next http.Handler, check func(openapi.Answer) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// As they are now: next may change the request.
		a := openapi.Answer{Method: r.Method, Path: r.URL.Path}
		copied := &recorder{ResponseWriter: w}
		next.ServeHTTP(copied, r)
		a.Status, a.Header, a.Body = copied.status, copied.header, copied.body.Bytes()
		see(a)
		if err := check(a); err != nil {
			tb.Errorf("%s %q is answered with %d, against the contract: %v\n%v\n%.2000s", a.Method, a.Path, a.Status, err, a.Header, a.Body)
		}
	})
}

// recorder copies what it hands on.
type recorder struct {
	http.ResponseWriter
	status int
	header http.Header // as it was when the body began
	body   bytes.Buffer
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	r.status, r.header = status, r.Header().Clone()
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

var (
	mu   sync.Mutex
	seen = map[openapi.Case]int{}
)

func see(a openapi.Answer) {
	mu.Lock()
	defer mu.Unlock()
	seen[openapi.Case{Operation: description.Operation(a.Path), Status: a.Status, Media: a.Header.Get("Content-Type")}]++
}

// Main runs the tests of a package, and fails them if the contract has a kind of answer
// to these operations, other than the excepted ones, that none of the tests got. It is
// for TestMain. A run of some of the tests alone is judged by these alone.
func Main(m *testing.M, operations []string, except ...openapi.Case) int {
	status := m.Run()
	if status != 0 || partial() {
		return status
	}
	mu.Lock() // servers of tests may still be ending
	defer mu.Unlock()
	excepted := map[openapi.Case]bool{}
	for _, c := range except {
		excepted[c] = true
	}
	for _, operation := range operations {
		cases, err := description.Cases(operation)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for _, c := range cases {
			if got := seen[c] > 0; got == excepted[c] {
				fmt.Fprintf(os.Stderr, "the contract has %+v; the tests got one: %t\n", c, got)
				status = 1
			}
		}
	}
	return status
}

// partial tells if not all tests were asked for.
func partial() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return true
		}
	}
	return false
}
