// Package imports holds fedkit to its own import rules: a host that uses one package
// must not pay for what the others need.
package imports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Package is a package of a build, as `go list -json` describes it.
type Package struct {
	ImportPath string
	Standard   bool     // part of the standard library
	Imports    []string // the packages it imports, without those of its tests
}

// Rule says what a package may depend on, directly or through others, beside the
// standard library.
type Rule struct {
	Package string
	// Allowed are import paths; each of them allows what lies below it, too.
	Allowed []string
	// Forbidden are packages of the standard library that are not allowed.
	Forbidden []string
}

// Violation is a dependency that a rule does not allow.
type Violation struct {
	// Chain are the import paths on the shortest way from the package of the rule to
	// the dependency; both stand in it.
	Chain []string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s must not depend on %s: %s", v.Chain[0], v.Chain[len(v.Chain)-1], strings.Join(v.Chain, " imports "))
}

// Check returns the violations of a rule in a build, ordered by dependency. What is
// reached only through a violation is not reported again. The build must hold the
// rule's package and all that it depends on; an error names what is not there.
func Check(build []Package, rule Rule) ([]Violation, error) {
	byPath := make(map[string]Package, len(build))
	for _, p := range build {
		byPath[p.ImportPath] = p
	}
	var violations []Violation
	chains := [][]string{{rule.Package}} // still to look at, shortest first
	seen := map[string]bool{rule.Package: true}
	for len(chains) > 0 {
		chain := chains[0]
		chains = chains[1:]
		p, ok := byPath[chain[len(chain)-1]]
		if !ok {
			return nil, fmt.Errorf("the build does not hold %s", strings.Join(chain, ", imported by "))
		}
		if len(chain) > 1 && !rule.allows(p) {
			violations = append(violations, Violation{chain})
			continue
		}
		for _, path := range p.Imports {
			if path == "C" || seen[path] { // C is cgo's and no package
				continue
			}
			seen[path] = true
			chains = append(chains, append(slices.Clip(chain), path))
		}
	}
	slices.SortFunc(violations, func(a, b Violation) int {
		return cmp.Compare(a.Chain[len(a.Chain)-1], b.Chain[len(b.Chain)-1])
	})
	return violations, nil
}

func (r Rule) allows(p Package) bool {
	if p.Standard {
		return !slices.Contains(r.Forbidden, p.ImportPath)
	}
	return slices.ContainsFunc(r.Allowed, func(allowed string) bool {
		return p.ImportPath == allowed || strings.HasPrefix(p.ImportPath, allowed+"/")
	})
}
