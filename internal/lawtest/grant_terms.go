package lawtest

import (
	"maps"
	"slices"

	"github.com/mosaicstack/fedkit/scope"
)

// randomTerms makes the terms of a grant: some resources, some excluded, and for
// some of them a choice of teams and of personal rows. The teams are those of
// the world and one that nobody has heard of.
func randomTerms(r random, w *world) terms {
	k := terms{Filters: map[string]filterTerms{}, Cap: 1 + r.IntN(9)}
	for _, name := range []string{"tasks", "notes", "memory", "credentials", "api_keys"} {
		switch n := r.IntN(10); {
		case n < 7 || (name == "memory" && len(k.Resources) == 0):
			k.Resources = append(k.Resources, name)
		case n < 8:
			k.Excluded = append(k.Excluded, name)
		}
	}
	for _, name := range k.Resources {
		if r.chance(40) {
			continue
		}
		var f filterTerms
		if r.chance(60) {
			teams := someOf(r, append(w.teamIDs(), "unheard-of"))
			if teams == nil {
				teams = []string{}
			}
			f.Teams = &teams
		}
		if r.chance(60) {
			yes := r.chance(60)
			f.Personal = &yes
		}
		k.Filters[name] = f
	}
	return k
}

// filter is the oracle for scope evaluation: what the terms and the world's own
// memberships leave of a resource, and whether the grant names it at all.
func (k terms) filter(w *world, subject, resource string) (scope.Filter, bool) {
	if !slices.Contains(k.Resources, resource) || !slices.Contains(resources, resource) {
		return scope.Filter{}, false
	}
	f := scope.Filter{Resource: resource, Subject: subject, Personal: true, Teams: w.teamsOf(subject), Limit: k.Cap}
	t := k.Filters[resource]
	if t.Personal != nil {
		f.Personal = *t.Personal
	}
	if t.Teams != nil {
		f.Teams = slices.DeleteFunc(f.Teams, func(id string) bool { return !slices.Contains(*t.Teams, id) })
	}
	return f, true
}

// restricted returns terms that differ from k by one more restriction.
func (k terms) restricted(r random, w *world) terms {
	k.Resources, k.Excluded, k.Filters = slices.Clone(k.Resources), slices.Clone(k.Excluded), maps.Clone(k.Filters)
	name := oneOf(r, k.Resources)
	f := k.Filters[name]
	switch r.IntN(5) {
	case 0:
		no := false
		f.Personal = &no
	case 1:
		teams := someOf(r, w.teamIDs())
		if f.Teams != nil {
			teams = someOf(r, *f.Teams)
		}
		if teams == nil {
			teams = []string{}
		}
		f.Teams = &teams
	case 2:
		k.Cap = 1 + r.IntN(k.Cap)
	case 3:
		if len(k.Resources) > 1 {
			k.Resources = slices.DeleteFunc(k.Resources, func(n string) bool { return n == name })
			delete(k.Filters, name)
			return k
		}
	case 4:
		if len(k.Resources) > 1 {
			k.Resources = slices.DeleteFunc(k.Resources, func(n string) bool { return n == name })
			k.Excluded = append(k.Excluded, name)
			delete(k.Filters, name)
			return k
		}
	}
	if k.Filters == nil {
		k.Filters = map[string]filterTerms{}
	}
	k.Filters[name] = f
	return k
}
