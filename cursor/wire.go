package cursor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A token is the unpadded base64url (RFC 4648, section 5) of
//
//	sealed  version form key-id nonce encrypted(payload) tag
//	signed  version form key-id payload tag
//	plain   version form payload
//
// and a payload is the digest of the binding, the expiry, and the fields. The
// digest covers the layout, so the payload names no types and has no lengths
// but those of texts. Everything before the payload is authenticated.
const (
	version   = 1
	prefixLen = 2 // version and form
	keyIDLen  = 4
	headerLen = prefixLen + keyIDLen
	nonceLen  = 12
	tagLen    = 16
)

// The expiry is written like a field, ahead of them: it is the first instant
// at which the token is refused, or null.
var expiryField = Field{Kind: KindTime, Nullable: true}

// The byte before the value of a nullable field.
const (
	absent  = 0
	present = 1
)

// The bounds of an instant in seconds since 1970: the years 1 to 9999, which
// Postgres, RFC 3339 and encoding/json all can express.
var (
	firstSecond = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	lastSecond  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
)

// What is wrong with a value that cannot be encoded.
var (
	errNull        = errors.New("null in a field that is not nullable")
	errNanoseconds = errors.New("a time finer than a microsecond")
	errYear        = errors.New("a time outside the years 1 to 9999")
	errText        = errors.New("a text that is not UTF-8, or holds a NUL")
	errMember      = errors.New("an index that is no member of the enumeration")
	errLength      = errors.New("the token would be too long")
)

// errBytes says that bytes are not the one encoding of a value of the field.
var errBytes = errors.New("not the encoding of a value")

// appendPayload writes a position. It stops as soon as the result, without
// what encloses it, is longer than limit.
func (b Binding) appendPayload(dst []byte, expiry Value, p Position, limit int) ([]byte, error) {
	if len(p) != len(b.fields) {
		return nil, fmt.Errorf("%w: %d values for %d fields", ErrUnencodable, len(p), len(b.fields))
	}
	dst = append(dst, b.digest[:]...)
	dst, err := expiryField.append(dst, expiry)
	if err != nil {
		return nil, fmt.Errorf("%w: expiry: %w", ErrUnencodable, err)
	}
	for i, v := range p {
		if len(dst)+len(v.text) > limit {
			return nil, fmt.Errorf("%w: %w", ErrUnencodable, errLength)
		}
		if dst, err = b.fields[i].append(dst, v); err != nil {
			return nil, fmt.Errorf("%w: field %d: %w", ErrUnencodable, i, err)
		}
	}
	return dst, nil
}

// Check returns an error that matches [ErrUnencodable] if p is not a position
// of the layout: one that its caller did not get from [Codec.Decode] or from a
// row. A position without error may still be too long for a codec.
func (l Layout) Check(p Position) error {
	if len(p) != len(l.fields) {
		return fmt.Errorf("%w: %d values for %d fields", ErrUnencodable, len(p), len(l.fields))
	}
	var room [64]byte
	for i, v := range p {
		if _, err := l.fields[i].append(room[:0], v); err != nil {
			return fmt.Errorf("%w: field %d: %w", ErrUnencodable, i, err)
		}
	}
	return nil
}

// parsePosition reads the fields of a payload, and nothing after them.
func (b Binding) parsePosition(src []byte) (Position, error) {
	p := make(Position, len(b.fields))
	var err error
	for i, f := range b.fields {
		if p[i], src, err = f.parse(src); err != nil {
			return nil, fmt.Errorf("%w: field %d (%s): %w", ErrMalformed, i, f.Kind, err)
		}
	}
	if len(src) != 0 {
		return nil, fmt.Errorf("%w: %d bytes after the last field", ErrMalformed, len(src))
	}
	return p, nil
}

