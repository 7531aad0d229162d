package enroll

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
)

// A Request is a certificate to be issued.
type Request struct {
	// Key is the key of the peer, who has proved that it is: P-256 or Ed25519.
	Key crypto.PublicKey
	// Grant is whose certificate it will be. The certificate must say so in the way
	// that the gateway's mtls.Identifier reads.
	Grant grants.Grant
	// NotBefore and NotAfter are when it is to be good; it may be less.
	NotBefore, NotAfter time.Time
}

// A Signer issues certificates. CA is one, for development; others ask a certificate
// authority. Calls run concurrently.
//
// Sign returns the certificate and behind it who issued it, and then what else a client
// has to send to be verified. What it returns is checked: a certificate that is not the
// one asked for is not handed out.
type Signer interface {
	Sign(ctx context.Context, r Request) ([]*x509.Certificate, error)
}

// check refuses a chain that is not what was asked for. The signer is another program,
// and the certificate is all that stands between a grant and everybody else.
func (r Request) check(chain []*x509.Certificate, identify mtls.Identifier, now time.Time) error {
	if len(chain) < 2 || slices.Contains(chain, nil) {
		return errors.New("the signer returned no certificate together with its issuer's")
	}
	leaf, issuer := chain[0], chain[1]
	key, ok := r.Key.(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !ok || !key.Equal(leaf.PublicKey):
		return errors.New("the certificate is for another key")
	case leaf.IsCA || leaf.KeyUsage&x509.KeyUsageCertSign != 0:
		return errors.New("the certificate is an authority's")
	case !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return errors.New("the certificate is not for clients")
	case leaf.NotAfter.After(r.NotAfter):
		return errors.New("the certificate is good for too long")
	case leaf.NotBefore.After(now.Add(clockSkew)) || issuer.NotBefore.After(now.Add(clockSkew)):
		return errors.New("the certificate or its issuer's is not good yet")
	case !leaf.NotAfter.After(now) || !issuer.NotAfter.After(now):
		return errors.New("the certificate or its issuer's is over")
	}
	if err := leaf.CheckSignatureFrom(issuer); err != nil {
		return fmt.Errorf("the certificate is not its issuer's: %w", err)
	}
	identity, err := identify(leaf)
	if err != nil {
		return fmt.Errorf("the certificate names no grant: %w", err)
	}
	if identity.Credential != r.Grant.Credential || identity.Subject != "" && identity.Subject != r.Grant.Subject {
		return errors.New("the certificate names another grant or subject")
	}
	return nil
}
