package ratelimit_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/ratelimit"
)

// Twenty requests per second from an address, before it has proved anything, and fifty
// on a grant.
func Example() {
	addresses, err := ratelimit.New(ratelimit.Config{Rate: 20})
	if err != nil {
		log.Fatal(err)
	}
	grants, err := ratelimit.New(ratelimit.Config{Rate: 50, Burst: 200})
	if err != nil {
		log.Fatal(err)
	}
	cfg := federation.Config{Addresses: addresses, Grants: grants /* and the other parts */}

	served := 0
	for range 100 {
		if _, ok := cfg.Addresses.Allow("192.0.2.7"); ok {
			served++
		}
	}
	fmt.Println(served, http.StatusText(http.StatusTooManyRequests))
	// Output: 40 Too Many Requests
}
