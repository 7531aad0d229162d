package mtls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

var (
	loopback = netip.MustParsePrefix("127.0.0.0/8")
	faraway  = netip.MustParsePrefix("192.0.2.0/24")
)

// behindProxy returns a gateway whose proxy connects from the addresses.
func behindProxy(tb testing.TB, peers ...netip.Prefix) *gateway {
	tb.Helper()
	g := newGateway(tb)
	g.cfg.Proxy = &mtls.Proxy{Peers: peers, Roots: g.root.Pool()}
	return g
}

// rfc9440 and escapedPEM are what proxies write.
func rfc9440(cert tls.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(cert.Certificate[0]) + ":"
}

func escapedPEM(certs ...[]byte) string {
	var text strings.Builder
	for _, der := range certs {
		pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	return url.PathEscape(text.String())
}

func TestTheHeaderOfTheProxyStandsForItsClient(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		g := behindProxy(t, faraway, loopback)
		g.http2 = http2
		g.start(t)
		client := g.client(t) // the proxy, without a certificate of its own
		if got := g.mustAsk(t, client, "Client-Cert", rfc9440(g.good)); got.status != http.StatusOK {
			t.Errorf("HTTP/2 %t: the answer is %d %s", http2, got.status, got.wire)
		}
		if _, err := g.registrar.Revoke(t.Context(), grantID); err != nil {
			t.Fatal(err)
		}
		// The connection has the requests of other clients, too.
		if got := g.mustAsk(t, client, "Client-Cert", rfc9440(g.good)); got.status != http.StatusForbidden || got.closes {
			t.Errorf("HTTP/2 %t, once the grant is revoked: the answer is %d %s", http2, got.status, got.wire)
		}
	}
}

func TestAProxyMayHandOverTheChainToo(t *testing.T) {
	t.Parallel()
	g := behindProxy(t, loopback)
	between := g.root.Below(t, "between")
	cert := between.Client(t, named(t, "g-below", subject))
	g.newGrant(t, grants.Terms{ID: "g-below"}, grants.PinOf([]*x509.Certificate{cert.Leaf, between.Cert}))
	g.start(t)
	client := g.client(t)
	chain := rfc9440(tls.Certificate{Certificate: cert.Certificate[1:]})
	if got := g.mustAsk(t, client, "Client-Cert", rfc9440(cert), "Client-Cert-Chain", chain); got.status != http.StatusOK {
		t.Errorf("RFC 9440: the answer is %d %s", got.status, got.wire)
	}
	if got := g.mustAsk(t, client, "Client-Cert", rfc9440(cert)); got.status != http.StatusUnauthorized {
		t.Errorf("RFC 9440, without the chain: the answer is %d %s", got.status, got.wire)
	}

	g.cfg.Proxy = &mtls.Proxy{Peers: []netip.Prefix{loopback}, Roots: g.root.Pool(), ChainHeader: "x-chain"}
	g.start(t)
	if got := g.mustAsk(t, client, "Client-Cert", rfc9440(cert), "X-Chain", chain); got.status != http.StatusOK {
		t.Errorf("RFC 9440, with the chain in a header of another name: the answer is %d %s", got.status, got.wire)
	}
	if got := g.mustAsk(t, client, "Client-Cert", rfc9440(cert), "Client-Cert-Chain", chain); got.status != http.StatusUnauthorized {
		t.Errorf("RFC 9440, with the chain in a header that is not its own: the answer is %d %s", got.status, got.wire)
	}

	g.cfg.Proxy = &mtls.Proxy{Peers: []netip.Prefix{loopback}, Roots: g.root.Pool(), Format: mtls.EscapedPEM, Header: "x-client-cert"}
	g.start(t)
	if got := g.mustAsk(t, client, "X-Client-Cert", escapedPEM(cert.Certificate...)); got.status != http.StatusOK {
		t.Errorf("escaped PEM: the answer is %d %s", got.status, got.wire)
	}
}

