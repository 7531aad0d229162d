package lawtest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// lawOfGet is what the verb get keeps of the laws.
func lawOfGet(t *testing.T, open Open) {
	run(t, open, []trial{
		{"finds a row exactly if the complete list of the grant has it", getIffListedOverHTTP},
		{"tells no databases apart that differ in invisible rows", getInvisible},
		{"costs no statement for an id that can be no key", hostileIDs},
		{"never turns a failure of the database into not found", getOfBrokenDatabase},
	})
}

// get asks for one row.
func (g gateway) get(token, resource, id string) reply {
	return g.send(http.MethodPost, federation.Prefix+"get/"+resource+"/"+id, "", "Authorization", "Bearer "+token)
}

// item reads the reply as a row, which must be tagged as local.
func (r reply) item(t *testing.T) map[string]any {
	t.Helper()
	var answer struct {
		Item json.RawMessage `json:"item"`
	}
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&answer); r.status != http.StatusOK || err != nil {
		t.Fatalf("a row was due, and %v came: %v", r, err)
	}
	item := decodeItems(t, []json.RawMessage{answer.Item})[0]
	if item["_source"] != "local" {
		t.Fatalf("the row %v is not tagged as local", item)
	}
	delete(item, "_source")
	return item
}

// getIffListedOverHTTP is the law of get with everything between the socket and the
// table in place. What is not found is the same bytes for every id.
func getIffListedOverHTTP(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	g := newGateway(t, db)
	notFound := ""
	var seen tally
	play(t, 2, seen.bites, func() {
		w := newWorld(r, small)
		w.load(t, db)
		ids := append(w.everyID(), r.uuid(), "no uuid", "a/b", "\x00")
		for range 2 {
			k, subject := randomTerms(r, w), oneOf(r, w.users).id
			g.grant(t, "grant-1", subject, k)
			for _, resource := range resources {
				f, granted := k.filter(w, subject, resource)
				if !granted {
					g.get("grant-1", resource, ids[0]).refused(t, "a row of what is not granted", http.StatusForbidden, "scope_violation")
					continue
				}
				listed := map[string]map[string]any{}
				for _, item := range (oracle{world: w}).list(f) {
					listed[item["id"].(string)] = item
				}
				seen.add(len(listed), len(oracle{world: w}.candidates(resource)))
				for _, id := range ids {
					got := g.get("grant-1", resource, id)
					if want, is := listed[id]; is {
						sameRows(t, "the row "+id+" of "+describe(f), []map[string]any{got.item(t)}, []map[string]any{want})
						continue
					}
					if notFound == "" {
						notFound = got.String()
						got.refused(t, "a row that does not show", http.StatusNotFound, "not_found")
					}
					if got.String() != notFound {
						t.Fatalf("%q of %s is answered by %v and not by %s", id, describe(f), got, notFound)
					}
				}
			}
		}
	})
	t.Log(&seen)
}

// getInvisible is law 4: every id of the crowded database is asked for in both.
func getInvisible(t *testing.T, open Open) {
	plainDB, crowdedDB, r := open(t), open(t), newRandom(t)
	plain, crowded := newGateway(t, plainDB), newGateway(t, crowdedDB)
	found, hidden := 0, 0
	play(t, 2, func() bool { return found >= 10 && hidden >= 100 }, func() {
		w := newWorld(r, small)
		more, k, subject := w.clone(), randomTerms(r, w), oneOf(r, w.users).id
		addInvisible(r, more, k, subject)
		w.load(t, plainDB)
		more.load(t, crowdedDB)
		plain.grant(t, "grant-1", subject, k)
		crowded.grant(t, "grant-1", subject, k)
		for _, resource := range []string{"tasks", "notes", "memory", "credentials", "api_keys", "nonsense"} {
			for _, id := range append(more.everyID(), r.uuid(), "no uuid") {
				one, other := plain.get("grant-1", resource, id), crowded.get("grant-1", resource, id)
				if one.String() != other.String() {
					t.Fatalf("%s %s tells the databases apart:\n%s\n%s", resource, id, one, other)
				}
				if one.status == http.StatusOK {
					found++
				} else {
					hidden++
				}
			}
		}
	})
	t.Logf("%d rows were found and %d were not, the same in both databases", found, hidden)
}

// hostileIDs is law 5. Native access answers out of memory here, so that whatever the
// database is asked was asked for the id.
func hostileIDs(t *testing.T, open Open) {
	g, e, w := estateGateway(t, open, fillTransaction, func(p *parts) {
		p.Native = nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
			return scope.Access{Allowed: true, Personal: true}, nil
		})
	})
	r := newRandom(t)
	good := w.tasks[0].id
	refusal := g.get("grant-1", "tasks", r.uuid()).String()
	ids := noKeys("abcdefab" + good[8:])
	for range rounds(t, 300) {
		if bad := string(mutate(r, []byte(good))); len(bad) != len(good) {
			ids = append(ids, bad)
		}
	}
	for _, id := range ids {
		if id == "" {
			continue // which is no path of a get
		}
		var got reply
		n := g.db.meter.during(func() { got = g.get("grant-1", "tasks", id) })
		if n != 0 || got.String() != refusal {
			t.Errorf("the id %.200q took %d statements and gave %v", id, n, got)
		}
	}
	if n := g.db.meter.during(func() { g.get("grant-1", "tasks", good).item(t) }); n != 1 {
		t.Errorf("a good id of %s took %d statements", e.subject, n)
	}
}

// getOfBrokenDatabase breaks each statement of a get in turn, and its row.
func getOfBrokenDatabase(t *testing.T, open Open) {
	g, _, w := estateGateway(t, open, fillTransaction)
	ids := map[string]string{"tasks": w.tasks[0].id, "notes": w.notes[0].id, "memory": w.insights[0].id}
	failed := 0
	try := func(what string, tm func() *tamper) {
		for resource, id := range ids {
			for _, id := range []string{id, "05000000-0000-4000-8000-000000000000"} {
				g.db.meter.tamper.Store(tm())
				got := g.get("grant-1", resource, id)
				g.db.meter.tamper.Store(nil)
				got.noPage(t, what, 500, 503)
				failed++
			}
		}
	}
	try("a database that breaks at a statement", func() *tamper {
		return &tamper{before: func(context.Context, string) error { return errCanary }}
	})
	try("a database that breaks at a row", func() *tamper {
		return &tamper{row: func(int) error { return errCanary }}
	})
	if failed != 12 {
		t.Errorf("%d requests failed", failed)
	}
}
