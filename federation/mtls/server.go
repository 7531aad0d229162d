package mtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// ServerTLS is what the TLS of a federation server is made of.
type ServerTLS struct {
	// Base has the server's certificates, and what else the host wants: it is
	// copied, and what Config sets is set over it. Required.
	Base *tls.Config

	// Roots are what the certificate of a client has to chain to. Required: without
	// roots, Go would take those of the operating system, and so everybody who can
	// get a certificate anywhere. To change them while the server runs, make another
	// config and return it from the GetConfigForClient of the one that listens:
	// sessions that began under the old roots are then held to the new ones.
	Roots *x509.CertPool

	// Optional lets clients without a certificate in, who then get a 401 from the
	// handler. Defaults to false: they get no further than the handshake. A client
	// whose certificate does not verify gets no further in either case.
	Optional bool

	// NoResumption makes each connection begin with a full handshake. Defaults to
	// false: a session may be resumed, with its certificate verified again. The grant
	// is looked up for each request in any case.
	NoResumption bool
}

var errNoCertificate = errors.New("mtls: the client has no certificate")

// Config returns a tls.Config that verifies the certificates of clients: TLS 1.3 only,
// against the Roots, for the usage of clients, and again when a session is resumed,
// which crypto/tls by itself does in part at most (golang/go#77217). VerifyConnection of
// the Base is called as well, after that.
func (s ServerTLS) Config() (*tls.Config, error) {
	switch {
	case s.Base == nil:
		return nil, errors.New("mtls: ServerTLS.Base is required")
	case s.Roots == nil:
		return nil, errors.New("mtls: ServerTLS.Roots is required")
	case s.Base.GetConfigForClient != nil:
		return nil, errors.New("mtls: ServerTLS.Base has a GetConfigForClient, whose config would replace this one")
	case s.Base.MaxVersion != 0 && s.Base.MaxVersion < tls.VersionTLS13:
		return nil, errors.New("mtls: ServerTLS.Base allows no TLS 1.3")
	}
	cfg := s.Base.Clone()
	cfg.MinVersion = tls.VersionTLS13
	cfg.ClientCAs = s.Roots
	cfg.ClientAuth = tls.RequireAndVerifyClientCert
	if s.Optional {
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
	}
	cfg.SessionTicketsDisabled = cfg.SessionTicketsDisabled || s.NoResumption
	cfg.VerifyConnection = s.verifier(cfg.Time, s.Base.VerifyConnection)
	return cfg, nil
}

// verifier returns a VerifyConnection. It verifies full handshakes once more, too: there
// is no way around it that a condition could open.
func (s ServerTLS) verifier(now func() time.Time, then func(tls.ConnectionState) error) func(tls.ConnectionState) error {
	if now == nil {
		now = time.Now
	}
	return func(state tls.ConnectionState) error {
		if err := s.verify(state.PeerCertificates, now()); err != nil {
			return err
		}
		if then != nil {
			return then(state)
		}
		return nil
	}
}

func (s ServerTLS) verify(sent []*x509.Certificate, now time.Time) error {
	switch {
	case len(sent) == 0 && s.Optional:
		return nil
	case len(sent) == 0:
		return errNoCertificate
	}
	between := x509.NewCertPool()
	for _, cert := range sent[1:] {
		between.AddCert(cert)
	}
	_, err := sent[0].Verify(x509.VerifyOptions{
		Roots: s.Roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return fmt.Errorf("mtls: the certificate of the client: %w", err)
	}
	return nil
}
