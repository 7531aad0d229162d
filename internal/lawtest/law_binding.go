package lawtest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// lawOfBinding is law 6.
func lawOfBinding(t *testing.T, open Open) {
	run(t, open, []trial{
		{"to grant, subject, resource and scope", boundCursor},
		{"to the order of the rows", orderBoundCursor},
		{"to keys that are still accepted", keyBoundCursor},
		{"and to nothing that may change from page to page", unboundCursor},
	})
}

// fillThreeEstates gives three subjects rows of one and the same microsecond.
func fillThreeEstates(r random, e estate, w *world) {
	fillTransaction(r, e, w)
	for _, subject := range []string{"user-2", "ser-1"} {
		other := estate{subject: subject, project: r.uuid(), mission: r.uuid()}
		if subject != "user-2" {
			w.users = append(w.users, user{subject})
		}
		w.projects = append(w.projects, project{id: other.project, ownerType: "user", ownerID: &subject})
		w.missions = append(w.missions, mission{other.mission, &other.project, subject})
		fillTransaction(r, other, w)
	}
}

// oneLayout has one and the same layout for tasks and notes, so that nothing but
// the name of the resource is left to tell their cursors apart.
type oneLayout struct{ *listquery.Store }

func (l oneLayout) Layout(string) (cursor.Layout, bool) { return l.Store.Layout("tasks") }

// boundCursor tries every cursor of a family of queries on every other query of
// the family. Each works for its own query and for no other.
func boundCursor(t *testing.T, open Open) {
	g, e, _ := estateGateway(t, open, fillThreeEstates, func(p *parts) { p.Lister = oneLayout{p.Lister.(*listquery.Store)} })
	yes := true
	none := []string{}
	base := scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: e.subject, Revision: 1, Scope: everything(5).scope(t)}
	family := map[string]func(*scope.Grant){
		"itself":                     func(*scope.Grant) {},
		"another grant":              func(v *scope.Grant) { v.ID = "grant-2" },
		"another subject":            func(v *scope.Grant) { v.Subject = "user-2" },
		"grant and subject confused": func(v *scope.Grant) { v.ID, v.Subject = "grant-1u", "ser-1" },
		"another cap":                func(v *scope.Grant) { v.Scope = everything(6).scope(t) },
		"fewer resources":            func(v *scope.Grant) { v.Scope = terms{Resources: []string{"tasks", "notes"}, Cap: 5}.scope(t) },
		"fewer teams": func(v *scope.Grant) {
			v.Scope = terms{Resources: resources, Filters: map[string]filterTerms{"tasks": {Teams: &none}}, Cap: 5}.scope(t)
		},
		"an exclusion": func(v *scope.Grant) {
			v.Scope = terms{Resources: resources, Excluded: []string{"api_keys"}, Cap: 5}.scope(t)
		},
		"the same in other words": func(v *scope.Grant) {
			v.Scope = terms{Resources: []string{"notes", "memory", "tasks"}, Filters: map[string]filterTerms{"tasks": {Personal: &yes}}, Cap: 5}.scope(t)
		},
		"another revision, same terms": func(v *scope.Grant) { v.Revision = 2 },
	}
	alike := []string{"itself", "the same in other words", "another revision, same terms"}
	tokens := map[string]map[string]string{}
	for name, vary := range family {
		grant := base
		vary(&grant)
		g.grants.give(name, grant)
		tokens[name] = map[string]string{}
	}
	for name := range family {
		for _, resource := range []string{"tasks", "notes"} {
			_, tokens[name][resource] = g.list(name, resource, ask(5, "")).page(t)
			if tokens[name][resource] == "" {
				t.Fatalf("the %s of %s have one page only", resource, name)
			}
		}
	}
	for from := range family {
		for to := range family {
			for _, made := range []string{"tasks", "notes"} {
				for _, used := range []string{"tasks", "notes"} {
					due := http.StatusBadRequest
					if made == used && (from == to || slices.Contains(alike, from) && slices.Contains(alike, to)) {
						due = http.StatusOK
					}
					if got := g.list(to, used, ask(0, tokens[from][made])); got.status != due {
						t.Errorf("a cursor of %s for %s used by %s for %s: %v; %d is due", made, from, used, to, got, due)
					}
				}
			}
		}
	}
}

