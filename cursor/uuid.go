package cursor

import (
	"encoding/hex"
	"fmt"
)

// UUID is a universally unique identifier of RFC 9562, in the order of its
// text, which is also the order in which Postgres compares the type uuid. Any
// version and variant is accepted, the nil UUID included.
type UUID [16]byte

// uuidLen is the length of the text form: 32 digits and 4 hyphens.
const uuidLen = 36

// ParseUUID reads the text form 8-4-4-4-12 with digits of either case. It
// refuses every other spelling (braces, urn:uuid:, no hyphens, spaces): what
// is compared as text elsewhere must have one spelling but for case. The UUID
// beside an error is the nil UUID.
func ParseUUID(s string) (UUID, error) {
	if len(s) != uuidLen {
		return UUID{}, fmt.Errorf("cursor: a UUID has %d characters, not %d", uuidLen, len(s))
	}
	if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UUID{}, fmt.Errorf("cursor: %q is not a UUID: its groups are not 8-4-4-4-12", s)
	}
	var u UUID
	digits := readDigits(u[0:4], s[0:8]) | readDigits(u[4:6], s[9:13]) | readDigits(u[6:8], s[14:18]) |
		readDigits(u[8:10], s[19:23]) | readDigits(u[10:16], s[24:36])
	if digits > 15 {
		return UUID{}, fmt.Errorf("cursor: %q is not a UUID: it has other characters than hexadecimal digits", s)
	}
	return u, nil
}

// readDigits fills dst with the bytes that s has two digits each for. It returns the
// bits of all digits, which are more than 15 if one of them is none.
func readDigits(dst []byte, s string) (bits byte) {
	for i := range dst {
		high, low := digitValues[s[2*i]], digitValues[s[2*i+1]]
		dst[i] = high<<4 | low
		bits |= high | low
	}
	return bits
}

// digitValues is the value of each hexadecimal digit, and of anything else more
// than 15. A page of rows has hundreds of UUIDs: to collect their digits for
// encoding/hex takes three times as long.
var digitValues = func() (values [256]byte) {
	for c := range values {
		values[c] = 0xff
	}
	for value, c := range "0123456789abcdef" {
		values[c] = byte(value)
	}
	for value, c := range "ABCDEF" {
		values[c] = byte(10 + value)
	}
	return values
}()

// String returns the text form 8-4-4-4-12 in lower case.
func (u UUID) String() string {
	return string(u.appendText(make([]byte, 0, uuidLen)))
}

// MarshalText returns the same text as String. It never fails.
func (u UUID) MarshalText() ([]byte, error) {
	return u.appendText(make([]byte, 0, uuidLen)), nil
}

// UnmarshalText reads what [ParseUUID] reads. After an error u is unchanged.
func (u *UUID) UnmarshalText(text []byte) error {
	parsed, err := ParseUUID(string(text))
	if err != nil {
		return err
	}
	*u = parsed
	return nil
}

func (u UUID) appendText(dst []byte) []byte {
	dst = append(hex.AppendEncode(dst, u[0:4]), '-')
	dst = append(hex.AppendEncode(dst, u[4:6]), '-')
	dst = append(hex.AppendEncode(dst, u[6:8]), '-')
	dst = append(hex.AppendEncode(dst, u[8:10]), '-')
	return hex.AppendEncode(dst, u[10:16])
}
