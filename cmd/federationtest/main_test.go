package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/federationtest"
	"github.com/mosaicstack/fedkit/internal/certtest"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/internal/fixturetest"
)

// command runs the program.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, &out, &err)
	return status, out.String(), err.String()
}

// newGateway is fedkit in front of the fixture.
func newGateway(t *testing.T) http.Handler {
	t.Helper()
	handler, err := federation.NewHandler(fixturetest.Parts(t, federationtest.Fixture()))
	if err != nil {
		t.Fatal(err)
	}
	return contracttest.WatchRows(t, handler)
}

func TestAGatewayThatKeepsTheContractIsStatus0(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newGateway(t))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "report.json")
	status, stdout, stderr := command(t, "-url", server.URL, "-json", file)
	if status != passed || stderr != "" || !strings.Contains(stdout, "level list    passed") || !strings.Contains(stdout, "level fan-out not offered") {
		t.Errorf("the status is %d, the output %s%s", status, stdout, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report federationtest.Report
	if err := json.Unmarshal(text, &report); err != nil || report.Gateway != server.URL || len(report.Cases) < 30 {
		t.Errorf("the report is %s, %v", text, err)
	}
}

func TestAGatewayThatDoesNotIsStatus1(t *testing.T) {
	t.Parallel()
	sound := newGateway(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sound.ServeHTTP(telltale{w}, r) }))
	defer server.Close()
	status, stdout, _ := command(t, "-url", server.URL, "-json", "-")
	var report federationtest.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || status != failed || report.Levels[federationtest.List] != federationtest.Failed {
		t.Errorf("the status is %d, the report %.500s, %v", status, stdout, err)
	}
}

// telltale names a team in a header.
type telltale struct{ http.ResponseWriter }

func (w telltale) WriteHeader(status int) {
	w.Header().Set("X-Team", "canary-team-red")
	w.ResponseWriter.WriteHeader(status)
}

// The server takes a certificate of the name of a token for the token.
func TestCertificatesTakeThePlaceOfTokens(t *testing.T) {
	t.Parallel()
	ca := certtest.NewRoot(t, "root")
	sound := newGateway(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a token was sent")
		}
		if len(r.TLS.PeerCertificates) > 0 {
			r.Header.Set("Authorization", "Bearer "+r.TLS.PeerCertificates[0].Subject.CommonName)
		}
		sound.ServeHTTP(w, r)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Server(t)}, ClientCAs: ca.Pool(), ClientAuth: tls.VerifyClientCertIfGiven}
	server.StartTLS()
	defer server.Close()

	dir := t.TempDir()
	var grants struct{ Grants []struct{ Token string } }
	if err := json.Unmarshal([]byte(federationtest.Fixture()), &grants); err != nil {
		t.Fatal(err)
	}
	for _, g := range grants.Grants {
		save(t, filepath.Join(dir, g.Token), ca.Client(t, func(c *x509.Certificate) { c.Subject.CommonName = g.Token }))
	}
	roots := filepath.Join(dir, "roots.pem")
	chain := server.TLS.Certificates[0].Certificate
	write(t, roots, "CERTIFICATE", chain[len(chain)-1])
	status, stdout, stderr := command(t, "-url", server.URL, "-certs", dir, "-roots", roots)
	if status != passed {
		t.Errorf("the status is %d, the output %s%s", status, stdout, stderr)
	}
	if status, _, stderr := command(t, "-url", server.URL, "-certs", dir); status != untested || !strings.Contains(stderr, "certificate") {
		t.Errorf("a server that is not trusted is status %d, %s", status, stderr)
	}
}

// save writes a certificate and its key.
func save(t *testing.T, file string, certificate tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file+".crt", "CERTIFICATE", certificate.Certificate[0])
	write(t, file+".key", "PRIVATE KEY", key)
}

func write(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheFixtureIsPrinted(t *testing.T) {
	t.Parallel()
	if status, stdout, _ := command(t, "-fixture"); status != passed || stdout != federationtest.Fixture() {
		t.Errorf("the status is %d, the output %.100s", status, stdout)
	}
}

func TestWhatCannotBeTestedIsStatus2(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{}, {"-x"}, {"-url", "x"}, {"-url", "http://127.0.0.1:1"}, {"-url", "http://127.0.0.1:1", "more"}, {"-fixture", "-url", "x"},
		{"-url", "https://127.0.0.1:1", "-roots", "/nothing"}, {"-url", "https://127.0.0.1:1", "-certs", "/nothing"},
	} {
		if status, stdout, stderr := command(t, args...); status != untested || stdout != "" || stderr == "" {
			t.Errorf("%q is status %d: %s%s", args, status, stdout, stderr)
		}
	}
	if status, _, _ := command(t, "-h"); status != passed {
		t.Errorf("-h is status %d", status)
	}
}
