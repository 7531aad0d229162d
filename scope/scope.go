package scope

import (
	"crypto/sha256"
	"errors"
	"slices"
)

// The limits of a scope, as the published JSON schema gives them.
const (
	maxText    = 1 << 20 // bytes
	maxNames   = 256     // resources, exclusions, filters: each
	maxTeams   = 1024    // in one filter
	maxIDRunes = 255     // in one team id
	maxCap     = 10_000  // rows of a page
)

// ErrInvalid is matched by every refusal of Parse.
var ErrInvalid = errors.New("scope: invalid grant scope")

// Scope is what a grant allows: some resources, for each of them whose rows,
// and how many rows a page may have. It comes from [Parse] or [Scope.Meet].
//
// A Scope is immutable and safe for concurrent use, and cheap to copy. The zero
// Scope allows nothing. Two Scopes allow the same exactly if their Hash is the
// same; do not compare them with ==.
type Scope struct {
	contents *contents // nil in the zero Scope, never written after seal
}

type contents struct {
	resources []string // ascending, at least one
	rules     []rule   // rules[i] belongs to resources[i]
	excluded  []string // ascending, none of them in resources
	maxRows   int      // 1 to maxCap

	canonical []byte
	hash      [sha256.Size]byte
}

// seal makes a Scope of contents that nobody will write to any more.
func seal(c *contents) Scope {
	c.canonical = c.appendJSON(nil)
	c.hash = sha256.Sum256(c.canonical)
	return Scope{c}
}

// IsZero reports whether the scope is the zero Scope.
func (s Scope) IsZero() bool { return s.contents == nil }

// Resources returns the granted resources in ascending order. The slice is the
// caller's.
func (s Scope) Resources() []string {
	if s.IsZero() {
		return nil
	}
	return slices.Clone(s.contents.resources)
}

// Excluded returns the resources that the scope rules out by name, in ascending
// order. The slice is the caller's.
func (s Scope) Excluded() []string {
	if s.IsZero() {
		return nil
	}
	return slices.Clone(s.contents.excluded)
}

// MaxRows returns how many rows one page may have: 1 to 10000, or 0 for the zero
// Scope.
func (s Scope) MaxRows() int {
	if s.IsZero() {
		return 0
	}
	return s.contents.maxRows
}

// Hash returns the SHA-256 of the canonical JSON of MarshalJSON. Texts that mean
// the same give the same hash, whatever their order, their spaces and the
// defaults that they spell out. The hash of the zero Scope is all zeros.
func (s Scope) Hash() [32]byte {
	if s.IsZero() {
		return [32]byte{}
	}
	return s.contents.hash
}

// rule returns whose rows of the resource are granted, or false if none are.
func (c *contents) rule(resource string) (rule, bool) {
	i, granted := slices.BinarySearch(c.resources, resource)
	if !granted {
		return rule{}, false
	}
	return c.rules[i], true
}

func (c *contents) excludes(resource string) bool {
	_, found := slices.BinarySearch(c.excluded, resource)
	return found
}
