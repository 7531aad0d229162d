package enroll_test

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

// All that is no request of this endpoint.
func TestARequestThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	token := o.invite(t, grantID)
	good := body(t, token, goodCSR(t))
	o.steps()
	for name, test := range map[string]struct {
		body, contentType, encoding string
		status                      int
	}{
		"nothing":           {"", "application/json", "", 400},
		"no JSON":           {"x", "application/json", "", 400},
		"an array":          {"[" + good + "]", "application/json", "", 400},
		"no csr":            {`{"token":"` + token + `"}`, "application/json", "", 400},
		"no token":          {`{"csr":"x"}`, "application/json", "", 400},
		"a null":            {`{"token":null,"csr":"x"}`, "application/json", "", 400},
		"a number":          {`{"token":1,"csr":"x"}`, "application/json", "", 400},
		"a member more":     {strings.Replace(good, "{", `{"grant":"g-other",`, 1), "application/json", "", 400},
		"a member twice":    {strings.Replace(good, "{", `{"token":"x",`, 1), "application/json", "", 400},
		"another case":      {strings.Replace(good, "token", "Token", 1), "application/json", "", 400},
		"text behind":       {good + "x", "application/json", "", 400},
		"a form":            {good, "application/x-www-form-urlencoded", "", 415},
		"no type":           {good, "", "", 415},
		"compressed":        {good, "application/json", "gzip", 415},
		"one byte too many": {good + strings.Repeat(" ", 8193-len(good)), "application/json", "", 413},
	} {
		status, wire := o.post(t, test.body, "Content-Type", test.contentType, "Content-Encoding", test.encoding)
		if status != test.status || !strings.Contains(wire, "invalid_request") {
			t.Errorf("%s: the answer is %d %s, want %d", name, status, wire, test.status)
		}
		if got := o.steps(); got != "refused:bad_request" {
			t.Errorf("%s: the steps are %s", name, got)
		}
	}
	r, err := http.NewRequest(http.MethodGet, o.server.URL+enroll.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, wire := o.do(t, r); status != http.StatusMethodNotAllowed || !strings.Contains(wire, "Allow: POST") {
		t.Errorf("a GET gets %d %s", status, wire)
	}
	if status, wire := o.post(t, good+strings.Repeat(" ", 8192-len(good))); status != http.StatusOK {
		t.Errorf("the longest body gets %d %s", status, wire)
	}
}

func TestAnErrorHasTheFormThatWasAskedFor(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	_, plain := o.post(t, body(t, "x", "y"))
	if !strings.HasSuffix(plain, `{"error":{"code":"unauthorized","message":"no valid token"}}`+"\n") || !strings.Contains(plain, "Cache-Control: no-store") {
		t.Errorf("the envelope is %s", plain)
	}
	_, problem := o.post(t, body(t, "x", "y"), "Accept", "application/problem+json")
	if !strings.Contains(problem, "Content-Type: application/problem+json") || !strings.Contains(problem, `"status":401`) {
		t.Errorf("the problem is %s", problem)
	}
}

// Each kind of error as problem details; the tests beside this one get the envelope.
func TestEachErrorIsAProblemToWhoAsksForOne(t *testing.T) {
	t.Parallel()
	for status, spoil := range map[int]func(o *office, r *http.Request, token string){
		400: func(_ *office, r *http.Request, _ string) { r.Body = io.NopCloser(strings.NewReader("x")) },
		403: func(o *office, _ *http.Request, _ string) { o.registrar.Revoke(t.Context(), grantID) },
		405: func(_ *office, r *http.Request, _ string) { r.Method = http.MethodPut },
		410: func(o *office, _ *http.Request, token string) { o.redeem(t, token, certtest.NewKey(t)) },
		413: func(_ *office, r *http.Request, _ string) { r.Body = io.NopCloser(&counted{}) },
		415: func(_ *office, r *http.Request, _ string) { r.Header.Set("Content-Type", "text/plain") },
		500: func(*office, *http.Request, string) {}, // the signer panics, see below
		429: func(o *office, r *http.Request, _ string) { o.served.ServeHTTP(httptest.NewRecorder(), r) },
		503: func(o *office, _ *http.Request, _ string) { o.failAt = enroll.Redeemed },
	} {
		o := newOffice(t)
		broken := false
		o.cfg.Signer = signer(func(ctx context.Context, r enroll.Request) ([]*x509.Certificate, error) {
			if broken {
				panic("canary")
			}
			return o.ca.Sign(ctx, r)
		})
		if status == http.StatusTooManyRequests {
			o.cfg.Addresses = &counter{most: 1}
		}
		o.open(t)
		token := o.invite(t, grantID)
		r := httptest.NewRequest(http.MethodPost, enroll.Path, strings.NewReader(body(t, token, goodCSR(t))))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/problem+json")
		broken = status == http.StatusInternalServerError
		spoil(o, r, token)
		got := httptest.NewRecorder()
		o.served.ServeHTTP(got, r)
		if got.Code != status || got.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("for %d came %d %s, %s", status, got.Code, got.Header().Get("Content-Type"), got.Body)
		}
	}
}

// Of a body that does not end, no more is read than it takes to see that it is too long.
func TestALongBodyIsNotRead(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	endless := &counted{}
	r := httptest.NewRequest(http.MethodPost, enroll.Path, endless)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	o.served.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || endless.n > 8193 {
		t.Errorf("the answer is %d, after %d bytes", w.Code, endless.n)
	}
}

// counted is a body without an end.
type counted struct{ n int }

func (c *counted) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}
