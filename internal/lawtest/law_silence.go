package lawtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// lawOfSilence is law 9: canaries stand in everything that is inside, and every
// kind of answer is searched for them.
func lawOfSilence(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	const subject = "canary-subject"
	c := canaries{team: r.uuid(), alien: r.uuid()}
	world := canaryWorld(r, c, subject)
	world.load(t, db)

	native := nativeFunc(nil)
	g := newGateway(t, db, func(p *parts) {
		inner := p.Native
		p.Native = nativeFunc(func(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
			if native != nil {
				return native(ctx, req)
			}
			access, err := inner.ReadAccess(ctx, req)
			access.Reason = "canary-reason"
			return access, err
		})
	})
	teams := []string{c.team, c.alien}
	k := terms{Resources: []string{"tasks", "notes", "credentials"}, Excluded: []string{"api_keys"}, Filters: map[string]filterTerms{"tasks": {Teams: &teams}}, Cap: 3}
	g.grants.give("token", scope.Grant{ID: "canary-grant", Peer: "canary-peer", Subject: subject, Revision: 424242, Scope: k.scope(t)})

	answers := map[string]reply{}
	list := func(what, resource, body string) { answers[what] = g.list("token", resource, body) }
	list("tasks", "tasks", "")
	list("notes", "notes", "")
	_, next := answers["tasks"].page(t)
	list("the next tasks", "tasks", `{"cursor":"`+next+`"}`)
	list("an excluded resource", "api_keys", "")
	list("a resource that is not granted", "memory", "")
	list("a resource that native access denies", "credentials", "")
	list("an unknown resource", "canaries", "")
	list("a bad limit", "tasks", `{"limit":"x"}`)
	list("a bad cursor", "tasks", `{"cursor":"x"}`)
	list("a foreign cursor", "notes", `{"cursor":"`+next+`"}`)
	list("a bad body", "tasks", `{`)
	get := func(what, resource, id string) { answers[what] = g.get("token", resource, id) }
	get("a task", "tasks", world.tasks[0].id)
	get("a task that is not there", "tasks", r.uuid())
	get("a task of no id", "tasks", "no id")
	get("a note", "notes", world.notes[0].id)
	get("a row of an excluded resource", "api_keys", r.uuid())
	get("a row of a resource that is not granted", "memory", r.uuid())
	get("a row of an unknown resource", "canaries", r.uuid())
	answers["capabilities"] = g.send(http.MethodGet, federation.Prefix+"capabilities", "", "Authorization", "Bearer token")
	answers["no credential"] = g.send(http.MethodPost, federation.Prefix+"list/tasks", "")
	answers["no such path"] = g.send(http.MethodPost, federation.Prefix+"nothing", "", "Authorization", "Bearer token")
	answers["no such method"] = g.send(http.MethodPut, federation.Prefix+"list/tasks", "", "Authorization", "Bearer token")
	answers["a problem"] = g.send(http.MethodPost, federation.Prefix+"list/api_keys", "", "Authorization", "Bearer token", "Accept", "application/problem+json")

	db.meter.tamper.Store(&tamper{before: func(context.Context, string) error { return errors.New("canary-sql: SELECT canary FROM team_members") }})
	list("a broken database", "tasks", "")
	get("a row of a broken database", "tasks", world.tasks[0].id)
	db.meter.tamper.Store(&tamper{row: func(int) error { return errors.New("canary-sql") }})
	list("a broken result", "tasks", "")
	get("a broken row", "tasks", world.tasks[0].id)
	db.meter.tamper.Store(nil)
	db.exec(t, "DROP TABLE mission_tasks")
	list("a table that is missing", "notes", "")
	get("a row of a table that is missing", "notes", world.notes[0].id)

	native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return scope.Access{}, errors.New("canary-native")
	}
	list("native access that fails", "tasks", "")
	native = func(context.Context, scope.AccessRequest) (scope.Access, error) { panic("canary-panic") }
	list("native access that panics", "tasks", "")
	native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return scope.Access{Reason: "canary-denied"}, nil
	}
	list("native access that denies", "tasks", "")
	get("native access that denies a row", "tasks", world.tasks[0].id)
	g.grants.fail("token", fmt.Errorf("canary-auth: %w", federation.ErrGrantRevoked))
	list("a revoked grant", "tasks", "")
	get("a row of a revoked grant", "tasks", world.tasks[0].id)
	g.grants.fail("token", errors.New("canary-auth"))
	list("an authenticator that fails", "tasks", "")

	for what, answer := range answers {
		c.search(t, what, answer)
	}
	if answers["a task"].status != 200 || answers["a task that is not there"].status != 404 || answers["a broken row"].status < 500 {
		t.Errorf("the rows are not of the kinds that were meant: %v, %v, %v", answers["a task"], answers["a task that is not there"], answers["a broken row"])
	}
	if answers["tasks"].status != 200 || answers["a broken database"].status < 500 || answers["a table that is missing"].status != 500 {
		t.Errorf("the answers are not of the kinds that were meant: %v, %v, %v", answers["tasks"], answers["a broken database"], answers["a table that is missing"])
	}
}

// canaries are what must not be seen, beside everything that has canary in its
// name.
type canaries struct{ team, alien string }

// inner are names of stages, codes and tables that are nobody else's business.
var inner = []string{
	"canary", "stage", "native", "rbac", "scope_parse", "resource_allowlist", "resource_exclusion", "row_cap", "intersect", "invalid_scope",
	"resource_excluded", "resource_not_granted", "grant_", "query_failed", "select", "team_members", "mission_tasks", "sqlstate",
	"pq:", "sqlite", "postgres", "pgx", "goroutine", "panic", ".go:", "424242", "forged", "mismatch", "revoked",
}

func (c canaries) search(t *testing.T, what string, r reply) {
	t.Helper()
	text := strings.ToLower(r.String())
	for _, word := range append(inner, c.team, c.alien) {
		if strings.Contains(text, word) {
			t.Errorf("the answer to %s names %q: %v", what, word, r)
		}
	}
}

// canaryWorld has four tasks and a note of a team's project that the subject may
// see; no value in them is a canary.
func canaryWorld(r random, c canaries, subject string) *world {
	w := &world{
		users:    []user{{subject}, {"other"}},
		teams:    []team{{c.team, "other"}, {c.alien, "other"}},
		members:  []member{{c.team, subject}},
		projects: []project{{id: r.uuid(), ownerType: "team", teamID: &c.team}},
	}
	w.missions = []mission{{r.uuid(), &w.projects[0].id, subject}}
	for range 4 {
		w.tasks = append(w.tasks, taskIn(r, w.projects[0].id))
	}
	w.notes = []note{noteOn(r, w.missions[0].id, subject)}
	return w
}
