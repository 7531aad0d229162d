package enroll

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// Path is where peers enroll, unless the host mounts the Desk elsewhere. It is below
// [federation.Prefix], and http.ServeMux prefers it to that.
const Path = federation.Prefix + "enroll"

// maxBody is the length of the longest body that is read, in bytes. A request for a
// P-256 certificate has some 500.
const maxBody = 8 << 10

// What a peer gets to see of a code. Those that share a line cannot be told apart.
var rulings = map[Code]struct {
	status  int
	wire    string
	message string
}{
	TokenUnknown: {http.StatusUnauthorized, "unauthorized", "no valid token"},
	TokenGone:    {http.StatusGone, "not_found", "the token has been used or has expired"},
	BadCSR:       {http.StatusBadRequest, "invalid_request", "csr must be a signed PKCS #10 request in PEM, for a P-256 or Ed25519 key"},
	GrantEnded:   {http.StatusForbidden, "forbidden", "access denied"},
	SignerFailed: {http.StatusServiceUnavailable, "unavailable", "temporarily unavailable; the token may be used up"},
	StoreFailed:  {http.StatusServiceUnavailable, "unavailable", "temporarily unavailable; the token may be used up"},
	ReportFailed: {http.StatusServiceUnavailable, "unavailable", "temporarily unavailable; the token may be used up"},
	Panicked:     {http.StatusInternalServerError, "internal_error", "internal error"},
}

// ServeHTTP trades a token for a certificate. The request is a POST of
//
//	{"token": "fe1_…", "csr": "-----BEGIN CERTIFICATE REQUEST-----\n…"}
//
// and the response {"certificate":"…","chain":"…"}, both PEM: the peer's certificate,
// and what stands above it. Errors have the form that package federation gives them:
// 401 for a token that was never made, 410 for one that has been used or has expired,
// 400 for a certificate request that is refused, 403 for a grant that has ended, and 429
// with Retry-After for an address that asks too often.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply := federation.NewReply(w, r)
	ctx, cancel := context.WithTimeout(r.Context(), d.cfg.Timeout)
	defer cancel()
	v := &visit{Desk: d, ctx: ctx, event: Event{RequestID: reply.RequestID(), RemoteAddr: r.RemoteAddr}}
	chain, refused := guarded(func() ([]*x509.Certificate, *refusal) { return v.serve(r) })
	if refused != nil {
		// Whatever becomes of the report, the refusal is the answer.
		guarded(func() ([]*x509.Certificate, *refusal) { v.refused(refused); return nil, nil })
		refused.answer(w, reply)
		return
	}
	reply.JSON(http.StatusOK, response(chain))
}

// serve takes a request from its first check to the certificate.
func (v *visit) serve(r *http.Request) ([]*x509.Certificate, *refusal) {
	if refused := v.limit(r); refused != nil {
		return nil, refused
	}
	token, csr, bad := read(r)
	if bad != nil {
		return nil, &refusal{BadRequest, bad}
	}
	return v.certificate(token, csr)
}

// limit comes before anything is read: nobody has proved anything yet.
func (v *visit) limit(r *http.Request) *refusal {
	if v.cfg.Addresses == nil {
		return nil
	}
	if wait, ok := v.cfg.Addresses.Allow(federation.AddressKey(r)); !ok {
		return &refusal{RateLimited, &tooManyRequests{wait}}
	}
	return nil
}

// tooManyRequests is an address over its rate.
type tooManyRequests struct{ retryAfter time.Duration }

func (t *tooManyRequests) Error() string {
	return fmt.Sprintf("the address is over its rate for %s more", t.retryAfter)
}

// answer sends what the peer gets to see of a refusal.
func (r *refusal) answer(w http.ResponseWriter, reply *federation.Reply) {
	switch cause := r.err.(type) {
	case *tooManyRequests:
		reply.RateLimited(cause.retryAfter)
	case *badRequest:
		if cause.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		reply.Error(cause.status, "invalid_request", cause.message)
	default:
		ruled := rulings[r.code]
		reply.Error(ruled.status, ruled.wire, ruled.message)
	}
}

// guarded makes a refusal of a panic in a part of the host.
func guarded(f func() ([]*x509.Certificate, *refusal)) (chain []*x509.Certificate, refused *refusal) {
	returned := false
	defer func() {
		// A flag instead of a look at what recover returns: that is nil for
		// panic(nil) under GODEBUG=panicnil=1.
		if returned {
			return
		}
		value := recover()
		if value == http.ErrAbortHandler {
			panic(value)
		}
		chain, refused = nil, &refusal{Panicked, fmt.Errorf("panic: %v", value)}
	}()
	chain, refused = f()
	returned = true
	return chain, refused
}

// A badRequest is a request that nobody has looked into.
type badRequest struct {
	status  int
	message string
}

func (b *badRequest) Error() string { return b.message }

// read returns what a request holds.
func read(r *http.Request) (token, csr string, bad *badRequest) {
	if r.Method != http.MethodPost {
		return "", "", &badRequest{http.StatusMethodNotAllowed, "method not allowed on this path"}
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return "", "", &badRequest{http.StatusUnsupportedMediaType, "the body must be application/json in UTF-8"}
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	var tooLarge *http.MaxBytesError // a middleware's
	if len(text) > maxBody || errors.As(err, &tooLarge) {
		return "", "", &badRequest{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body must not be longer than %d bytes", maxBody)}
	}
	if err == nil {
		token, csr, err = parseBody(text)
	}
	if err != nil {
		return "", "", &badRequest{http.StatusBadRequest, `the body must be {"token":"…","csr":"…"}`}
	}
	return token, csr, nil
}

// parseBody reads an object with the members token and csr, both of them, and no other.
func parseBody(text []byte) (token, csr string, err error) {
	tree, err := strictjson.Decode(text)
	if err != nil {
		return "", "", err
	}
	read := make(map[string]string)
	for _, member := range tree.Members {
		if member.Value.Kind == strictjson.String {
			read[member.Name] = member.Value.Text
		}
	}
	token, csr = read["token"], read["csr"]
	if tree.Kind != strictjson.Object || len(tree.Members) != 2 || token == "" || csr == "" {
		return "", "", errors.New("not the two members")
	}
	return token, csr, nil
}

// response is the body of a 200.
func response(chain []*x509.Certificate) []byte {
	body, err := json.Marshal(wireCertificate{Certificate: encodePEM(chain[:1]), Chain: encodePEM(chain[1:])})
	if err != nil {
		panic(err) // it holds strings only
	}
	return append(body, '\n')
}

// wireCertificate is what a peer gets.
type wireCertificate struct {
	Certificate string `json:"certificate"`
	Chain       string `json:"chain"`
}

func encodePEM(certs []*x509.Certificate) string {
	var text bytes.Buffer
	for _, cert := range certs {
		pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	return text.String()
}
