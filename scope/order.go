package scope

// Contains reports whether s allows everything that o allows, so that who holds
// s may pass o on: o grants no resource, no row and no longer page that s does
// not grant, and it excludes whatever s excludes. The last part concerns no row;
// it keeps an exclusion in force along a chain of delegations.
//
// Contains is a partial order: scopes that contain each other have equal hashes.
// Every Scope contains the zero Scope.
func (s Scope) Contains(o Scope) bool {
	if o.IsZero() {
		return true
	}
	if s.IsZero() || o.contents.maxRows > s.contents.maxRows || !isSubset(s.contents.excluded, o.contents.excluded) {
		return false
	}
	for i, resource := range o.contents.resources {
		granted, ok := s.contents.rule(resource)
		if !ok || !granted.contains(o.contents.rules[i]) {
			return false
		}
	}
	return true
}

// Meet returns the greatest scope that both s and o contain: what a grant of s
// can pass on to somebody who is to have o at most. Its resources, rows and cap
// are those allowed by both, its exclusions those of either.
//
// Where no resource is left Meet returns the zero Scope and false, and also
// where the result would not fit the limits of Parse (256 exclusions, 1 MiB of
// text), so that every Scope can be stored and read again. A resource whose rows
// have nothing in common stays, and shows no rows.
func (s Scope) Meet(o Scope) (Scope, bool) {
	if s.IsZero() || o.IsZero() {
		return Scope{}, false
	}
	met := &contents{
		excluded: union(s.contents.excluded, o.contents.excluded),
		maxRows:  min(s.contents.maxRows, o.contents.maxRows),
	}
	for i, resource := range s.contents.resources {
		if other, ok := o.contents.rule(resource); ok {
			met.resources = append(met.resources, resource)
			met.rules = append(met.rules, s.contents.rules[i].meet(other))
		}
	}
	if len(met.resources) == 0 || len(met.excluded) > maxNames {
		return Scope{}, false
	}
	sealed := seal(met)
	if len(met.canonical) > maxText {
		return Scope{}, false
	}
	return sealed, true
}
