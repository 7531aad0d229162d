package grants

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
)

// A Pin says with which key a certificate of the grant was made, and who issued it, by
// the SHA-256 of both public keys (SubjectPublicKeyInfo, as in RFC 7469, section 2.4).
// A certificate that is issued again over the same keys still fits.
//
// The zero Pin fits nothing. A Pin whose Key alone is zero fits every key that the
// issuer certified: it is for peers whose keys change by the hour, such as SPIFFE
// workloads, and trusts the issuer to put a grant's name into no other certificate.
type Pin struct {
	Issuer [sha256.Size]byte
	Key    [sha256.Size]byte
}

// PinOf returns the pin of a verified chain: the leaf first, and then who issued it. A
// chain of one is a certificate that was trusted itself, and counts as its own issuer.
// That of an empty chain is the zero Pin.
func PinOf(chain []*x509.Certificate) Pin {
	if len(chain) == 0 {
		return Pin{}
	}
	leaf, issuer := chain[0], chain[min(1, len(chain)-1)]
	return Pin{
		Issuer: sha256.Sum256(issuer.RawSubjectPublicKeyInfo),
		Key:    sha256.Sum256(leaf.RawSubjectPublicKeyInfo),
	}
}

// IsZero reports whether the pin fits nothing.
func (p Pin) IsZero() bool { return p.Issuer == [sha256.Size]byte{} }

// AnyKey returns the pin that fits every key of the same issuer.
func (p Pin) AnyKey() Pin { return Pin{Issuer: p.Issuer} }

// fits tells if a certificate with the keys of presented is one that p stands for.
func (p Pin) fits(presented Pin) bool {
	if p.IsZero() || p.Issuer != presented.Issuer {
		return false
	}
	return p.Key == [sha256.Size]byte{} || p.Key == presented.Key
}

// anyKey stands for a Key that is zero, in texts.
const anyKey = "*"

// String returns the pin as ISSUER:KEY in lower-case hexadecimal digits, as ISSUER:* if
// it fits every key of its issuer, and as "" if it is zero.
func (p Pin) String() string {
	switch {
	case p.IsZero():
		return ""
	case p.Key == [sha256.Size]byte{}:
		return hex.EncodeToString(p.Issuer[:]) + ":" + anyKey
	}
	return hex.EncodeToString(p.Issuer[:]) + ":" + hex.EncodeToString(p.Key[:])
}

// ParsePin reads what String wrote, and nothing else: a pin has one text.
func ParsePin(text string) (Pin, error) {
	issuer, key, _ := strings.Cut(text, ":")
	var p Pin
	if decode(p.Issuer[:], issuer) && key != anyKey {
		decode(p.Key[:], key)
	}
	if p.String() != text {
		return Pin{}, fmt.Errorf("%w: %.160q is no pin", ErrInvalid, text)
	}
	return p, nil
}

func decode(into []byte, digits string) bool {
	if len(digits) != hex.EncodedLen(len(into)) {
		return false
	}
	_, err := hex.Decode(into, []byte(digits))
	return err == nil
}
