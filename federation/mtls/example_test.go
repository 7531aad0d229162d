package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net/http"
	"net/netip"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/scope"
)

// A gateway that its peers reach directly: the server's TLS configuration, and the
// Authenticator for federation.Config.
func Example() {
	var (
		store       grants.Memory        // or a sqlstore.Grants
		certificate tls.Certificate      // the server's own
		roots       = x509.NewCertPool() // the authorities that issue to peers
	)
	config, err := mtls.ServerTLS{
		Base:  &tls.Config{Certificates: []tls.Certificate{certificate}},
		Roots: roots,
	}.Config()
	if err != nil {
		log.Fatal(err)
	}
	authenticator, err := mtls.New(mtls.Config{Find: store.Find, Registry: scope.Standard()})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{TLSConfig: config} // Handler: federation.NewHandler with the authenticator

	_, err = authenticator.Authenticate(new(http.Request))
	fmt.Println(err)
	fmt.Println(server.TLSConfig.ClientAuth)
	// Output:
	// federation: no verified credential: the connection is not TLS
	// RequireAndVerifyClientCert
}

// A gateway behind nginx, which ends TLS and sets the header
// X-Client-Cert to $ssl_client_escaped_cert.
func ExampleProxy() {
	roots := x509.NewCertPool() // the authorities that issue to peers
	proxy := &mtls.Proxy{
		Peers:  []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")},
		Roots:  roots,
		Format: mtls.EscapedPEM,
		Header: "X-Client-Cert",
	}
	_, err := mtls.New(mtls.Config{Find: new(grants.Memory).Find, Registry: scope.Standard(), Proxy: proxy})
	if err != nil {
		log.Fatal(err)
	}
	// Only the connections of this server, and of these only the proxy's, may use it.
	server := &http.Server{ConnContext: proxy.ConnContext}
	fmt.Println(server.ConnContext != nil)
	// Output: true
}

// A mesh with SPIFFE identities. The grant's Credential is the SPIFFE ID of the peer.
func ExampleSPIFFE() {
	identify, err := mtls.SPIFFE("example.org")
	if err != nil {
		log.Fatal(err)
	}
	_, err = mtls.New(mtls.Config{Find: new(grants.Memory).Find, Registry: scope.Standard(), Identify: identify})
	fmt.Println(err)
	// Output: <nil>
}
