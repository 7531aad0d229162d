package enroll

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// RefusedError is a desk that gave no certificate.
type RefusedError struct {
	// Status is that of the response. 410 is a token that has been used or has
	// expired.
	Status int
	// Code and Message are what the desk said, cut short.
	Code, Message string
}

// Error describes the refusal.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("enroll: the gateway answers %d %.64q: %.256q", e.Status, e.Code, e.Message)
}

// Redeem is the peer's side: it trades a token for a certificate over the key, at the
// address of another gateway's desk. The key stays here. The client must verify the
// server, or the token goes to whoever answers: an address that is not https is refused,
// and redirections are not followed. A desk that gives no certificate is a *[RefusedError].
func Redeem(ctx context.Context, client *http.Client, address, token string, key crypto.Signer) (tls.Certificate, error) {
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "https" {
		return tls.Certificate{}, fmt.Errorf("enroll: %q is no https address", address)
	}
	body, err := ask(token, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	answered, err := post(ctx, client, address, body)
	if err != nil {
		return tls.Certificate{}, err
	}
	return answered.over(key)
}

// ask returns the body of the request, which proves that the key is the peer's.
func ask(token string, key crypto.Signer) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, new(x509.CertificateRequest), key)
	if err != nil {
		return nil, fmt.Errorf("enroll: a certificate request: %w", err)
	}
	return json.Marshal(map[string]string{
		"token": token, "csr": string(pem.EncodeToMemory(&pem.Block{Type: requestType, Bytes: der})),
	})
}

// over returns the certificate with its key, if it is that key's. (X509KeyPair would want
// the key in PEM, which a key in hardware has not.)
func (c wireCertificate) over(key crypto.Signer) (tls.Certificate, error) {
	cert := tls.Certificate{PrivateKey: key}
	for rest := []byte(c.Certificate + c.Chain); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert.Certificate = append(cert.Certificate, block.Bytes)
	}
	if len(cert.Certificate) == 0 {
		return tls.Certificate{}, errors.New("enroll: the gateway answers without a certificate")
	}
	var err error
	if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
		return tls.Certificate{}, fmt.Errorf("enroll: the certificate: %w", err)
	}
	if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(cert.Leaf.PublicKey) {
		return tls.Certificate{}, errors.New("enroll: the certificate is for another key")
	}
	return cert, nil
}

// post sends the request once, to this address and no other.
func post(ctx context.Context, client *http.Client, address string, body []byte) (answered wireCertificate, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return answered, err
	}
	r.Header.Set("Content-Type", "application/json")
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := direct.Do(r)
	if err != nil {
		return answered, fmt.Errorf("enroll: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return answered, fmt.Errorf("enroll: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		var refused struct {
			Error struct{ Code, Message string }
		}
		_ = json.Unmarshal(text, &refused) // it may be a proxy's
		return answered, &RefusedError{response.StatusCode, refused.Error.Code, refused.Error.Message}
	}
	if err := json.Unmarshal(text, &answered); err != nil {
		return answered, fmt.Errorf("enroll: the answer: %w", err)
	}
	return answered, nil
}
