package mtls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

// The ids of the extensions, as the documentation has them.
var (
	grantOID   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	subjectOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 2}
)

func TestACertificateOfTheGrantIsLetIn(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		g := newGateway(t)
		g.http2 = http2
		g.start(t)
		if got := g.mustAsk(t, g.client(t, g.good)); got.status != http.StatusOK || !strings.Contains(got.wire, "dig") {
			t.Errorf("HTTP/2 %t: the answer is %d %s", http2, got.status, got.wire)
		}
	}
}

// Who has no certificate gets a 401, or with certificates required no connection.
func TestNoCertificateIsNoCredential(t *testing.T) {
	t.Parallel()
	g := newGateway(t).start(t)
	if got := g.mustAsk(t, g.client(t)); got.status != http.StatusUnauthorized || g.code(t) != "no_credential" {
		t.Errorf("the answer is %d %s", got.status, got.wire)
	}
	if n := g.lookups(); n != 0 {
		t.Errorf("it costs %d look-ups", n)
	}
	strict := newGateway(t)
	strict.tls.Optional = false
	strict.start(t)
	if got, err := strict.ask(t, strict.client(t)); err == nil {
		t.Errorf("where certificates are required, the answer without one is %d %s", got.status, got.wire)
	}
	if got := strict.mustAsk(t, strict.client(t, strict.good)); got.status != http.StatusOK {
		t.Errorf("where certificates are required, the answer with one is %d %s", got.status, got.wire)
	}
}

// A certificate that does not verify ends the handshake. All of them say that they are
// of the grant, and hold the key that is pinned.
func TestACertificateThatDoesNotVerifyGetsNoAnswer(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ours := named(t, grantID, subject)
	stranger := certtest.NewRoot(t, "root") // of the same name
	below := g.root.Client(t, ours)
	for name, cert := range map[string]tls.Certificate{
		"expired":                   g.root.Certify(t, key(g.good), ours, certtest.Valid(-2*time.Hour, -time.Second)),
		"not yet valid":             g.root.Certify(t, key(g.good), ours, certtest.Valid(time.Minute, time.Hour)),
		"of another authority":      stranger.Certify(t, key(g.good), ours),
		"self-signed":               certtest.SelfSigned(t, ours),
		"for servers":               g.root.Certify(t, key(g.good), ours, usage(x509.ExtKeyUsageServerAuth)),
		"issued by a client":        issuedBy(t, below, ours),
		"with a critical extension": g.root.Certify(t, key(g.good), critical(t)),
		"with an extension twice":   g.root.Certify(t, key(g.good), ours, ours),
		"of an intermediate that is not sent": func() tls.Certificate {
			cert := g.root.Below(t, "between").Certify(t, key(g.good), ours)
			cert.Certificate = cert.Certificate[:1]
			return cert
		}(),
	} {
		for _, optional := range []bool{true, false} {
			g.tls.Optional = optional
			g.start(t)
			if got, err := g.ask(t, g.client(t, cert)); err == nil {
				t.Errorf("a certificate that is %s, optional %t: the answer is %d %s", name, optional, got.status, got.wire)
			}
			if n := g.lookups(); n != 0 {
				t.Errorf("a certificate that is %s costs %d look-ups", name, n)
			}
		}
	}
}

func usage(u x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{u} }
}

func critical(tb testing.TB) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		named(tb, grantID, subject)(c)
		c.ExtraExtensions[0].Critical = true
	}
}

// issuedBy returns a certificate that a client's own key has signed.
func issuedBy(tb testing.TB, client tls.Certificate, changes ...func(*x509.Certificate)) tls.Certificate {
	tb.Helper()
	issuer := certtest.Take(tb, client)
	return issuer.Client(tb, changes...)
}

