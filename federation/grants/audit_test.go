package grants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/scope"
)

// A journal is an Auditor that remembers, and may be made to fail.
type journal struct {
	mu      sync.Mutex
	records []federation.Record
	fault   func(ctx context.Context, r federation.Record) error // nil: none
}

func (j *journal) Audit(ctx context.Context, r federation.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fault != nil {
		if err := j.fault(ctx, r); err != nil {
			return err
		}
	}
	j.records = append(j.records, r)
	return nil
}

// said returns "verb code revision" of each record since the last call.
func (j *journal) said() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var lines []string
	for _, r := range j.records {
		lines = append(lines, fmt.Sprintf("%s %s %d", r.Verb, r.Code, r.Revision))
	}
	j.records = nil
	return strings.Join(lines, ", ")
}

// newAudited returns an office whose registrar is audited, over any store.
func newAudited(tb testing.TB, wrap func(*grants.Memory) grants.Store) (*office, *journal) {
	tb.Helper()
	o, kept := newOffice(tb), new(journal)
	o.cfg.Auditor, o.cfg.AuditTimeout = kept, time.Second
	o.cfg.Actor = func(context.Context) string { return "ops@example.org" }
	if wrap != nil {
		o.cfg.Store = wrap(o.store)
	}
	o.open(tb)
	return o, kept
}

func TestEachChangeIsInTheAudit(t *testing.T) {
	t.Parallel()
	o, kept := newAudited(t, nil)
	ctx := t.Context()
	for _, step := range []struct {
		do   func() (grants.Grant, error)
		want string
	}{
		{func() (grants.Grant, error) { return o.Create(ctx, terms()) }, "create intended 1, create ok 1"},
		{func() (grants.Grant, error) { return o.Create(ctx, terms()) }, "create intended 1, create grant_exists 1"},
		{func() (grants.Grant, error) { return o.Create(ctx, grants.Terms{ID: "g2"}) }, "create grant_invalid 0"},
		{func() (grants.Grant, error) { return o.Rotate(ctx, "g", 1, pin(1)) }, "rotate grant_status 1"},
		{func() (grants.Grant, error) { return o.Activate(ctx, "g", 1, grants.Pin{}) }, "activate grant_invalid 1"},
		{func() (grants.Grant, error) { return o.Activate(ctx, "g", 7, pin(1)) }, "activate grant_conflict 1"},
		{func() (grants.Grant, error) { return o.Activate(ctx, "g", 1, pin(1)) }, "activate intended 2, activate ok 2"},
		{func() (grants.Grant, error) { return o.Rotate(ctx, "g", 2, pin(2)) }, "rotate intended 3, rotate ok 3"},
		{func() (grants.Grant, error) { return o.Unpin(ctx, "g", 3, pin(1)) }, "unpin ok 4"},
		{func() (grants.Grant, error) { return o.Expire(ctx, "g") }, "expire ok 5"},
		{func() (grants.Grant, error) { return o.Expire(ctx, "g") }, "expire unchanged 5"},
		{func() (grants.Grant, error) { return o.Revoke(ctx, "g") }, "revoke ok 6"},
		{func() (grants.Grant, error) { return o.Revoke(ctx, "g") }, "revoke unchanged 6"},
		{func() (grants.Grant, error) { return o.Expire(ctx, "g") }, "expire grant_status 6"},
		{func() (grants.Grant, error) { return o.Revoke(ctx, "h") }, "revoke grant_unknown 0"},
	} {
		_, err := step.do()
		if got := kept.said(); got != step.want {
			t.Errorf("the audit says %q, want %q; the call ended in %v", got, step.want, err)
		}
	}
}

func TestARecordOfAChangeSaysWhoChangedWhat(t *testing.T) {
	t.Parallel()
	o, kept := newAudited(t, nil)
	o.have(t, grants.Revoked)
	want := federation.Record{
		Time: start.Truncate(time.Microsecond), Grant: "g", Peer: "peer-1", Subject: "user-1", Revision: 3,
		Actor: "ops@example.org", Verb: "revoke", Code: "ok", Stage: "registrar",
	}
	last := kept.records[len(kept.records)-1]
	if diff := cmp.Diff(want, last, cmpopts.IgnoreFields(federation.Record{}, "Latency")); diff != "" {
		t.Errorf("the record of a revocation (-want +got):\n%s", diff)
	}
}

// A store that is down.
type brokenStore struct{ *grants.Memory }

var errBroken = errors.New("canary: the store is broken")

func (brokenStore) Replace(context.Context, grants.Grant) error { return errBroken }

