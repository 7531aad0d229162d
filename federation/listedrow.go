package federation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// A listedRow is a row of a source, and its place in the order.
type listedRow struct {
	object json.RawMessage
	key    cursor.Position
	// Where in object the value of _source stands; both are 0 if it has none.
	source, sourceEnd int
	alias             bool // has a member that some decoders take for _source
}

var (
	errNoKey      = errors.New("lacks a member of its order, or has one twice")
	errKeyValue   = errors.New("has a member of its order with a value of another kind")
	errNoBlock    = errors.New("is of no known block")
	errNotARow    = errors.New("is not a JSON object")
	errSourcesTwo = errors.New("has the member _source twice")
)

// row reads the key of a row into key, which has the width of the order.
func (o *ordering) row(object json.RawMessage, key cursor.Position) (listedRow, error) {
	r := rowReader{ordering: o, row: listedRow{object: object, key: key}, block: -1, guess: -1}
	end := walkMembers(object, 0, r.member)
	switch {
	case r.err != nil:
		return listedRow{}, r.err
	case end != len(object):
		return listedRow{}, errNotARow
	case r.found != len(o.Fields):
		return listedRow{}, errNoKey
	}
	if o.first > 0 {
		if r.block < 0 && !r.typed {
			r.block = r.guess
		}
		if r.block < 0 {
			return listedRow{}, errNoBlock
		}
		key[0] = cursor.EnumValue(r.block)
	}
	return r.row, nil
}

// A rowReader walks over the members of a row.
type rowReader struct {
	*ordering
	row   listedRow
	found int // fields
	block int // by the member type, -1: none
	guess int // by the members that are there, -1: none
	typed bool
	err   error
}

func (r *rowReader) member(quoted []byte, at int) int {
	name, text := unescape(quoted), r.row.object
	end := skipValue(text, at, 1)
	if end < 0 {
		return -1
	}
	if string(name) == "_source" {
		if r.row.sourceEnd > 0 {
			r.err = errSourcesTwo
			return -1
		}
		r.row.source, r.row.sourceEnd = at, end
		return end
	}
	// encoding/json is one of the decoders that do not look at case.
	r.row.alias = r.row.alias || bytes.EqualFold(name, []byte("_source"))
	for i := range r.Fields {
		if string(name) == r.Fields[i].Name {
			if r.err = r.field(i, text[at:end]); r.err != nil {
				return -1
			}
			return end
		}
	}
	if r.first > 0 {
		if r.err = r.blockMember(name, text[at:end]); r.err != nil {
			return -1
		}
	}
	return end
}

// field reads the value of a field.
func (r *rowReader) field(i int, value []byte) error {
	place := &r.row.key[r.first+i]
	if place.Kind() != cursor.KindNull {
		return errNoKey
	}
	read, err := keyValue(r.Fields[i].Kind, value)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errKeyValue, r.Fields[i].Name, err)
	}
	*place = read
	r.found++
	return nil
}

// blockMember reads a member that may tell the block.
func (r *rowReader) blockMember(name, value []byte) error {
	if string(name) == "type" {
		if r.typed {
			return errNoKey
		}
		r.typed = true
		kind, err := textAt(value, 0)
		if err != nil {
			return errNoBlock
		}
		r.block = slices.IndexFunc(r.Blocks, func(b OrderBlock) bool { return b.Type == kind })
		return nil
	}
	for i, b := range r.Blocks {
		if b.Has != "" && string(name) == b.Has {
			r.guess = i
		}
	}
	return nil
}

// maxKeyText is the length of the longest text of a key, in bytes. The key of the last
// row takes room in the composite cursor from the cursors of all sources.
const maxKeyText = 512

// keyValue reads a JSON value as what a cursor can hold.
func keyValue(kind cursor.Kind, value []byte) (cursor.Value, error) {
	if kind == cursor.KindInt64 {
		n, err := strconv.ParseInt(string(value), 10, 64)
		return cursor.Int64Value(n), err
	}
	text, err := textAt(value, 0)
	if err != nil {
		return cursor.Value{}, err
	}
	switch kind {
	case cursor.KindTime:
		t, err := time.Parse(time.RFC3339Nano, text)
		if err == nil && (t.Nanosecond()%1000 != 0 || t.UTC().Year() < 1 || t.UTC().Year() > 9999) {
			err = errors.New("a time that is finer than a microsecond, or not of the years 1 to 9999")
		}
		return cursor.TimeValue(t), err
	case cursor.KindUUID:
		id, err := cursor.ParseUUID(text)
		return cursor.UUIDValue(id), err
	}
	switch {
	case strings.IndexByte(text, 0) >= 0:
		err = errors.New("a text with NUL")
	case len(text) > maxKeyText:
		err = fmt.Errorf("a text of %d bytes, and not %d", len(text), maxKeyText)
	}
	return cursor.TextValue(text), err
}

// relabel returns a row with the source that it came from, as a copy: the row is a part
// of an answer that may be much longer than what is needed of it.
func relabel(row *listedRow, source string) json.RawMessage {
	before, after := row.object[:row.source], row.object[row.sourceEnd:]
	if row.sourceEnd == 0 {
		before, after = row.object[:len(row.object)-1], row.object[len(row.object)-1:]
	}
	text := make(json.RawMessage, 0, len(row.object)+len(source)+len(`,"_source":""`))
	text = append(text, before...)
	if row.sourceEnd == 0 {
		if hasMembers(row.object) {
			text = append(text, ',')
		}
		text = append(text, `"_source":`...)
	}
	text = append(text, '"')
	text = append(text, source...)
	text = append(text, '"')
	return append(text, after...)
}

// hasMembers tells if an object is not empty.
func hasMembers(object []byte) bool { return object[skipSpace(object, 1)] != '}' }
