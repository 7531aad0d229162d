package strictjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string. One without escapes is a part of the text; the parts
// around escapes are put together.
func (d *decoder) str() (string, error) {
	start := d.pos
	d.pos++ // the opening quote
	run := d.pos
	var built []byte
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			rest := d.text[run:d.pos]
			d.pos++
			if built == nil {
				return rest, nil
			}
			return string(append(built, rest...)), nil
		case c == '\\':
			built = append(built, d.text[run:d.pos]...)
			r, err := d.escape()
			if err != nil {
				return "", err
			}
			built = utf8.AppendRune(built, r)
			run = d.pos
		case c < ' ':
			return "", d.fail(d.pos, "the control character %+q stands in a string without an escape", c)
		case c < utf8.RuneSelf:
			d.pos++
		default:
			if err := d.wide(); err != nil {
				return "", err
			}
		}
	}
	return "", d.fail(start, "the string does not end")
}

// wide reads one rune of more than one byte.
func (d *decoder) wide() error {
	r, size := utf8.DecodeRuneInString(d.text[d.pos:])
	if r == utf8.RuneError {
		if size == 1 {
			return d.fail(d.pos, "the string is not UTF-8")
		}
		return d.failReplacement(d.pos)
	}
	d.pos += size
	return nil
}

// escape reads one escape sequence, or the two that make a surrogate pair.
func (d *decoder) escape() (rune, error) {
	start := d.pos
	d.pos++ // the backslash
	c := d.peek()
	if c != 'u' {
		if r := unescaped(c); r != 0 {
			d.pos++
			return r, nil
		}
		return 0, d.fail(start, "the string has an escape that JSON does not know")
	}
	d.pos++
	r, err := d.hex(start)
	switch {
	case err != nil:
		return 0, err
	case r == utf8.RuneError:
		return 0, d.failReplacement(start)
	case !utf16.IsSurrogate(r):
		return r, nil
	}
	if !d.accept(`\`) || !d.accept("u") {
		return 0, d.failSurrogate(start)
	}
	low, err := d.hex(d.pos - 2)
	if err != nil {
		return 0, err
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, d.failSurrogate(start)
	}
	return r, nil
}

func unescaped(c byte) rune {
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// hex reads the four digits of the \u escape that begins at start.
func (d *decoder) hex(start int) (rune, error) {
	var r rune
	for range 4 {
		c := d.peek()
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, d.fail(start, `the string has a \u escape without four hexadecimal digits`)
		}
		d.pos++
	}
	return r, nil
}

func (d *decoder) failSurrogate(offset int) error {
	return d.fail(offset, "the string has one half of a surrogate pair")
}

// failReplacement refuses U+FFFD, which is what is left of a string that
// somebody has already repaired: its first form is lost.
func (d *decoder) failReplacement(offset int) error {
	return d.fail(offset, "the string holds U+FFFD, the mark of broken text")
}
