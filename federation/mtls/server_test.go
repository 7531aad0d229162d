package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

func TestServerTLSRefusesWhatWouldOpenIt(t *testing.T) {
	t.Parallel()
	pool := certtest.NewRoot(t, "root").Pool()
	for name, s := range map[string]mtls.ServerTLS{
		"no base":  {Roots: pool},
		"no roots": {Base: new(tls.Config)},
		"a config that replaces it": {Roots: pool, Base: &tls.Config{
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil },
		}},
		"no TLS 1.3": {Roots: pool, Base: &tls.Config{MaxVersion: tls.VersionTLS12}},
	} {
		if cfg, err := s.Config(); err == nil || cfg != nil {
			t.Errorf("%s: the config is %v, %v", name, cfg, err)
		}
	}
}

func TestServerTLSSetsWhatTheBaseHasOtherwise(t *testing.T) {
	t.Parallel()
	root := certtest.NewRoot(t, "root")
	base := &tls.Config{
		Certificates: []tls.Certificate{root.Server(t)}, MinVersion: tls.VersionTLS10,
		ClientAuth: tls.NoClientCert, ClientCAs: x509.NewCertPool(), NextProtos: []string{"h2"},
	}
	cfg, err := mtls.ServerTLS{Base: base, Roots: root.Pool()}.Config()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.MinVersion != tls.VersionTLS13 || cfg.ClientAuth != tls.RequireAndVerifyClientCert || !cfg.ClientCAs.Equal(root.Pool()) ||
		cfg.SessionTicketsDisabled || len(cfg.NextProtos) != 1 || len(cfg.Certificates) != 1 {
		t.Errorf("the config is %+v", cfg)
	}
	if base.ClientAuth != tls.NoClientCert || base.VerifyConnection != nil {
		t.Error("the base was changed")
	}
}

// What crypto/tls calls on a resumed session, with what the ticket had in it.
func TestEveryConnectionIsVerifiedAgain(t *testing.T) {
	t.Parallel()
	root, other := certtest.NewRoot(t, "root"), certtest.NewRoot(t, "root")
	between := root.Below(t, "between")
	errHost := errors.New("the host says no")
	good := root.Client(t).Leaf
	state := func(certs ...*x509.Certificate) tls.ConnectionState {
		// The ticket's chains are what was verified once.
		return tls.ConnectionState{DidResume: true, PeerCertificates: certs, VerifiedChains: [][]*x509.Certificate{certs}}
	}
	for _, test := range []struct {
		name     string
		optional bool
		state    tls.ConnectionState
		host     error
		good     bool
	}{
		{"good", false, state(good), nil, true},
		{"good, with an authority in between", false, state(between.Client(t).Leaf, between.Cert), nil, true},
		{"that authority missing", false, state(between.Client(t).Leaf), nil, false},
		{"of a root that is gone", false, state(other.Client(t).Leaf, other.Cert), nil, false},
		{"expired", false, state(root.Client(t, certtest.Valid(-time.Hour, -time.Minute)).Leaf), nil, false},
		{"for servers", false, state(root.Server(t).Leaf), nil, false},
		{"of a root that is gone, optional", true, state(other.Client(t).Leaf), nil, false},
		{"none", false, state(), nil, false},
		{"none, optional", true, state(), nil, true},
		{"good, but not for the host", false, state(good), errHost, false},
	} {
		asked := false
		base := &tls.Config{VerifyConnection: func(tls.ConnectionState) error { asked = true; return test.host }}
		cfg, err := mtls.ServerTLS{Base: base, Roots: root.Pool(), Optional: test.optional}.Config()
		if err != nil {
			t.Fatal(err)
		}
		err = cfg.VerifyConnection(test.state)
		if (err == nil) != test.good || asked != (test.good || test.host != nil) {
			t.Errorf("a certificate that is %s: %v, and the host was asked: %t", test.name, err, asked)
		}
	}
}

func TestTLS12IsNotSpoken(t *testing.T) {
	t.Parallel()
	g := newGateway(t).start(t)
	client := g.client(t, g.good)
	client.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS12
	if got, err := g.ask(t, client); err == nil {
		t.Errorf("the answer is %d %s", got.status, got.wire)
	}
}

func TestNoSessionIsResumedWhereTheHostSaysSo(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.tls.NoResumption = true
	g.start(t)
	client := g.client(t, g.good)
	for range 2 {
		if got := g.mustAsk(t, client); got.status != http.StatusOK || got.resumed {
			t.Errorf("the answer is %d, on a resumed session %t", got.status, got.resumed)
		}
		client.CloseIdleConnections()
	}
}

// The host wires a TLS configuration of its own that asks for certificates and verifies
// none.
func TestACertificateThatNobodyVerifiedIsNoCredential(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.start(t)
	for _, mode := range []tls.ClientAuthType{tls.RequestClientCert, tls.RequireAnyClientCert} {
		listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
			Certificates: g.tls.Base.Certificates, ClientAuth: mode, ClientCAs: g.root.Pool(),
		})
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: g.handler(t), ErrorLog: g.server.Config.ErrorLog}
		go server.Serve(listener)
		t.Cleanup(func() { server.Close() })
		g.server.URL = "https://" + listener.Addr().String()
		for name, cert := range map[string]tls.Certificate{"good": g.good, "self-signed": certtest.SelfSigned(t, named(t, grantID, subject))} {
			if got := g.mustAsk(t, g.client(t, cert)); got.status != http.StatusUnauthorized {
				t.Errorf("%s, a certificate that is %s gets %d %s", mode, name, got.status, got.wire)
			}
		}
	}
}

func TestAnAuthenticatorNeedsItsParts(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*mtls.Config){
		"Find":     func(c *mtls.Config) { c.Find = nil },
		"Registry": func(c *mtls.Config) { c.Registry = mtls.Config{}.Registry },
	} {
		g := newGateway(t)
		spoil(&g.cfg)
		if _, err := mtls.New(g.cfg); err == nil {
			t.Errorf("an Authenticator without %s is made", name)
		}
	}
}

// Plain HTTP has no certificates, whatever else the request says.
func TestPlainHTTPIsNoCredential(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	auth, err := mtls.New(g.cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Header: http.Header{"Client-Cert": {rfc9440(g.good)}, "X-Forwarded-Proto": {"https"}}}
	if grant, err := auth.Authenticate(r); err == nil {
		t.Errorf("the grant is %+v", grant)
	}
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{g.good.Leaf}, VerifiedChains: [][]*x509.Certificate{{}}}
	if grant, err := auth.Authenticate(r); err == nil {
		t.Errorf("with an empty chain, the grant is %+v", grant)
	}
}
