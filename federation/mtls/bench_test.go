package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/scope"
)

// BenchmarkAuthenticate is one of the two calls that a page costs. Refused and unknown
// stand beside, to be compared.
func BenchmarkAuthenticate(b *testing.B) {
	g := newGateway(b)
	g.newGrant(b, grants.Terms{ID: "g-revoked"}, g.pin(g.good))
	if _, err := g.registrar.Revoke(b.Context(), "g-revoked"); err != nil {
		b.Fatal(err)
	}
	memory, err := mtls.New(mtls.Config{Find: g.store.Find, Registry: scope.Standard()})
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct{ name, grant string }{
		{"active", grantID}, {"revoked", "g-revoked"}, {"unknown", "g-unknown"},
	} {
		cert := g.root.Certify(b, key(g.good), named(b, bench.grant, subject))
		b.Run("memory/"+bench.name, func(b *testing.B) { authenticate(b, memory, g.request(cert), bench.grant == grantID) })
	}
	postgres, err := mtls.New(mtls.Config{Find: onPostgres(b, g).Find, Registry: scope.Standard()})
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct{ name, grant string }{
		{"active", grantID}, {"revoked", "g-revoked"}, {"unknown", "g-unknown"},
	} {
		cert := g.root.Certify(b, key(g.good), named(b, bench.grant, subject))
		b.Run("postgres/"+bench.name, func(b *testing.B) { authenticate(b, postgres, g.request(cert), bench.grant == grantID) })
	}
}

// BenchmarkAuthenticateHeader verifies a chain as well.
func BenchmarkAuthenticateHeader(b *testing.B) {
	g := behindProxy(b, loopback)
	auth, err := mtls.New(mtls.Config{Find: g.store.Find, Registry: scope.Standard(), Proxy: g.cfg.Proxy})
	if err != nil {
		b.Fatal(err)
	}
	r := &http.Request{Header: http.Header{"Client-Cert": {rfc9440(g.good)}}}
	r = r.WithContext(g.cfg.Proxy.ConnContext(b.Context(), farEnd{address: "127.0.0.1:1"}))
	authenticate(b, auth, r, true)
}

func (g *gateway) request(cert tls.Certificate) *http.Request {
	return &http.Request{TLS: &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cert.Leaf, g.root.Cert}}}}
}

func authenticate(b *testing.B, auth *mtls.Authenticator, r *http.Request, good bool) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := auth.Authenticate(r); (err == nil) != good {
			b.Fatal(err)
		}
	}
}
