package mtls_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

// ends are the ways in which a grant stops counting.
func ends(g *gateway) map[string]func(tb testing.TB) {
	replace := func(tb testing.TB, edit func(*grants.Grant)) {
		tb.Helper()
		grant, err := g.store.Get(tb.Context(), grantID)
		if err != nil {
			tb.Fatal(err)
		}
		grant.Revision++
		edit(&grant)
		if err := g.store.Replace(tb.Context(), grant); err != nil {
			tb.Fatal(err)
		}
	}
	return map[string]func(tb testing.TB){
		"revoked": func(tb testing.TB) {
			if _, err := g.registrar.Revoke(tb.Context(), grantID); err != nil {
				tb.Fatal(err)
			}
		},
		"expired": func(tb testing.TB) {
			if _, err := g.registrar.Expire(tb.Context(), grantID); err != nil {
				tb.Fatal(err)
			}
		},
		"over": func(tb testing.TB) { replace(tb, func(g *grants.Grant) { g.Expires = time.Now() }) },
		"bound to another key": func(tb testing.TB) {
			replace(tb, func(g *grants.Grant) { g.Pins = [2]grants.Pin{{Issuer: [32]byte{1}}} })
		},
	}
}

// The connection stays the same, and the answer changes with the next request.
func TestTheEndOfAGrantCountsOnAConnectionThatIsKeptAlive(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		for name := range ends(nil) {
			onKeptConnection(t, func() (kept bool) {
				g := newGateway(t)
				g.http2 = http2
				g.start(t)
				client := g.client(t, g.good)
				if got := g.mustAsk(t, client); got.status != http.StatusOK {
					t.Fatalf("before, the answer is %d %s", got.status, got.wire)
				}
				ends(g)[name](t)
				got, kept := g.askTraced(t, client)
				if got.status != http.StatusForbidden {
					t.Errorf("HTTP/2 %t, once the grant is %s, the answer is %d %s", http2, name, got.status, got.wire)
				}
				return kept
			})
		}
	}
}

// onKeptConnection plays a scene until its requests go over one connection, which they do
// the first time unless the machine is so busy that net/http takes it for a broken one.
func onKeptConnection(t *testing.T, scene func() (kept bool)) {
	t.Helper()
	for range 5 {
		if scene() {
			return
		}
	}
	t.Error("the connection was never kept alive, so this test proves nothing")
}

// askTraced also tells if the request went over a connection that was there already.
func (g *gateway) askTraced(tb testing.TB, client *http.Client) (got answer, reused bool) {
	tb.Helper()
	transport := client.Transport
	defer func() { client.Transport = transport }()
	client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }}
		return transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	})
	return g.mustAsk(tb, client), reused
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The session is resumed without a certificate on the wire, and the answer changes.
func TestTheEndOfAGrantCountsOnASessionThatIsResumed(t *testing.T) {
	t.Parallel()
	for name := range ends(nil) {
		g := newGateway(t).start(t)
		client := g.client(t, g.good)
		g.mustAsk(t, client)
		client.CloseIdleConnections()
		if got := g.mustAsk(t, client); got.status != http.StatusOK || !got.resumed {
			t.Fatalf("before, the answer is %d, on a resumed session %t", got.status, got.resumed)
		}
		ends(g)[name](t)
		client.CloseIdleConnections()
		if got := g.mustAsk(t, client); got.status != http.StatusForbidden || !got.resumed {
			t.Errorf("once the grant is %s, the answer is %d %s, on a resumed session %t", name, got.status, got.wire, got.resumed)
		}
	}
}

// Row 16: a page that was computed before the end is not sent after it.
func TestAPageIsNotSentAfterTheEndOfItsGrant(t *testing.T) {
	t.Parallel()
	for name := range ends(nil) {
		g := newGateway(t)
		g.computing = func() { ends(g)[name](t) }
		g.start(t)
		if got := g.mustAsk(t, g.client(t, g.good)); got.status != http.StatusForbidden {
			t.Errorf("the grant is %s while the page is computed, and the answer is %d %s", name, got.status, got.wire)
		}
		if n := g.lookups(); n != 2 {
			t.Errorf("the grant was looked for %d times, want twice", n)
		}
	}
}

