package lawtest

import (
	"slices"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

// lawOfRestriction is law 3: what a grant shows is what the grant and native
// access both allow, and a further restriction of either never adds a row.
func lawOfRestriction(t *testing.T, open Open) {
	run(t, open, []trial{
		{"the answer is the intersection of grant and native access", intersection},
		{"a narrower filter shows a part of the rows", narrowerFilter},
		{"a narrower grant shows a part of the rows", narrowerGrant},
		{"the meet of two grants shows what both show", meetOfGrants},
		{"the zero values show nothing", zeroValues},
	})
}

// shown evaluates a grant by the rules, with the store as native access, and
// lists what its filter shows. A denial shows nothing.
func shown(t *testing.T, db DB, sc scope.Scope, subject, resource string) []map[string]any {
	t.Helper()
	s := db.store(t)
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: s, Timeout: time.Minute})
	if err != nil {
		t.Fatalf("the rules: %v", err)
	}
	grant := scope.Grant{ID: "g", Peer: "p", Subject: subject, Scope: sc}
	var rows []map[string]any
	rules.Evaluate(t.Context(), scope.Request{Grant: grant, Resource: resource}).Switch(
		func(d *scope.Denial) {
			if d.Code == scope.CodeNativeUnavailable {
				t.Fatalf("native access fails: %v", d)
			}
		},
		func() {},
		func(f scope.Filter) { rows = walk(t, s, f) },
	)
	return rows
}

func intersection(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	var seen tally
	play(t, 4, seen.bites, func() {
		w := newWorld(r, small)
		w.load(t, db)
		for range 4 {
			k, subject := randomTerms(r, w), oneOf(r, w.users).id
			for _, resource := range append(slices.Clone(resources), "credentials", "api_keys", "nonsense") {
				f, _ := k.filter(w, subject, resource)
				want := oracle{world: w}.list(f)
				if slices.Contains(resources, resource) {
					seen.add(len(want), len(oracle{world: w}.candidates(resource)))
				}
				sameRows(t, resource+" by grant", shown(t, db, k.scope(t), subject, resource), want)
			}
		}
	})
	t.Log(&seen)
}

// within fails the test if a row is among the fewer and not among the more.
func within(t *testing.T, what string, fewer, more []map[string]any) {
	t.Helper()
	known := idsOf(more)
	for _, id := range idsOf(fewer) {
		if !slices.Contains(known, id) {
			t.Fatalf("%s: the row %s came by a restriction", what, id)
		}
	}
}

func narrowerFilter(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	lost := 0
	play(t, 4, func() bool { return lost > 0 }, func() {
		w := newWorld(r, small)
		w.load(t, db)
		s := db.store(t)
		for range 8 {
			wide := randomFilter(r, w, oneOf(r, resources))
			narrow := wide
			if r.chance(50) {
				narrow.Personal = false
			}
			if r.chance(70) {
				narrow.Teams = someOf(r, wide.Teams)
			}
			more, fewer := walk(t, s, wide), walk(t, s, narrow)
			within(t, describe(narrow)+" against "+describe(wide), fewer, more)
			lost += len(more) - len(fewer)
		}
	})
}

func narrowerGrant(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	lost := 0
	play(t, 4, func() bool { return lost > 0 }, func() {
		w := newWorld(r, small)
		w.load(t, db)
		k, subject := randomTerms(r, w), oneOf(r, w.users).id
		before := map[string][]map[string]any{}
		for _, resource := range resources {
			before[resource] = shown(t, db, k.scope(t), subject, resource)
		}
		for range 4 {
			k = k.restricted(r, w)
			if teams := w.teamsOf(subject); len(teams) > 0 && r.chance(30) {
				left := teams[0]
				w.members = slices.DeleteFunc(w.members, func(m member) bool { return m == member{left, subject} })
				db.exec(t, "DELETE FROM team_members WHERE team_id = ? AND user_id = ?", left, subject)
			}
			for _, resource := range resources {
				after := shown(t, db, k.scope(t), subject, resource)
				within(t, resource+" by a narrower grant", after, before[resource])
				lost += len(before[resource]) - len(after)
				before[resource] = after
			}
		}
	})
}

// meetOfGrants compares what the meet of two scopes shows with the rows that
// each of them shows.
func meetOfGrants(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	some := 0
	play(t, 3, func() bool { return some > 0 }, func() {
		w := newWorld(r, small)
		w.load(t, db)
		for range 3 {
			a, b := randomTerms(r, w), randomTerms(r, w)
			subject := oneOf(r, w.users).id
			both, ok := a.scope(t).Meet(b.scope(t))
			if !ok {
				both = scope.Scope{}
			}
			for _, resource := range resources {
				one, other := shown(t, db, a.scope(t), subject, resource), shown(t, db, b.scope(t), subject, resource)
				rows := shown(t, db, both, subject, resource)
				within(t, resource+" by a meet", rows, one)
				within(t, resource+" by a meet", rows, other)
				some += len(rows)
			}
		}
	})
}

// zeroValues asks with what is there before anybody has decided anything.
func zeroValues(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, small)
	w.users = append(w.users, user{""})
	for i := range w.projects {
		if w.projects[i].ownerType == "user" && i%2 == 0 {
			w.projects[i].ownerID = text("")
		}
	}
	for i := range w.insights {
		w.insights[i].userID, w.preferences[i].userID = "", ""
	}
	w.notes[0].userID = ""
	w.load(t, db)
	s := db.store(t)
	for _, resource := range resources {
		if rows := shown(t, db, scope.Scope{}, w.users[0].id, resource); len(rows) > 0 {
			t.Errorf("the zero scope shows %d rows of %s", len(rows), resource)
		}
		if rows := shown(t, db, everything(5).scope(t), "", resource); len(rows) > 0 {
			t.Errorf("a grant of nobody shows %d rows of %s", len(rows), resource)
		}
		for _, f := range []scope.Filter{
			{Resource: resource, Limit: plenty},
			{Resource: resource, Personal: true, Limit: plenty},
			{Resource: resource, Subject: w.users[0].id, Limit: plenty},
		} {
			sameRows(t, describe(f), walk(t, s, f), nil)
			sameRows(t, describe(f)+" by the oracle", oracle{world: w}.list(f), nil)
		}
		// Teams without a subject are no filter that a grant can lead to. What it
		// shows may be less than its teams', and never personal.
		f := scope.Filter{Resource: resource, Personal: true, Teams: slices.Sorted(slices.Values(w.teamIDs())), Limit: plenty}
		within(t, describe(f), walk(t, s, f), oracle{world: w}.list(f))
	}
	(scope.Decision{}).Switch(
		func(*scope.Denial) {},
		func() { t.Error("the zero decision lets a request through to nothing") },
		func(f scope.Filter) { t.Errorf("the zero decision gives the filter %s", describe(f)) },
	)
}
