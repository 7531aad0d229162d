package lawtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// lawOfFailure is law 8: an error, a panic, a timeout or nonsense of anything
// that the host plugged in never becomes a page.
func lawOfFailure(t *testing.T, open Open) {
	run(t, open, []trial{
		{"of the authenticator", failingAuthenticator},
		{"of native access", failingNative},
		{"of the evaluator", failingEvaluator},
		{"of the lister", failingLister},
		{"of the limiters", failingLimiters},
		{"of the database at any statement and any row", failingDatabase},
		{"and a grant that changes meanwhile costs the page", changingGrant},
	})
}

// errCanary is an inner error whose text must never reach the peer.
var errCanary = errors.New("canary in an error")

// noPage fails the test if the reply is a page, or names the canary.
func (r reply) noPage(t *testing.T, what string, status ...int) {
	t.Helper()
	for _, due := range status {
		if r.status == due {
			if r.errorCode(t); strings.Contains(r.String(), "canary") {
				t.Errorf("%s: the reply names the inner error: %v", what, r)
			}
			return
		}
	}
	t.Errorf("%s: %v came, and one of %v was due", what, r, status)
}

// authFunc is an authenticator as one func.
type authFunc func(r *http.Request) (scope.Grant, error)

func (f authFunc) Authenticate(r *http.Request) (scope.Grant, error) { return f(r) }

func failingAuthenticator(t *testing.T, open Open) {
	db := open(t)
	seedTasksWorld().load(t, db)
	good := scope.Grant{ID: "g", Peer: "p", Subject: seedSubject, Scope: everything(5).scope(t)}
	with := func(spoil func(*scope.Grant)) authFunc {
		return func(*http.Request) (scope.Grant, error) {
			grant := good
			spoil(&grant)
			return grant, nil
		}
	}
	const late = "a grant that comes after the clock"
	for name, c := range map[string]struct {
		auth authFunc
		due  int
	}{
		"an error beside a good grant":      {func(*http.Request) (scope.Grant, error) { return good, errCanary }, 503},
		"a panic":                           {func(*http.Request) (scope.Grant, error) { panic(errCanary) }, 503},
		"a panic with nil":                  {func(*http.Request) (scope.Grant, error) { panic(nil) }, 503},
		"no credential beside a good grant": {func(*http.Request) (scope.Grant, error) { return good, federation.ErrNoCredential }, 401},
		"revocation beside a good grant":    {func(*http.Request) (scope.Grant, error) { return good, federation.ErrGrantRevoked }, 403},
		"the zero grant and no error":       {with(func(g *scope.Grant) { *g = scope.Grant{} }), 403},
		"a grant without an id":             {with(func(g *scope.Grant) { g.ID = "" }), 403},
		"a grant without a subject":         {with(func(g *scope.Grant) { g.Subject = "" }), 403},
		"a grant with the zero scope":       {with(func(g *scope.Grant) { g.Scope = scope.Scope{} }), 403},
		"a subject with a NUL":              {with(func(g *scope.Grant) { g.Subject += "\x00" }), 403},
		"a subject that is no UTF-8":        {with(func(g *scope.Grant) { g.Subject += "\xff" }), 403},
		"an id with a NUL":                  {with(func(g *scope.Grant) { g.ID = "\x00" }), 403},
		late:                                {func(r *http.Request) (scope.Grant, error) { <-r.Context().Done(); return good, nil }, 503},
	} {
		g := newGateway(t, db, func(p *parts) {
			if p.Authenticator = c.auth; name == late {
				p.Timeout = soon
			}
		})
		n := db.meter.during(func() { g.list("any", "tasks", "").noPage(t, "an authenticator with "+name, c.due) })
		if n != 0 {
			t.Errorf("an authenticator with %s took %d statements", name, n)
		}
	}
}

// soon is when a gateway gives up what comes late. On a busy machine that may be before it
// was asked for, which is late, too.
const soon = 500 * time.Millisecond

func failingNative(t *testing.T, open Open) {
	db := open(t)
	seedTasksWorld().load(t, db)
	allow := scope.Access{Allowed: true, Personal: true, Teams: []string{seedTeam}}
	many := make([]string, 100_001)
	for i := range many {
		many[i] = fmt.Sprint("team-", i)
	}
	answer := func(teams ...string) nativeFunc {
		return func(context.Context, scope.AccessRequest) (scope.Access, error) {
			return scope.Access{Allowed: true, Personal: true, Teams: teams}, nil
		}
	}
	const late = "a late allow"
	for name, c := range map[string]struct {
		native nativeFunc
		due    int
	}{
		"an error beside an allow": {func(context.Context, scope.AccessRequest) (scope.Access, error) { return allow, errCanary }, 503},
		"a panic":                  {func(context.Context, scope.AccessRequest) (scope.Access, error) { panic(errCanary) }, 503},
		"a panic with nil":         {func(context.Context, scope.AccessRequest) (scope.Access, error) { panic(nil) }, 503},
		late: {func(ctx context.Context, _ scope.AccessRequest) (scope.Access, error) {
			<-ctx.Done()
			return allow, nil
		}, 503},
		"the zero answer": {func(context.Context, scope.AccessRequest) (scope.Access, error) { return scope.Access{}, nil }, 403},
		"a denial with teams": {func(context.Context, scope.AccessRequest) (scope.Access, error) {
			return scope.Access{Personal: true, Teams: []string{seedTeam}, Reason: "canary"}, nil
		}, 403},
		"an empty team":        {answer(seedTeam, ""), 503},
		"a team with a NUL":    {answer(seedTeam, "\x00"), 503},
		"a team without UTF-8": {answer(seedTeam, "\xff"), 503},
		"too many teams":       {answer(many...), 503},
	} {
		g := newGateway(t, db, func(p *parts) {
			if p.Native = c.native; name == late {
				p.Patience = soon
			}
		})
		g.grant(t, "grant-1", seedSubject, everything(5))
		n := db.meter.during(func() { g.list("grant-1", "tasks", "").noPage(t, "native access with "+name, c.due) })
		if n != 0 {
			t.Errorf("native access with %s took %d statements", name, n)
		}
	}
}

