package enroll_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

// The peer's side keeps its token from those it is not for.
func TestRedeemTellsNobodyElse(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	token := o.invite(t, grantID)
	reached := false
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	away := httptest.NewTLSServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer away.Close()
	client := other.Client() // trusts both, whose certificate is the same
	var refused *enroll.RefusedError
	if _, err := enroll.Redeem(t.Context(), client, away.URL, token, certtest.NewKey(t)); !errors.As(err, &refused) || refused.Status != 307 || reached {
		t.Errorf("a redirection ends in %v, and the other server was reached: %t", err, reached)
	}
	plain := httptest.NewServer(other.Config.Handler)
	defer plain.Close()
	for _, address := range []string{plain.URL, "", "://", "ftp://x"} {
		if _, err := enroll.Redeem(t.Context(), client, address, token, certtest.NewKey(t)); err == nil || reached {
			t.Errorf("the address %q ends in %v, and the server was reached: %t", address, err, reached)
		}
	}
	if _, err := enroll.Redeem(t.Context(), http.DefaultClient, o.server.URL+enroll.Path, token, certtest.NewKey(t)); err == nil {
		t.Error("a server that does not verify gets the token")
	}
	o.mustRedeem(t, token, certtest.NewKey(t))
}

func TestRedeemBelievesNoAnswerThatIsNone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	cert, err := o.ca.Server(time.Hour, "x")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":     "",
		"no members":  "{}",
		"no PEM":      `{"certificate":"x","chain":"y"}`,
		"half a PEM":  `{"certificate":"-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"}`,
		"another key": fmt.Sprintf(`{"certificate":%q}`, asCertificate(cert.Certificate[0])),
	} {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text)) }))
		if got, err := enroll.Redeem(t.Context(), server.Client(), server.URL, "token", certtest.NewKey(t)); err == nil || got.Certificate != nil {
			t.Errorf("%s: the certificate is %v, %v", name, got, err)
		}
		server.Close()
	}
}

func asCertificate(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
