package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/scope"
)

// A card is what a gateway keeps across a restart, but for its rows. In life it is on the
// gateway's own disk; here the program that starts the gateways remembers it, and tells it
// to them through a pipe.
type card struct {
	Name      string
	Addr      string // where it listens; empty: a free port, the first time
	Server    credential
	Roots     []byte // the authority of those who may ask it, in DER
	CursorKey []byte
	Grants    []grants.Grant
	Peers     []contact // whom it asks in turn
}

// A contact is how one side reaches a gateway.
type contact struct {
	Name  string
	URL   string
	Roots []byte     // by which the gateway is known, in DER
	Own   credential // by which the gateway knows who asks
}

// A credential is a certificate with those above it, in DER, and its key in PKCS #8.
type credential struct {
	Chain [][]byte
	Key   []byte
}

func newCredential(chain []*x509.Certificate, key any) (credential, error) {
	var c credential
	for _, cert := range chain {
		c.Chain = append(c.Chain, cert.Raw)
	}
	var err error
	c.Key, err = x509.MarshalPKCS8PrivateKey(key)
	return c, err
}

func (c credential) certificate() (tls.Certificate, error) {
	key, err := x509.ParsePKCS8PrivateKey(c.Key)
	return tls.Certificate{Certificate: c.Chain, PrivateKey: key}, err
}

func poolOf(der []byte) (*x509.CertPool, error) {
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool, nil
}

// client returns a client of the gateway.
func (c contact) client() (*federation.Client, error) {
	own, err := c.Own.certificate()
	if err != nil {
		return nil, err
	}
	roots, err := poolOf(c.Roots)
	if err != nil {
		return nil, err
	}
	return federation.NewClient(federation.ClientConfig{
		URL: c.URL,
		TLS: &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: roots, MinVersion: tls.VersionTLS13},
	})
}

// lifetime is that of all grants and certificates here.
const lifetime = 24 * time.Hour

// An office makes the card of one gateway and admits those who may ask it. How a gateway
// and a peer far away do this with a token is in examples/enroll.
type office struct {
	card
	ca     *enroll.CA
	store  grants.Memory
	grants *grants.Registrar
}

func newOffice(name string) (*office, error) {
	ca, err := enroll.NewCA(name+" authority", lifetime)
	if err != nil {
		return nil, err
	}
	server, err := ca.Server(lifetime, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	o := &office{ca: ca, card: card{Name: name, Roots: ca.Certificate().Raw, CursorKey: make([]byte, 32)}}
	rand.Read(o.CursorKey) // never fails
	if o.Server, err = newCredential([]*x509.Certificate{server.Leaf, ca.Certificate()}, server.PrivateKey); err != nil {
		return nil, err
	}
	o.grants, err = grants.NewRegistrar(grants.Config{Store: &o.store, Registry: scope.Standard()})
	return o, err
}

// admit grants the peer the tasks of the subject, and gives it a certificate for that.
func (o *office) admit(ctx context.Context, peer string) (contact, error) {
	grant, err := o.grants.Create(ctx, grants.Terms{
		Peer: peer, Subject: subject, Expires: time.Now().Add(lifetime),
		Scope: []byte(`{"resources":["tasks"],"max_rows_per_query":100}`),
	})
	if err != nil {
		return contact{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return contact{}, err
	}
	chain, err := o.ca.Sign(ctx, enroll.Request{
		Key: key.Public(), Grant: grant, NotBefore: time.Now().Add(-time.Minute), NotAfter: grant.Expires,
	})
	if err != nil {
		return contact{}, err
	}
	if grant, err = o.grants.Activate(ctx, grant.ID, grant.Revision, grants.PinOf(chain)); err != nil {
		return contact{}, err
	}
	o.Grants = append(o.Grants, grant)
	own, err := newCredential(chain, key)
	return contact{Name: o.Name, Roots: o.Roots, Own: own}, err
}

// url is where the gateway is, once it has been started.
func (c card) url() string { return fmt.Sprintf("https://%s", c.Addr) }