// evaluatorFunc is an evaluator as one func.
type evaluatorFunc func(context.Context, scope.Request) scope.Decision

func (f evaluatorFunc) Evaluate(ctx context.Context, req scope.Request) scope.Decision {
	return f(ctx, req)
}

func failingEvaluator(t *testing.T, open Open) {
	for name, evaluate := range map[string]evaluatorFunc{
		"a panic":           func(context.Context, scope.Request) scope.Decision { panic(errCanary) },
		"the zero decision": func(context.Context, scope.Request) scope.Decision { return scope.Decision{} },
	} {
		t.Run(name, func(t *testing.T) {
			g, _ := seedGatewayOn(t, open, func(p *parts) { p.Evaluator = evaluate })
			n := g.db.meter.during(func() { g.list("grant-1", "tasks", "").noPage(t, "an evaluator with "+name, 403, 500, 503) })
			if n != 0 {
				t.Errorf("an evaluator with %s took %d statements", name, n)
			}
		})
	}
}

func failingLister(t *testing.T, open Open) {
	db := open(t)
	seedTasksWorld().load(t, db)
	row := json.RawMessage(`{"id":"canary"}`)
	next := cursor.Position{cursor.TimeValue(noon), cursor.UUIDValue(cursor.UUID{1})}
	answer := func(next cursor.Position, err error, rows ...json.RawMessage) func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			return rows, next, err
		}
	}
	const late = "a late page"
	unavailable := fmt.Errorf("%w: %w", scope.ErrUnavailable, errCanary)
	for name, c := range map[string]struct {
		list func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error)
		due  int
	}{
		"an error beside rows":              {answer(nil, errCanary, row), 500},
		"an unavailable backend":            {answer(nil, unavailable, row), 503},
		"a passed deadline":                 {answer(nil, fmt.Errorf("%w: %w", errCanary, context.DeadlineExceeded)), 503},
		"a row that is no object":           {answer(nil, nil, json.RawMessage(`["canary"]`)), 500},
		"a row that is no JSON":             {answer(nil, nil, json.RawMessage(`{"id":"canary"`)), 500},
		"a row that is two":                 {answer(nil, nil, json.RawMessage(`{"id":"canary"}{}`)), 500},
		"an empty row":                      {answer(nil, nil, json.RawMessage(``)), 500},
		"a row with a source of its own":    {answer(nil, nil, json.RawMessage(`{"_source":"canary"}`)), 500},
		"an escaped source of its own":      {answer(nil, nil, json.RawMessage(`{"_\u0073ource":"canary"}`)), 500},
		"more rows than asked for":          {answer(nil, nil, row, row, row, row, row, row), 500},
		"a next position without rows":      {answer(next, nil), 500},
		"a next position of another order":  {answer(cursor.Position{cursor.TextValue("canary")}, nil, row), 500},
		"an empty next position":            {answer(cursor.Position{}, nil, row), 500},
		"a next position that is no cursor": {answer(cursor.Position{cursor.TimeValue(noon.Add(1)), next[1]}, nil, row), 500},
		"a panic": {func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			panic(errCanary)
		}, 500},
		late: {func(ctx context.Context, _ scope.Filter, _ cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			<-ctx.Done()
			return []json.RawMessage{row}, nil, nil
		}, 503},
	} {
		g := newGateway(t, db, func(p *parts) {
			if p.Lister = (listerOf{p.Lister.(*listquery.Store), c.list}); name == late {
				p.Timeout = soon
			}
		})
		g.grant(t, "grant-1", seedSubject, everything(5))
		g.list("grant-1", "tasks", "").noPage(t, "a lister with "+name, c.due)
	}
}

// limiterFunc is a limiter as one func.
type limiterFunc func(key string) (time.Duration, bool)

func (f limiterFunc) Allow(key string) (time.Duration, bool) { return f(key) }

