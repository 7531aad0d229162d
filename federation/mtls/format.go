package mtls

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
)

// What is read of the headers of a proxy.
const (
	maxCertificates = 5        // the client's, and up to four in between
	maxHeader       = 32 << 10 // bytes of one header
)

// A Format is how a proxy writes a certificate into a header.
type Format uint8

const (
	// RFC9440 is :BASE64:, and more of them separated by commas in a header of its
	// own. Envoy, Cloudflare and Caddy can write it.
	RFC9440 Format = iota
	// EscapedPEM is PEM with percent-encoding, and the certificates in between behind
	// the client's, if they are there. It is what nginx has in
	// $ssl_client_escaped_cert and what AWS load balancers send as
	// X-Amzn-Mtls-Clientcert. A plus sign stands for itself.
	EscapedPEM
)

// decode returns the certificates in a header: the client's first.
func (f Format) decode(value string) ([][]byte, error) {
	if f == EscapedPEM {
		return decodeEscapedPEM(value)
	}
	der, err := decodeByteSequence(value)
	return [][]byte{der}, err
}

var (
	errByteSequence = errors.New("the header of the proxy has no :BASE64: of RFC 9440")
	errPEM          = errors.New("the header of the proxy has no escaped PEM of certificates")
)

// decodeByteSequence reads a Byte Sequence (RFC 8941, section 3.3.5), without parameters,
// in the one form in which it is written: a proxy that adds anything is not understood.
func decodeByteSequence(value string) ([]byte, error) {
	text, ok := strings.CutPrefix(value, ":")
	if text, closed := strings.CutSuffix(text, ":"); ok && closed && len(text) <= maxHeader {
		// Strict still skips line breaks.
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err == nil && len(der) > 0 && base64.StdEncoding.EncodedLen(len(der)) == len(text) {
			return der, nil
		}
	}
	return nil, errByteSequence
}

// decodeByteSequences reads a List of them (RFC 8941, section 3.1), which may be spread
// over several lines of a header.
func decodeByteSequences(lines []string) ([][]byte, error) {
	value := strings.Join(lines, ",")
	if len(value) > maxHeader || strings.Count(value, ",") >= maxCertificates {
		return nil, errByteSequence
	}
	var all [][]byte
	for item := range strings.SplitSeq(value, ",") {
		der, err := decodeByteSequence(strings.Trim(item, " \t"))
		if err != nil {
			return nil, err
		}
		all = append(all, der)
	}
	return all, nil
}

// decodeEscapedPEM reads blocks of PEM as a strict writer writes them (RFC 7468, section
// 3), with nothing before, between or behind them.
func decodeEscapedPEM(value string) ([][]byte, error) {
	if len(value) > maxHeader {
		return nil, errPEM
	}
	text, err := url.PathUnescape(value)
	if err != nil {
		return nil, errPEM
	}
	var all [][]byte
	for rest := []byte(text); len(rest) > 0; {
		block, behind := pem.Decode(rest)
		if block == nil || len(all) == maxCertificates || block.Type != "CERTIFICATE" || len(block.Headers) > 0 || len(block.Bytes) == 0 {
			return nil, errPEM
		}
		// pem.Decode steps over whatever it does not understand, broken blocks included:
		// another reader might have taken one of those for the client's.
		written := string(rest[:len(rest)-len(behind)])
		if once := string(pem.EncodeToMemory(block)); written != once && written+"\n" != once {
			return nil, errPEM
		}
		all, rest = append(all, block.Bytes), behind
	}
	if len(all) == 0 {
		return nil, errPEM
	}
	return all, nil
}
