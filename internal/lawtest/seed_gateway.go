package lawtest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// seedGateway are the six behaviours of the seed's list.controller.spec. Each
// subtest bears the seed's own words, in the field's terms where the seed names
// its framework.
func seedGateway(t *testing.T, open Open) {
	run(t, open, []trial{
		{"declares POST list/:resource protected only by the authenticator", seedDeclaresPost},
		{"runs the authenticated context through the scope and returns local-source tagged rows", seedTagsRows},
		{"preserves pagination metadata when the row cap truncates the result", seedKeepsMetadata},
		{"returns a federation error envelope when the auth context is missing", seedMissingAuth},
		{"returns a federation error envelope when scope evaluation denies access", seedScopeDenies},
		{"rejects malformed request body fields before querying storage", seedMalformedBody},
	})
}

// seedTasksWorld is the seed's world with three tasks of the subject.
func seedTasksWorld() *world {
	w := seedWorld()
	home := seedPersonal
	for i, id := range []string{
		"05000000-0000-4000-8000-000000000801", "05000000-0000-4000-8000-000000000802", "05000000-0000-4000-8000-000000000803",
	} {
		w.tasks = append(w.tasks, task{
			id: id, title: "Federated task", status: "done", priority: "low", projectID: &home,
			createdAt: noon.Add(time.Duration(i) * time.Hour), updatedAt: noon,
		})
	}
	return w
}

// seedGatewayOn opens a gateway with a grant grant-1 of the seed's subject.
func seedGatewayOn(t *testing.T, open Open, tune ...func(*parts)) (gateway, *world) {
	t.Helper()
	db, w := open(t), seedTasksWorld()
	w.load(t, db)
	g := newGateway(t, db, tune...)
	g.grant(t, "grant-1", seedSubject, terms{Resources: []string{"tasks", "notes", "memory"}, Excluded: []string{"credentials"}, Cap: 25})
	return g, w
}

func seedDeclaresPost(t *testing.T, open Open) {
	g, _ := seedGatewayOn(t, open)
	path := federation.Prefix + "list/tasks"
	if path != "/api/federation/v1/list/tasks" {
		t.Errorf("the list verb is at %s", path)
	}
	if r := g.send(http.MethodPost, path, "", "Authorization", "Bearer grant-1"); r.status != http.StatusOK {
		t.Errorf("POST with a grant and no body: %v", r)
	}
	g.send(http.MethodPost, path, "").refused(t, "POST without a credential", http.StatusUnauthorized, "unauthorized")
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "LIST", ""} {
		r := g.send(method, path, "", "Authorization", "Bearer grant-1")
		if r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != http.MethodPost {
			t.Errorf("%q answers %d and allows %q", method, r.status, r.header.Get("Allow"))
		}
	}
}

func seedTagsRows(t *testing.T, open Open) {
	g, w := seedGatewayOn(t, open)
	r := g.list("grant-1", "tasks", `{"limit":10}`)
	items, next := r.page(t)
	f, _ := everything(25).filter(w, seedSubject, "tasks")
	sameRows(t, "the rows", items, oracle{world: w}.list(f))
	if next != "" {
		t.Errorf("the only page names the next one %q", next)
	}
	if n := strings.Count(r.body, `"_source":"local"}`); n != 3 {
		t.Errorf("%d of 3 rows end with their source in %s", n, r.body)
	}
	if got := r.header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		t.Errorf("the page is %q", got)
	}
}

func seedKeepsMetadata(t *testing.T, open Open) {
	g, w := seedGatewayOn(t, open)
	g.grant(t, "grant-1", seedSubject, everything(2))
	first, next := g.list("grant-1", "tasks", "").page(t)
	if len(first) != 2 || next == "" {
		t.Fatalf("the cap of 2 gives %d rows and the cursor %q", len(first), next)
	}
	second, end := g.list("grant-1", "tasks", ask(0, next)).page(t)
	if len(second) != 1 || end != "" {
		t.Fatalf("the last page has %d rows and the cursor %q", len(second), end)
	}
	f, _ := everything(2).filter(w, seedSubject, "tasks")
	sameRows(t, "both pages", append(first, second...), oracle{world: w}.list(f))
}

func seedMissingAuth(t *testing.T, open Open) {
	g, _ := seedGatewayOn(t, open)
	n := g.db.meter.during(func() {
		for _, header := range [][]string{nil, {"Authorization", ""}, {"Authorization", "Basic grant-1"}} {
			g.send(http.MethodPost, federation.Prefix+"list/tasks", "", header...).refused(t, "without a credential", http.StatusUnauthorized, "unauthorized")
		}
	})
	if n != 0 {
		t.Errorf("requests without a credential took %d statements", n)
	}
}

func seedScopeDenies(t *testing.T, open Open) {
	g, _ := seedGatewayOn(t, open)
	n := g.db.meter.during(func() {
		r := g.list("grant-1", "credentials", "{}")
		r.refused(t, "an excluded resource", http.StatusForbidden, "scope_violation")
		for _, inner := range []string{"grant-1", "peer-1", seedSubject, "resource_exclu", "stage"} {
			if strings.Contains(r.String(), inner) {
				t.Errorf("the denial names %s: %v", inner, r)
			}
		}
	})
	if n != 0 {
		t.Errorf("an excluded resource took %d statements", n)
	}
}

func seedMalformedBody(t *testing.T, open Open) {
	g, _ := seedGatewayOn(t, open)
	for _, body := range []string{`{"cursor":123}`, `{"limit":false}`, `{"limit":"abc"}`} {
		n := g.db.meter.during(func() {
			g.list("grant-1", "tasks", body).refused(t, body, http.StatusBadRequest, "invalid_request")
		})
		if n != 0 {
			t.Errorf("the body %s took %d statements", body, n)
		}
	}
}
