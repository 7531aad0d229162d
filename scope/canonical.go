package scope

import (
	"fmt"
	"strconv"
)

// MarshalJSON returns the canonical JSON of the scope: the form of RFC 8785,
// with the items of every list in ascending order of code points, and without
// the filters, exclusions and members that say no more than their absence does.
// Against a registry that has its names, Parse reads it back to a Scope of the
// same hash. Note that json.Marshal goes on to escape <, > and & in it.
//
// The zero Scope has no JSON, since no text allows nothing: marshalling it is an
// error that matches ErrInvalid.
func (s Scope) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return nil, fmt.Errorf("%w: the zero Scope has no JSON", ErrInvalid)
	}
	return append([]byte(nil), s.contents.canonical...), nil
}

// UnmarshalJSON always fails: a scope is read by [Parse], which knows the host's
// registry. Without this method encoding/json would read any text as the zero Scope.
func (s *Scope) UnmarshalJSON([]byte) error {
	return fmt.Errorf("%w: a scope is read by scope.Parse, which knows the host's registry", ErrInvalid)
}

// appendJSON never writes more bytes than a text that Parse took the contents
// from has: it sorts and leaves out, and every string is in its shortest form.
// So what Parse read, it can read again.
func (c *contents) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if len(c.excluded) > 0 {
		b = append(b, `"excluded_resources":`...)
		b = append(appendStrings(b, c.excluded), ',')
	}
	b = c.appendFilters(b)
	b = append(b, `"max_rows_per_query":`...)
	b = strconv.AppendInt(b, int64(c.maxRows), 10)
	b = append(b, `,"resources":`...)
	return append(appendStrings(b, c.resources), '}')
}

func (c *contents) appendFilters(b []byte) []byte {
	separator := `"filters":{`
	for i, r := range c.rules {
		if r.isOpen() {
			continue
		}
		b = append(b, separator...)
		b = append(appendString(b, c.resources[i]), ':')
		b = r.appendJSON(b)
		separator = ","
	}
	if separator == "," {
		b = append(b, "},"...)
	}
	return b
}

// appendJSON writes a rule that is not open.
func (r rule) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if !r.personal {
		b = append(b, `"include_personal":false`...)
	}
	if !r.allTeams {
		if !r.personal {
			b = append(b, ',')
		}
		b = appendStrings(append(b, `"include_teams":`...), r.teams)
	}
	return append(b, '}')
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// appendString writes a string by RFC 8785, section 3.2.2.2. encoding/json is
// not used because it escapes U+2028 and U+2029 as well.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ':
			b = append(b, c)
		case shortEscapes[c] != 0:
			b = append(b, '\\', shortEscapes[c])
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(b, '"')
}

var shortEscapes = [' ']byte{'\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r'}
