package enroll_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/scope"
)

// A gateway invites a peer, and the peer gets its certificate. Both stand in one program
// here; examples/enroll has two gateways.
func Example() {
	ctx := context.Background()

	// The gateway: an authority, grants, and a desk in front of them.
	ca, err := enroll.NewCA("gateway.example.org", 24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	registrar, err := grants.NewRegistrar(grants.Config{Store: new(grants.Memory), Registry: scope.Standard()})
	if err != nil {
		log.Fatal(err)
	}
	desk, err := enroll.New(enroll.Config{
		Tickets: new(enroll.Memory), Grants: registrar, Signer: ca,
		Report: func(_ context.Context, e enroll.Event) error {
			fmt.Println(strings.TrimSpace("audit: " + string(e.Step) + " " + string(e.Code)))
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(enroll.Path, desk)
	own, err := ca.Server(24*time.Hour, "127.0.0.1")
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}} // in life, of mtls.ServerTLS
	server.StartTLS()
	defer server.Close()

	// A grant, and the token for it, which go to the peer with the authority's certificate.
	grant, err := registrar.Create(ctx, grants.Terms{
		ID: "grant-1", Peer: "peer.example.org", Subject: "user-1",
		Scope:   []byte(`{"resources":["tasks"],"max_rows_per_query":50}`),
		Expires: time.Now().AddDate(0, 3, 0),
	})
	if err != nil {
		log.Fatal(err)
	}
	token, _, err := desk.Invite(ctx, grant.ID)
	if err != nil {
		log.Fatal(err)
	}

	// The peer.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}}
	certificate, err := enroll.Redeem(ctx, client, server.URL+enroll.Path, token, key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(certificate.Leaf.Issuer)
	_, err = enroll.Redeem(ctx, client, server.URL+enroll.Path, token, key)
	var refused *enroll.RefusedError
	fmt.Println(errors.As(err, &refused) && refused.Status == http.StatusGone)
	// Output:
	// audit: invited
	// audit: redeemed
	// audit: issued
	// audit: bound
	// CN=gateway.example.org
	// audit: refused token_gone
	// true
}