func TestAChangeThatTheStoreRefusesIsInTheAudit(t *testing.T) {
	t.Parallel()
	o, kept := newAudited(t, func(m *grants.Memory) grants.Store { return brokenStore{m} })
	if _, err := o.Create(t.Context(), terms()); err != nil {
		t.Fatal(err)
	}
	kept.said()
	if _, err := o.Activate(t.Context(), "g", 1, pin(1)); !errors.Is(err, errBroken) {
		t.Errorf("the activation ends in %v", err)
	}
	if _, err := o.Revoke(t.Context(), "g"); !errors.Is(err, errBroken) {
		t.Errorf("the revocation ends in %v", err)
	}
	if got := kept.said(); got != "activate intended 2, activate store_failed 2, revoke store_failed 1" {
		t.Errorf("the audit says %q", got)
	}
}

// auditFaults are the ways in which an Auditor may not keep a record.
var auditFaults = map[string]func(context.Context, federation.Record) error{
	"returns an error": func(context.Context, federation.Record) error { return errors.New("disk full") },
	"panics":           func(context.Context, federation.Record) error { panic("canary") },
	"panics with nil":  func(context.Context, federation.Record) error { panic(nil) },
	"hangs":            func(ctx context.Context, _ federation.Record) error { <-ctx.Done(); return ctx.Err() },
	"is late":          func(ctx context.Context, _ federation.Record) error { <-ctx.Done(); return nil },
}

// Whoever is let in is in the audit first.
func TestNobodyIsLetInWithoutARecord(t *testing.T) {
	t.Parallel()
	for fault, fail := range auditFaults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // in which a fault that hangs takes no time
				o, kept := newAudited(t, nil)
				pending := o.have(t, grants.Pending)
				kept.fault = fail
				if g, err := o.Activate(t.Context(), "g", 1, pin(1)); !errors.Is(err, grants.ErrUnaudited) || g != (grants.Grant{}) {
					t.Errorf("an activation ends in %+v and %v, want ErrUnaudited", g, err)
				}
				other := terms()
				other.ID = "h"
				if g, err := o.Create(t.Context(), other); !errors.Is(err, grants.ErrUnaudited) || g != (grants.Grant{}) {
					t.Errorf("a creation ends in %+v and %v, want ErrUnaudited", g, err)
				}
				if page, _ := o.store.List(t.Context(), "", 9); !slices.Equal(page, []grants.Grant{pending}) {
					t.Errorf("stored is %+v", page)
				}
				kept.fault = nil
				active, err := o.Activate(t.Context(), "g", 1, pin(1))
				if err != nil {
					t.Fatal(err)
				}
				kept.fault = fail
				if g, err := o.Rotate(t.Context(), "g", active.Revision, pin(2)); !errors.Is(err, grants.ErrUnaudited) || g != (grants.Grant{}) {
					t.Errorf("a rotation ends in %+v and %v, want ErrUnaudited", g, err)
				}
				if stored, _ := o.store.Get(t.Context(), "g"); stored != active {
					t.Errorf("stored is %+v", stored)
				}
			})
		})
	}
}

// An audit that is down keeps no grant open: what shuts somebody out is stored, and the
// caller is told that its record is missing, and can make up for it.
func TestARevocationDoesNotWaitForTheAudit(t *testing.T) {
	t.Parallel()
	for fault, fail := range auditFaults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // in which a fault that hangs takes no time
				o, kept := newAudited(t, nil)
				g := o.have(t, grants.Active)
				g, err := o.Rotate(t.Context(), "g", g.Revision, pin(2))
				if err != nil {
					t.Fatal(err)
				}
				kept.said()
				kept.fault = fail
				for _, change := range []func() (grants.Grant, error){
					func() (grants.Grant, error) { return o.Unpin(t.Context(), "g", g.Revision, pin(1)) },
					func() (grants.Grant, error) { return o.Expire(t.Context(), "g") },
					func() (grants.Grant, error) { return o.Revoke(t.Context(), "g") },
				} {
					changed, err := change()
					stored, _ := o.store.Get(t.Context(), "g")
					if !errors.Is(err, grants.ErrUnaudited) || changed != stored || stored.Revision != g.Revision+1 {
						t.Errorf("a change ends in %+v and %v, and stored is %+v", changed, err, stored)
					}
					g = stored
				}
				kept.fault = nil
				kept.said() // what came too late
				if again, err := o.Revoke(t.Context(), "g"); err != nil || again != g || kept.said() != "revoke unchanged 6" {
					t.Errorf("once more it ends in %+v, %v", again, err)
				}
			})
		})
	}
}

