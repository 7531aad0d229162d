package federation

import (
	"context"
	"net/http"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// Law 6: a cursor works only for the grant, subject, resource, order and scope that
// it was made for.
func TestACursorOfAnotherListIsRefused(t *testing.T) {
	token := mustPage(t, newHost(t).post(t, "tasks", `{"limit":3}`)).NextCursor
	for name, change := range map[string]func(h *host) (resource string){
		"another grant":    func(h *host) string { h.grant.ID = "grant-2"; return "tasks" },
		"another subject":  func(h *host) string { h.grant.Subject = "user-2"; return "tasks" },
		"another scope":    func(h *host) string { h.grant.Scope = narrower; return "tasks" },
		"another resource": func(*host) string { return "notes" },
	} {
		h := newHost(t)
		resource := change(h)
		got := h.post(t, resource, `{"cursor":"`+token+`"}`)
		if got.Code != http.StatusBadRequest || h.log.last(t)["code"] != string(codeCursorMismatch) {
			t.Errorf("%s: the answer is %d %s", name, got.Code, got.Body)
		}
		if h.nativeAsked.Load()+h.listed.Load() != 0 {
			t.Errorf("%s: the cursor reached native access or the lister", name)
		}
	}
}

// Law 6: the limit may change between two pages, and so may what is evaluated
// afresh for each.
func TestACursorGoesOnWithAnotherLimitAndOtherTeams(t *testing.T) {
	token := mustPage(t, newHost(t).post(t, "tasks", `{"limit":3}`)).NextCursor
	for name, change := range map[string]func(h *host){
		"nothing": func(*host) {},
		"other teams": func(h *host) {
			h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
				return scope.Access{Allowed: true, Teams: []string{"team-7", "team-9"}}, nil
			}
		},
		"another revision of the same grant": func(h *host) { h.grant.Revision = 7 },
		"another peer certificate":           func(h *host) { h.grant.Peer = "peer-1b" },
	} {
		h := newHost(t)
		change(h)
		page := mustPage(t, h.post(t, "tasks", `{"limit":"5","cursor":"`+token+`"}`))
		if len(page.Items) != 5 || page.Items[0]["id"] != "4" {
			t.Errorf("%s changed, and the list goes on with %v", name, page.Items)
		}
	}
}

// The evaluator is the host's: one that never runs the request's Check, or ignores
// what it says, must not turn a bad cursor into the first page.
func TestABadCursorIsRefusedWhateverTheEvaluatorMakesOfIt(t *testing.T) {
	for name, blind := range map[string]func(func() (scope.Code, error)) func() (scope.Code, error){
		"forgets the check": func(func() (scope.Code, error)) func() (scope.Code, error) { return nil },
		"ignores the check": func(check func() (scope.Code, error)) func() (scope.Code, error) {
			return func() (scope.Code, error) { _, _ = check(); return "", nil }
		},
	} {
		for _, body := range []string{`{"cursor":""}`, `{"cursor":null}`, `{"cursor":"bm90IG91cnM"}`} {
			h := newHost(t)
			rules := newRules(t, h)
			h.evaluator = evaluatorFunc(func(ctx context.Context, req scope.Request) scope.Decision {
				req.Check = blind(req.Check)
				return rules.Evaluate(ctx, req)
			})
			if got := h.post(t, "tasks", body); got.Code != http.StatusBadRequest || h.listed.Load() != 0 {
				t.Errorf("an evaluator that %s answers %s with %d %s", name, body, got.Code, got.Body)
			}
		}
	}
}
