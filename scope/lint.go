package scope

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// Warning is a part of a scope that is valid and surely not meant.
type Warning struct {
	// Path leads to it in the canonical JSON of the scope.
	Path string
	// Message says in words what is odd about it.
	Message string
}

// Lint looks for parts of the scope that are valid and surely not meant: a
// resource of which no row can show, a team id with space around it or with
// characters that nobody sees, ids of one filter that differ only by case. It
// is meant for the moment when a person writes a grant; nothing else depends on
// it. The zero Scope has no warnings.
func (s Scope) Lint() []Warning {
	if s.IsZero() {
		return nil
	}
	var warnings []Warning
	for i, resource := range s.contents.resources {
		path := strictjson.MemberPath(filtersMember, resource)
		warnings = append(warnings, s.contents.rules[i].lint(path)...)
	}
	return warnings
}

func (r rule) lint(path string) []Warning {
	var warnings []Warning
	if r.isShut() {
		warnings = append(warnings, Warning{path, "no row can show: the filter allows neither personal rows nor a team"})
	}
	for i, id := range r.teams {
		at := strictjson.ItemPath(strictjson.MemberPath(path, teamsMember), i)
		if id != strings.TrimSpace(id) {
			warnings = append(warnings, Warning{at, fmt.Sprintf("the team id %s has space around it", quoted(id))})
		}
		if strings.ContainsFunc(id, isUnseen) {
			warnings = append(warnings, Warning{at, fmt.Sprintf("the team id %s has characters that nobody sees", quoted(id))})
		}
		folded := func(other string) bool { return strings.EqualFold(id, other) }
		if j := slices.IndexFunc(r.teams[:i], folded); j >= 0 {
			warnings = append(warnings, Warning{at, fmt.Sprintf("the team id %s differs from %s only by case", quoted(id), quoted(r.teams[j]))})
		}
	}
	return warnings
}

// isUnseen reports whether a rune is a control or formatting character. Plain
// spaces inside an id are odd, but everybody sees them.
func isUnseen(r rune) bool {
	return unicode.Is(unicode.C, r)
}
