package enroll

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"testing"

	"github.com/mosaicstack/fedkit/internal/certtest"
)

// FuzzToken: what is a token was written by newToken, and there is one way to write it.
func FuzzToken(f *testing.F) {
	token, ticket, hash := newToken()
	if gotTicket, gotHash, ok := parseToken(token); !ok || gotTicket != ticket || gotHash != hash {
		f.Fatalf("%q reads as %q, %x, %t", token, gotTicket, gotHash, ok)
	}
	for _, seed := range []string{token, "", "fe1_", token + "A", token[:67] + "\n", token[:66] + "\r\n", token[:60] + "====", "fe2_" + token[4:]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		ticket, _, ok := parseToken(token)
		if !ok {
			return
		}
		random, err := base64.RawURLEncoding.DecodeString(token[4:])
		if err != nil || len(random) != 48 || "fe1_"+base64.RawURLEncoding.EncodeToString(random) != token || ticket != token[4:26] && len(ticket) != 22 {
			t.Errorf("%q is taken for a token of the ticket %q", token, ticket)
		}
	})
}

// FuzzBody: a body that is taken says the same to encoding/json, which takes more.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"token":"a","csr":"b"}`, `{"csr":"b","token":"a"}`, `{"token":"a","csr":"b","x":1}`, `{"token":"a","token":"b"}`,
		`{"Token":"a","csr":"b"}`, `{"token":"\u0061","csr":"b"}`, `[]`, `{`, `{"token":null,"csr":"b"}`, ` {"token":"a","csr":"b"} `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		token, csr, err := parseBody(text)
		if err != nil {
			return
		}
		var members map[string]string
		if err := json.Unmarshal(text, &members); err != nil || len(members) != 2 || members["token"] != token || members["csr"] != csr || token == "" || csr == "" {
			t.Errorf("%q reads as %q and %q; encoding/json has %v, %v", text, token, csr, members, err)
		}
	})
}

// FuzzCSR: a key that is taken is of one of the two kinds, and signed for itself.
func FuzzCSR(f *testing.F) {
	der, err := x509.CreateCertificateRequest(rand.Reader, new(x509.CertificateRequest), certtest.NewKey(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add(der[:len(der)-1])
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := parseRequest(string(pem.EncodeToMemory(&pem.Block{Type: requestType, Bytes: der})))
		if err != nil {
			return
		}
		request, err := x509.ParseCertificateRequest(der)
		if err != nil || request.CheckSignature() != nil || key == nil {
			t.Errorf("%x gives the key %v", der, key)
		}
	})
}