// The certificate ends while the connection stays.
func TestTheEndOfACertificateCountsOnAConnectionThatIsKeptAlive(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	cert := g.root.Certify(t, key(g.good), named(t, grantID, subject), certtest.Valid(-time.Hour, 30*time.Minute))
	now := time.Now()
	g.cfg.Now = func() time.Time { return now }
	g.start(t)
	client := g.client(t, cert)
	if got := g.mustAsk(t, client); got.status != http.StatusOK {
		t.Fatalf("before, the answer is %d %s", got.status, got.wire)
	}
	now = now.Add(31 * time.Minute) // the grant and the root are still good
	if got := g.mustAsk(t, client); got.status != http.StatusUnauthorized {
		t.Errorf("after the end, the answer is %d %s", got.status, got.wire)
	}
}

// A certificate is shown in the handshake alone. So who is refused for it has to make
// another one: all that was done over the connection until then is over, too.
func TestARenewedCertificateCountsBehindTheRefusalOfTheOldOne(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		g := newGateway(t)
		g.http2 = http2
		shown := []tls.Certificate{g.root.Certify(t, key(g.good), named(t, grantID, subject), certtest.Valid(-time.Hour, 30*time.Minute))}
		now := time.Now()
		g.cfg.Now = func() time.Time { return now }
		g.start(t)
		client := g.client(t, shown...)
		cfg := client.Transport.(*http.Transport).TLSClientConfig
		cfg.ClientSessionCache = nil // a session has the certificate that it was begun with
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &shown[0], nil
		}
		if got := g.mustAsk(t, client); got.status != http.StatusOK {
			t.Fatalf("HTTP/2 %t: before, the answer is %d %s", http2, got.status, got.wire)
		}
		shown[0] = g.good
		now = now.Add(31 * time.Minute)
		if got := g.mustAsk(t, client); got.status != http.StatusUnauthorized {
			t.Errorf("HTTP/2 %t: after the end, the answer is %d %s", http2, got.status, got.wire)
		}
		if got := g.mustAsk(t, client); got.status != http.StatusOK {
			t.Errorf("HTTP/2 %t: with the renewed certificate the answer is %d %s", http2, got.status, got.wire)
		}
		if _, err := g.registrar.Revoke(t.Context(), grantID); err != nil {
			t.Fatal(err)
		}
		if got := g.mustAsk(t, client); got.status != http.StatusForbidden || http2 == got.closes {
			t.Errorf("HTTP/2 %t: once the grant is revoked the answer is %d, and says that the connection ends: %t", http2, got.status, got.closes)
		}
	}
}

// The roots change while the server runs: P is the client, Q the host.
//
//	P: full handshake, session kept
//	                                   Q: the root is taken away
//	P: resumes the session -> no connection
func TestARootThatIsTakenAwayEndsItsSessions(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	next := certtest.NewRoot(t, "next")
	after := g.tls
	after.Roots = next.Pool()
	g.start(t) // and serve on another listener
	first, err := g.tls.Config()
	if err != nil {
		t.Fatal(err)
	}
	second, err := after.Config()
	if err != nil {
		t.Fatal(err)
	}
	current := first
	listening := first.Clone()
	listening.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return current, nil }
	listener, err := tls.Listen("tcp", "127.0.0.1:0", listening)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: g.handler(t), ErrorLog: g.server.Config.ErrorLog}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	g.server.URL = "https://" + listener.Addr().String()

	client := g.client(t, g.good)
	g.mustAsk(t, client)
	client.CloseIdleConnections()
	if got := g.mustAsk(t, client); got.status != http.StatusOK || !got.resumed {
		t.Fatalf("before, the answer is %d, on a resumed session %t", got.status, got.resumed)
	}
	client.CloseIdleConnections()
	current = second
	if got, err := g.ask(t, client); err == nil {
		t.Errorf("after, the answer is %d %s, on a resumed session %t", got.status, got.wire, got.resumed)
	}
}

func TestAStoreThatIsDownIsUnavailable(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.cfg.Find = func(context.Context, string) (grants.Grant, error) {
		return g.grant, errors.New("canary: SELECT secret FROM federation_grants")
	}
	g.start(t)
	if got := g.mustAsk(t, g.client(t, g.good)); got.status != http.StatusServiceUnavailable {
		t.Errorf("the answer is %d %s", got.status, got.wire)
	}
}
