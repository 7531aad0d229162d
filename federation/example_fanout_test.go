package federation_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// answers is a gateway that gives the same page to everybody.
func answers(page string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, page) }))
}

// newPeer returns a peer at an address. In production ClientConfig.TLS has the
// certificate that the peer knows the grant by.
func newPeer(name, url string) federation.Peer {
	client, err := federation.NewClient(federation.ClientConfig{URL: url, HTTP: http.DefaultClient})
	if err != nil {
		log.Fatal(err)
	}
	return federation.Peer{Name: name, Client: client}
}

// A page of two gateways as one. A host that serves it sets Config.FanOut instead, and
// its clients send {"source":"all"}.
func ExampleFanOut() {
	berlin := answers(`{"items":[{"id":"00000000-0000-4000-8000-000000000003","createdAt":"2026-06-24T03:00:00Z","_source":"local"}]}`)
	defer berlin.Close()
	lima := answers(`{"items":[{"id":"00000000-0000-4000-8000-000000000004","createdAt":"2026-06-24T04:00:00Z","_source":"local"},
		{"id":"00000000-0000-4000-8000-000000000002","createdAt":"2026-06-24T02:00:00Z","_source":"local"}]}`)
	defer lima.Close()

	keys, err := cursor.NewKeyring([]byte(strings.Repeat("k", 32))) // secret, the same on every instance
	if err != nil {
		log.Fatal(err)
	}
	fanOut, err := federation.NewFanOut(federation.FanOutConfig{
		Keys: keys,
		Peers: func(_ context.Context, grant scope.Grant) ([]federation.Peer, error) {
			if grant.Peer != "" {
				return nil, nil // another gateway may read our own rows only
			}
			return []federation.Peer{newPeer("berlin", berlin.URL), newPeer("lima", lima.URL)}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	page, err := fanOut.List(context.Background(), federation.FanOutRequest{
		Grant: scope.Grant{ID: "grant-1", Subject: "user-1"}, Resource: "tasks", Source: federation.SourceAll, Limit: 50,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, item := range page.Items {
		fmt.Println(string(item))
	}
	fmt.Println(page.Sources, page.Partial)
	// Output:
	// {"id":"00000000-0000-4000-8000-000000000004","createdAt":"2026-06-24T04:00:00Z","_source":"peer:lima"}
	// {"id":"00000000-0000-4000-8000-000000000003","createdAt":"2026-06-24T03:00:00Z","_source":"peer:berlin"}
	// {"id":"00000000-0000-4000-8000-000000000002","createdAt":"2026-06-24T02:00:00Z","_source":"peer:lima"}
	// [local exhausted peer:berlin exhausted peer:lima exhausted] false
}

func ExampleAllAs() {
	gateway := answers(`{"items":[{"title":"Water the plants"},{"title":"Feed the cat"}]}`)
	defer gateway.Close()
	client := newPeer("gateway", gateway.URL).Client

	type task struct{ Title string }
	for task, err := range federation.AllAs[task](context.Background(), client, "tasks", federation.ListRequest{}) {
		if errors.Is(err, federation.ErrForbidden) {
			fmt.Println("the grant has been revoked")
		}
		if err != nil {
			return
		}
		fmt.Println(task.Title)
	}
	// Output:
	// Water the plants
	// Feed the cat
}
