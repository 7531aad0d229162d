package fleetlockhttp_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/mosaicstack/fedkit/fleetlock/fleetlockhttp"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
)

// One node of the group may reboot at a time: the second one waits for the first.
func Example() {
	handler, err := fleetlockhttp.New(fleetlockhttp.Config{
		Register: new(fleetlocktest.Memory), // of a fleet: one of pglock or etcdlock
		Groups:   map[string]int{"workers": 1},
	})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix("/fleet", handler))
	defer server.Close()

	fmt.Println(nodeAsks(server.URL+"/fleet/v1/pre-reboot", "node-1"))
	fmt.Println(nodeAsks(server.URL+"/fleet/v1/pre-reboot", "node-2"))
	fmt.Println(nodeAsks(server.URL+"/fleet/v1/steady-state", "node-1")) // it runs again
	fmt.Println(nodeAsks(server.URL+"/fleet/v1/pre-reboot", "node-2"))
	// Output:
	// 200 OK
	// 409 Conflict
	// 200 OK
	// 200 OK
}

// nodeAsks sends what Zincati sends.
func nodeAsks(url, node string) string {
	body := strings.NewReader(`{"client_params":{"id":"` + node + `","group":"workers"}}`)
	r, err := http.NewRequest(http.MethodPost, url, body)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("fleet-lock-protocol", "true")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.Status
}
