package scope_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// rowsOfOwners are the facts of rows with every combination of owners among two
// users and the given teams, private or not.
func rowsOfOwners(teams []string) (rows []scope.Facts) {
	for mask := range 1 << (len(teams) + 2) {
		var f scope.Facts
		for i, user := range []string{"user-1", "user-2"} {
			if mask>>i&1 == 1 {
				f.Users = append(f.Users, user)
			}
		}
		for i, team := range teams {
			if mask>>(i+2)&1 == 1 {
				f.Teams = append(f.Teams, team)
			}
		}
		rows = append(rows, f)
		for _, author := range []string{"user-1", "user-2", ""} {
			f.Private, f.Author = true, author
			rows = append(rows, f)
		}
	}
	return rows
}

// shown is everything a scope shows under a native access: for each resource
// whether it answers with a page, how long that may be, and which rows show.
type shown struct {
	pages map[string]int
	rows  map[string]bool
}

func show(t testing.TB, s scope.Scope, native scope.Access, rows []scope.Facts) shown {
	rules := rulesWith(t, answer(native))
	all := shown{map[string]int{}, map[string]bool{}}
	for _, resource := range scope.Standard().Names() {
		rules.Evaluate(t.Context(), scope.Request{Grant: grantOf(s), Resource: resource}).Switch(
			func(*scope.Denial) {},
			func() { all.pages[resource] = s.MaxRows() },
			func(f scope.Filter) {
				all.pages[resource] = f.Limit
				for i, row := range rows {
					if f.Allows(row) {
						all.rows[fmt.Sprint(resource, i)] = true
					}
				}
			})
	}
	return all
}

// within reports whether o shows all that s shows.
func (s shown) within(o shown) bool {
	for resource, limit := range s.pages {
		if limit > o.pages[resource] {
			return false
		}
	}
	for row := range s.rows {
		if !o.rows[row] {
			return false
		}
	}
	return true
}

func TestAddingARestrictionNeverAddsARow(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	teams := []string{"a", "b", "c"}
	rows := rowsOfOwners(teams)
	fewer, total := 0, 400
	for range total {
		native := scope.Access{Allowed: rng.IntN(8) > 0, Personal: rng.IntN(2) == 0, Teams: randomTeams(rng, teams)}
		d := randomDraft(rng, teams)
		restricted, way := d.restrict(rng, teams)
		wide, narrow := mustParse(t, d.text()), mustParse(t, restricted.text())
		if !wide.Contains(narrow) {
			t.Fatalf("%s does not contain %s, which has %s", canonical(t, wide), canonical(t, narrow), way)
		}
		before, after := show(t, wide, native, rows), show(t, narrow, native, rows)
		if !after.within(before) {
			t.Fatalf("with native access %+v, %s shows more than %s, which lacks %s", native, canonical(t, narrow), canonical(t, wide), way)
		}
		if len(after.rows) < len(before.rows) {
			fewer++
		}
	}
	if fewer < total/10 || fewer > total*9/10 {
		t.Errorf("%d of %d restrictions took rows away: too one-sided to show anything", fewer, total)
	}
}

func TestNothingShowsThatNativeAccessOrTheGrantAloneWouldNotShow(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	teams := []string{"a", "b", "c"}
	rows := rowsOfOwners(teams)
	open := mustParse(t, `{"resources":["api_keys","credentials","memory","notes","tasks"],"max_rows_per_query":10000}`)
	some := 0
	for range 200 {
		native := scope.Access{Allowed: rng.IntN(8) > 0, Personal: rng.IntN(2) == 0, Teams: randomTeams(rng, teams)}
		s := mustParse(t, randomDraft(rng, teams).text())
		got := show(t, s, native, rows)
		if !got.within(show(t, open, native, rows)) {
			t.Fatalf("%s shows more than native access %+v", canonical(t, s), native)
		}
		if !got.within(show(t, s, everything(teams...), rows)) {
			t.Fatalf("with native access %+v, %s shows more than it grants", native, canonical(t, s))
		}
		some += min(1, len(got.rows))
	}
	if some < 50 {
		t.Errorf("only %d of 200 grants show any row: too few to show anything", some)
	}
}

func TestAScopeContainsExactlyTheScopesThatShowNoMoreAndDropNoExclusion(t *testing.T) {
	all := smallUniverse(t)
	rows := rowsOfOwners([]string{"a", "b", "c"})
	rich := everything("a", "b", "c")
	shows := make([]shown, len(all))
	for i, s := range all {
		shows[i] = show(t, s, rich, rows)
	}
	for i, s := range all {
		for j, o := range all {
			want := shows[j].within(shows[i]) && keepsExclusions(s, o)
			if got := s.Contains(o); got != want {
				t.Fatalf("%s contains %s: %t, want %t", canonical(t, s), canonical(t, o), got, want)
			}
		}
	}
}

func keepsExclusions(s, o scope.Scope) bool {
	kept := make(map[string]bool)
	for _, name := range o.Excluded() {
		kept[name] = true
	}
	for _, name := range s.Excluded() {
		if !kept[name] {
			return false
		}
	}
	return true
}
