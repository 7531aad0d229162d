package scope

import "slices"

// Filter is what a request may read: rows of Resource that the subject owns, if
// Personal, and rows that one of Teams owns, at most Limit of them. The zero
// Filter shows nothing.
//
// The Filter of a Decision shares its Teams with every other Filter of the same
// Decision: do not change them.
type Filter struct {
	Resource string
	Subject  string
	Personal bool
	Teams    []string // ascending, without duplicates
	Limit    int
}

// Empty reports whether the filter cannot show any row, whatever the rows are.
func (f Filter) Empty() bool {
	return !isSome(f.Subject) || !f.Personal && !slices.ContainsFunc(f.Teams, isSome)
}

// Facts are what decides whether a row of the filter's resource shows.
type Facts struct {
	// Users and Teams are the owners: the users who own the row (or what it
	// belongs to) personally, and the teams that do.
	Users, Teams []string
	// Private marks a row that shows to its Author only, whoever owns it.
	Private bool
	Author  string
}

// Allows reports whether the row may show. It is the reference that statements
// built from a Filter are tested against: an owner has to match, and a private
// row has to be the subject's own besides. An empty id matches nothing, since
// it stands for no owner and no author, and nothing shows to nobody: a filter
// without a subject has lost it somewhere.
func (f Filter) Allows(row Facts) bool {
	if !isSome(f.Subject) {
		return false
	}
	owned := f.Personal && slices.Contains(row.Users, f.Subject) ||
		slices.ContainsFunc(row.Teams, f.hasTeam)
	return owned && (!row.Private || row.Author == f.Subject)
}

// hasTeam does not rely on the order of Teams: a Filter may be written by hand.
func (f Filter) hasTeam(team string) bool {
	return isSome(team) && slices.Contains(f.Teams, team)
}

func isSome(id string) bool { return id != "" }