// Whoever has a verified certificate and no active grant gets the same bytes, after one
// look-up, also if the certificate names no grant.
func TestEveryRefusedCertificateGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	other := certtest.NewRoot(t, "other root")
	g.tls.Roots.AddCert(other.Cert)
	for id, end := range map[string]func(string){
		"g-revoked": func(id string) { g.registrar.Revoke(t.Context(), id) },
		"g-expired": func(id string) { g.registrar.Expire(t.Context(), id) },
		"g-over": func(id string) {
			grant, _ := g.store.Get(t.Context(), id)
			grant.Revision, grant.Expires = grant.Revision+1, time.Now()
			g.store.Replace(t.Context(), grant)
		},
		"g-later": func(id string) {
			grant, _ := g.store.Get(t.Context(), id)
			grant.Revision, grant.NotBefore = grant.Revision+1, time.Now().Add(time.Minute)
			g.store.Replace(t.Context(), grant)
		},
		"g-unpinned": func(id string) {
			grant, _ := g.store.Get(t.Context(), id)
			grant.Revision, grant.Pins = grant.Revision+1, [2]grants.Pin{}
			g.store.Replace(t.Context(), grant)
		},
	} {
		end(g.newGrant(t, grants.Terms{ID: id}, g.pin(g.good)).ID)
	}
	g.newGrant(t, grants.Terms{ID: "g-pending"}, grants.Pin{})
	g.start(t)

	with := func(changes ...func(*x509.Certificate)) tls.Certificate {
		return g.root.Certify(t, key(g.good), changes...)
	}
	raw := func(grant, subject []byte) func(*x509.Certificate) {
		return certtest.With(certtest.Raw(grantOID, grant), certtest.Raw(subjectOID, subject))
	}
	text := func(s string) []byte { return append([]byte{0x0c, byte(len(s))}, s...) }
	id, who := text(grantID), text(subject)
	var first answer
	for _, test := range []struct {
		name    string
		cert    tls.Certificate
		code    string
		lookups int
	}{
		{"of a grant that is unknown", with(named(t, "g-unknown", subject)), "grant_unknown", 1},
		{"of a grant that is pending", with(named(t, "g-pending", subject)), "grant_pending", 1},
		{"of a grant that is revoked", with(named(t, "g-revoked", subject)), "grant_revoked", 1},
		{"of a grant that is expired", with(named(t, "g-expired", subject)), "grant_expired", 1},
		{"of a grant whose time is over", with(named(t, "g-over", subject)), "grant_expired", 1},
		{"of a grant that begins later", with(named(t, "g-later", subject)), "grant_pending", 1},
		{"of a grant without a pin", with(named(t, "g-unpinned", subject)), "grant_mismatch", 1},
		{"of another key", g.root.Client(t, named(t, grantID, subject)), "grant_mismatch", 1},
		{"of another root", other.Certify(t, key(g.good), named(t, grantID, subject)), "grant_mismatch", 1},
		{"of an authority below", g.root.Below(t, "root").Certify(t, key(g.good), named(t, grantID, subject)), "grant_mismatch", 1},
		{"about another subject", with(named(t, grantID, "user-2")), "grant_mismatch", 1},
		{"of an id in another case", with(named(t, strings.ToUpper(grantID), subject)), "grant_unknown", 1},
		{"that has only a common name", with(commonName(grantID)), "grant_unknown", 1},
		{"that has a common name and the subject", with(commonName(grantID), certtest.With(certtest.Raw(subjectOID, who))), "grant_unknown", 1},
		{"that has a grant and no subject", with(certtest.With(certtest.Raw(grantOID, id))), "grant_unknown", 1},
		{"whose length is long where short fits", with(raw(append([]byte{0x0c, 0x81, byte(len(grantID))}, grantID...), who)), "grant_unknown", 1},
		{"whose length has a zero in front", with(raw(append([]byte{0x0c, 0x82, 0, byte(len(grantID))}, grantID...), who)), "grant_unknown", 1},
		{"whose length is indefinite", with(raw(append(append([]byte{0x2c, 0x80}, id...), 0, 0), who)), "grant_unknown", 1},
		{"whose string is constructed", with(raw(append([]byte{0x2c, byte(len(id))}, id...), who)), "grant_unknown", 1},
		{"whose string goes on", with(raw(append(id[:len(id):len(id)], 0), who)), "grant_unknown", 1},
		{"whose string ends early", with(raw(id[:len(id)-1], who)), "grant_unknown", 1},
		{"whose subject goes on", with(raw(id, append(who[:len(who):len(who)], 5, 0))), "grant_unknown", 1},
		{"whose string is a PrintableString", with(raw(append([]byte{0x13}, id[1:]...), who)), "grant_unknown", 1},
		{"whose string is plain bytes", with(raw([]byte(grantID), who)), "grant_unknown", 1},
		{"whose id has a NUL", with(raw(text(grantID+"\x00"), who)), "grant_unknown", 1},
		{"whose id is no UTF-8", with(raw(text(grantID+"\xff"), who)), "grant_unknown", 1},
		{"whose id is empty", with(raw([]byte{0x0c, 0}, who)), "grant_unknown", 1},
		{"whose extension is empty", with(raw(nil, who)), "grant_unknown", 1},
		{"whose id is huge", with(raw(huge(t), who)), "grant_unknown", 1},
		{"of the extension's neighbour", with(certtest.With(certtest.Raw(append(grantOID[:7:7], 3), id), certtest.Raw(subjectOID, who))), "grant_unknown", 1},
		{"of an authority", with(named(t, grantID, subject), func(c *x509.Certificate) { c.IsCA = true }), "no_credential", 0},
	} {
		got := g.mustAsk(t, g.client(t, test.cert))
		code, lookups := g.code(t), g.lookups()
		if code != test.code || lookups != test.lookups {
			t.Errorf("a certificate %s: the log says %s after %d look-ups, want %s after %d", test.name, code, lookups, test.code, test.lookups)
		}
		if code == "no_credential" {
			if got.status != http.StatusUnauthorized {
				t.Errorf("a certificate %s: the answer is %d %s", test.name, got.status, got.wire)
			}
			continue
		}
		if first.wire == "" {
			first = got
		}
		if got.status != http.StatusForbidden || got.wire != first.wire {
			t.Errorf("a certificate %s: the answer is %d\n%s\nand not 403\n%s", test.name, got.status, got.wire, first.wire)
		}
	}
}

