package scope

import (
	"fmt"
	"slices"
)

// Registry is the set of resource names that a host knows, granted or not.
// A name outside of it is an error in a stored scope and in a request, so that
// a misspelt name can never mean "everything".
//
// A Registry is immutable and safe for concurrent use. The zero Registry knows
// nothing.
type Registry struct {
	names []string // sorted
}

// NewRegistry returns the registry of the given names. A name is a lower-case
// ASCII letter and up to 63 letters, digits or underscores, as in
// ^[a-z][a-z0-9_]{0,63}$; any other name, and a name given twice, is an error.
func NewRegistry(names ...string) (Registry, error) {
	sorted := slices.Sorted(slices.Values(names))
	for i, name := range sorted {
		if !isResourceName(name) {
			return Registry{}, fmt.Errorf("scope: %s is no resource name (want ^[a-z][a-z0-9_]{0,63}$)", quoted(name))
		}
		if i > 0 && name == sorted[i-1] {
			return Registry{}, fmt.Errorf("scope: resource %q is registered twice", name)
		}
	}
	return Registry{names: sorted}, nil
}

// Standard returns the registry of the standard schema: tasks, notes and
// memory, which can be read, and credentials and api_keys, which a grant may
// name (to exclude them, for instance) but which native access has to deny.
func Standard() Registry {
	return Registry{names: []string{"api_keys", "credentials", "memory", "notes", "tasks"}}
}

// Contains reports whether the host knows the name. It compares exactly, and
// never folds case.
func (r Registry) Contains(name string) bool {
	_, found := slices.BinarySearch(r.names, name)
	return found
}

// Names returns the names in ascending order. The slice is the caller's.
func (r Registry) Names() []string {
	return slices.Clone(r.names)
}

// isResourceName is the pattern of NewRegistry by hand: a regexp would be the
// only thing in the package that is compiled at start-up.
func isResourceName(name string) bool {
	if name == "" || len(name) > 64 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}
