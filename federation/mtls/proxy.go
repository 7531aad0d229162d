package mtls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// A Proxy ends TLS in front of the gateway, and hands over the certificate of its client
// in a header. The header is believed only on a connection that the proxy made, and the
// certificate in it is verified here, against the roots: that the proxy says it has done
// so does not count.
//
// Connections are marked by ConnContext, so the host says of each http.Server whether
// its listener is the proxy's:
//
//	server := &http.Server{Handler: handler, ConnContext: proxy.ConnContext}
//
// On a marked connection only the header counts. The certificate by which the proxy
// itself may have authenticated its connection stands for no client. On any other
// connection a request with the header is refused, whatever else it has, because
// somebody tries to pass for the proxy or the host has forgotten ConnContext.
//
// What the proxy has to do: require possession of the key in its own handshake, and
// remove the header from what clients send (RFC 9440, section 4), in all the spellings
// that it would forward. A proxy that does not hands each client every identity whose
// certificate it has seen, and nothing here can notice. Pins do not help: certificates
// are no secret.
//
// A Proxy must not be changed once it is in use, nor copied.
type Proxy struct {
	// Peers are the addresses from which the proxy connects, directly: the far end of
	// the socket counts, and never a header or what a middleware has put into
	// Request.RemoteAddr. Required. A prefix of 0 bits is refused.
	Peers []netip.Prefix

	// Roots are what the certificate in the header has to chain to. Required.
	Roots *x509.CertPool

	// Format is how the certificate is written. Defaults to RFC9440.
	Format Format

	// Header is the name of the header. Defaults to Client-Cert.
	Header string

	// ChainHeader is the name of the header with the certificates in between, which
	// only RFC9440 has. Defaults to Client-Cert-Chain.
	ChainHeader string
}

// connection is the key of the mark, in the context of a connection. The Proxy is part
// of it: the mark of one is not the mark of another.
type connection struct{ of *Proxy }

// ConnContext marks a connection if its far end is among the Peers. It is for the
// ConnContext of an http.Server whose listener is the proxy's.
func (p *Proxy) ConnContext(ctx context.Context, c net.Conn) context.Context {
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil { // a Unix socket, say
		return ctx
	}
	address := from.Addr().Unmap()
	for _, prefix := range p.Peers {
		if prefix.Contains(address) {
			return context.WithValue(ctx, connection{p}, true)
		}
	}
	return ctx
}

// made tells if the request came over a connection of the proxy.
func (p *Proxy) made(r *http.Request) bool {
	marked, _ := r.Context().Value(connection{p}).(bool)
	return marked
}

// present tells if a certificate is in the headers.
func (p *Proxy) present(header http.Header) bool {
	return len(header.Values(p.header())) > 0
}

func (p *Proxy) header() string {
	if p.Header == "" {
		return "Client-Cert"
	}
	return p.Header
}

func (p *Proxy) chainHeader() string {
	if p.ChainHeader == "" {
		return "Client-Cert-Chain"
	}
	return p.ChainHeader
}

// check refuses a proxy that is not one.
func (p *Proxy) check() error {
	switch {
	case len(p.Peers) == 0:
		return errors.New("mtls: Proxy.Peers is required")
	case p.Roots == nil:
		return errors.New("mtls: Proxy.Roots is required")
	case p.Format != RFC9440 && p.Format != EscapedPEM:
		return fmt.Errorf("mtls: there is no Format %d", p.Format)
	}
	for _, prefix := range p.Peers {
		if !prefix.IsValid() || prefix.Bits() == 0 || prefix.Addr().Is4In6() {
			return fmt.Errorf("mtls: Proxy.Peers has %s, which is no network of a proxy", prefix)
		}
		if prefix.Addr().Is6() && prefix.Addr().IsLinkLocalUnicast() {
			return fmt.Errorf("mtls: Proxy.Peers has %s, which is another network on each link", prefix)
		}
	}
	return nil
}

// verify returns the chains from the certificate in the headers to the roots.
func (p *Proxy) verify(header http.Header, now time.Time) ([][]*x509.Certificate, error) {
	sent, err := p.read(header)
	if err != nil {
		return nil, err
	}
	between := x509.NewCertPool()
	for _, cert := range sent[1:] {
		between.AddCert(cert)
	}
	return sent[0].Verify(x509.VerifyOptions{
		Roots: p.Roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// read returns the certificates in the headers: the client's first.
func (p *Proxy) read(header http.Header) ([]*x509.Certificate, error) {
	values := header.Values(p.header())
	if len(values) != 1 { // of two, the proxy has verified one
		return nil, fmt.Errorf("the header of the proxy is there %d times", len(values))
	}
	encoded, err := p.Format.decode(values[0])
	if err != nil {
		return nil, err
	}
	if chain := header.Values(p.chainHeader()); p.Format == RFC9440 && len(chain) > 0 {
		between, err := decodeByteSequences(chain)
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, between...)
	}
	if len(encoded) > maxCertificates {
		return nil, fmt.Errorf("the proxy handed over more than %d certificates", maxCertificates)
	}
	certs := make([]*x509.Certificate, len(encoded))
	for i, der := range encoded {
		if certs[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("certificate %d of the header of the proxy: %w", i+1, err)
		}
	}
	return certs, nil
}
