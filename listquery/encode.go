package listquery

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/cursor"
)

// pageRows and pageBytes are for how much at most a page makes room in advance.
const (
	pageRows  = 100
	pageBytes = 64 << 10
)

// A jsonPage is a page of rows as JSON objects.
type jsonPage struct {
	items []json.RawMessage
	next  cursor.Position
}

// listJSON is List with each row as a JSON object. All rows share one array.
func (r *Resource[T]) listJSON(req request) (jsonPage, error) {
	var text []byte
	var ends []int
	next, err := r.read(req, func() func(row *T) error {
		text, ends = text[:0], ends[:0]
		return func(row *T) (err error) {
			text, err = r.encode(text, row)
			if ends == nil { // the first row tells how long the others will be, more or less
				rest := min(req.filter.Limit, pageRows) - 1
				text, ends = slices.Grow(text, min(rest*len(text), pageBytes)), make([]int, 0, rest+1)
			}
			ends = append(ends, len(text))
			return err
		}
	})
	if err != nil {
		return jsonPage{}, err
	}
	items := make([]json.RawMessage, len(ends))
	start := 0
	for i, end := range ends {
		items[i] = text[start:end:end]
		start = end
	}
	return jsonPage{items, next}, nil
}

// encodeAny encodes a row as encoding/json does.
func encodeAny[T any](text []byte, row *T) ([]byte, error) {
	object, err := json.Marshal(row)
	return append(text, object...), err
}

// An object encodes rows column by column. The rows of this package are encoded so and
// not by encoding/json, whose reflection took a fifth of the time of a page.
type object[T any] []member[T]

// A member is a column in the JSON object of a row.
type member[T any] struct {
	name   string // quoted and with its colon
	encode func([]byte, *T) ([]byte, error)
}

// objectOf has a member for each column, of the column's name in camel case.
func objectOf[T any](columns []Column[T]) object[T] {
	o := make(object[T], len(columns))
	for i, c := range columns {
		o[i] = member[T]{string(appendString(nil, camelCase(c.as))) + ":", c.encode}
	}
	return o
}

// camelCase turns created_at into createdAt.
func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// append encodes a row.
func (o object[T]) append(text []byte, row *T) ([]byte, error) {
	return o.appendMembers(append(text, '{'), row)
}

// appendMembers encodes a row behind the object's opening brace.
func (o object[T]) appendMembers(text []byte, row *T) (_ []byte, err error) {
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, m.name...)
		if text, err = m.encode(text, row); err != nil {
			return nil, fmt.Errorf("member %s %w", m.name, err)
		}
	}
	return append(text, '}'), nil
}

// appendValue encodes the field that a pointer to a Type points at.
func appendValue(text []byte, field any) ([]byte, error) {
	switch f := field.(type) {
	case *string:
		return appendString(text, *f), nil
	case *int64:
		return strconv.AppendInt(text, *f, 10), nil
	case *float64:
		return appendFloat(text, *f)
	case *bool:
		return strconv.AppendBool(text, *f), nil
	case *time.Time:
		return appendTime(text, *f)
	case *cursor.UUID:
		return append(append(append(text, '"'), f.String()...), '"'), nil
	case *json.RawMessage:
		return appendJSON(text, *f)
	case **string:
		return appendPointer(text, *f)
	case **int64:
		return appendPointer(text, *f)
	case **float64:
		if *f != nil && !isFinite(**f) {
			return append(text, "null"...), nil // JSON has no other word for it
		}
		return appendPointer(text, *f)
	case **bool:
		return appendPointer(text, *f)
	case **time.Time:
		return appendPointer(text, *f)
	case **cursor.UUID:
		return appendPointer(text, *f)
	}
	return nil, fmt.Errorf("%T is not a Type", field)
}

func appendPointer[V any](text []byte, value *V) ([]byte, error) {
	if value == nil {
		return append(text, "null"...), nil
	}
	return appendValue(text, value)
}

// appendString writes a string as it is, unless it has characters that JSON escapes or
// is not UTF-8: those few are left to encoding/json.
func appendString(text []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' {
			return appendEscaped(text, s)
		}
	}
	if !utf8.ValidString(s) {
		return appendEscaped(text, s)
	}
	return append(append(append(text, '"'), s...), '"')
}

func appendEscaped(text []byte, s string) []byte {
	escaped, _ := json.Marshal(s) // a string always encodes
	return append(text, escaped...)
}

func appendFloat(text []byte, f float64) ([]byte, error) {
	encoded, err := json.Marshal(f) // refuses infinities and NaN
	return append(text, encoded...), err
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// appendTime writes RFC 3339 in UTC, which has years of four digits.
func appendTime(text []byte, t time.Time) ([]byte, error) {
	t = t.UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		return nil, fmt.Errorf("RFC 3339 cannot write the year %d", year)
	}
	text = t.AppendFormat(append(text, '"'), time.RFC3339Nano)
	return append(text, '"'), nil
}

// appendJSON writes a document as it was stored. One that is no JSON, as a column of
// text may hold, would break the page that it is in.
func appendJSON(text []byte, document json.RawMessage) ([]byte, error) {
	if document == nil {
		return append(text, "null"...), nil
	}
	if !json.Valid(document) {
		return nil, errors.New("not a JSON text")
	}
	return append(text, document...), nil
}
