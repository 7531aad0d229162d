package federationtest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/mosaicstack/fedkit/federation/federationtest"
)

// A gateway that answers everything with an empty page is found out. A test calls Run
// instead, and cmd/federationtest does the same from the command line.
func ExampleCheck() {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"items":[]}`)
	}))
	defer gateway.Close()

	report, err := federationtest.Check(context.Background(), federationtest.Gateway{URL: gateway.URL})
	if err != nil {
		log.Fatal(err) // it could not be tested
	}
	first := report.Cases[0] // by number
	fmt.Printf("%d %s: %s\n", first.Number, first.Name, first.Result)
	fmt.Println(report.Levels)
	fmt.Println(errors.Is(report.Err(), federationtest.ErrFailed))
	// Output:
	// 101 the first page, without a body, is as long as the grant allows: failed
	// map[fan-out:not offered get:not offered list:failed]
	// true
}
