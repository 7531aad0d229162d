package enroll_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/enroll/enrolltest"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

func TestMemoryIsAStoreOfTickets(t *testing.T) {
	t.Parallel()
	enrolltest.Run(t, func(*testing.T) enroll.Tickets { return new(enroll.Memory) })
}

// The whole way, with both kinds of keys: from a token to a door that opens.
func TestATokenBecomesACertificateThatIsLetIn(t *testing.T) {
	t.Parallel()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"P-256": certtest.NewKey(t), "Ed25519": edwards} {
		o := newOffice(t).open(t)
		cert := o.mustRedeem(t, o.invite(t, grantID), key)
		if got := o.steps(); got != "invited redeemed issued bound" {
			t.Errorf("%s: the steps are %s", name, got)
		}
		if status, pins := o.status(t); status != grants.Active || pins != 1 {
			t.Errorf("%s: the grant is %s, with %d pins", name, status, pins)
		}
		if !o.letsIn(t, cert) {
			t.Errorf("%s: the certificate is not let in", name)
		}
		if _, err := o.registrar.Revoke(t.Context(), grantID); err != nil {
			t.Fatal(err)
		}
		if o.letsIn(t, cert) {
			t.Errorf("%s: the certificate is let in once the grant is revoked", name)
		}
	}
}

func TestEveryStepIsReportedWithWhatIsKnown(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	token := o.invite(t, grantID)
	cert := o.mustRedeem(t, token, certtest.NewKey(t))
	o.post(t, body(t, token, goodCSR(t)))
	if len(o.events) != 5 {
		t.Fatalf("the events are %+v", o.events)
	}
	pin := grants.PinOf([]*x509.Certificate{cert.Leaf, o.ca.Certificate()}).String()
	for i, e := range o.events {
		if e.Ticket == "" || e.Ticket != o.events[0].Ticket || e.Grant != grantID || time.Since(e.Time) > time.Minute {
			t.Errorf("an event is %+v", e)
		}
		if i > 0 && (len(e.RequestID) != 32 || !strings.HasPrefix(e.RemoteAddr, "127.0.0.1:")) {
			t.Errorf("an event is of the request %q from %q", e.RequestID, e.RemoteAddr)
		}
		if e.Step == enroll.Issued || e.Step == enroll.Bound {
			if e.Pin != pin || e.Serial != cert.Leaf.SerialNumber.Text(16) {
				t.Errorf("the event %s is about %s, %s", e.Step, e.Pin, e.Serial)
			}
		}
	}
	if last := o.events[4]; last.Step != enroll.Refused || last.Code != enroll.TokenGone || !errors.Is(last.Err, enroll.ErrGone) {
		t.Errorf("the last event is %+v", last)
	}
}

func TestATokenIsGoodOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	token := o.invite(t, grantID)
	first := o.mustRedeem(t, token, certtest.NewKey(t))
	_, err := o.redeem(t, token, certtest.NewKey(t))
	var refused *enroll.RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusGone || refused.Code != "not_found" {
		t.Errorf("the second use ends in %v, want 410", err)
	}
	if _, pins := o.status(t); pins != 1 || !o.letsIn(t, first) {
		t.Errorf("the second use leaves %d pins", pins)
	}
}

// P and Q have one token and a key each, and send them at once.
func TestOfTwoThatUseOneTokenOneWins(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	for range 5 {
		token := o.invite(t, grantID)
		const racers = 6
		won, gone := 0, 0
		var mu sync.Mutex
		var all sync.WaitGroup
		for range racers {
			key := certtest.NewKey(t)
			all.Go(func() {
				_, err := o.redeem(t, token, key)
				var refused *enroll.RefusedError
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case errors.As(err, &refused) && refused.Status == http.StatusGone:
					gone++
				default:
					t.Errorf("a racer ends in %v", err)
				}
			})
		}
		all.Wait()
		if won != 1 || gone != racers-1 {
			t.Errorf("of %d racers %d won and %d came too late", racers, won, gone)
		}
	}
}

func TestATokenExpires(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	now := time.Now()
	o.cfg.Now = func() time.Time { return now }
	o.cfg.Tokens = time.Minute
	o.open(t)
	token, expires, err := o.desk.Invite(t.Context(), grantID)
	if err != nil || expires.After(now.Add(time.Minute)) {
		t.Fatalf("the token expires %s, %v", expires, err)
	}
	now = expires
	if status, wire := o.post(t, body(t, token, goodCSR(t))); status != http.StatusGone {
		t.Errorf("at its end the token gets %d %s", status, wire)
	}
	used := o.invite(t, grantID)
	o.mustRedeem(t, used, certtest.NewKey(t))
	_, expired := o.post(t, body(t, token, goodCSR(t)))
	if _, again := o.post(t, body(t, used, goodCSR(t))); again != expired {
		t.Errorf("a token that was used gets\n%s\nand one that has expired\n%s", again, expired)
	}
	// Nobody reads the request of who comes too late.
	if status, wire := o.post(t, body(t, used, "x")); status != http.StatusGone {
		t.Errorf("a token that was used, with a request that is none, gets %d %s", status, wire)
	}
}

