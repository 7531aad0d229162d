package mtls

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
)

// An Identity is what a certificate says about whose it is.
type Identity struct {
	// Credential is by what its grant is found, see grants.Terms.
	Credential string
	// Subject is on whose behalf it was issued. It is "" if the certificate says
	// nothing about that: then the grant alone does.
	Subject string
}

// An Identifier reads the identity out of a certificate. The certificate has been
// verified: what stands in it is what the issuer wanted to say. An error is a
// certificate that names no grant, and so is an empty Credential. It must not keep or
// change the certificate.
type Identifier func(leaf *x509.Certificate) (Identity, error)

// Thumbprint is the Identifier that goes by the SHA-256 of the whole certificate: the
// Credential is "sha256:" and its hexadecimal digits, in lower case. A certificate that
// is issued again is another one, and needs a grant of its own.
func Thumbprint(leaf *x509.Certificate) (Identity, error) {
	sum := sha256.Sum256(leaf.Raw)
	return Identity{Credential: "sha256:" + hex.EncodeToString(sum[:])}, nil
}

// extension returns the value of the one extension with the id. RFC 5280, section 4.2
// allows no second one, so there is none to choose from.
func extension(leaf *x509.Certificate, id asn1.ObjectIdentifier) ([]byte, error) {
	found := -1
	for i := range leaf.Extensions {
		if !leaf.Extensions[i].Id.Equal(id) {
			continue
		}
		if found >= 0 {
			return nil, fmt.Errorf("the extension %s is there twice", id)
		}
		found = i
	}
	if found < 0 {
		return nil, fmt.Errorf("there is no extension %s", id)
	}
	return leaf.Extensions[found].Value, nil
}
