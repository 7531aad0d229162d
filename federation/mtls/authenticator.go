package mtls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/scope"
)

// Config is what an Authenticator is made of. The parts must be safe for concurrent use.
type Config struct {
	// Find returns the grant of a credential, or grants.ErrNotFound: the Find of the
	// host's store of grants. It is called for every request with a verified
	// certificate, with "" for one that names no grant, and must not answer out of a
	// cache, or a revocation counts only when the cache forgets. Required.
	Find func(ctx context.Context, credential string) (grants.Grant, error)

	// Registry has the resources that a scope may name. Required.
	Registry scope.Registry

	// Identify reads the identity out of a certificate. Defaults to the Identify of
	// the zero Extensions.
	Identify Identifier

	// Proxy may hand over the certificates of its clients in a header. Defaults to
	// none: then headers do not count.
	Proxy *Proxy

	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// An Authenticator is a [federation.Authenticator] that goes by client certificates. It
// keeps nothing between two calls, which may run concurrently.
type Authenticator struct{ cfg Config }

// New returns an Authenticator. A Config that lacks a required part is an error, and
// so is a Proxy that trusts nobody or everybody.
func New(cfg Config) (*Authenticator, error) {
	switch {
	case cfg.Find == nil:
		return nil, errors.New("mtls: Config.Find is required")
	case len(cfg.Registry.Names()) == 0:
		return nil, errors.New("mtls: Config.Registry is required")
	case cfg.Proxy != nil:
		if err := cfg.Proxy.check(); err != nil {
			return nil, err
		}
	}
	if cfg.Identify == nil {
		cfg.Identify = Extensions{}.Identify
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Authenticator{cfg}, nil
}

// Authenticate returns the grant behind the certificate of the request. Its errors are
// those of [federation.Authenticator]: ErrNoCredential without a verified certificate, an
// ErrGrant error if no active grant is bound to it, and the error of Find as it is. The
// first two match ErrCloseConnection as well on a TLS connection that is not the proxy's.
func (a *Authenticator) Authenticate(r *http.Request) (scope.Grant, error) {
	now := a.cfg.Now()
	chains, err := a.chains(r, now)
	if err != nil {
		return a.refuse(r, fmt.Errorf("%w: %w", federation.ErrNoCredential, err))
	}
	identity, unnamed := a.cfg.Identify(chains[0][0])
	if unnamed == nil && identity.Credential == "" {
		unnamed = errors.New("the certificate names no grant")
	}
	if unnamed != nil {
		identity = Identity{}
	}
	// Also for a certificate that names no grant, and so has the credential of none:
	// all that are refused with the same bytes take the same way.
	found, err := a.cfg.Find(r.Context(), identity.Credential)
	if err != nil && !errors.Is(err, grants.ErrNotFound) {
		return scope.Grant{}, err
	}
	refused := refusal(found, identity, chains, now)
	switch {
	case unnamed != nil:
		return a.refuse(r, fmt.Errorf("%w: %w", federation.ErrGrantUnknown, unnamed))
	case refused != nil:
		return a.refuse(r, refused)
	}
	// A scope that does not parse is the zero Scope, which is refused as such.
	granted, _ := scope.Parse(a.cfg.Registry, []byte(found.Scope))
	return scope.Grant{
		ID: found.ID, Peer: found.Peer, Subject: found.Subject, Revision: found.Revision, Scope: granted,
	}, nil
}

// refuse ends the connection as well, if it is the client's own: its certificate may have
// been renewed since. That of a proxy has the requests of others, who are refused nothing.
func (a *Authenticator) refuse(r *http.Request, why error) (scope.Grant, error) {
	if r.TLS != nil && (a.cfg.Proxy == nil || !a.cfg.Proxy.made(r)) {
		why = fmt.Errorf("%w; %w", why, federation.ErrCloseConnection)
	}
	return scope.Grant{}, why
}

// refusal returns why a certificate may not use the grant. Every grant takes the same
// way, also the zero one that was not found, and a revoked one whose pin is right: all
// is computed before anything is decided, so that the time tells them apart as little
// as the answer does.
func refusal(g grants.Grant, identity Identity, chains [][]*x509.Certificate, now time.Time) error {
	usable := g.Usable(now)
	named := g.Credential == identity.Credential
	pinned := false
	for _, chain := range chains {
		fits := g.Fits(grants.PinOf(chain))
		pinned = pinned || fits
	}
	about := identity.Subject == "" || identity.Subject == g.Subject
	switch {
	case !named:
		return federation.ErrGrantUnknown
	case !about:
		return fmt.Errorf("%w: the certificate is about another subject", federation.ErrGrantMismatch)
	case usable != nil:
		return usable
	case !pinned:
		return fmt.Errorf("%w: the certificate is not pinned", federation.ErrGrantMismatch)
	}
	return nil
}

// chains returns the ways from the client's certificate to a root that are good now.
// There is at least one, unless there is an error.
func (a *Authenticator) chains(r *http.Request, now time.Time) ([][]*x509.Certificate, error) {
	verified, err := a.verified(r, now)
	if err != nil {
		return nil, err
	}
	// The handshake was a while ago, on a kept-alive connection or a resumed one.
	var good [][]*x509.Certificate
	for _, chain := range verified {
		if goodAt(chain, now) {
			good = append(good, chain)
		}
	}
	switch {
	case len(good) == 0:
		return nil, errors.New("no chain of verified certificates is good now")
	case good[0][0].IsCA:
		return nil, errors.New("the certificate is an authority's and no client's")
	}
	return good, nil
}

// verified returns the verified chains of the request: those of its header on a
// connection of the proxy, and those of its TLS connection on any other.
func (a *Authenticator) verified(r *http.Request, now time.Time) ([][]*x509.Certificate, error) {
	switch {
	case a.cfg.Proxy == nil:
	case a.cfg.Proxy.made(r):
		// The proxy's own certificate stands for no client.
		return a.cfg.Proxy.verify(r.Header, now)
	case a.cfg.Proxy.present(r.Header):
		return nil, errors.New("the request has the header of the proxy, and does not come from it")
	}
	if r.TLS == nil {
		return nil, errors.New("the connection is not TLS")
	}
	// Not PeerCertificates, which are whatever the client sent.
	return r.TLS.VerifiedChains, nil
}

// goodAt tells if the whole chain is good at the time.
func goodAt(chain []*x509.Certificate, now time.Time) bool {
	for _, cert := range chain {
		if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			return false
		}
	}
	return len(chain) > 0
}