// Who goes before the change is stored is in the audit all the same, and what the host
// puts into the context is there for its auditor.
func TestTheAuditOutlivesTheCaller(t *testing.T) {
	t.Parallel()
	o, kept := newAudited(t, nil)
	o.have(t, grants.Active)
	type key struct{}
	ctx, leave := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	leave()
	kept.said()
	kept.fault = func(ctx context.Context, _ federation.Record) error {
		if _, limited := ctx.Deadline(); ctx.Err() != nil || !limited || ctx.Value(key{}) != "value" {
			t.Errorf("the auditor's context is %v", ctx)
		}
		return nil
	}
	if _, err := o.Revoke(ctx, "g"); err != nil || kept.said() != "revoke ok 3" {
		t.Errorf("the revocation ends in %v", err)
	}
}

// Many that change one grant: as many records as calls, and as many of them ok as changes
// were stored.
func TestTheAuditCountsAsTheStoreDoes(t *testing.T) {
	t.Parallel()
	o, kept := newAudited(t, nil)
	g := o.have(t, grants.Active)
	var all sync.WaitGroup
	for n := range byte(20) {
		all.Go(func() { _, _ = o.Rotate(t.Context(), "g", g.Revision, pin(10+n)) })
	}
	all.Wait()
	said := strings.Split(kept.said(), ", ")
	count := func(code string) (n int) {
		for _, line := range said {
			if strings.HasPrefix(line, "rotate "+code+" ") {
				n++
			}
		}
		return n
	}
	stored, _ := o.store.Get(t.Context(), "g")
	if ok, lost := count("ok"), count("grant_conflict"); ok != 1 || lost != 19 || stored.Revision != g.Revision+1 {
		t.Errorf("of 20 rotations %d are ok in the audit and %d conflicts, and the revision is %d", ok, lost, stored.Revision)
	}
}

// Neither a pin nor a scope nor a credential is in a record, and hostile names are text
// that every database takes.
func TestNoSecretOfAGrantIsInTheAudit(t *testing.T) {
	t.Parallel()
	o, kept := newAudited(t, nil)
	asked := terms()
	asked.Credential = "spiffe://canary.example.test/x"
	asked.Scope = []byte(`{"resources":["tasks"],"excluded_resources":["credentials"],"max_rows_per_query":4711}`)
	secret := grants.Pin{Issuer: [32]byte{0xca}, Key: [32]byte{0xfe}}
	if _, err := o.Create(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Activate(t.Context(), "g", 1, secret); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"\x00", "\xff", strings.Repeat("\u202e", 300)} {
		if _, err := o.Revoke(t.Context(), id); !errors.Is(err, grants.ErrNotFound) {
			t.Errorf("the revocation of %.20q ends in %v", id, err)
		}
	}
	for _, r := range kept.records {
		if r.Grant != "g" && !grants.IsName(r.Grant) {
			t.Errorf("the grant %q is in the audit", r.Grant)
		}
	}
	text, err := json.Marshal(kept.records)
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{"canary", "4711", "credentials", "cafe", secret.String()[:8]} {
		if bytes.Contains(text, []byte(never)) {
			t.Errorf("%q is in the audit: %s", never, text)
		}
	}
}

// The ready auditors of federation take these records as they take those of requests, and
// a queue makes them follow the change.
func TestAQueueMakesTheAuditBestEffort(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	log, err := federation.NewLogAuditor(slog.NewTextHandler(&lines, nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, auditor := range map[string]federation.Auditor{"slog": log, "broken": &journal{fault: auditFaults["returns an error"]}} {
		queue, err := federation.NewAuditQueue(federation.AuditQueueConfig{Auditor: auditor})
		if err != nil {
			t.Fatal(err)
		}
		cfg := newOffice(t).cfg
		cfg.Auditor = queue
		registrar, err := grants.NewRegistrar(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := registrar.Create(t.Context(), terms()); err != nil {
			t.Errorf("%s: a creation ends in %v", name, err)
		}
		if err := queue.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := map[string]uint64{"slog": 0, "broken": 2}[name]; queue.Failed() != want {
			t.Errorf("%s: %d records failed, want %d", name, queue.Failed(), want)
		}
	}
	if got := lines.String(); strings.Count(got, "verb=create") != 2 || !strings.Contains(got, "code=ok stage=registrar") {
		t.Errorf("the log is\n%s", got)
	}
}

func TestAnAuditIsGivenATimeThatIsNotNegative(t *testing.T) {
	t.Parallel()
	if _, err := grants.NewRegistrar(grants.Config{Store: new(grants.Memory), Registry: scope.Standard(), AuditTimeout: -1}); err == nil {
		t.Error("a negative AuditTimeout is accepted")
	}
}
