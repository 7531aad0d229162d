package scope_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// draft is a scope before it is written as JSON.
type draft struct {
	granted  map[string]draftRule
	excluded []string
	maxRows  int
}

type draftRule struct {
	personal bool
	teams    []string // nil: all
}

// text writes the draft, in an order of the map's choosing.
func (d draft) text() string {
	var names, filters []string
	for name, r := range d.granted {
		names = append(names, name)
		members := []string{fmt.Sprintf(`"include_personal":%t`, r.personal)}
		if r.teams != nil {
			members = append(members, `"include_teams":`+jsonList(r.teams))
		}
		filters = append(filters, fmt.Sprintf(`"%s":{%s}`, name, strings.Join(members, ",")))
	}
	return fmt.Sprintf(`{"resources":%s,"excluded_resources":%s,"filters":{%s},"max_rows_per_query":%d}`,
		jsonList(names), jsonList(d.excluded), strings.Join(filters, ","), d.maxRows)
}

func jsonList(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	return `["` + strings.Join(names, `","`) + `"]`
}

// smallUniverse returns every scope that can be made of two resources, two
// teams and two caps: 280 of them. It is closed under Meet.
func smallUniverse(t testing.TB) []scope.Scope {
	var states []*draftRule // nil and nil again: neither granted nor excluded, and excluded
	states = append(states, nil, nil)
	for _, teams := range [][]string{nil, {}, {"a"}, {"b"}, {"a", "b"}} {
		states = append(states, &draftRule{true, teams}, &draftRule{false, teams})
	}
	var all []scope.Scope
	for i, tasks := range states {
		for j, notes := range states {
			for _, maxRows := range []int{1, 2} {
				d := draft{granted: map[string]draftRule{}, maxRows: maxRows}
				d.put("tasks", tasks, i == 1)
				d.put("notes", notes, j == 1)
				if len(d.granted) > 0 {
					all = append(all, mustParse(t, d.text()))
				}
			}
		}
	}
	return all
}

func (d *draft) put(name string, rule *draftRule, excluded bool) {
	switch {
	case rule != nil:
		d.granted[name] = *rule
	case excluded:
		d.excluded = append(d.excluded, name)
	}
}

// randomDraft returns a draft over the standard names and the given teams.
func randomDraft(rng *rand.Rand, teams []string) draft {
	d := draft{granted: map[string]draftRule{}, maxRows: 1 + rng.IntN(4)}
	for _, name := range scope.Standard().Names() {
		switch rng.IntN(5) {
		case 0:
		case 1:
			d.excluded = append(d.excluded, name)
		default:
			d.granted[name] = draftRule{rng.IntN(4) > 0, randomTeams(rng, teams)}
		}
	}
	if len(d.granted) == 0 {
		d.excluded = nil
		d.granted["tasks"] = draftRule{true, nil}
	}
	return d
}

func randomTeams(rng *rand.Rand, teams []string) []string {
	if rng.IntN(3) == 0 {
		return nil
	}
	some := []string{}
	for _, team := range teams {
		if rng.IntN(2) == 0 {
			some = append(some, team)
		}
	}
	rng.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return some
}

// restrict returns the draft with one restriction more, or the same one if it
// cannot be restricted in the way that was drawn.
func (d draft) restrict(rng *rand.Rand, teams []string) (restricted draft, way string) {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range d.granted {
			if !yield(name) {
				return
			}
		}
	})
	name := names[rng.IntN(len(names))]
	rule := d.granted[name]
	r := draft{granted: map[string]draftRule{}, excluded: slices.Clone(d.excluded), maxRows: d.maxRows}
	for n, rule := range d.granted {
		r.granted[n] = rule
	}
	switch rng.IntN(5) {
	case 0:
		way = "a lower cap"
		r.maxRows = max(1, d.maxRows-1)
	case 1:
		way = "no personal rows of " + name
		r.granted[name] = draftRule{false, rule.teams}
	case 2:
		way = "a list of teams or a shorter one for " + name
		if rule.teams == nil {
			rule.teams = teams
		}
		r.granted[name] = draftRule{rule.personal, rule.teams[min(1, len(rule.teams)):]}
	case 3:
		way = "no " + name
		if len(names) > 1 {
			delete(r.granted, name)
		}
	case 4:
		way = name + " excluded"
		if len(names) > 1 {
			delete(r.granted, name)
			r.excluded = append(r.excluded, name)
		}
	}
	return r, way
}
