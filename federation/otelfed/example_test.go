package otelfed_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/otelfed"
)

// The observer of the process's own providers, for a handler, and a client that sends
// its traces along.
func Example() {
	observer, err := otelfed.New(otelfed.Config{})
	if err != nil {
		log.Fatal(err)
	}
	cfg := federation.Config{Observer: observer /* and the other parts */}
	client := http.Client{Transport: otelfed.Transport(http.DefaultTransport, otelfed.Config{})}
	fmt.Println(cfg.Observer != nil, client.Transport != nil)
	// Output: true true
}
