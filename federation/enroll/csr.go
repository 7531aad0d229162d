package enroll

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// The PEM type of a certificate request (RFC 7468, section 7).
const requestType = "CERTIFICATE REQUEST"

// parseRequest returns the key that a certificate request (PKCS #10, RFC 2986) is about,
// and proof that whoever wrote the request has it. Everything else in the request is
// what the peer would like to be called, and nobody asks.
func parseRequest(text string) (crypto.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != requestType || len(block.Headers) > 0 || len(rest) > 0 {
		return nil, errors.New("it is no PEM of one certificate request")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if err := checkKey(request); err != nil {
		return nil, err
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("its signature is wrong: %w", err)
	}
	return request.PublicKey, nil
}

// checkKey allows the kinds of keys that have one sensible size, and signatures that go
// with them.
func checkKey(request *x509.CertificateRequest) error {
	switch key := request.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() && request.SignatureAlgorithm == x509.ECDSAWithSHA256 {
			return nil
		}
	case ed25519.PublicKey:
		if request.SignatureAlgorithm == x509.PureEd25519 {
			return nil
		}
	}
	return errors.New("its key is neither P-256 with SHA-256 nor Ed25519")
}