func failingLimiters(t *testing.T, open Open) {
	db := open(t)
	seedTasksWorld().load(t, db)
	for name, c := range map[string]struct {
		limiter limiterFunc
		due     []int
	}{
		"no":              {func(string) (time.Duration, bool) { return 1500 * time.Millisecond, false }, []int{429}},
		"no, for no time": {func(string) (time.Duration, bool) { return 0, false }, []int{429}},
		"no, before now":  {func(string) (time.Duration, bool) { return -time.Hour, false }, []int{429}},
		"a panic":         {func(string) (time.Duration, bool) { panic(errCanary) }, []int{429, 500, 503}},
	} {
		for what, set := range map[string]func(*parts){
			"addresses": func(p *parts) { p.Addresses = c.limiter },
			"grants":    func(p *parts) { p.Grants = c.limiter },
		} {
			g := newGateway(t, db, set)
			g.grant(t, "grant-1", seedSubject, everything(5))
			var got reply
			n := db.meter.during(func() { got = g.list("grant-1", "tasks", "") })
			got.noPage(t, "a limiter of "+what+" that says "+name, c.due...)
			if n != 0 {
				t.Errorf("a limiter of %s that says %s let %d statements through", what, name, n)
			}
			if retry := got.header.Get("Retry-After"); got.status == 429 && (retry == "" || strings.ContainsAny(retry, ".-")) {
				t.Errorf("a limiter of %s that says %s: Retry-After is %q", what, name, retry)
			}
		}
	}
}

// failingDatabase breaks each statement of a request in turn, then each row.
func failingDatabase(t *testing.T, open Open) {
	g, _, _ := estateGateway(t, open, fillTransaction)
	failed := 0
	try := func(what string, tm *tamper) {
		for _, resource := range resources {
			g.db.meter.tamper.Store(tm)
			r := g.list("grant-1", resource, ask(5, ""))
			g.db.meter.tamper.Store(nil)
			if r.status == http.StatusOK {
				if items, _ := r.page(t); len(items) != 5 {
					t.Errorf("%s: a page of %d %s passes as whole", what, len(items), resource)
				}
				continue
			}
			failed++
			r.noPage(t, what, 500, 503)
		}
	}
	for at := range int64(3) {
		var n atomic.Int64
		try(fmt.Sprintf("the database breaks at statement %d", at), &tamper{before: func(context.Context, string) error {
			if n.Add(1)%3 == at {
				return errCanary
			}
			return nil
		}})
	}
	for at := range 8 {
		try(fmt.Sprintf("the database breaks at row %d", at), &tamper{row: func(i int) error {
			if i == at {
				return errCanary
			}
			return nil
		}})
	}
	if failed < 20 {
		t.Errorf("only %d requests failed; nothing was tried", failed)
	}
	if r := g.list("grant-1", "tasks", ""); r.status != http.StatusOK {
		t.Errorf("the database works again, and the gateway does not: %v", r)
	}
}

// changingGrant changes the grant while the page is computed: row 16.
func changingGrant(t *testing.T, open Open) {
	db := open(t)
	w := seedTasksWorld()
	w.load(t, db)
	narrower := terms{Resources: []string{"tasks"}, Cap: 25}
	for name, change := range map[string]func(*testing.T, gateway){
		"nothing":           nil,
		"is revoked":        func(_ *testing.T, g gateway) { g.grants.fail("grant-1", federation.ErrGrantRevoked) },
		"is unknown":        func(_ *testing.T, g gateway) { g.grants.fail("grant-1", federation.ErrGrantUnknown) },
		"has another scope": func(t *testing.T, g gateway) { g.grant(t, "grant-1", seedSubject, narrower) },
		"has a new subject": func(t *testing.T, g gateway) { g.grant(t, "grant-1", seedOther, everything(25)) },
		"has a new revision": func(t *testing.T, g gateway) {
			g.grants.give("grant-1", scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: seedSubject, Revision: 2, Scope: everything(25).scope(t)})
		},
		"has a new id": func(t *testing.T, g gateway) {
			g.grants.give("grant-1", scope.Grant{ID: "grant-2", Peer: "peer-1", Subject: seedSubject, Revision: 1, Scope: everything(25).scope(t)})
		},
		"cannot be found now": func(_ *testing.T, g gateway) { g.grants.fail("grant-1", errCanary) },
	} {
		t.Run("it "+name, func(t *testing.T) {
			var g gateway
			g = newGateway(t, db, func(p *parts) {
				store := p.Lister.(*listquery.Store)
				p.Lister = listerOf{store, func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
					rows, next, err := store.List(ctx, f, after)
					if change != nil {
						change(t, g)
					}
					return rows, next, err
				}}
			})
			g.grant(t, "grant-1", seedSubject, everything(25))
			r := g.list("grant-1", "tasks", "")
			switch {
			case change == nil:
				if items, _ := r.page(t); len(items) != len(w.tasks) {
					t.Errorf("nothing changed, and %d of %d rows came", len(items), len(w.tasks))
				}
			case name == "cannot be found now":
				r.noPage(t, "a grant that "+name, 503)
			default:
				r.noPage(t, "a grant that "+name, 403)
			}
		})
	}
}