func commonName(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name, SerialNumber: name, ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: grantOID, Value: name}, // an attribute is no extension
		}}
		c.DNSNames, c.EmailAddresses = []string{"grant." + name}, []string{name + "@example.test"}
	}
}

// huge is a string of 60,000 bytes, in DER.
func huge(tb testing.TB) []byte {
	tb.Helper()
	der, err := asn1.MarshalWithParams(strings.Repeat("g", 60_000), "utf8")
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// While a key takes over from another, both are let in. Before and after, one is.
func TestBothKeysAreLetInDuringARotation(t *testing.T) {
	t.Parallel()
	g := newGateway(t).start(t)
	old, next := g.client(t, g.good), g.root.Client(t, named(t, grantID, subject))
	renewed := g.client(t, next)
	want := func(when string, oldStatus, nextStatus int) {
		t.Helper()
		if got := g.mustAsk(t, old); got.status != oldStatus {
			t.Errorf("%s: the old key gets %d, want %d", when, got.status, oldStatus)
		}
		if got := g.mustAsk(t, renewed); got.status != nextStatus {
			t.Errorf("%s: the new key gets %d, want %d", when, got.status, nextStatus)
		}
	}
	want("before", 200, 403)
	grant, err := g.registrar.Rotate(t.Context(), grantID, g.grant.Revision, g.pin(next))
	if err != nil {
		t.Fatal(err)
	}
	want("during", 200, 200)
	if _, err := g.registrar.Unpin(t.Context(), grantID, grant.Revision, g.pin(g.good)); err != nil {
		t.Fatal(err)
	}
	want("after", 403, 200)
}

func TestACertificateIssuedAgainOverTheSameKeyIsLetIn(t *testing.T) {
	t.Parallel()
	g := newGateway(t).start(t)
	again := g.root.Certify(t, key(g.good), named(t, grantID, subject))
	if got := g.mustAsk(t, g.client(t, again)); got.status != http.StatusOK {
		t.Errorf("the answer is %d %s", got.status, got.wire)
	}
}

func TestAnIntermediateMayIssue(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	between := g.root.Below(t, "between")
	cert := between.Client(t, named(t, "g-below", subject))
	g.newGrant(t, grants.Terms{ID: "g-below"}, grants.PinOf([]*x509.Certificate{cert.Leaf, between.Cert, g.root.Cert}))
	g.start(t)
	if got := g.mustAsk(t, g.client(t, cert)); got.status != http.StatusOK {
		t.Errorf("the answer is %d %s", got.status, got.wire)
	}
}

// Workloads: the identity is the SPIFFE ID and nothing else of the certificate.
func TestSPIFFEIDsOverTLS(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const id = "spiffe://example.test/ns/a/sa/gateway"
	workload := g.root.Client(t, certtest.WithURIs(t, id))
	g.newGrant(t, grants.Terms{ID: "g-spiffe", Credential: id}, g.pin(workload).AnyKey())
	// These have grants, and the Identifier is all that refuses them.
	for _, foreign := range []string{"spiffe://example.org/ns/a/sa/gateway", "spiffe://a.example.test/ns/a/sa/gateway"} {
		g.newGrant(t, grants.Terms{Credential: foreign}, g.pin(workload).AnyKey())
	}
	identify, err := mtls.SPIFFE("example.test")
	if err != nil {
		t.Fatal(err)
	}
	g.cfg.Identify = identify
	g.start(t)
	for _, test := range []struct {
		name   string
		cert   tls.Certificate
		status int
	}{
		{"of the workload", workload, 200},
		{"of the workload's next key", g.root.Client(t, certtest.WithURIs(t, id)), 200},
		{"with names of hosts beside", g.root.Client(t, certtest.WithURIs(t, id), func(c *x509.Certificate) { c.DNSNames = []string{"x.example.test"} }), 200},
		{"with two URIs", g.root.Client(t, certtest.WithURIs(t, id, "spiffe://example.test/other")), 403},
		{"with the same URI twice", g.root.Client(t, certtest.WithURIs(t, id, id)), 403},
		{"with a URI of the web beside", g.root.Client(t, certtest.WithURIs(t, id, "https://example.test/")), 403},
		{"of another trust domain", g.root.Client(t, certtest.WithURIs(t, "spiffe://example.org/ns/a/sa/gateway")), 403},
		{"of a trust domain below", g.root.Client(t, certtest.WithURIs(t, "spiffe://a.example.test/ns/a/sa/gateway")), 403},
		{"of another workload", g.root.Client(t, certtest.WithURIs(t, id+"/2")), 403},
		{"of the trust domain itself", g.root.Client(t, certtest.WithURIs(t, "spiffe://example.test")), 403},
		{"with a query", g.root.Client(t, certtest.WithURIs(t, id+"?x=1")), 403},
		{"with an escape", g.root.Client(t, certtest.WithURIs(t, "spiffe://example.test/ns/a/sa/%67ateway")), 403},
		{"without a URI", g.root.Client(t), 403},
		{"that may sign others", g.root.Client(t, certtest.WithURIs(t, id), func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }), 403},
		{"with the extensions only", g.good, 403},
	} {
		if got := g.mustAsk(t, g.client(t, test.cert)); got.status != test.status {
			t.Errorf("a certificate %s: the answer is %d %s, want %d", test.name, got.status, got.wire, test.status)
		}
	}
}

