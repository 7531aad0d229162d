package enroll_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

// A journal is an Auditor that remembers.
type journal struct {
	mu      sync.Mutex
	records []federation.Record
}

func (j *journal) Audit(_ context.Context, r federation.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	return nil
}

func TestEnrollmentsNeedNoReport(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cfg.Report = nil
	o.open(t)
	if cert := o.mustRedeem(t, o.invite(t, grantID), certtest.NewKey(t)); !o.letsIn(t, cert) {
		t.Error("a certificate is not let in where nothing is reported")
	}
}

// One Auditor for the enrollment and for the grant that it makes active: everything is
// there once, in its order, and none of it is a secret.
func TestEnrollmentsAndTheirGrantsAreInOneAudit(t *testing.T) {
	t.Parallel()
	o, kept := newOffice(t), new(journal)
	report, err := enroll.AuditTo(kept)
	if err != nil {
		t.Fatal(err)
	}
	o.cfg.Report = report
	o.auditGrants(t, kept)
	o.open(t)
	token := o.invite(t, grantID)
	o.mustRedeem(t, token, certtest.NewKey(t))
	o.post(t, body(t, token, goodCSR(t)))
	var said []string
	for _, r := range kept.records {
		said = append(said, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Verb, r.Code, r.Stage)))
		if r.Grant != grantID || r.Time.Location() != time.UTC || r.Verb == "enroll" && !strings.HasPrefix(r.Item, token[4:25]) {
			t.Errorf("a record is %+v", r)
		}
	}
	want := "enroll invited, enroll redeemed, enroll issued, activate intended registrar, activate ok registrar, enroll bound, enroll token_gone refused"
	if got := strings.Join(said, ", "); got != want {
		t.Errorf("the audit says\n%s\nand not\n%s", got, want)
	}
	text, err := json.Marshal(kept.records)
	if err != nil || strings.Contains(string(text), token[26:]) || strings.Contains(string(text), "CERTIFICATE") {
		t.Errorf("the audit has %s, %v", text, err)
	}
}

func TestAnEnrollmentThatIsNotAuditedStops(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	report, err := enroll.AuditTo(deafAuditor{})
	if err != nil {
		t.Fatal(err)
	}
	o.open(t)
	token := o.invite(t, grantID)
	o.cfg.Report = report
	o.open(t)
	if status, wire := o.post(t, body(t, token, goodCSR(t))); status != http.StatusServiceUnavailable {
		t.Errorf("the answer is %d %s", status, wire)
	}
	if report, err := enroll.AuditTo(nil); err == nil || report != nil {
		t.Error("a report to nobody is made")
	}
}

// lateAuditor keeps its record when nobody waits for it any more.
type lateAuditor struct{}

func (lateAuditor) Audit(ctx context.Context, _ federation.Record) error { <-ctx.Done(); return nil }

func TestARecordThatIsKeptTooLateIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		report, err := enroll.AuditTo(lateAuditor{})
		if err != nil {
			t.Fatal(err)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		began := time.Now()
		if err := report(gone, enroll.Event{Step: enroll.Bound}); err == nil || time.Since(began) != 2*time.Second {
			t.Errorf("after %v the report ends in %v", time.Since(began), err)
		}
	})
}