// On a connection of the proxy, what the header holds is all that counts. Each of these
// proxies has a certificate of its own that would be let in, directly.
func TestAHeaderThatDoesNotVerifyIsNoCredential(t *testing.T) {
	t.Parallel()
	g := behindProxy(t, loopback).start(t)
	ours := named(t, grantID, subject)
	good := rfc9440(g.good)
	proxy := g.client(t, g.good)
	for name, headers := range map[string][]string{
		"nothing":                      nil,
		"an empty header":              {"Client-Cert", ""},
		"an expired certificate":       {"Client-Cert", rfc9440(g.root.Certify(t, key(g.good), ours, certtest.Valid(-2*time.Hour, -time.Hour)))},
		"one that is not yet valid":    {"Client-Cert", rfc9440(g.root.Certify(t, key(g.good), ours, certtest.Valid(time.Minute, time.Hour)))},
		"one of another authority":     {"Client-Cert", rfc9440(certtest.NewRoot(t, "root").Certify(t, key(g.good), ours))},
		"one that is self-signed":      {"Client-Cert", rfc9440(certtest.SelfSigned(t, ours))},
		"one for servers":              {"Client-Cert", rfc9440(g.root.Certify(t, key(g.good), ours, usage(x509.ExtKeyUsageServerAuth)))},
		"an authority's":               {"Client-Cert", rfc9440(tls.Certificate{Certificate: [][]byte{g.root.Cert.Raw}})},
		"two headers":                  {"Client-Cert", good, "Client-Cert", good},
		"two in one header":            {"Client-Cert", good + ", " + good},
		"a parameter":                  {"Client-Cert", good + ";verified=1"},
		"base64 alone":                 {"Client-Cert", strings.Trim(good, ":")},
		"a certificate and more":       {"Client-Cert", ":" + base64.StdEncoding.EncodeToString(append(slices.Clone(g.good.Certificate[0]), 0)) + ":"},
		"escaped PEM":                  {"Client-Cert", escapedPEM(g.good.Certificate[0])},
		"another header":               {"X-Client-Cert", good},
		"the chain alone":              {"Client-Cert-Chain", good},
		"a chain that is none":         {"Client-Cert", good, "Client-Cert-Chain", "x"},
		"a chain that is too long":     {"Client-Cert", good, "Client-Cert-Chain", strings.Join(slices.Repeat([]string{good}, 6), ",")},
		"a chain that is one too long": {"Client-Cert", good, "Client-Cert-Chain", strings.Join(slices.Repeat([]string{good}, 5), ",")},
		"a header that says SUCCESS":   {"X-Client-Verify", "SUCCESS", "X-Client-Dn", "CN=" + grantID},
	} {
		got := g.mustAsk(t, proxy, headers...)
		if got.status != http.StatusUnauthorized || g.code(t) != "no_credential" {
			t.Errorf("%s: the answer is %d %s", name, got.status, got.wire)
		}
		if n := g.lookups(); n != 0 {
			t.Errorf("%s costs %d look-ups", name, n)
		}
	}
}

// Whoever is not the proxy is refused for having the header, even with a certificate
// that would be let in without it.
func TestAHeaderFromAnybodyElseIsRefused(t *testing.T) {
	t.Parallel()
	g := behindProxy(t, faraway).start(t)
	for name, client := range map[string]*http.Client{
		"without a certificate": g.client(t), "with a good one": g.client(t, g.good),
	} {
		got := g.mustAsk(t, client, "Client-Cert", rfc9440(g.good))
		if got.status != http.StatusUnauthorized || g.lookups() != 0 {
			t.Errorf("a client %s: the answer is %d %s", name, got.status, got.wire)
		}
		if got := g.mustAsk(t, client, "client-cert", "x"); got.status != http.StatusUnauthorized {
			t.Errorf("a client %s, in lower case: the answer is %d %s", name, got.status, got.wire)
		}
	}
	if got := g.mustAsk(t, g.client(t, g.good)); got.status != http.StatusOK {
		t.Errorf("without the header, a good certificate gets %d %s", got.status, got.wire)
	}
}

func TestWithoutAProxyHeadersDoNotCount(t *testing.T) {
	t.Parallel()
	g := newGateway(t).start(t)
	if got := g.mustAsk(t, g.client(t), "Client-Cert", rfc9440(g.good)); got.status != http.StatusUnauthorized {
		t.Errorf("the header alone gets %d %s", got.status, got.wire)
	}
}

