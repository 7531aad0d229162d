package mtls

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/mosaicstack/fedkit/federation/grants"
)

// The extensions by which a certificate names its grant and its subject, unless the
// host has others.
var (
	grantOID   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	subjectOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 2}
)

// Extensions are two extensions of a certificate: the id of the grant and that of the
// subject. Both must be there, each of them once, and their values are UTF8Strings in
// DER: what has a second encoding is refused, as are names that no grant can have. No
// other part of the certificate counts, its common name least of all.
//
// They must not be critical. Go verifies no certificate with a critical extension that
// it does not know itself.
//
// The zero Extensions has the default ids. Their arc below 1.3.6.1.4.1 (private
// enterprises) is provisional: nobody has registered 99999, and a host with a number of its
// own sets that.
type Extensions struct {
	// Grant is the extension with the id of the grant. Defaults to
	// 1.3.6.1.4.1.99999.1.
	Grant asn1.ObjectIdentifier
	// Subject is the extension with the id of the subject. Defaults to
	// 1.3.6.1.4.1.99999.2.
	Subject asn1.ObjectIdentifier
}

// Identify is an Identifier. The Credential is [grants.CredentialOf] the grant's id.
func (e Extensions) Identify(leaf *x509.Certificate) (Identity, error) {
	grantID, subjectID, err := e.ids()
	if err != nil {
		return Identity{}, err
	}
	grant, err := name(leaf, grantID)
	if err != nil {
		return Identity{}, err
	}
	subject, err := name(leaf, subjectID)
	if err != nil {
		return Identity{}, err
	}
	return Identity{Credential: grants.CredentialOf(grant), Subject: subject}, nil
}

// Encode returns the extensions that a certificate of the grant has to have. It is the
// other side of Identify.
func (e Extensions) Encode(grant, subject string) ([]pkix.Extension, error) {
	grantID, subjectID, err := e.ids()
	if err != nil {
		return nil, err
	}
	if !grants.IsName(grant) || !grants.IsName(subject) {
		return nil, errors.New("mtls: the grant or the subject is no name")
	}
	var encoded []pkix.Extension
	for _, named := range []struct {
		id   asn1.ObjectIdentifier
		text string
	}{{grantID, grant}, {subjectID, subject}} {
		value, err := encodeUTF8String(named.text)
		if err != nil {
			return nil, fmt.Errorf("mtls: the extension %s: %w", named.id, err)
		}
		encoded = append(encoded, pkix.Extension{Id: named.id, Value: value})
	}
	return encoded, nil
}

// ids returns the two ids. Were they one, every grant's id would pass for its subject.
func (e Extensions) ids() (grant, subject asn1.ObjectIdentifier, err error) {
	grant, subject = e.Grant, e.Subject
	if grant == nil {
		grant = grantOID
	}
	if subject == nil {
		subject = subjectOID
	}
	if grant.Equal(subject) {
		return nil, nil, fmt.Errorf("mtls: one extension, %s, cannot name both the grant and the subject", grant)
	}
	return grant, subject, nil
}

// name reads a name out of an extension.
func name(leaf *x509.Certificate, id asn1.ObjectIdentifier) (string, error) {
	value, err := extension(leaf, id)
	if err != nil {
		return "", err
	}
	text, err := decodeUTF8String(value)
	if err == nil && !grants.IsName(text) {
		err = errors.New("the value is no name of 1 to 255 bytes of printable text")
	}
	if err != nil {
		return "", fmt.Errorf("the extension %s: %w", id, err)
	}
	return text, nil
}
