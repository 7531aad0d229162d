package mtls

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The limits of a SPIFFE ID, in bytes (SPIFFE-ID, sections 2.1 and 2.3).
const (
	maxSPIFFEID    = 2048
	maxTrustDomain = 255
)

// subjectAltName is id-ce-subjectAltName of RFC 5280.
var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

var errSPIFFE = errors.New("the URI is no SPIFFE ID of a workload")

// SPIFFE returns the Identifier of X.509-SVIDs: the Credential is the SPIFFE ID. The
// certificate must be a leaf by the rules of the X509-SVID standard (sections 2 to 5):
// exactly one URI among its alternative names, of a trust domain that is named here, and
// neither an authority nor a key that may sign certificates or revocation lists. Names
// of other kinds may be there and do not count.
//
// The roots have to belong to the trust domains: with roots of two domains in one pool,
// either could issue certificates in the name of the other. Pin the issuer in the grant,
// or serve each domain by itself.
func SPIFFE(trustDomains ...string) (Identifier, error) {
	if len(trustDomains) == 0 {
		return nil, errors.New("mtls: at least one trust domain is required")
	}
	for _, domain := range trustDomains {
		if !isTrustDomain(domain) {
			return nil, fmt.Errorf("mtls: %q is no trust domain", domain)
		}
	}
	domains := slices.Clone(trustDomains)
	return func(leaf *x509.Certificate) (Identity, error) {
		id, domain, err := workload(leaf)
		if err == nil && !slices.Contains(domains, domain) {
			err = errors.New("the SPIFFE ID is of another trust domain")
		}
		if err != nil {
			return Identity{}, err
		}
		return Identity{Credential: id}, nil
	}, nil
}

// workload returns the SPIFFE ID of a leaf, and its trust domain.
func workload(leaf *x509.Certificate) (id, domain string, err error) {
	if leaf.IsCA || leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		return "", "", errors.New("the certificate can sign others, and so is no workload's")
	}
	names, err := extension(leaf, subjectAltName)
	if err != nil {
		return "", "", err
	}
	uris, err := decodeURIs(names)
	if err != nil {
		return "", "", err
	}
	if len(uris) != 1 {
		return "", "", fmt.Errorf("%d URIs are among the alternative names, not one", len(uris))
	}
	domain, err = parseSPIFFE(uris[0])
	return uris[0], domain, err
}

// parseSPIFFE returns the trust domain of a SPIFFE ID, which is a text of one form: the
// scheme and the domain in lower case, no port, user, query or fragment, nothing
// percent-encoded, and a path of one segment or more, none of which is empty or dots.
// An ID without a path is that of the trust domain itself and not of a workload.
func parseSPIFFE(id string) (domain string, err error) {
	rest, ok := strings.CutPrefix(id, "spiffe://")
	if !ok || len(id) > maxSPIFFEID {
		return "", errSPIFFE
	}
	domain, path, ok := strings.Cut(rest, "/")
	if !ok || !isTrustDomain(domain) {
		return "", errSPIFFE
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." || !consistsOf(segment, pathChars) {
			return "", errSPIFFE
		}
	}
	return domain, nil
}

const (
	domainChars = "abcdefghijklmnopqrstuvwxyz0123456789.-_"
	pathChars   = domainChars + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

func isTrustDomain(domain string) bool {
	return domain != "" && len(domain) <= maxTrustDomain && consistsOf(domain, domainChars)
}

func consistsOf(text, chars string) bool {
	return strings.Trim(text, chars) == ""
}
