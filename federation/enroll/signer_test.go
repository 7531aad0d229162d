package enroll_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

type signer func(context.Context, enroll.Request) ([]*x509.Certificate, error)

func (s signer) Sign(ctx context.Context, r enroll.Request) ([]*x509.Certificate, error) {
	return s(ctx, r)
}

// What the signer returns is not believed.
func TestACertificateThatWasNotAskedForIsNotHandedOut(t *testing.T) {
	t.Parallel()
	other, err := enroll.NewCA("other", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(o *office, r *enroll.Request) ([]*x509.Certificate, error){
		"an error":         func(*office, *enroll.Request) ([]*x509.Certificate, error) { return nil, errors.New("canary") },
		"nothing":          func(*office, *enroll.Request) ([]*x509.Certificate, error) { return nil, nil },
		"nil certificates": func(*office, *enroll.Request) ([]*x509.Certificate, error) { return make([]*x509.Certificate, 2), nil },
		"another key": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			r.Key = certtest.NewKey(t).Public()
			return nil, nil
		},
		"another grant": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			r.Grant.ID = "g-other"
			return nil, nil
		},
		"another subject": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			r.Grant.Subject = "root"
			return nil, nil
		},
		"a longer life": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			r.NotAfter = r.NotAfter.Add(time.Minute)
			return nil, nil
		},
		"a life that is over": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			r.NotBefore, r.NotAfter = r.NotBefore.Add(-time.Hour), r.NotBefore
			return nil, nil
		},
		"a life that has not begun": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			r.NotBefore = r.NotBefore.Add(10 * time.Minute)
			return nil, nil
		},
		"an issuer that is over": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			chain := issued(t, r, func(*x509.Certificate) {})
			chain[1].NotAfter = time.Now().Add(-time.Minute)
			return chain, nil
		},
		"an issuer that is not good yet": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			chain := issued(t, r, func(*x509.Certificate) {})
			chain[1].NotBefore = time.Now().Add(10 * time.Minute)
			return chain, nil
		},
		"an authority that is over": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			old, err := enroll.NewCA("old", -time.Minute)
			if err != nil {
				return nil, err
			}
			return old.Sign(t.Context(), *r)
		},
		"an authority's": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			return issued(t, r, func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = true, true }), nil
		},
		"one that signs others": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			return issued(t, r, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }), nil
		},
		"a server's": func(_ *office, r *enroll.Request) ([]*x509.Certificate, error) {
			return issued(t, r, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), nil
		},
		"no issuer": func(o *office, r *enroll.Request) ([]*x509.Certificate, error) {
			chain, err := o.ca.Sign(t.Context(), *r)
			return chain[:1], err
		},
		"another issuer": func(o *office, r *enroll.Request) ([]*x509.Certificate, error) {
			chain, err := o.ca.Sign(t.Context(), *r)
			return []*x509.Certificate{chain[0], other.Certificate()}, err
		},
	} {
		o := newOffice(t)
		o.cfg.Signer = signer(func(ctx context.Context, r enroll.Request) ([]*x509.Certificate, error) {
			chain, err := spoil(o, &r)
			if chain != nil || err != nil || name == "nothing" {
				return chain, err
			}
			return o.ca.Sign(ctx, r)
		})
		o.open(t)
		token := o.invite(t, grantID)
		if status, wire := o.post(t, body(t, token, goodCSR(t))); status != http.StatusServiceUnavailable || strings.Contains(wire, "CERTIFICATE") {
			t.Errorf("%s: the answer is %d %s", name, status, wire)
		}
		if got := o.steps(); got != "invited redeemed refused:signer_failed" {
			t.Errorf("%s: the steps are %s", name, got)
		}
		if status, pins := o.status(t); status != grants.Pending || pins != 0 {
			t.Errorf("%s: the grant is %s, with %d pins", name, status, pins)
		}
		if status, _ := o.post(t, body(t, token, goodCSR(t))); status != http.StatusGone {
			t.Errorf("%s: the token gets %d afterwards, want 410", name, status)
		}
	}
}

func TestAnAuthorityThatIsOverIssuesNothing(t *testing.T) {
	t.Parallel()
	old, err := enroll.NewCA("old", -time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	asked := enroll.Request{Key: certtest.NewKey(t).Public(), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	asked.Grant.ID, asked.Grant.Subject = grantID, subject
	if chain, err := old.Sign(t.Context(), asked); err == nil {
		t.Errorf("an authority that is over since a minute issues %d certificates", len(chain))
	}
}

// The authority is good by the clock of its own process, and over by that of the desk.
func TestWhatIsOverIsOverByTheClockOfTheDesk(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ca, err := enroll.NewCA("short", 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	o.cfg.Signer = signer(func(ctx context.Context, r enroll.Request) ([]*x509.Certificate, error) {
		r.NotBefore = time.Now().Add(-time.Minute) // good by now in either clock
		return ca.Sign(ctx, r)
	})
	o.cfg.Now = func() time.Time { return time.Now().Add(20 * time.Minute) }
	o.open(t)
	status, _ := o.post(t, body(t, o.invite(t, grantID), goodCSR(t)))
	if got := o.steps(); status != http.StatusServiceUnavailable || got != "invited redeemed refused:signer_failed" {
		t.Errorf("the answer is %d, and the steps are %s", status, got)
	}
}

// A certificate that is right but for a change is refused for that change alone.
func TestACertificateOfAnotherAuthorityIsHandedOutIfItIsAsAskedFor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cfg.Signer = signer(func(_ context.Context, r enroll.Request) ([]*x509.Certificate, error) {
		return issued(t, &r, func(*x509.Certificate) {}), nil
	})
	o.open(t)
	if status, wire := o.post(t, body(t, o.invite(t, grantID), goodCSR(t))); status != http.StatusOK {
		t.Errorf("the answer is %d %s, want 200", status, wire)
	}
}

// issued returns the certificate that was asked for, after a change.
func issued(t *testing.T, r *enroll.Request, change func(*x509.Certificate)) []*x509.Certificate {
	t.Helper()
	named, err := mtls.Extensions{}.Encode(r.Grant.ID, r.Grant.Subject)
	if err != nil {
		t.Fatal(err)
	}
	authority := certtest.NewRoot(t, "authority")
	cert := authority.Certify(t, public{r.Key}, certtest.With(named...), certtest.Valid(-time.Minute, time.Minute), change)
	return []*x509.Certificate{cert.Leaf, authority.Cert}
}

// public is a key of which only one half is known.
type public struct{ key crypto.PublicKey }

func (p public) Public() crypto.PublicKey { return p.key }

func (public) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the other half is the client's")
}
