// Package certtest makes certificates for tests: authorities, and what they issue, good
// and bad.
package certtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"
)

// An Authority issues certificates.
type Authority struct {
	Cert *x509.Certificate
	key  crypto.Signer
	// chain are the authority's own certificate and those above it, without the root.
	chain [][]byte
}

// NewRoot returns an authority that nobody stands above.
func NewRoot(tb testing.TB, name string) *Authority {
	tb.Helper()
	key := NewKey(tb)
	template := authority(name)
	return &Authority{Cert: sign(tb, template, template, key.Public(), key), key: key}
}

// Below returns an authority that a certifies.
func (a *Authority) Below(tb testing.TB, name string) *Authority {
	tb.Helper()
	key := NewKey(tb)
	cert := sign(tb, authority(name), a.Cert, key.Public(), a.key)
	return &Authority{Cert: cert, key: key, chain: append([][]byte{cert.Raw}, a.chain...)}
}

func authority(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
}

// Pool returns the authority as the only root.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
	return pool
}

// Client issues the certificate of a client, after the changes to its template.
func (a *Authority) Client(tb testing.TB, changes ...func(*x509.Certificate)) tls.Certificate {
	tb.Helper()
	return a.Certify(tb, NewKey(tb), changes...)
}

// Certify is Client for a key that is there already.
func (a *Authority) Certify(tb testing.TB, key crypto.Signer, changes ...func(*x509.Certificate)) tls.Certificate {
	tb.Helper()
	template := leaf(x509.ExtKeyUsageClientAuth)
	for _, change := range changes {
		change(template)
	}
	cert := sign(tb, template, a.Cert, key.Public(), a.key)
	return tls.Certificate{Certificate: append([][]byte{cert.Raw}, a.chain...), PrivateKey: key, Leaf: cert}
}

// Server issues the certificate of a server at 127.0.0.1.
func (a *Authority) Server(tb testing.TB) tls.Certificate {
	tb.Helper()
	return a.Client(tb, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	})
}

// SelfSigned returns a client's certificate that nobody vouches for.
func SelfSigned(tb testing.TB, changes ...func(*x509.Certificate)) tls.Certificate {
	tb.Helper()
	template := leaf(x509.ExtKeyUsageClientAuth)
	for _, change := range changes {
		change(template)
	}
	key := NewKey(tb)
	cert := sign(tb, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func leaf(usage x509.ExtKeyUsage) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "peer"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		BasicConstraintsValid: true,
	}
}

// With adds extensions.
func With(extensions ...pkix.Extension) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, extensions...) }
}

// Raw returns an extension with the value as it is.
func Raw(id asn1.ObjectIdentifier, value []byte) pkix.Extension {
	return pkix.Extension{Id: id, Value: value}
}

// WithURIs sets the URI SANs.
func WithURIs(tb testing.TB, uris ...string) func(*x509.Certificate) {
	tb.Helper()
	var parsed []*url.URL
	for _, text := range uris {
		u, err := url.Parse(text)
		if err != nil {
			tb.Fatal(err)
		}
		parsed = append(parsed, u)
	}
	return func(c *x509.Certificate) { c.URIs = parsed }
}

// Valid sets from when until when a certificate is good, counted from now.
func Valid(from, until time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(until)
	}
}

// NewKey returns a P-256 key.
func NewKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func sign(tb testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		tb.Fatalf("no certificate can be made: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return &x509.Certificate{Raw: der} // one that a test wants to be refused
	}
	return cert
}

// Take returns what a client can do with its own certificate if it plays authority.
func Take(tb testing.TB, client tls.Certificate) *Authority {
	tb.Helper()
	return &Authority{Cert: client.Leaf, key: client.PrivateKey.(crypto.Signer), chain: client.Certificate}
}