// append writes v, which must be a value of the field.
func (f Field) append(dst []byte, v Value) ([]byte, error) {
	if v.kind == KindNull {
		if !f.Nullable {
			return nil, errNull
		}
		return append(dst, absent), nil
	}
	if v.kind != f.Kind {
		return nil, fmt.Errorf("a value of kind %s where the layout has %s", v.kind, f.Kind)
	}
	if f.Nullable {
		dst = append(dst, present)
	}
	switch f.Kind {
	case KindTime:
		return appendTime(dst, v)
	case KindText:
		return appendText(dst, v.text)
	case KindInt64:
		return binary.AppendVarint(dst, int64(v.lo)), nil
	case KindUUID:
		dst = binary.BigEndian.AppendUint64(dst, v.hi)
		return binary.BigEndian.AppendUint64(dst, v.lo), nil
	default:
		return f.appendMember(dst, v)
	}
}

// parse reads one value and returns what follows it.
func (f Field) parse(src []byte) (v Value, rest []byte, err error) {
	if f.Nullable {
		if len(src) == 0 || src[0] > present {
			return Value{}, nil, errBytes
		}
		mark := src[0]
		src = src[1:]
		if mark == absent {
			return Value{}, src, nil
		}
	}
	switch f.Kind {
	case KindTime:
		return parseTime(src)
	case KindText:
		return parseText(src)
	case KindInt64:
		return parseInt64(src)
	case KindUUID:
		return parseUUID(src)
	default:
		return f.parseMember(src)
	}
}

func appendTime(dst []byte, v Value) ([]byte, error) {
	if v.lo%uint64(time.Microsecond) != 0 {
		return nil, errNanoseconds
	}
	if !validSecond(int64(v.hi)) {
		return nil, errYear
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v.Time().UnixMicro())), nil
}

func parseTime(src []byte) (Value, []byte, error) {
	if len(src) < 8 {
		return Value{}, nil, errBytes
	}
	v := TimeValue(time.UnixMicro(int64(binary.BigEndian.Uint64(src))))
	if !validSecond(int64(v.hi)) {
		return Value{}, nil, errYear
	}
	return v, src[8:], nil
}

func validSecond(unix int64) bool { return firstSecond <= unix && unix <= lastSecond }

func appendText(dst []byte, s string) ([]byte, error) {
	if !validText(s) {
		return nil, errText
	}
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...), nil
}

func parseText(src []byte) (Value, []byte, error) {
	length, src, err := parseUvarint(src)
	if err != nil {
		return Value{}, nil, err
	}
	if length > uint64(len(src)) {
		return Value{}, nil, errBytes
	}
	s := string(src[:length])
	if !validText(s) {
		return Value{}, nil, errText
	}
	return TextValue(s), src[length:], nil
}

// validText tells whether Postgres can hold s in a column of type text.
func validText(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

func parseInt64(src []byte) (Value, []byte, error) {
	zigzag, rest, err := parseUvarint(src)
	if err != nil {
		return Value{}, nil, err
	}
	return Int64Value(int64(zigzag>>1) ^ -int64(zigzag&1)), rest, nil
}

// parseUvarint reads the shortest encoding only: a varint that ends in a zero
// byte has a shorter one, and would be a second spelling of the same token.
func parseUvarint(src []byte) (uint64, []byte, error) {
	n, size := binary.Uvarint(src)
	if size <= 0 || size > 1 && src[size-1] == 0 {
		return 0, nil, errBytes
	}
	return n, src[size:], nil
}

func parseUUID(src []byte) (Value, []byte, error) {
	if len(src) < len(UUID{}) {
		return Value{}, nil, errBytes
	}
	return UUIDValue(UUID(src[:16])), src[16:], nil
}

func (f Field) appendMember(dst []byte, v Value) ([]byte, error) {
	if v.lo >= uint64(f.Members) {
		return nil, errMember
	}
	return append(dst, byte(v.lo)), nil
}

func (f Field) parseMember(src []byte) (Value, []byte, error) {
	if len(src) == 0 || int(src[0]) >= f.Members {
		return Value{}, nil, errBytes
	}
	return EnumValue(int(src[0])), src[1:], nil
}
