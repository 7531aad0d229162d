package federation

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/mosaicstack/fedkit/internal/certtest"
)

// newTLSGateway is a server that asks for the certificates of a root, and counts
// connections.
func newTLSGateway(t *testing.T, root *certtest.Authority) (url string, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || len(r.TLS.VerifiedChains) == 0 {
			t.Errorf("a request came over %s with %d verified chains", r.Proto, len(r.TLS.VerifiedChains))
		}
		io.WriteString(w, emptyPage)
	}))
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{root.Server(t)},
		ClientCAs:    root.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, connections
}

func TestAClientShowsItsCertificate(t *testing.T) {
	root := certtest.NewRoot(t, "root")
	url, connections := newTLSGateway(t, root)
	ask := func(config *tls.Config) error {
		client := newClient(t, url, func(cfg *ClientConfig) { cfg.HTTP, cfg.TLS = nil, config })
		_, err := client.List(t.Context(), "tasks", ListRequest{})
		return err
	}
	own := []tls.Certificate{root.Client(t)}
	if err := ask(&tls.Config{RootCAs: root.Pool(), Certificates: own}); err != nil {
		t.Errorf("a client with a certificate: %v", err)
	}
	for name, config := range map[string]*tls.Config{
		"without a certificate":         {RootCAs: root.Pool()},
		"that vouches for itself":       {RootCAs: root.Pool(), Certificates: []tls.Certificate{certtest.SelfSigned(t)}},
		"that does not know the server": {RootCAs: certtest.NewRoot(t, "other").Pool(), Certificates: own},
	} {
		before := connections.Load()
		if err := ask(config); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a client %s: %v", name, err)
		}
		// What a server says of a certificate may come with the end of a connection,
		// which looks like many a failure that a second attempt mends.
		if n := connections.Load() - before; n != 1 && name == "that does not know the server" {
			t.Errorf("a client %s tried %d times", name, n)
		}
	}
}

func TestClientsOfTLSNeedHTTPS(t *testing.T) {
	if _, err := NewClient(ClientConfig{URL: "http://gateway.example", TLS: &tls.Config{}}); err == nil {
		t.Error("a client would send in the clear what was to be sent over TLS")
	}
}
