package mtls_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/internal/certtest"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/scope"
)

const (
	grantID = "canary-grant-7f3a"
	subject = "canary-subject-e0d2"
	peer    = "canary-peer-51c9"
)

// A gateway is a real server over TLS, with the handler of package federation behind an
// Authenticator, and one grant that is active and bound to one certificate.
type gateway struct {
	root      *certtest.Authority
	store     *grants.Memory
	registrar *grants.Registrar
	grant     grants.Grant
	good      tls.Certificate

	// What a test may change before it starts the server.
	tls        mtls.ServerTLS
	cfg        mtls.Config
	finding    func() // before each look-up
	computing  func() // while a page is computed
	http2      bool
	connCtx    func(context.Context, net.Conn) context.Context // nil: that of the Proxy
	middleware func(http.Handler) http.Handler

	mu     sync.Mutex
	log    bytes.Buffer
	looked []string // the credentials that were looked for
	server *httptest.Server
}

func newGateway(tb testing.TB) *gateway {
	tb.Helper()
	g := &gateway{root: certtest.NewRoot(tb, "root"), store: new(grants.Memory)}
	var err error
	g.registrar, err = grants.NewRegistrar(grants.Config{Store: g.store, Registry: scope.Standard()})
	if err != nil {
		tb.Fatal(err)
	}
	g.good = g.root.Client(tb, named(tb, grantID, subject))
	g.grant = g.newGrant(tb, grants.Terms{ID: grantID}, g.pin(g.good))
	g.tls = mtls.ServerTLS{
		Base:     &tls.Config{Certificates: []tls.Certificate{g.root.Server(tb)}},
		Roots:    g.root.Pool(),
		Optional: true,
	}
	g.cfg = mtls.Config{Find: g.find, Registry: scope.Standard()}
	g.finding, g.computing = func() {}, func() {}
	g.middleware = func(h http.Handler) http.Handler { return h }
	return g
}

// newGrant makes an active grant of the terms, or a pending one without a pin.
func (g *gateway) newGrant(tb testing.TB, terms grants.Terms, pin grants.Pin) grants.Grant {
	tb.Helper()
	terms.Peer, terms.Expires = peer, time.Now().Add(time.Hour)
	terms.Scope = []byte(`{"resources":["tasks"],"max_rows_per_query":10}`)
	if terms.Subject == "" {
		terms.Subject = subject
	}
	grant, err := g.registrar.Create(tb.Context(), terms)
	if err == nil && !pin.IsZero() {
		grant, err = g.registrar.Activate(tb.Context(), grant.ID, grant.Revision, pin)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return grant
}

func (g *gateway) pin(cert tls.Certificate) grants.Pin {
	return grants.PinOf([]*x509.Certificate{cert.Leaf, g.root.Cert})
}

func (g *gateway) find(ctx context.Context, credential string) (grants.Grant, error) {
	g.finding()
	g.mu.Lock()
	g.looked = append(g.looked, credential)
	g.mu.Unlock()
	return g.store.Find(ctx, credential)
}

// start serves until the test ends.
func (g *gateway) start(tb testing.TB) *gateway {
	tb.Helper()
	g.server = httptest.NewUnstartedServer(g.middleware(g.handler(tb)))
	cfg, err := g.tls.Config()
	if err != nil {
		tb.Fatal(err)
	}
	g.server.TLS = cfg
	g.server.EnableHTTP2 = g.http2
	g.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	if g.server.Config.ConnContext = g.connCtx; g.cfg.Proxy != nil && g.connCtx == nil {
		g.server.Config.ConnContext = g.cfg.Proxy.ConnContext
	}
	g.server.StartTLS()
	tb.Cleanup(g.server.Close)
	return g
}

func (g *gateway) handler(tb testing.TB) http.Handler {
	tb.Helper()
	auth, err := mtls.New(g.cfg)
	if err != nil {
		tb.Fatal(err)
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: everything{}})
	if err != nil {
		tb.Fatal(err)
	}
	keys, err := cursor.NewKeyring(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		tb.Fatal(err)
	}
	handler, err := federation.NewHandler(federation.Config{
		Authenticator: auth, Evaluator: rules, Lister: (*oneTask)(g), Cursors: cursors,
		Logger: slog.New(slog.NewJSONHandler((*safeLog)(g), nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return contracttest.Watch(tb, handler)
}

type everything struct{}

func (everything) ReadAccess(context.Context, scope.AccessRequest) (scope.Access, error) {
	return scope.Access{Allowed: true, Personal: true}, nil
}

// oneTask is the Lister of the gateway.
type oneTask gateway

func (*oneTask) Layout(string) (cursor.Layout, bool) {
	layout, err := cursor.NewLayout("number; v1", cursor.Field{Kind: cursor.KindInt64})
	return layout, err == nil
}

func (o *oneTask) List(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	o.computing()
	return []json.RawMessage{json.RawMessage(`{"title":"dig"}`)}, nil, nil
}

// safeLog is where the gateway's log goes.
type safeLog gateway

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

// code returns the internal code of the latest request.
func (g *gateway) code(tb testing.TB) string {
	tb.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(g.log.String()), "\n")
	var line struct{ Code string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		tb.Fatalf("the log ends with %q", lines[len(lines)-1])
	}
	return line.Code
}

// lookups returns how often a grant was looked for since the last call.
func (g *gateway) lookups() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.looked)
	g.looked = nil
	return n
}

// A client of a gateway, with connections of its own.
func (g *gateway) client(tb testing.TB, certs ...tls.Certificate) *http.Client {
	tb.Helper()
	transport := &http.Transport{
		ForceAttemptHTTP2: g.http2,
		TLSClientConfig: &tls.Config{
			RootCAs: g.root.Pool(), ServerName: "127.0.0.1", ClientSessionCache: tls.NewLRUClientSessionCache(4),
		},
	}
	if len(certs) > 0 {
		// Whatever authorities the server names.
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &certs[0], nil
		}
	}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// An answer is what a client sees.
type answer struct {
	status  int
	wire    string // without what differs between two equal answers
	resumed bool
	closes  bool // the connection, which only HTTP/1.1 says
}

// ask sends a list request, and returns the error of a handshake that fails.
func (g *gateway) ask(tb testing.TB, client *http.Client, headers ...string) (answer, error) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, g.server.URL+federation.Prefix+"list/tasks", nil)
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	response.Header.Del("Date")
	response.Header.Del("X-Request-Id")
	var wire bytes.Buffer
	response.Header.Write(&wire)
	wire.Write(body)
	return answer{
		status: response.StatusCode, wire: wire.String(), closes: response.Close,
		resumed: response.TLS != nil && response.TLS.DidResume,
	}, nil
}

// mustAsk is ask on a connection that must come about.
func (g *gateway) mustAsk(tb testing.TB, client *http.Client, headers ...string) answer {
	tb.Helper()
	a, err := g.ask(tb, client, headers...)
	if err != nil {
		tb.Fatalf("there is no answer: %v", err)
	}
	if a.status != http.StatusOK && strings.Contains(a.wire, "canary") {
		tb.Errorf("a canary is on the wire: %s", a.wire)
	}
	return a
}

// named puts the extensions into a certificate.
func named(tb testing.TB, grant, subject string) func(*x509.Certificate) {
	tb.Helper()
	extensions, err := mtls.Extensions{}.Encode(grant, subject)
	if err != nil {
		tb.Fatal(err)
	}
	return certtest.With(extensions...)
}

func key(cert tls.Certificate) crypto.Signer { return cert.PrivateKey.(crypto.Signer) }