func TestThumbprintsOverTLS(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	cert := g.root.Client(t)
	identity, err := mtls.Thumbprint(cert.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	g.newGrant(t, grants.Terms{ID: "g-print", Credential: identity.Credential}, g.pin(cert))
	g.cfg.Identify = mtls.Thumbprint
	g.start(t)
	again := g.root.Certify(t, key(cert))
	for name, test := range map[string]struct {
		cert   tls.Certificate
		status int
	}{"the certificate": {cert, 200}, "another over the same key": {again, 403}, "one that names a grant": {g.good, 403}} {
		if got := g.mustAsk(t, g.client(t, test.cert)); got.status != test.status {
			t.Errorf("%s gets %d %s, want %d", name, got.status, got.wire, test.status)
		}
	}
}

// A text of one kind never passes for a credential of another.
func TestAnExtensionCannotNameASPIFFEID(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const id = "spiffe://example.test/w"
	cert := g.root.Certify(t, key(g.good), named(t, id, subject))
	g.newGrant(t, grants.Terms{ID: "g-spiffe", Credential: id}, g.pin(g.good))
	g.start(t)
	if got := g.mustAsk(t, g.client(t, cert)); got.status != http.StatusForbidden {
		t.Errorf("the answer is %d %s", got.status, got.wire)
	}
}

// A store that finds something near to what was asked for, as databases do whose
// collation folds case, has not found it.
func TestAGrantThatWasNotAskedForIsUnknown(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.cfg.Find = func(context.Context, string) (grants.Grant, error) { return g.grant, nil }
	g.start(t)
	cert := g.root.Certify(t, key(g.good), named(t, strings.ToUpper(grantID), subject))
	if got := g.mustAsk(t, g.client(t, cert)); got.status != http.StatusForbidden || g.code(t) != "grant_unknown" {
		t.Errorf("the answer is %d %s", got.status, got.wire)
	}
}

// A store that finds a grant for everybody, also for a certificate that names none: it
// might have a grant without a credential. The look-up is made, for all take the same way.
func TestACertificateThatNamesNoGrantIsRefusedWhateverTheStoreFinds(t *testing.T) {
	t.Parallel()
	for name, identify := range map[string]mtls.Identifier{
		"with an error": mtls.Extensions{}.Identify,
		"without one":   func(*x509.Certificate) (mtls.Identity, error) { return mtls.Identity{}, nil },
		"and yet names": func(*x509.Certificate) (mtls.Identity, error) {
			return mtls.Identity{Credential: grants.CredentialOf(grantID)}, errors.New("two names")
		},
	} {
		g := newGateway(t)
		g.cfg.Identify = identify
		g.cfg.Find = func(_ context.Context, credential string) (grants.Grant, error) {
			found := g.grant
			found.Credential = credential
			return found, nil
		}
		g.start(t)
		cert := g.root.Certify(t, key(g.good))
		if got := g.mustAsk(t, g.client(t, cert)); got.status != http.StatusForbidden || g.code(t) != "grant_unknown" {
			t.Errorf("%s: the answer is %d %s", name, got.status, got.wire)
		}
	}
}
