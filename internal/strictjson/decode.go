package strictjson

import (
	"fmt"
	"strings"
)

// maxDepth is how many arrays and objects may stand inside one another.
const maxDepth = 32

// Decode reads the single JSON value (RFC 8259) in data. Every error is an
// *Error, and the Value beside it is the zero Value.
//
// It refuses whatever is not JSON, and of what is: a string or a name with a
// lone surrogate escape or with U+FFFD, which is what other readers make of a
// broken string; two members of one name, escapes resolved; more than 32 arrays
// and objects inside one another. Limiting the size of data is the caller's
// part. The strings of the Value share one copy of data.
func Decode(data []byte) (Value, error) {
	d := decoder{text: string(data)}
	if strings.HasPrefix(d.text, "\ufeff") {
		return Value{}, d.fail(0, "a byte order mark stands before the value")
	}
	value, err := d.value(0)
	if err != nil {
		return Value{}, err
	}
	if d.skipSpace(); d.pos < len(d.text) {
		return Value{}, d.fail(d.pos, "%s stands after the value", d.here())
	}
	return value, nil
}

// decoder is a recursive descent over text.
type decoder struct {
	text string
	pos  int
	path []step // to the value being read
}

// step is one part of a path: a member's name, or an item's index if index is
// not negative. Paths are put together on failure only.
type step struct {
	name  string
	index int
}

// value reads one value. Depth is how many arrays and objects are around it.
func (d *decoder) value(depth int) (Value, error) {
	d.skipSpace()
	v := Value{Offset: int64(d.pos)}
	var err error
	switch c := d.peek(); {
	case (c == '{' || c == '[') && depth == maxDepth:
		err = d.fail(d.pos, "more than %d arrays and objects inside one another", maxDepth)
	case c == '{':
		v.Kind = Object
		v.Members, err = d.object(depth + 1)
	case c == '[':
		v.Kind = Array
		v.Items, err = d.array(depth + 1)
	case c == '"':
		v.Kind = String
		v.Text, err = d.str()
	case c == '-' || isDigit(c):
		v.Kind = Number
		v.Text, err = d.number()
	default:
		v.Kind, v.Text, err = d.word()
	}
	return v, err
}

func (d *decoder) object(depth int) ([]Member, error) {
	var members []Member
	var names nameSet
	d.pos++ // the opening brace
	if d.skipSpace(); d.accept("}") {
		return members, nil
	}
	for {
		m, err := d.member(depth, &names)
		if err != nil {
			return nil, err
		}
		members = append(members, m)
		if done, err := d.next("}"); done || err != nil {
			return members, err
		}
	}
}

// member reads a name that is not among names, a colon and a value.
func (d *decoder) member(depth int, names *nameSet) (Member, error) {
	if d.skipSpace(); d.peek() != '"' {
		return Member{}, d.fail(d.pos, "%s stands where a member name in quotes must be", d.here())
	}
	offset := d.pos
	name, err := d.str()
	if err != nil {
		return Member{}, err
	}
	d.path = append(d.path, step{name: name, index: -1})
	if !names.add(name) {
		return Member{}, d.fail(offset, "the member is there twice")
	}
	if d.skipSpace(); !d.accept(":") {
		return Member{}, d.fail(d.pos, "%s stands where a colon must be", d.here())
	}
	value, err := d.value(depth)
	if err != nil {
		return Member{}, err
	}
	d.path = d.path[:len(d.path)-1]
	return Member{Name: name, Offset: int64(offset), Value: value}, nil
}

func (d *decoder) array(depth int) ([]Value, error) {
	var items []Value
	d.pos++ // the opening bracket
	if d.skipSpace(); d.accept("]") {
		return items, nil
	}
	for {
		d.path = append(d.path, step{index: len(items)})
		item, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		d.path = d.path[:len(d.path)-1]
		items = append(items, item)
		if done, err := d.next("]"); done || err != nil {
			return items, err
		}
	}
}

// next reads what follows an item: a comma, or the closing bracket, for which
// it returns true.
func (d *decoder) next(closing string) (bool, error) {
	d.skipSpace()
	switch {
	case d.accept(","):
		return false, nil
	case d.accept(closing):
		return true, nil
	}
	return false, d.fail(d.pos, "%s stands where a comma or %q must be", d.here(), closing)
}

// number reads a number by the grammar of RFC 8259, section 6.
func (d *decoder) number() (string, error) {
	start := d.pos
	d.accept("-")
	if !d.accept("0") && !d.digits() {
		return "", d.fail(d.pos, "%s stands where a digit must be", d.here())
	}
	if d.accept(".") && !d.digits() {
		return "", d.fail(d.pos, "%s stands where a digit must be", d.here())
	}
	if d.accept("eE") {
		d.accept("+-")
		if !d.digits() {
			return "", d.fail(d.pos, "%s stands where a digit must be", d.here())
		}
	}
	return d.text[start:d.pos], nil
}

// accept reads one byte if it is among the given ones.
func (d *decoder) accept(among string) bool {
	if d.pos == len(d.text) || strings.IndexByte(among, d.text[d.pos]) < 0 {
		return false
	}
	d.pos++
	return true
}

// digits reads one digit or more, or returns false.
func (d *decoder) digits() bool {
	start := d.pos
	for isDigit(d.peek()) {
		d.pos++
	}
	return d.pos > start
}

// word reads null, true or false.
func (d *decoder) word() (Kind, string, error) {
	for _, w := range []struct {
		kind Kind
		text string
	}{{Null, "null"}, {Bool, "true"}, {Bool, "false"}} {
		if strings.HasPrefix(d.text[d.pos:], w.text) {
			d.pos += len(w.text)
			return w.kind, w.text, nil
		}
	}
	return 0, "", d.fail(d.pos, "%s stands where a value must be", d.here())
}

// skipSpace skips the four spaces of RFC 8259, section 2.
func (d *decoder) skipSpace() {
	for d.accept(" \t\n\r") {
	}
}

// peek returns the next byte, or 0 at the end: no token begins with a NUL.
func (d *decoder) peek() byte {
	if d.pos == len(d.text) {
		return 0
	}
	return d.text[d.pos]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// here names what is at the current position, for messages.
func (d *decoder) here() string {
	if d.pos == len(d.text) {
		return "the end of the text"
	}
	for _, r := range d.text[d.pos:] {
		return fmt.Sprintf("%+q", r)
	}
	return ""
}

func (d *decoder) fail(offset int, format string, args ...any) error {
	path := ""
	for _, s := range d.path {
		if s.index < 0 {
			path = MemberPath(path, s.name)
		} else {
			path = ItemPath(path, s.index)
		}
	}
	return &Error{Path: path, Offset: int64(offset), Reason: fmt.Sprintf(format, args...)}
}