// What was never a token, and what is one with another secret, get the same bytes.
func TestATokenThatWasNeverMadeIsUnauthorized(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	token := o.invite(t, grantID)
	last := token[len(token)-1]
	other := byte('A')
	if last == other {
		other = 'B'
	}
	flipped := token[:len(token)-1] + string(other)
	var first string
	for name, wrong := range map[string]string{
		"another secret":  flipped,
		"another ticket":  token[:4] + strings.Repeat("A", 22) + token[26:],
		"all zeros":       "fe1_" + strings.Repeat("A", 64),
		"another version": "fe2_" + token[4:],
		"no version":      token[4:],
		"a letter more":   token + "A",
		"a letter less":   token[:67],
		"padding":         token + "=",
		"plain base64":    token[:67] + "+",
		"a line break":    token[:66] + "\n" + token[67:],
		"SQL":             "' OR 1=1 --",
		"a NUL":           "fe1_\x00",
		"the ticket's id": token[4:26],
	} {
		status, wire := o.post(t, body(t, wrong, goodCSR(t)))
		if first == "" {
			first = wire
		}
		if status != http.StatusUnauthorized || wire != first {
			t.Errorf("%s: the answer is %d\n%s\nand not\n%s", name, status, wire, first)
		}
	}
	if got := o.steps(); strings.Count(got, "refused:token_unknown") != 13 {
		t.Errorf("the steps are %s", got)
	}
	o.mustRedeem(t, token, certtest.NewKey(t)) // and the token is still good
}

// Who reads the tickets cannot make a token of them.
func TestOnlyTheHashOfATokenIsKept(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	token := o.invite(t, grantID)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "fe1_"))
	if err != nil || len(raw) != 48 {
		t.Fatalf("the token is %q, %v", token, err)
	}
	ticket, err := o.tickets.Get(t.Context(), base64.RawURLEncoding.EncodeToString(raw[:16]))
	if err != nil || ticket.Hash != sha256.Sum256(raw[16:]) || ticket.Grant != grantID {
		t.Errorf("the ticket is %+v, %v", ticket, err)
	}
	if strings.Contains(ticket.ID, token[26:]) {
		t.Error("the secret is in the id")
	}
	seen := make(map[string]bool)
	for range 100 {
		token := o.invite(t, grantID)
		if seen[token[4:26]] || seen[token[26:]] {
			t.Fatalf("a part of %q was there before", token)
		}
		seen[token[4:26]], seen[token[26:]] = true, true
	}
}

// Every certificate request that is refused, and the token stays good.
func TestACertificateRequestThatIsRefusedDoesNotCostTheToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	token := o.invite(t, grantID)
	curve := func(c elliptic.Curve) crypto.Signer {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	empty := new(x509.CertificateRequest)
	block, _ := pem.Decode([]byte(goodCSR(t)))
	forged := slices.Clone(block.Bytes)
	forged[len(forged)-1] ^= 1
	for name, csr := range map[string]string{
		"RSA":                      newCSR(t, empty, rsaKey),
		"P-384":                    newCSR(t, empty, curve(elliptic.P384())),
		"P-521":                    newCSR(t, empty, curve(elliptic.P521())),
		"P-224":                    newCSR(t, empty, curve(elliptic.P224())),
		"SHA-512":                  newCSR(t, &x509.CertificateRequest{SignatureAlgorithm: x509.ECDSAWithSHA512}, certtest.NewKey(t)),
		"a forged signature":       asPEM(forged),
		"somebody else's key":      asPEM(otherKey(t, block.Bytes)),
		"half a request":           asPEM(block.Bytes[:len(block.Bytes)/2]),
		"bytes behind it":          asPEM(append(slices.Clone(block.Bytes), 0)),
		"two requests":             goodCSR(t) + goodCSR(t),
		"text behind it":           goodCSR(t) + "x",
		"headers":                  strings.Replace(goodCSR(t), "-\n", "-\na: b\n\n", 1),
		"a certificate":            string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.ca.Certificate().Raw})),
		"a certificate, as one":    asPEM(o.ca.Certificate().Raw),
		"a request in plain bytes": base64.StdEncoding.EncodeToString(block.Bytes),
		"nonsense":                 "x",
	} {
		if status, wire := o.post(t, body(t, token, csr)); status != http.StatusBadRequest || !strings.Contains(wire, "invalid_request") {
			t.Errorf("%s: the answer is %d %s", name, status, wire)
		}
		if got := strings.TrimPrefix(o.steps(), "invited "); got != "refused:bad_csr" {
			t.Errorf("%s: the steps are %s", name, got)
		}
	}
	if status, pins := o.status(t); status != grants.Pending || pins != 0 {
		t.Errorf("the grant is %s, with %d pins", status, pins)
	}
	o.mustRedeem(t, token, certtest.NewKey(t))
}

