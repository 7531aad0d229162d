package mtls

import (
	"encoding/asn1"
	"errors"
	"unicode/utf8"
)

// The tags that are read here. In X.690 terms they are the whole identifier octet.
const (
	tagUTF8String byte = 0x0c
	tagSequence   byte = 0x30
	tagURI        byte = 0x86 // GeneralName, [6] IMPLICIT IA5String (RFC 5280, section 4.2.1.6)
)

var errDER = errors.New("not DER")

// element reads one element of DER (X.690, sections 8.1 and 10.1) and returns what is
// behind it, too. Every length has one encoding: the short form up to 127, and above
// the fewest octets that hold it. There is no indefinite length and no tag of more than
// one octet, which nothing that is read here has.
func element(der []byte) (tag byte, contents, rest []byte, err error) {
	if len(der) < 2 || der[0]&0x1f == 0x1f {
		return 0, nil, nil, errDER
	}
	tag, length, rest := der[0], uint64(der[1]), der[2:]
	if length > 0x7f {
		octets := int(length & 0x7f)
		if octets == 0 || octets > 4 || octets > len(rest) || rest[0] == 0 {
			return 0, nil, nil, errDER
		}
		length = 0
		for _, b := range rest[:octets] {
			length = length<<8 | uint64(b)
		}
		if length <= 0x7f {
			return 0, nil, nil, errDER
		}
		rest = rest[octets:]
	}
	if length > uint64(len(rest)) {
		return 0, nil, nil, errDER
	}
	return tag, rest[:length], rest[length:], nil
}

// decodeUTF8String reads the one UTF8String that der is.
func decodeUTF8String(der []byte) (string, error) {
	tag, contents, rest, err := element(der)
	if err != nil || tag != tagUTF8String || len(rest) > 0 || !utf8.Valid(contents) {
		return "", errors.New("the value is no UTF8String in DER")
	}
	return string(contents), nil
}

// encodeUTF8String is what decodeUTF8String reads.
func encodeUTF8String(text string) ([]byte, error) {
	return asn1.MarshalWithParams(text, "utf8")
}

// decodeURIs reads the URIs of a SubjectAltName, as they were written, and steps over
// the names of other kinds.
func decodeURIs(der []byte) ([]string, error) {
	tag, names, rest, err := element(der)
	if err != nil || tag != tagSequence || len(rest) > 0 {
		return nil, errors.New("the subject alternative names are no SEQUENCE in DER")
	}
	var uris []string
	for len(names) > 0 {
		var contents []byte
		if tag, contents, names, err = element(names); err != nil {
			return nil, errors.New("a subject alternative name is not DER")
		}
		if tag == tagURI {
			uris = append(uris, string(contents))
		}
	}
	return uris, nil
}
