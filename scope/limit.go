package scope

import "strconv"

// maxLimit is the largest integer that every JSON implementation reads exactly
// (RFC 8259, section 6).
const maxLimit = 1<<53 - 1

// Limit is how many rows a page was asked to have. The zero Limit stands for a
// request that did not say: it gets the cap of its scope. A limit above the cap
// is clamped to it.
type Limit struct {
	rows    int64
	invalid bool
}

// ParseLimit reads a limit in canonical decimal: the digits of 1 to 2^53-1,
// without sign, space, fraction, exponent, leading zero or other base. Any
// other text, "" included, gives an invalid Limit, which Evaluate refuses in
// its turn: a peer that was not granted a resource does not learn from the order
// of refusals whether its limit was good.
func ParseLimit(text string) Limit {
	rows, ok := plainInteger(text, maxLimit)
	return Limit{rows: rows, invalid: !ok}
}

// clamp returns the number of rows to read, or false for an invalid limit.
func (l Limit) clamp(cap int) (int, bool) {
	switch {
	case l.invalid:
		return 0, false
	case l.rows == 0 || l.rows > int64(cap):
		return cap, true
	}
	return int(l.rows), true
}

// String describes the limit for logs.
func (l Limit) String() string {
	switch {
	case l.invalid:
		return "invalid"
	case l.rows == 0:
		return "not asked"
	}
	return strconv.FormatInt(l.rows, 10)
}

// plainInteger reads the canonical decimal digits of 1 to most. It does not use
// strconv.ParseInt, which accepts signs and leading zeros.
func plainInteger(text string, most int64) (int64, bool) {
	if text == "" || len(text) > 16 || text[0] == '0' {
		return 0, false
	}
	var n int64
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, n <= most
}
