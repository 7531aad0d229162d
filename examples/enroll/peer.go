package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/enroll"
)

// A peer reads from a gateway.
type peer struct {
	name   string
	of     string // the gateway
	client *federation.Client
}

// enrollAt trades the token of an invitation for a certificate.
func enrollAt(ctx context.Context, name string, in invitation, say *narrator) (*peer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	desk := &http.Client{Transport: &http.Transport{TLSClientConfig: in.tls()}}
	defer desk.CloseIdleConnections()
	cert, err := enroll.Redeem(ctx, desk, in.url+enroll.Path, in.token, key)
	var refused *enroll.RefusedError
	if errors.As(err, &refused) {
		say.line(name, "is refused by %s: %d, %s", in.from, refused.Status, refused.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("%s enrolls at %s: %w", name, in.from, err)
	}
	say.line(name, "has a certificate of the %s", cert.Leaf.Issuer.CommonName)
	return newPeer(name, in, cert)
}

// newPeer returns a peer with its own certificate, or without one.
func newPeer(name string, in invitation, own ...tls.Certificate) (*peer, error) {
	client, err := federation.NewClient(federation.ClientConfig{URL: in.url, TLS: in.tls(own...)})
	if err != nil {
		return nil, err
	}
	return &peer{name: name, of: in.from, client: client}, nil
}

// tls knows the gateway by its authority, and shows the peer's own certificate.
func (in invitation) tls(own ...tls.Certificate) *tls.Config {
	return &tls.Config{RootCAs: in.roots, Certificates: own, MinVersion: tls.VersionTLS13}
}

// A task is what is shown of a row.
type task struct {
	Title string `json:"title"`
}

// list reads the first page of tasks, and says what came.
func (p *peer) list(ctx context.Context, say *narrator) error {
	tasks, page, err := federation.ListAs[task](ctx, p.client, "tasks", federation.ListRequest{})
	var refused *federation.PeerError
	if errors.As(err, &refused) && refused.Status != 0 {
		say.line(p.name, "is refused by %s: %d, %s", p.of, refused.Status, refused.Message)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s lists at %s: %w", p.name, p.of, err)
	}
	var titles []string
	for _, t := range tasks {
		titles = append(titles, fmt.Sprintf("%q", t.Title))
	}
	more := ""
	if page.Next != "" {
		more = ", and there are more"
	}
	say.line(p.name, "reads from %s: %s%s", p.of, strings.Join(titles, ", "), more)
	return nil
}
