package scope

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// The members of a scope and of a filter.
const (
	resourcesMember = "resources"
	excludedMember  = "excluded_resources"
	filtersMember   = "filters"
	capMember       = "max_rows_per_query"
	teamsMember     = "include_teams"
	personalMember  = "include_personal"
)

// Parse reads the stored JSON of a grant scope:
//
//	{"resources": ["tasks", "notes"],
//	 "excluded_resources": ["credentials"],
//	 "filters": {"tasks": {"include_teams": ["t1"], "include_personal": false}},
//	 "max_rows_per_query": 100}
//
// The first and the last member are required. Resources has 1 to 256 names of
// the registry, none of which may be excluded as well. A filter narrows one of
// the resources: include_teams to these teams (absent: every team that native
// access allows; []: none) and include_personal, if false, to rows of teams. The
// cap is an integer from 1 to 10000 in plain digits.
//
// Whatever could widen a grant unnoticed is refused: a member that is unknown,
// is there twice or is written in another case, a null, a name or an id that is
// listed twice, text after the value, a byte order mark, strings that are not
// UTF-8, more than 1 MiB. Every error is a *[ParseError], and the Scope beside
// it is the zero Scope.
func Parse(reg Registry, text []byte) (Scope, error) {
	if len(text) > maxText {
		return Scope{}, &ParseError{Offset: maxText, Reason: fmt.Sprintf("the text has %d bytes, more than %d", len(text), maxText)}
	}
	root, err := strictjson.Decode(text)
	if err != nil {
		return Scope{}, syntaxError(err)
	}
	c, err := reader{reg}.contents(node{Value: root})
	if err != nil {
		return Scope{}, err
	}
	return seal(c), nil
}

func syntaxError(err error) error {
	var syntax *strictjson.Error
	if errors.As(err, &syntax) {
		return &ParseError{Path: syntax.Path, Offset: syntax.Offset, Reason: syntax.Reason}
	}
	return &ParseError{Reason: err.Error()}
}

// reader turns the tree of a text into contents.
type reader struct {
	registry Registry
}

func (r reader) contents(root node) (*contents, error) {
	members, err := root.members(resourcesMember, excludedMember, filtersMember, capMember)
	if err != nil {
		return nil, err
	}
	for _, required := range []string{resourcesMember, capMember} {
		if _, ok := members[required]; !ok {
			return nil, root.fail("the member %q is missing", required)
		}
	}
	c := &contents{}
	if c.resources, err = r.resources(members[resourcesMember]); err != nil {
		return nil, err
	}
	if excluded, ok := members[excludedMember]; ok {
		if c.excluded, err = r.excluded(excluded, c.resources); err != nil {
			return nil, err
		}
	}
	if c.rules, err = r.rules(members, c.resources); err != nil {
		return nil, err
	}
	c.maxRows, err = rowCap(members[capMember])
	return c, err
}

func (r reader) resources(list node) ([]string, error) {
	names, err := list.strings(maxNames, r.checkName)
	if err == nil && len(names) == 0 {
		err = list.fail("at least one resource must be granted")
	}
	slices.Sort(names)
	return names, err
}

func (r reader) excluded(list node, granted []string) ([]string, error) {
	names, err := list.strings(maxNames, func(name string) string {
		if _, both := slices.BinarySearch(granted, name); both {
			return fmt.Sprintf("the resource %q is granted and excluded", name)
		}
		return r.checkName(name)
	})
	slices.Sort(names)
	return names, err
}

// checkName returns what is wrong with a resource name, or "".
func (r reader) checkName(name string) string {
	switch {
	case r.registry.Contains(name):
		return ""
	case isResourceName(name):
		return fmt.Sprintf("this host has no resource %q", name)
	}
	return quoted(name) + " is no resource name"
}

// rules returns the rule of each resource, in their order.
func (r reader) rules(members map[string]node, resources []string) ([]rule, error) {
	rules := slices.Repeat([]rule{openRule()}, len(resources))
	filters, ok := members[filtersMember]
	if !ok {
		return rules, nil
	}
	if err := filters.want(strictjson.Object); err != nil {
		return nil, err
	}
	for _, m := range filters.Members {
		i, granted := slices.BinarySearch(resources, m.Name)
		if !granted {
			return nil, filters.member(m).failAt(m.Offset, "%s has a filter and is not among the granted resources", quoted(m.Name))
		}
		rule, err := readRule(filters.member(m))
		if err != nil {
			return nil, err
		}
		rules[i] = rule
	}
	return rules, nil
}

func readRule(filter node) (rule, error) {
	r := openRule()
	members, err := filter.members(teamsMember, personalMember)
	if err != nil {
		return rule{}, err
	}
	if teams, ok := members[teamsMember]; ok {
		r.allTeams = false
		if r.teams, err = teams.strings(maxTeams, checkTeam); err != nil {
			return rule{}, err
		}
		slices.Sort(r.teams)
	}
	if personal, ok := members[personalMember]; ok {
		if err := personal.want(strictjson.Bool); err != nil {
			return rule{}, err
		}
		r.personal = personal.Text == "true"
	}
	return r, nil
}

// checkTeam returns what is wrong with a team id, or "".
func checkTeam(id string) string {
	switch runes := utf8.RuneCountInString(id); {
	case runes == 0:
		return "a team id must not be empty"
	case runes > maxIDRunes:
		return fmt.Sprintf("a team id of %d characters is longer than %d", runes, maxIDRunes)
	}
	return ""
}

func rowCap(n node) (int, error) {
	if err := n.want(strictjson.Number); err != nil {
		return 0, err
	}
	rows, ok := plainInteger(n.Text, maxCap)
	if !ok {
		return 0, n.fail("the cap must be an integer from 1 to %d in plain digits, not %s", maxCap, strictjson.Shorten(n.Text))
	}
	return int(rows), nil
}
