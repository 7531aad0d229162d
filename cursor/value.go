package cursor

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
)

// Kind is the type of a field and of the value in it. The numbers are part of
// every token's binding, so they never change their meaning.
type Kind uint8

// The kinds of values. KindNull is the kind of a value only, never of a field.
const (
	KindNull  Kind = iota
	KindTime       // an instant, exact to the microsecond, in the years 1 to 9999
	KindText       // UTF-8 without NUL
	KindInt64      // a signed integer of 64 bits
	KindUUID       // 16 bytes
	KindEnum       // one of up to 256 members, known by their index
)

// String returns the kind's name in lower case, such as "time".
func (k Kind) String() string {
	names := [...]string{"null", "time", "text", "int64", "uuid", "enum"}
	if int(k) < len(names) {
		return names[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is one value of a position: an instant, a text, an integer, a UUID,
// the index of an enumeration's member, or null. The zero Value is null.
//
// Values are immutable, and comparable with ==: two values are equal if they
// are of the same kind and hold the same thing; instants are compared as
// instants, whatever their time zones were. A Value holds what it was given,
// exactly; whether that can be encoded is decided by [Codec.Encode].
type Value struct {
	text string
	// Of a time hi and lo are the seconds since 1970 and the nanoseconds, of a
	// UUID its two halves; an integer and an index stand in lo.
	hi, lo uint64
	kind   Kind
}

// Position is the key of the last row of a page: one value per field of the
// order, the tie-breaker last. A nil Position is the start of the list; it
// needs no token and has none.
type Position []Value

// NullValue returns null, which is also the zero Value.
func NullValue() Value { return Value{} }

// TimeValue returns t as a value. The time zone and the monotonic reading are
// dropped, since they are no part of the instant.
func TimeValue(t time.Time) Value {
	return Value{kind: KindTime, hi: uint64(t.Unix()), lo: uint64(t.Nanosecond())}
}

// TextValue returns s as a value.
func TextValue(s string) Value { return Value{kind: KindText, text: s} }

// Int64Value returns n as a value.
func Int64Value(n int64) Value { return Value{kind: KindInt64, lo: uint64(n)} }

// UUIDValue returns u as a value.
func UUIDValue(u UUID) Value {
	return Value{
		kind: KindUUID,
		hi:   binary.BigEndian.Uint64(u[:8]),
		lo:   binary.BigEndian.Uint64(u[8:]),
	}
}

// EnumValue returns the member with index n, counted from 0, as a value.
func EnumValue(n int) Value { return Value{kind: KindEnum, lo: uint64(n)} }

// Kind returns the kind of v.
func (v Value) Kind() Kind { return v.kind }

// Time returns the instant in UTC, or the zero time if v is no time.
func (v Value) Time() time.Time {
	if v.kind != KindTime {
		return time.Time{}
	}
	return time.Unix(int64(v.hi), int64(v.lo)).UTC()
}

// Text returns the text, or "" if v is no text.
func (v Value) Text() string { return v.text }

// Int64 returns the integer, or 0 if v is no integer.
func (v Value) Int64() int64 {
	if v.kind != KindInt64 {
		return 0
	}
	return int64(v.lo)
}

// UUID returns the UUID, or the nil UUID if v is none.
func (v Value) UUID() UUID {
	var u UUID
	if v.kind == KindUUID {
		binary.BigEndian.PutUint64(u[:8], v.hi)
		binary.BigEndian.PutUint64(u[8:], v.lo)
	}
	return u
}

// Enum returns the member's index, or 0 if v is no enumeration.
func (v Value) Enum() int {
	if v.kind != KindEnum {
		return 0
	}
	return int(v.lo)
}

// String describes v for logs and test failures, such as text "a" or null. It
// is no encoding and cannot be read back.
func (v Value) String() string {
	switch v.kind {
	case KindTime:
		return "time " + v.Time().Format(time.RFC3339Nano)
	case KindText:
		return fmt.Sprintf("text %q", v.text)
	case KindInt64:
		return "int64 " + strconv.FormatInt(v.Int64(), 10)
	case KindUUID:
		return "uuid " + v.UUID().String()
	case KindEnum:
		return "enum " + strconv.Itoa(v.Enum())
	}
	return v.kind.String()
}
