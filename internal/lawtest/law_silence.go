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
	s := newSilence(t, open)
	s.askForWhatIsThere(t)
	s.askForWhatIsRefused()
	s.askABrokenDatabase(t)
	s.askABrokenHost()
	for what, answer := range s.answers {
		s.canaries.search(t, what, answer)
	}
	for what, want := range map[string]int{
		"tasks": 200, "a task": 200, "a task that is not there": 404, "a table that is missing": 500,
	} {
		if got := s.answers[what].status; got != want {
			t.Errorf("the answer to %s is of another kind than was meant: %v", what, s.answers[what])
		}
	}
	for _, what := range []string{"a broken database", "a broken row"} {
		if s.answers[what].status < 500 {
			t.Errorf("the answer to %s is of another kind than was meant: %v", what, s.answers[what])
		}
	}
}

// silence is a gateway full of canaries, and what it has answered so far.
type silence struct {
	canaries canaries
	random   random
	db       DB
	world    *world
	gateway  gateway
	native   nativeFunc // in place of the store's, unless nil
	answers  map[string]reply
}

func newSilence(t *testing.T, open Open) *silence {
	t.Helper()
	const subject = "canary-subject"
	s := &silence{db: open(t), random: newRandom(t), answers: map[string]reply{}}
	s.canaries = canaries{team: s.random.uuid(), alien: s.random.uuid()}
	s.world = canaryWorld(s.random, s.canaries, subject)
	s.world.load(t, s.db)
	s.gateway = newGateway(t, s.db, func(p *parts) {
		inner := p.Native
		p.Native = nativeFunc(func(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
			if s.native != nil {
				return s.native(ctx, req)
			}
			access, err := inner.ReadAccess(ctx, req)
			access.Reason = "canary-reason"
			return access, err
		})
	})
	teams := []string{s.canaries.team, s.canaries.alien}
	k := terms{Resources: []string{"tasks", "notes", "credentials"}, Excluded: []string{"api_keys"}, Filters: map[string]filterTerms{"tasks": {Teams: &teams}}, Cap: 3}
	s.gateway.grants.give("token", scope.Grant{ID: "canary-grant", Peer: "canary-peer", Subject: subject, Revision: 424242, Scope: k.scope(t)})
	return s
}

func (s *silence) list(what, resource, body string) {
	s.answers[what] = s.gateway.list("token", resource, body)
}

func (s *silence) get(what, resource, id string) {
	s.answers[what] = s.gateway.get("token", resource, id)
}

func (s *silence) send(what, method, path string, header ...string) {
	s.answers[what] = s.gateway.send(method, federation.Prefix+path, "", append(header, "Authorization", "Bearer token")...)
}

func (s *silence) askForWhatIsThere(t *testing.T) {
	t.Helper()
	s.list("tasks", "tasks", "")
	s.list("notes", "notes", "")
	_, next := s.answers["tasks"].page(t)
	s.list("the next tasks", "tasks", `{"cursor":"`+next+`"}`)
	s.list("a foreign cursor", "notes", `{"cursor":"`+next+`"}`)
	s.get("a task", "tasks", s.world.tasks[0].id)
	s.get("a note", "notes", s.world.notes[0].id)
	s.send("capabilities", http.MethodGet, "capabilities")
}

func (s *silence) askForWhatIsRefused() {
	s.list("an excluded resource", "api_keys", "")
	s.list("a resource that is not granted", "memory", "")
	s.list("a resource that native access denies", "credentials", "")
	s.list("an unknown resource", "canaries", "")
	s.list("a bad limit", "tasks", `{"limit":"x"}`)
	s.list("a bad cursor", "tasks", `{"cursor":"x"}`)
	s.list("a bad body", "tasks", `{`)
	s.get("a task that is not there", "tasks", s.random.uuid())
	s.get("a task of no id", "tasks", "no id")
	s.get("a row of an excluded resource", "api_keys", s.random.uuid())
	s.get("a row of a resource that is not granted", "memory", s.random.uuid())
	s.get("a row of an unknown resource", "canaries", s.random.uuid())
	s.send("no such path", http.MethodPost, "nothing")
	s.send("no such method", http.MethodPut, "list/tasks")
	s.send("a problem", http.MethodPost, "list/api_keys", "Accept", "application/problem+json")
	s.answers["no credential"] = s.gateway.send(http.MethodPost, federation.Prefix+"list/tasks", "")
}

// askABrokenDatabase leaves it without a table.
func (s *silence) askABrokenDatabase(t *testing.T) {
	t.Helper()
	s.db.meter.tamper.Store(&tamper{before: func(context.Context, string) error { return errors.New("canary-sql: SELECT canary FROM team_members") }})
	s.list("a broken database", "tasks", "")
	s.get("a row of a broken database", "tasks", s.world.tasks[0].id)
	s.db.meter.tamper.Store(&tamper{row: func(int) error { return errors.New("canary-sql") }})
	s.list("a broken result", "tasks", "")
	s.get("a broken row", "tasks", s.world.tasks[0].id)
	s.db.meter.tamper.Store(nil)
	s.db.exec(t, "DROP TABLE mission_tasks")
	s.list("a table that is missing", "notes", "")
	s.get("a row of a table that is missing", "notes", s.world.notes[0].id)
}

// askABrokenHost leaves no part of it whole.
func (s *silence) askABrokenHost() {
	s.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return scope.Access{}, errors.New("canary-native")
	}
	s.list("native access that fails", "tasks", "")
	s.native = func(context.Context, scope.AccessRequest) (scope.Access, error) { panic("canary-panic") }
	s.list("native access that panics", "tasks", "")
	s.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return scope.Access{Reason: "canary-denied"}, nil
	}
	s.list("native access that denies", "tasks", "")
	s.get("native access that denies a row", "tasks", s.world.tasks[0].id)
	s.gateway.grants.fail("token", fmt.Errorf("canary-auth: %w", federation.ErrGrantRevoked))
	s.list("a revoked grant", "tasks", "")
	s.get("a row of a revoked grant", "tasks", s.world.tasks[0].id)
	s.gateway.grants.fail("token", errors.New("canary-auth"))
	s.list("an authenticator that fails", "tasks", "")
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
