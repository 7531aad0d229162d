package cursor

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// maxMembers is how many members an enumeration may have: its index is one
// byte in a token.
const maxMembers = 256

// Field describes one value of a layout's positions.
type Field struct {
	Kind Kind

	// Nullable says that the value may be null.
	Nullable bool

	// Members is the number of members of a KindEnum, 1 to 256; their
	// indexes are 0 to Members-1. It is 0 for every other kind.
	Members int
}

// Layout names an order of rows and says of what kinds its positions are. It
// is immutable; the zero Layout has no field, and a Binding made of it refuses
// everything.
type Layout struct {
	fields      []Field
	fingerprint [sha256.Size]byte
}

// NewLayout returns the layout of an order. The text order names the order and
// its version, such as "tasks created_at desc, id desc; v1"; it takes part in
// every binding and never stands in a token, so it may be of any length. Who
// changes the meaning of an order changes its text, and the tokens that are
// out there are refused with ErrMismatch instead of being misread.
//
// The order must have a text and at least one field, and the last fields
// should be the tie-breaker that makes each position unique: the layout cannot
// know whether they do.
func NewLayout(order string, fields ...Field) (Layout, error) {
	if order == "" {
		return Layout{}, errors.New("cursor: a layout needs the name of its order")
	}
	if len(fields) == 0 {
		return Layout{}, fmt.Errorf("cursor: the order %q has no field", order)
	}
	for i, f := range fields {
		if err := f.check(); err != nil {
			return Layout{}, fmt.Errorf("cursor: field %d of the order %q: %w", i, order, err)
		}
	}
	return Layout{fields: slices.Clone(fields), fingerprint: layoutFingerprint(order, fields)}, nil
}

func (f Field) check() error {
	if f.Kind == KindNull || f.Kind > KindEnum {
		return fmt.Errorf("the kind %s is not the kind of a field", f.Kind)
	}
	if f.Kind != KindEnum && f.Members != 0 {
		return fmt.Errorf("the kind %s has no members", f.Kind)
	}
	if f.Kind == KindEnum && (f.Members < 1 || f.Members > maxMembers) {
		return fmt.Errorf("an enumeration has 1 to %d members, not %d", maxMembers, f.Members)
	}
	return nil
}

// layoutFingerprint hashes everything that decides how a token is read. Every
// part has a fixed length or is preceded by its length, so that no two layouts
// write the same bytes.
func layoutFingerprint(order string, fields []Field) [sha256.Size]byte {
	b := []byte("fedkit cursor layout v1\n")
	b = appendHashText(b, order)
	b = binary.AppendUvarint(b, uint64(len(fields)))
	for _, f := range fields {
		b = append(b, byte(f.Kind), nullability(f.Nullable))
		b = binary.AppendUvarint(b, uint64(f.Members))
	}
	return sha256.Sum256(b)
}

func nullability(nullable bool) byte {
	if nullable {
		return 1
	}
	return 0
}
