package grants_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/scope"
)

const tasksScope = `{ "resources": ["tasks"], "max_rows_per_query": 50 }`

var start = time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)

// An office is a registrar over an empty store, with a clock that the test moves.
type office struct {
	*grants.Registrar
	cfg   grants.Config
	store *grants.Memory
	now   time.Time
}

func newOffice(tb testing.TB) *office {
	tb.Helper()
	o := &office{store: new(grants.Memory), now: start}
	o.cfg = grants.Config{Store: o.store, Registry: scope.Standard(), Now: func() time.Time { return o.now }}
	o.open(tb)
	return o
}

// open makes the registrar out of cfg, anew after a change of that.
func (o *office) open(tb testing.TB) {
	tb.Helper()
	var err error
	if o.Registrar, err = grants.NewRegistrar(o.cfg); err != nil {
		tb.Fatal(err)
	}
}

func terms() grants.Terms {
	return grants.Terms{
		ID: "g", Peer: "peer-1", Subject: "user-1", Scope: []byte(tasksScope), Expires: start.Add(time.Hour),
	}
}

func pin(n byte) grants.Pin { return grants.Pin{Issuer: [32]byte{n}, Key: [32]byte{n}} }

// have makes a grant and brings it to a status.
func (o *office) have(tb testing.TB, status grants.Status) grants.Grant {
	tb.Helper()
	ctx := tb.Context()
	g, err := o.Create(ctx, terms())
	if err == nil && status != grants.Pending {
		g, err = o.Activate(ctx, g.ID, g.Revision, pin(1))
	}
	switch {
	case err == nil && status == grants.Expired:
		g, err = o.Expire(ctx, g.ID)
	case err == nil && status == grants.Revoked:
		g, err = o.Revoke(ctx, g.ID)
	}
	if err != nil || g.Status != status {
		tb.Fatalf("no %s grant can be made: %+v, %v", status, g, err)
	}
	return g
}

func TestANewGrantIsPendingAndHasItsDefaults(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	got, err := o.Create(t.Context(), terms())
	if err != nil {
		t.Fatal(err)
	}
	now := start.Truncate(time.Microsecond)
	want := grants.Grant{
		ID: "g", Credential: "grant:g", Peer: "peer-1", Subject: "user-1",
		Scope: `{"max_rows_per_query":50,"resources":["tasks"]}`, Status: grants.Pending,
		NotBefore: now, Expires: now.Add(time.Hour), Revision: 1, Created: now, Updated: now,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the new grant (-want +got):\n%s", diff)
	}
	if stored, err := o.store.Get(t.Context(), "g"); err != nil || stored != got {
		t.Errorf("stored is %+v, %v", stored, err)
	}
}

func TestAGrantWithoutAnIDGetsARandomUUID(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	seen := make(map[string]bool)
	for range 100 {
		asked := terms()
		asked.ID = ""
		g, err := o.Create(t.Context(), asked)
		if err != nil || len(g.ID) != 36 || g.ID[14] != '4' || !strings.Contains("89ab", g.ID[19:20]) || seen[g.ID] {
			t.Fatalf("a grant gets the ID %q, and the error %v", g.ID, err)
		}
		seen[g.ID] = true
	}
}

func TestTermsThatMakeNoGrantAreRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*grants.Terms){
		"no peer":                     func(t *grants.Terms) { t.Peer = "" },
		"no subject":                  func(t *grants.Terms) { t.Subject = "" },
		"a NUL in the subject":        func(t *grants.Terms) { t.Subject = "user\x001" },
		"a newline in the ID":         func(t *grants.Terms) { t.ID = "g\n" },
		"a right-to-left mark":        func(t *grants.Terms) { t.Peer = "peer\u202e" },
		"half a rune":                 func(t *grants.Terms) { t.Subject = "user\xc3" },
		"a long ID":                   func(t *grants.Terms) { t.ID = strings.Repeat("g", 256) },
		"a credential without a kind": func(t *grants.Terms) { t.Credential = "g" },
		"a credential of kind ''":     func(t *grants.Terms) { t.Credential = ":g" },
		"another grant's credential":  func(t *grants.Terms) { t.Credential = "grant:h" },
		"a long credential":           func(t *grants.Terms) { t.Credential = "spiffe://" + strings.Repeat("g", 2040) },
		"no scope":                    func(t *grants.Terms) { t.Scope = nil },
		"a scope of unknown things":   func(t *grants.Terms) { t.Scope = []byte(`{"resources":["cars"],"max_rows_per_query":1}`) },
		"a scope with a double": func(t *grants.Terms) {
			t.Scope = []byte(`{"resources":["tasks"],"resources":["notes"],"max_rows_per_query":1}`)
		},
		"no expiry":             func(t *grants.Terms) { t.Expires = time.Time{} },
		"expired":               func(t *grants.Terms) { t.Expires = start },
		"over before it begins": func(t *grants.Terms) { t.NotBefore = t.Expires },
		"the year 10000":        func(t *grants.Terms) { t.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		o := newOffice(t)
		asked := terms()
		spoil(&asked)
		if g, err := o.Create(t.Context(), asked); !errors.Is(err, grants.ErrInvalid) || g != (grants.Grant{}) {
			t.Errorf("%s: the terms make %+v and %v, want ErrInvalid", name, g, err)
		}
		if page, _ := o.store.List(t.Context(), "", 1); len(page) != 0 {
			t.Errorf("%s: %+v is stored", name, page)
		}
	}
}

func TestARefusedScopeSaysWhereItIsWrong(t *testing.T) {
	t.Parallel()
	asked := terms()
	asked.Scope = []byte(`{"resources":["tasks"],"max_rows_per_query":0}`)
	_, err := newOffice(t).Create(t.Context(), asked)
	var wrong *scope.ParseError
	if !errors.As(err, &wrong) || wrong.Path != "max_rows_per_query" {
		t.Errorf("the error is %v, want a scope.ParseError at max_rows_per_query", err)
	}
}

// Every change from every status: what is not named here is ErrStatus.
func TestTheLifeOfAGrantHasNoWayBack(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*office, context.Context, grants.Grant) (grants.Grant, error){
		"Activate": func(o *office, ctx context.Context, g grants.Grant) (grants.Grant, error) {
			return o.Activate(ctx, g.ID, g.Revision, pin(7))
		},
		"Rotate": func(o *office, ctx context.Context, g grants.Grant) (grants.Grant, error) {
			return o.Rotate(ctx, g.ID, g.Revision, pin(7))
		},
		"Expire": func(o *office, ctx context.Context, g grants.Grant) (grants.Grant, error) { return o.Expire(ctx, g.ID) },
		"Revoke": func(o *office, ctx context.Context, g grants.Grant) (grants.Grant, error) { return o.Revoke(ctx, g.ID) },
	}
	allowed := map[grants.Status]map[string]grants.Status{
		grants.Pending: {"Activate": grants.Active, "Expire": grants.Expired, "Revoke": grants.Revoked},
		grants.Active:  {"Rotate": grants.Active, "Expire": grants.Expired, "Revoke": grants.Revoked},
		grants.Expired: {"Expire": grants.Expired, "Revoke": grants.Revoked},
		grants.Revoked: {"Revoke": grants.Revoked},
	}
	for status, ways := range allowed {
		for name, change := range changes {
			o := newOffice(t)
			before := o.have(t, status)
			o.now = o.now.Add(time.Minute)
			after, err := change(o, t.Context(), before)
			stored, _ := o.store.Get(t.Context(), before.ID)
			want, ok := ways[name]
			switch {
			case !ok && (!errors.Is(err, grants.ErrStatus) || stored != before):
				t.Errorf("%s of a grant that is %s ends in %v and leaves it %s, want ErrStatus and no change", name, status, err, stored.Status)
			case ok && (err != nil || after.Status != want || stored != after):
				t.Errorf("%s of a grant that is %s ends in %+v and %v, want it %s", name, status, after, err, want)
			case ok && status != want && (after.Revision != before.Revision+1 || !after.Updated.After(before.Updated)):
				t.Errorf("%s leaves revision %d after %d, of %s", name, after.Revision, before.Revision, after.Updated)
			case ok && status == want && name != "Rotate" && after != before:
				t.Errorf("a second %s changes %+v to %+v", name, before, after)
			}
		}
	}
}