// otherKey puts another P-256 key into a request without signing it again.
func otherKey(tb testing.TB, der []byte) []byte {
	tb.Helper()
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		tb.Fatal(err)
	}
	other, err := x509.MarshalPKIXPublicKey(certtest.NewKey(tb).Public())
	if err != nil {
		tb.Fatal(err)
	}
	return []byte(strings.Replace(string(der), string(request.RawSubjectPublicKeyInfo), string(other), 1))
}

// Whatever the peer asks for, the certificate says what the grant says.
func TestWhatACertificateRequestAsksForIsIgnored(t *testing.T) {
	t.Parallel()
	o := newOffice(t).open(t)
	wishes, err := mtls.Extensions{}.Encode("g-other", "root")
	if err != nil {
		t.Fatal(err)
	}
	authority := pkix.Extension{Id: []int{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 0x03, 0x01, 0x01, 0xff}}
	key := certtest.NewKey(t)
	csr := newCSR(t, &x509.CertificateRequest{
		Subject:         pkix.Name{CommonName: "root", Organization: []string{"evil"}},
		DNSNames:        []string{"gateway.example.test"},
		IPAddresses:     []net.IP{net.IPv4(127, 0, 0, 1)},
		URIs:            []*url.URL{{Scheme: "spiffe", Host: "example.test", Path: "/root"}},
		ExtraExtensions: append(wishes, authority),
	}, key)
	status, wire := o.post(t, body(t, o.invite(t, grantID), csr))
	if status != http.StatusOK {
		t.Fatalf("the answer is %d %s", status, wire)
	}
	_, text, _ := strings.Cut(strings.ReplaceAll(wire, `\n`, "\n"), `"certificate":"`)
	block, _ := pem.Decode([]byte(text))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := mtls.Extensions{}.Identify(leaf)
	if err != nil || identity != (mtls.Identity{Credential: "grant:" + grantID, Subject: subject}) {
		t.Errorf("the certificate is of %+v, %v", identity, err)
	}
	if leaf.IsCA || leaf.DNSNames != nil || leaf.IPAddresses != nil || leaf.URIs != nil || leaf.Subject.String() != "CN=federation peer" ||
		leaf.KeyUsage != x509.KeyUsageDigitalSignature || !slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) {
		t.Errorf("the certificate has %+v", leaf)
	}
	g, _ := o.store.Get(t.Context(), grantID)
	if leaf.NotAfter.After(g.Expires) || leaf.NotBefore.After(time.Now()) || leaf.SerialNumber.BitLen() != 127 {
		t.Errorf("the certificate is good from %s until %s, number %s", leaf.NotBefore, leaf.NotAfter, leaf.SerialNumber)
	}
	if !key.PublicKey.Equal(leaf.PublicKey) {
		t.Error("the certificate is for another key")
	}
}

// A grant that has ended gets neither a token nor a certificate.
func TestAGrantThatHasEndedGetsNothing(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*office) error{
		"revoked": func(o *office) error { _, err := o.registrar.Revoke(t.Context(), grantID); return err },
		"expired": func(o *office) error { _, err := o.registrar.Expire(t.Context(), grantID); return err },
		"over": func(o *office) error {
			g, _ := o.store.Get(t.Context(), grantID)
			g.Revision, g.Expires = g.Revision+1, time.Now()
			return o.store.Replace(t.Context(), g)
		},
	} {
		o := newOffice(t).open(t)
		token := o.invite(t, grantID)
		if err := end(o); err != nil {
			t.Fatal(err)
		}
		if status, wire := o.post(t, body(t, token, goodCSR(t))); status != http.StatusForbidden || !strings.Contains(wire, `"forbidden"`) {
			t.Errorf("once the grant is %s, the answer is %d %s", name, status, wire)
		}
		if got := o.steps(); got != "invited refused:grant_ended" {
			t.Errorf("once the grant is %s, the steps are %s", name, got)
		}
		if _, _, err := o.desk.Invite(t.Context(), grantID); !errors.Is(err, grants.ErrStatus) {
			t.Errorf("once the grant is %s, an invitation ends in %v", name, err)
		}
	}
	o := newOffice(t).open(t)
	if _, _, err := o.desk.Invite(t.Context(), "unknown"); !errors.Is(err, grants.ErrNotFound) {
		t.Errorf("an invitation for a grant that is not there ends in %v", err)
	}
}