// The listener is not the proxy's until the host says so with ConnContext, and that of
// another Proxy does not say so.
func TestAnUnmarkedListenerIsNotTheProxys(t *testing.T) {
	t.Parallel()
	for name, connContext := range map[string]func(context.Context, net.Conn) context.Context{
		"no ConnContext":         func(ctx context.Context, _ net.Conn) context.Context { return ctx },
		"that of another Proxy":  (&mtls.Proxy{Peers: []netip.Prefix{loopback}}).ConnContext,
		"that of nobody's Proxy": new(mtls.Proxy).ConnContext,
	} {
		g := behindProxy(t, loopback)
		g.connCtx = connContext
		g.start(t)
		if got := g.mustAsk(t, g.client(t), "Client-Cert", rfc9440(g.good)); got.status != http.StatusUnauthorized {
			t.Errorf("%s: the answer is %d %s", name, got.status, got.wire)
		}
	}
}

// A middleware that believes X-Forwarded-For writes into RemoteAddr, and decides nothing.
func TestTheFarEndOfTheSocketCountsAndNotRemoteAddr(t *testing.T) {
	t.Parallel()
	rewriting := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = r.Header.Get("X-Forwarded-For") + ":1"
			next.ServeHTTP(w, r)
		})
	}
	g := behindProxy(t, faraway)
	g.middleware = rewriting
	g.start(t)
	if got := g.mustAsk(t, g.client(t), "X-Forwarded-For", "192.0.2.1", "Client-Cert", rfc9440(g.good)); got.status != http.StatusUnauthorized {
		t.Errorf("a client that passes for the proxy gets %d %s", got.status, got.wire)
	}
	g = behindProxy(t, loopback)
	g.middleware = rewriting
	g.start(t)
	if got := g.mustAsk(t, g.client(t), "X-Forwarded-For", "198.51.100.7", "Client-Cert", rfc9440(g.good)); got.status != http.StatusOK {
		t.Errorf("the proxy, on behalf of a client far away, gets %d %s", got.status, got.wire)
	}
}

func TestConnContextMarksTheListedPeersOnly(t *testing.T) {
	t.Parallel()
	proxy := &mtls.Proxy{Peers: []netip.Prefix{
		netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/64"),
	}}
	for address, want := range map[string]bool{
		"192.0.2.7:1": true, "192.0.2.8:1": false, "[::ffff:192.0.2.7]:1": true,
		"[2001:db8::1]:1": true, "[2001:db8:0:1::1]:1": false, "[2001:db8::1%eth0]:1": false,
		"@": false, "": false, "192.0.2.7": false, "localhost:1": false,
	} {
		ctx := proxy.ConnContext(t.Context(), farEnd{address: address})
		if got := ctx != t.Context(); got != want {
			t.Errorf("a connection from %q is marked: %t", address, got)
		}
	}
}

// farEnd is a connection and an address at once.
type farEnd struct {
	net.Conn
	address string
}

func (f farEnd) RemoteAddr() net.Addr { return f }
func (f farEnd) Network() string      { return "test" }
func (f farEnd) String() string       { return f.address }

func TestAProxyThatIsNoneIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	pool := certtest.NewRoot(t, "root").Pool()
	for name, proxy := range map[string]*mtls.Proxy{
		"no peers":            {Roots: pool},
		"no roots":            {Peers: []netip.Prefix{loopback}},
		"everybody as a peer": {Peers: []netip.Prefix{loopback, netip.MustParsePrefix("0.0.0.0/0")}, Roots: pool},
		"all of IPv6":         {Peers: []netip.Prefix{netip.MustParsePrefix("::/0")}, Roots: pool},
		"a prefix of nothing": {Peers: []netip.Prefix{{}}, Roots: pool},
		"a mapped prefix":     {Peers: []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr("::ffff:192.0.2.7"), 128)}, Roots: pool},
		"a link-local prefix": {Peers: []netip.Prefix{netip.MustParsePrefix("fe80::/10")}, Roots: pool},
		"an unknown format":   {Peers: []netip.Prefix{loopback}, Roots: pool, Format: 9},
	} {
		g := newGateway(t)
		g.cfg.Proxy = proxy
		if _, err := mtls.New(g.cfg); err == nil {
			t.Errorf("%s: an Authenticator is made", name)
		}
	}
}