func TestAChangeOfAnOldRevisionIsAConflict(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	g := o.have(t, grants.Active)
	for _, revision := range []int64{g.Revision - 1, g.Revision + 1, 0} {
		if _, err := o.Rotate(t.Context(), g.ID, revision, pin(2)); !errors.Is(err, grants.ErrConflict) {
			t.Errorf("a change of revision %d over %d ends in %v", revision, g.Revision, err)
		}
	}
	if _, err := o.Rotate(t.Context(), "other", 1, pin(2)); !errors.Is(err, grants.ErrNotFound) {
		t.Errorf("a change of a grant that is not there ends in %v", err)
	}
}

// P revokes while Q keeps changing the grant:
//
//	P: read revision n
//	                        Q: store revision n+1
//	P: store n+1: conflict, so once more
func TestARevocationIsStoredWhateverElseChanges(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	g := o.have(t, grants.Active)
	busy := &busyStore{Memory: o.store, interruptions: 5}
	registrar, err := grants.NewRegistrar(grants.Config{Store: busy, Registry: scope.Standard()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := registrar.Revoke(t.Context(), g.ID)
	if err != nil || got.Status != grants.Revoked || got.Revision != g.Revision+6 {
		t.Errorf("the revocation ends in %+v and %v, want revision %d, revoked", got, err, g.Revision+6)
	}
	if _, err := registrar.Expire(t.Context(), g.ID); !errors.Is(err, grants.ErrStatus) {
		t.Errorf("expiring a revoked grant ends in %v", err)
	}
}

// busyStore has somebody else change the grant before some of the changes.
type busyStore struct {
	*grants.Memory
	mu            sync.Mutex
	interruptions int
}

func (b *busyStore) Replace(ctx context.Context, g grants.Grant) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.interruptions > 0 {
		b.interruptions--
		other, err := b.Get(ctx, g.ID)
		if err != nil {
			return err
		}
		other.Revision++
		if err := b.Memory.Replace(ctx, other); err != nil {
			return err
		}
	}
	return b.Memory.Replace(ctx, g)
}

func TestTwoPinsFitDuringARotation(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	g := o.have(t, grants.Active)
	fits := func(want ...byte) {
		t.Helper()
		for n := byte(0); n < 5; n++ {
			if got := g.Fits(pin(n)); got != strings.Contains(string(want), string(n)) {
				t.Errorf("with the pins %v the certificate %d fits: %t", g.Pins, n, got)
			}
		}
	}
	must := func(next grants.Grant, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		g = next
	}
	fits(1)
	must(o.Rotate(t.Context(), "g", g.Revision, pin(2)))
	fits(1, 2)
	must(o.Unpin(t.Context(), "g", g.Revision, pin(1)))
	fits(2)
	must(o.Rotate(t.Context(), "g", g.Revision, pin(3)))
	must(o.Rotate(t.Context(), "g", g.Revision, pin(4))) // and the oldest goes
	fits(3, 4)
	must(o.Unpin(t.Context(), "g", g.Revision, pin(4))) // back to the old key
	fits(3)
	for name, change := range map[string]func() (grants.Grant, error){
		"the last pin taken away":    func() (grants.Grant, error) { return o.Unpin(t.Context(), "g", g.Revision, pin(3)) },
		"a foreign pin taken away":   func() (grants.Grant, error) { return o.Unpin(t.Context(), "g", g.Revision, pin(4)) },
		"the zero pin taken away":    func() (grants.Grant, error) { return o.Unpin(t.Context(), "g", g.Revision, grants.Pin{}) },
		"the zero pin set":           func() (grants.Grant, error) { return o.Rotate(t.Context(), "g", g.Revision, grants.Pin{}) },
		"the same pin set once more": func() (grants.Grant, error) { return o.Rotate(t.Context(), "g", g.Revision, pin(3)) },
	} {
		if _, err := change(); !errors.Is(err, grants.ErrInvalid) {
			t.Errorf("%s ends in %v, want ErrInvalid", name, err)
		}
	}
	fits(3)
}

func TestAPinOfAGrantThatEndedStays(t *testing.T) {
	t.Parallel()
	for _, end := range []func(*office) (grants.Grant, error){
		func(o *office) (grants.Grant, error) { return o.Revoke(t.Context(), "g") },
		func(o *office) (grants.Grant, error) { return o.Expire(t.Context(), "g") },
	} {
		o := newOffice(t)
		g := o.have(t, grants.Active)
		if _, err := o.Rotate(t.Context(), g.ID, g.Revision, pin(7)); err != nil {
			t.Fatal(err)
		}
		ended, err := end(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Unpin(t.Context(), g.ID, ended.Revision, pin(7)); !errors.Is(err, grants.ErrStatus) {
			t.Errorf("a pin of a grant that is %s taken away ends in %v, want ErrStatus", ended.Status, err)
		}
	}
}

func TestAnActivationNeedsAPin(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	g := o.have(t, grants.Pending)
	if _, err := o.Activate(t.Context(), g.ID, g.Revision, grants.Pin{}); !errors.Is(err, grants.ErrInvalid) {
		t.Errorf("an activation without a pin ends in %v, want ErrInvalid", err)
	}
	if stored, _ := o.store.Get(t.Context(), g.ID); stored.Status != grants.Pending {
		t.Errorf("it leaves the grant %s", stored.Status)
	}
}

func TestTheClockAndTheStatusDecideWhatMayBeUsed(t *testing.T) {
	t.Parallel()
	g := grants.Grant{Status: grants.Active, NotBefore: start, Expires: start.Add(time.Hour)}
	with := func(status grants.Status) grants.Grant { g := g; g.Status = status; return g }
	forever := with(grants.Active)
	forever.Expires = time.Time{}
	for _, test := range []struct {
		name  string
		grant grants.Grant
		at    time.Time
		want  error
	}{
		{"active", g, start, nil},
		{"active to the last moment", g, g.Expires.Add(-1), nil},
		{"active, when it expires", g, g.Expires, federation.ErrGrantExpired},
		{"active, not yet", g, start.Add(-1), federation.ErrGrantPending},
		{"active, without an expiry", forever, start, federation.ErrGrantExpired},
		{"pending", with(grants.Pending), start, federation.ErrGrantPending},
		{"pending, and its time is over", with(grants.Pending), g.Expires, federation.ErrGrantExpired},
		{"expired", with(grants.Expired), start, federation.ErrGrantExpired},
		{"revoked", with(grants.Revoked), start, federation.ErrGrantRevoked},
		{"revoked, and its time is over", with(grants.Revoked), g.Expires, federation.ErrGrantRevoked},
		{"the zero grant", grants.Grant{}, start, federation.ErrGrantUnknown},
		{"of an unknown status", with("Active"), start, federation.ErrGrantUnknown},
	} {
		if got := test.grant.Usable(test.at); !errors.Is(got, test.want) {
			t.Errorf("a grant that is %s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestARegistrarNeedsItsParts(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]grants.Config{
		"store":    {Registry: scope.Standard()},
		"registry": {Store: new(grants.Memory)},
	} {
		if _, err := grants.NewRegistrar(cfg); err == nil {
			t.Errorf("a registrar without a %s is made", name)
		}
	}
}

func TestAGrantIsReadAsItIsStored(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	want := o.have(t, grants.Revoked)
	if got, err := o.Get(t.Context(), "g"); err != nil || got != want {
		t.Errorf("the grant is %+v, %v, want %+v", got, err, want)
	}
	if got, err := o.Get(t.Context(), "nobody's"); !errors.Is(err, grants.ErrNotFound) || got != (grants.Grant{}) {
		t.Errorf("a grant that is not there is %+v, %v", got, err)
	}
}