// listerOf is a store that tests may give other rows, orders or errors.
type listerOf struct {
	*listquery.Store
	list func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error)
}

func (l listerOf) List(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	if l.list == nil {
		return l.Store.List(ctx, f, after)
	}
	return l.list(ctx, f, after)
}

// orderBoundCursor serves invoices by two orders of the same kinds of values. A
// cursor of one must not be read as a position in the other.
func orderBoundCursor(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	db.insert(t, user{"user-1"})
	invoices(t, db, r, 80)
	registry, err := scope.NewRegistry("invoices")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scope.Parse(registry, []byte(`{"resources":["invoices"],"max_rows_per_query":2}`))
	if err != nil {
		t.Fatal(err)
	}
	gateways, tokens := map[string]gateway{}, map[string]string{}
	for name, o := range map[string]invoiceOrder{
		"cents up, number":   {orderBy: []string{"cents"}, key: "number", ascending: true},
		"cents down, number": {orderBy: []string{"cents"}, key: "number"},
		"number up":          {key: "number", ascending: true},
		"number down":        {key: "number"},
	} {
		s := db.storeOf(t, db.SQL, listquery.Schema{}, defineInvoices(t, db, o))
		g := newGateway(t, db, func(p *parts) { p.Lister, p.Native, p.Registry = s, s, registry })
		g.grants.give("grant-1", scope.Grant{ID: "grant-1", Subject: "user-1", Scope: sc})
		if _, tokens[name] = g.list("grant-1", "invoices", "").page(t); tokens[name] == "" {
			t.Fatalf("the invoices by %s have one page only", name)
		}
		gateways[name] = g
	}
	for from, token := range tokens {
		for to, g := range gateways {
			got := g.list("grant-1", "invoices", ask(0, token))
			if due := from == to; (got.status == http.StatusOK) != due {
				t.Errorf("a cursor of the order %s in the order %s: %v", from, to, got)
			}
		}
	}
}

// keyBoundCursor rotates the keys under a walk.
func keyBoundCursor(t *testing.T, open Open) {
	ring, err := cursor.NewKeyring(lawKey)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := cursor.New(cursor.Config{Keys: ring})
	if err != nil {
		t.Fatal(err)
	}
	g, _, _ := estateGateway(t, open, fillTransaction, func(p *parts) { p.Cursors = codec })
	_, old := g.list("grant-1", "tasks", ask(5, "")).page(t)
	fresh := bytes.Repeat([]byte("a fresh key "), 4)
	for _, step := range []struct {
		do    func([]byte) error
		key   []byte
		works bool
	}{{ring.Accept, fresh, true}, {ring.Promote, fresh, true}, {ring.Retire, lawKey, false}} {
		if err := step.do(step.key); err != nil {
			t.Fatal(err)
		}
		if got := g.list("grant-1", "tasks", ask(5, old)); (got.status == http.StatusOK) != step.works {
			t.Errorf("while its key is accepted: %t, the cursor gives %v", step.works, got)
		}
	}
	if _, next := g.list("grant-1", "tasks", ask(5, "")).page(t); next == old {
		t.Error("a new key makes the cursors of the old one")
	}
}

// unboundCursor changes what may change: the limit on every page, teams, a
// handler that was started afresh, the peer's headers.
func unboundCursor(t *testing.T, open Open) {
	db, _, th, _ := openTheatre(t, open, 30)
	g := newGateway(t, db)
	g.grant(t, "grant-1", th.subject, everything(20))
	var all []map[string]any
	next := ""
	for i := 0; (i == 0 || next != "") && i < tooMany; i++ {
		var items []map[string]any
		items, next = g.list("grant-1", "tasks", ask(1+i%7, next)).page(t)
		all = append(all, items...)
		if i%2 == 0 {
			db.insert(t, member{th.maybe, th.subject})
		} else {
			db.exec(t, "DELETE FROM team_members WHERE team_id = ? AND user_id = ?", th.maybe, th.subject)
		}
		again := newGateway(t, db)
		again.grant(t, "grant-1", th.subject, everything(20))
		g = again
	}
	th.judge(t, "tasks", 0, all)
}
