package scope

import "slices"

// rule says whose rows of one resource are granted. The zero rule grants none,
// so that a rule that somebody forgot to fill shows nothing.
type rule struct {
	personal bool
	allTeams bool
	teams    []string // ascending, without duplicates; nil if allTeams
}

// openRule is the rule of a resource without a filter.
func openRule() rule { return rule{personal: true, allTeams: true} }

func (r rule) isOpen() bool { return r.personal && r.allTeams }

func (r rule) isShut() bool { return !r.personal && !r.allTeams && len(r.teams) == 0 }

// contains reports whether r grants every row that o grants.
func (r rule) contains(o rule) bool {
	if o.personal && !r.personal {
		return false
	}
	return r.allTeams || !o.allTeams && isSubset(o.teams, r.teams)
}

// meet returns the rule that grants what both grant.
func (r rule) meet(o rule) rule {
	met := rule{personal: r.personal && o.personal}
	switch {
	case r.allTeams:
		met.allTeams, met.teams = o.allTeams, o.teams
	case o.allTeams:
		met.teams = r.teams
	default:
		met.teams = intersection(r.teams, o.teams)
	}
	return met
}

// admit returns, in a slice of its own and in ascending order, those of the
// given teams whose rows the rule grants.
func (r rule) admit(teams []string) []string {
	if r.allTeams {
		return ascending(slices.Clone(teams))
	}
	admitted := make([]string, 0, min(len(teams), len(r.teams)))
	next := 0 // in r.teams: where to look first, as native's teams often have the same order
	for _, team := range teams {
		if next < len(r.teams) && r.teams[next] == team {
			admitted = append(admitted, team)
			next++
		} else if i, found := slices.BinarySearch(r.teams, team); found {
			admitted = append(admitted, team)
			next = i + 1
		}
	}
	return ascending(admitted)
}

// ascending sorts the list in place and drops duplicates.
func ascending(list []string) []string {
	if !slices.IsSorted(list) {
		slices.Sort(list)
	}
	return slices.Compact(list)
}

// isSubset reports whether every element of a is in b. Both are ascending.
func isSubset(a, b []string) bool {
	for _, s := range a {
		i, found := slices.BinarySearch(b, s)
		if !found {
			return false
		}
		b = b[i+1:]
	}
	return true
}

// intersection returns what is in both. Both are ascending.
func intersection(a, b []string) []string {
	var both []string
	for _, s := range a {
		i, found := slices.BinarySearch(b, s)
		if found {
			both = append(both, s)
		}
		b = b[i:]
	}
	return both
}

// union returns what is in one or in both, ascending.
func union(a, b []string) []string {
	return ascending(slices.Concat(a, b))
}
