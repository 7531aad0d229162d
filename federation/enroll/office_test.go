package enroll_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/internal/certtest"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/scope"
)

const (
	grantID = "canary-grant-7f3a"
	subject = "canary-subject-e0d2"
)

// An office is a real server over TLS with a desk, and a door at /door that lets in who
// has a certificate of an active grant.
type office struct {
	ca        *enroll.CA
	store     *grants.Memory
	registrar *grants.Registrar
	tickets   *enroll.Memory

	// What a test may change before it opens.
	cfg enroll.Config

	mu     sync.Mutex
	events []enroll.Event
	failAt enroll.Step // the report of this step fails

	server *httptest.Server
	desk   *enroll.Desk
	served http.Handler // the desk, whose every answer is held against the contract
}

func newOffice(tb testing.TB) *office {
	tb.Helper()
	ca, err := enroll.NewCA("test", time.Hour)
	if err != nil {
		tb.Fatal(err)
	}
	o := &office{ca: ca, store: new(grants.Memory), tickets: new(enroll.Memory)}
	o.cfg = enroll.Config{Tickets: o.tickets, Signer: ca, Report: o.report}
	o.auditGrants(tb, nil)
	o.newGrant(tb, grants.Terms{ID: grantID})
	return o
}

// auditGrants has every change of a grant from now on audited, or none.
func (o *office) auditGrants(tb testing.TB, auditor federation.Auditor) {
	tb.Helper()
	registrar, err := grants.NewRegistrar(grants.Config{Store: o.store, Registry: scope.Standard(), Auditor: auditor})
	if err != nil {
		tb.Fatal(err)
	}
	o.registrar, o.cfg.Grants = registrar, registrar
}

func (o *office) newGrant(tb testing.TB, terms grants.Terms) grants.Grant {
	tb.Helper()
	terms.Peer, terms.Subject, terms.Expires = "canary-peer", subject, time.Now().Add(30*time.Minute)
	terms.Scope = []byte(`{"resources":["tasks"],"max_rows_per_query":10}`)
	g, err := o.registrar.Create(tb.Context(), terms)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func (o *office) report(_ context.Context, e enroll.Event) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
	if e.Step == o.failAt {
		return fmt.Errorf("canary: no room for the report of %s", e.Step)
	}
	return nil
}

// steps returns what was reported since the last call.
func (o *office) steps() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var steps []string
	for _, e := range o.events {
		step := string(e.Step)
		if e.Code != "" {
			step += ":" + string(e.Code)
		}
		steps = append(steps, step)
	}
	o.events = nil
	return strings.Join(steps, " ")
}

// open serves until the test ends.
func (o *office) open(tb testing.TB) *office {
	tb.Helper()
	var err error
	if o.desk, err = enroll.New(o.cfg); err != nil {
		tb.Fatal(err)
	}
	o.served = contracttest.Watch(tb, o.desk)
	auth, err := mtls.New(mtls.Config{Find: o.store.Find, Registry: scope.Standard(), Identify: o.cfg.Identify})
	if err != nil {
		tb.Fatal(err)
	}
	own, err := o.ca.Server(time.Hour, "127.0.0.1")
	if err != nil {
		tb.Fatal(err)
	}
	config, err := mtls.ServerTLS{
		Base: &tls.Config{Certificates: []tls.Certificate{own}}, Roots: o.ca.Pool(), Optional: true,
	}.Config()
	if err != nil {
		tb.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(enroll.Path, o.served)
	mux.HandleFunc("/door", func(w http.ResponseWriter, r *http.Request) {
		if _, err := auth.Authenticate(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
		}
	})
	o.server = httptest.NewUnstartedServer(mux)
	o.server.TLS = config
	o.server.StartTLS()
	tb.Cleanup(o.server.Close)
	return o
}

// client trusts the office, and shows certificates if it has any.
func (o *office) client(certs ...tls.Certificate) *http.Client {
	return &http.Client{
		Timeout:   20 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: o.ca.Pool(), Certificates: certs}},
	}
}

func (o *office) invite(tb testing.TB, grant string) string {
	tb.Helper()
	token, _, err := o.desk.Invite(tb.Context(), grant)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

func (o *office) redeem(tb testing.TB, token string, key crypto.Signer) (tls.Certificate, error) {
	tb.Helper()
	return enroll.Redeem(tb.Context(), o.client(), o.server.URL+enroll.Path, token, key)
}

func (o *office) mustRedeem(tb testing.TB, token string, key crypto.Signer) tls.Certificate {
	tb.Helper()
	cert, err := o.redeem(tb, token, key)
	if err != nil {
		tb.Fatalf("there is no certificate: %v", err)
	}
	return cert
}

// letsIn tells if the door opens.
func (o *office) letsIn(tb testing.TB, cert tls.Certificate) bool {
	tb.Helper()
	response, err := o.client(cert).Get(o.server.URL + "/door")
	if err != nil {
		tb.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// status returns where the grant stands, and how many pins it has.
func (o *office) status(tb testing.TB) (grants.Status, int) {
	tb.Helper()
	g, err := o.store.Get(tb.Context(), grantID)
	if err != nil {
		tb.Fatal(err)
	}
	pins := 0
	for _, p := range g.Pins {
		if !p.IsZero() {
			pins++
		}
	}
	return g.Status, pins
}

// post sends a body as it is, and returns the status and all that is on the wire but
// what differs between two equal answers.
func (o *office) post(tb testing.TB, body string, headers ...string) (int, string) {
	tb.Helper()
	r, err := http.NewRequest(http.MethodPost, o.server.URL+enroll.Path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return o.do(tb, r)
}

func (o *office) do(tb testing.TB, r *http.Request) (int, string) {
	tb.Helper()
	response, err := o.client().Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	response.Header.Del("Date")
	response.Header.Del("X-Request-Id")
	var wire bytes.Buffer
	response.Header.Write(&wire)
	wire.Write(text)
	if response.StatusCode != http.StatusOK && strings.Contains(wire.String(), "canary") {
		tb.Errorf("a canary is on the wire: %s", wire.String())
	}
	return response.StatusCode, wire.String()
}

// body is a request in JSON.
func body(tb testing.TB, token, csr string) string {
	tb.Helper()
	text, err := json.Marshal(map[string]string{"token": token, "csr": csr})
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// newCSR returns a certificate request in PEM.
func newCSR(tb testing.TB, template *x509.CertificateRequest, key crypto.Signer) string {
	tb.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		tb.Fatal(err)
	}
	return asPEM(der)
}

func asPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func goodCSR(tb testing.TB) string {
	tb.Helper()
	return newCSR(tb, new(x509.CertificateRequest), certtest.NewKey(tb))
}
