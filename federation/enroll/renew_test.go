package enroll_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

// An active grant takes the next key beside the one it has, until the host ends that.
func TestAPeerChangesItsKeyByEnrollingAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	old := o.mustRedeem(t, o.invite(t, grantID), certtest.NewKey(t))
	next := o.mustRedeem(t, o.invite(t, grantID), certtest.NewKey(t))
	if !o.letsIn(t, old) || !o.letsIn(t, next) {
		t.Error("one of the two keys is not let in")
	}
	g, err := o.store.Get(t.Context(), grantID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.registrar.Unpin(t.Context(), grantID, g.Revision, grants.PinOf([]*x509.Certificate{old.Leaf, o.ca.Certificate()})); err != nil {
		t.Fatal(err)
	}
	if o.letsIn(t, old) || !o.letsIn(t, next) {
		t.Error("not the new key alone is let in")
	}
}

func TestARenewalOverTheSameKeyKeepsThePins(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	key := certtest.NewKey(t)
	first := o.mustRedeem(t, o.invite(t, grantID), key)
	before, _ := o.store.Get(t.Context(), grantID)
	second := o.mustRedeem(t, o.invite(t, grantID), key)
	if after, _ := o.store.Get(t.Context(), grantID); after != before {
		t.Errorf("the grant was %+v and is %+v", before, after)
	}
	if !o.letsIn(t, first) || !o.letsIn(t, second) {
		t.Error("one of the two certificates is not let in")
	}
}

func TestAWorkloadEnrollsByItsSPIFFEID(t *testing.T) {
	t.Parallel()
	const id = "spiffe://example.test/gateway"
	o := newOffice(t)
	o.newGrant(t, grants.Terms{ID: "g-spiffe", Credential: id})
	identify, err := mtls.SPIFFE("example.test")
	if err != nil {
		t.Fatal(err)
	}
	o.cfg.Identify = identify
	o.open(t)
	cert := o.mustRedeem(t, o.invite(t, "g-spiffe"), certtest.NewKey(t))
	if len(cert.Leaf.URIs) != 1 || cert.Leaf.URIs[0].String() != id || !o.letsIn(t, cert) {
		t.Errorf("the certificate has the URIs %v, and is let in: %t", cert.Leaf.URIs, o.letsIn(t, cert))
	}
}

// A store that is down is 503, and no token is spent.
func TestAStoreThatIsDownIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"Get", "Use"} {
		o := newOffice(t)
		o.cfg.Tickets = &lame{o.tickets, at}
		o.open(t)
		if status, wire := o.post(t, body(t, o.invite(t, grantID), goodCSR(t))); status != http.StatusServiceUnavailable {
			t.Errorf("without %s the answer is %d %s", at, status, wire)
		}
		if got := o.steps(); got != "invited refused:store_failed" {
			t.Errorf("without %s the steps are %s", at, got)
		}
	}
}

// lame are Tickets of which one method fails.
type lame struct {
	enroll.Tickets
	at string
}

func (l *lame) Get(ctx context.Context, id string) (enroll.Ticket, error) {
	if l.at == "Get" {
		return enroll.Ticket{}, errors.New("canary: SELECT")
	}
	return l.Tickets.Get(ctx, id)
}

func (l *lame) Use(ctx context.Context, id string, at time.Time) error {
	if l.at == "Use" {
		return errors.New("canary: UPDATE")
	}
	return l.Tickets.Use(ctx, id, at)
}

func TestADeskNeedsItsParts(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*enroll.Config){
		"no Tickets":          func(c *enroll.Config) { c.Tickets = nil },
		"no Grants":           func(c *enroll.Config) { c.Grants = nil },
		"no Signer":           func(c *enroll.Config) { c.Signer = nil },
		"tokens of a month":   func(c *enroll.Config) { c.Tokens = 30 * 24 * time.Hour },
		"tokens of the past":  func(c *enroll.Config) { c.Tokens = -1 },
		"a negative lifetime": func(c *enroll.Config) { c.Certificates = -1 },
		"a negative timeout":  func(c *enroll.Config) { c.Timeout = -1 },
	} {
		o := newOffice(t)
		spoil(&o.cfg)
		if _, err := enroll.New(o.cfg); err == nil {
			t.Errorf("a desk with %s is made", name)
		}
	}
}
