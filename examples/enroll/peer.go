package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
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
	url    string
	client *http.Client
}

// enrollAt trades the token of an invitation for a certificate.
func enrollAt(ctx context.Context, name string, in invitation, say *narrator) (*peer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert, err := enroll.Redeem(ctx, newClient(in.roots), in.url+enroll.Path, in.token, key)
	var refused *enroll.RefusedError
	if errors.As(err, &refused) {
		say.line(name, "is refused by %s: %d, %s", in.from, refused.Status, refused.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("%s enrolls at %s: %w", name, in.from, err)
	}
	say.line(name, "has a certificate of the %s", cert.Leaf.Issuer.CommonName)
	return &peer{name: name, of: in.from, url: in.url, client: newClient(in.roots, cert)}, nil
}

// anonymous is a peer without a certificate.
func anonymous(in invitation) *peer {
	return &peer{name: "nobody", of: in.from, url: in.url, client: newClient(in.roots)}
}

// newClient returns a client that knows the server by its authority, and shows its own
// certificate, if it has one.
func newClient(roots *x509.CertPool, own ...tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: own, MinVersion: tls.VersionTLS13},
	}}
}

// list reads the first page of tasks, and says what came.
func (p *peer) list(ctx context.Context, say *narrator) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+federation.Prefix+"list/tasks", nil)
	if err != nil {
		return err
	}
	response, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var page struct {
		Items     []struct{ Title string }
		Truncated bool `json:"_truncated"`
		Error     struct{ Message string }
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		return fmt.Errorf("%s lists at %s: %w", p.name, p.of, err)
	}
	if response.StatusCode != http.StatusOK {
		say.line(p.name, "is refused by %s: %d, %s", p.of, response.StatusCode, page.Error.Message)
		return nil
	}
	var titles []string
	for _, item := range page.Items {
		titles = append(titles, fmt.Sprintf("%q", item.Title))
	}
	more := ""
	if page.Truncated {
		more = ", and there are more"
	}
	say.line(p.name, "reads from %s: %s%s", p.of, strings.Join(titles, ", "), more)
	return nil
}
