package cursor

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
)

// digestLen is how much of the SHA-256 of a binding a token carries. A prefix
// of 128 bits is enough: the digest stands inside the authenticated part, and
// whoever found two queries with one digest could only use their own token of
// the one for the other.
const digestLen = 16

// Query is what a token is bound to, beside the layout. Two queries are the
// same if they may continue each other's pages.
//
// What may change from page to page has no place in it: neither the limit nor
// the membership of teams, which is evaluated afresh for each page.
type Query struct {
	// Resource, Grant and Subject say which rows are listed, under which
	// grant and on behalf of whom. They are compared byte by byte.
	Resource, Grant, Subject string

	// Scope is the hash of the grant's scope.
	Scope [32]byte

	// Filters are the caller's own conditions. Each is a set: neither order
	// nor repetition of its values counts. A filter without values is
	// another query than no such filter.
	Filters map[string][]string
}

// Binding ties tokens to one layout and one query. It is immutable and may be
// kept and used by several goroutines. The zero Binding belongs to no query:
// with it nothing is encoded, and no token decodes.
type Binding struct {
	fields []Field
	digest [digestLen]byte
}

// Bind returns the binding of q. It keeps nothing of q.
func (l Layout) Bind(q Query) Binding {
	if len(l.fields) == 0 {
		return Binding{}
	}
	var most [512]byte // holds nearly every query without an allocation
	b := append(most[:0], "fedkit cursor binding v1\n"...)
	b = append(b, l.fingerprint[:]...)
	b = appendHashText(b, q.Resource)
	b = appendHashText(b, q.Grant)
	b = appendHashText(b, q.Subject)
	b = append(b, q.Scope[:]...)
	b = appendHashFilters(b, q.Filters)
	sum := sha256.Sum256(b)
	return Binding{fields: l.fields, digest: [digestLen]byte(sum[:digestLen])}
}

func (b Binding) isZero() bool { return len(b.fields) == 0 }

func appendHashFilters(b []byte, filters map[string][]string) []byte {
	b = binary.AppendUvarint(b, uint64(len(filters)))
	if len(filters) == 0 {
		return b
	}
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		set := slices.Clone(filters[name])
		slices.Sort(set)
		set = slices.Compact(set)
		b = appendHashText(b, name)
		b = binary.AppendUvarint(b, uint64(len(set)))
		for _, value := range set {
			b = appendHashText(b, value)
		}
	}
	return b
}

// appendHashText writes s after its length: "ab" before "c" must not hash like
// "a" before "bc".
func appendHashText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