// P enrolls while Q revokes:
//
//	P: token used, certificate signed
//	                                    Q: revoke
//	P: bind -> 403, and nobody gets the certificate
func TestARevocationWhileTheCertificateIsSignedCounts(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cfg.Signer = signer(func(ctx context.Context, r enroll.Request) ([]*x509.Certificate, error) {
		if _, err := o.registrar.Revoke(ctx, grantID); err != nil {
			t.Error(err)
		}
		return o.ca.Sign(ctx, r)
	})
	o.open(t)
	if status, wire := o.post(t, body(t, o.invite(t, grantID), goodCSR(t))); status != http.StatusForbidden || strings.Contains(wire, "CERTIFICATE") {
		t.Errorf("the answer is %d %s", status, wire)
	}
	if got := o.steps(); got != "invited redeemed issued refused:grant_ended" {
		t.Errorf("the steps are %s", got)
	}
	if status, pins := o.status(t); status != grants.Revoked || pins != 0 {
		t.Errorf("the grant is %s, with %d pins", status, pins)
	}
}

func TestAPartThatPanicsIsAnError(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cfg.Signer = signer(func(context.Context, enroll.Request) ([]*x509.Certificate, error) { panic("canary") })
	o.open(t)
	if status, wire := o.post(t, body(t, o.invite(t, grantID), goodCSR(t))); status != http.StatusInternalServerError {
		t.Errorf("the answer is %d %s", status, wire)
	}
	if got := o.steps(); got != "invited redeemed refused:panicked" {
		t.Errorf("the steps are %s", got)
	}
}

// The report of the refusal panics as well as that of the step.
func TestAReportThatPanicsIsAnError(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cfg.Report = func(ctx context.Context, e enroll.Event) error {
		if e.Step != enroll.Invited {
			panic("canary")
		}
		return o.report(ctx, e)
	}
	o.open(t)
	if status, wire := o.post(t, body(t, o.invite(t, grantID), goodCSR(t))); status != http.StatusInternalServerError {
		t.Errorf("the answer is %d %s", status, wire)
	}
}

// The answer waits for every report, and no report for ever.
func TestEveryReportOfARequestHasATimeLimit(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cfg.Report = func(ctx context.Context, e enroll.Event) error {
		if _, limited := ctx.Deadline(); !limited && e.Step != enroll.Invited {
			t.Errorf("the report of the step %s has no time limit", e.Step)
		}
		return o.report(ctx, e)
	}
	o.open(t)
	token := o.invite(t, grantID)
	o.mustRedeem(t, token, certtest.NewKey(t))
	o.post(t, body(t, token, goodCSR(t)))
	o.post(t, "no request")
	if got := o.steps(); got != "invited redeemed issued bound refused:token_gone refused:bad_request" {
		t.Errorf("the steps are %s", got)
	}
}

// deafAuditor keeps no record.
type deafAuditor struct{}

func (deafAuditor) Audit(context.Context, federation.Record) error {
	return errors.New("canary: disk full")
}

// A step that cannot be reported is the last one.
func TestNothingGoesOnUnreported(t *testing.T) {
	t.Parallel()
	for step, want := range map[enroll.Step]string{
		enroll.Redeemed: "invited redeemed refused:report_failed",
		enroll.Issued:   "invited redeemed issued refused:report_failed",
		enroll.Bound:    "invited redeemed issued bound refused:report_failed",
	} {
		o := newOffice(t).open(t)
		token := o.invite(t, grantID)
		o.failAt = step
		if status, wire := o.post(t, body(t, token, goodCSR(t))); status != http.StatusServiceUnavailable || strings.Contains(wire, "CERTIFICATE") {
			t.Errorf("%s: the answer is %d %s", step, status, wire)
		}
		if got := o.steps(); got != want {
			t.Errorf("%s: the steps are %s, want %s", step, got, want)
		}
	}
	o := newOffice(t)
	o.auditGrants(t, deafAuditor{})
	o.open(t)
	token := o.invite(t, grantID)
	if status, wire := o.post(t, body(t, token, goodCSR(t))); status != http.StatusServiceUnavailable || strings.Contains(wire, "CERTIFICATE") {
		t.Errorf("an activation that is not audited gets %d %s", status, wire)
	}
	if got, want := o.steps(), "invited redeemed issued refused:report_failed"; got != want {
		t.Errorf("an activation that is not audited: the steps are %s", got)
	}
	if status, _ := o.status(t); status != grants.Pending {
		t.Errorf("an activation that is not audited leaves the grant %s", status)
	}

	o = newOffice(t).open(t)
	o.failAt = enroll.Invited
	if token, _, err := o.desk.Invite(t.Context(), grantID); err == nil || token != "" {
		t.Errorf("an invitation that cannot be reported gives %q, %v", token, err)
	}
}
