package enroll

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/federation/mtls"
)

// CA is a Signer in this process, whose key is in this process's memory: for
// development, and for a first look. Whoever reads the memory can issue certificates for
// every grant. It keeps no record of what it has issued.
type CA struct {
	// Extensions name the grant and the subject in certificates. Defaults to those of
	// package mtls.
	Extensions mtls.Extensions

	cert *x509.Certificate
	key  crypto.Signer
}

// NewCA makes an authority with a new key, that is good from an hour ago on, for the
// lifetime.
func NewCA(name string, lifetime time.Duration) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	cert, err := issue(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &CA{cert: cert, key: key}, nil
}

// Certificate returns the authority's own certificate. It is shared, not a copy.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// Pool returns a new pool that has the authority as its only root.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Sign issues a certificate: with the extensions, and with a URI if the grant's
// Credential is a SPIFFE ID. Once the authority is over it issues nothing more.
func (ca *CA) Sign(ctx context.Context, r Request) ([]*x509.Certificate, error) {
	if !ca.cert.NotAfter.After(time.Now()) {
		return nil, fmt.Errorf("enroll: the authority has been over since %s", ca.cert.NotAfter.Format(time.RFC3339))
	}
	extensions, err := ca.Extensions.Encode(r.Grant.ID, r.Grant.Subject)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: "federation peer"},
		NotBefore: r.NotBefore, NotAfter: earlier(r.NotAfter, ca.cert.NotAfter),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, ExtraExtensions: extensions,
	}
	if strings.HasPrefix(r.Grant.Credential, "spiffe://") {
		id, err := url.Parse(r.Grant.Credential)
		if err != nil {
			return nil, err
		}
		template.URIs = []*url.URL{id}
	}
	cert, err := issue(template, ca.cert, r.Key, ca.key)
	if err != nil {
		return nil, err
	}
	return []*x509.Certificate{cert, ca.cert}, nil
}

// Server issues the certificate of a server at the hosts, which are names or IP
// addresses, with a new key.
func (ca *CA) Server(lifetime time.Duration, hosts ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: newSerial(), NotBefore: now.Add(-time.Minute), NotAfter: earlier(now.Add(lifetime), ca.cert.NotAfter),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	cert, err := issue(template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{cert.Raw, ca.cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

func issue(template, issuer *x509.Certificate, key crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// newSerial returns a random serial number of 127 bits (RFC 5280, section 4.1.2.2:
// positive, and at most 20 octets).
func newSerial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b[:])
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
