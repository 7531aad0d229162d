package federation

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// An Order says how the rows of a resource are sorted, by all gateways that list it. A
// [FanOut] merges by it.
type Order struct {
	// Fields are the members of a row that it is sorted by, the most significant one
	// first. The last one tells the rows of one source apart. Required.
	Fields []OrderField

	// Ascending lists the smallest row first. The default is the largest first.
	Ascending bool

	// Blocks are parts of the list that stand one behind the other, each of them
	// sorted. Optional.
	Blocks []OrderBlock
}

// An OrderField is a member of a row, never null: a time in RFC 3339, exact to the
// microsecond; a text of at most 512 bytes, compared byte by byte; an integer; or a UUID.
type OrderField struct {
	Name string
	Kind cursor.Kind
}

// An OrderBlock is the part of a list whose rows have that text as their member type. A
// row without type is of the block that has the member Has, if that is not empty.
type OrderBlock struct {
	Type string
	Has  string
}

// StandardOrders are those of the resources tasks, notes and memory: the newest first by
// createdAt and id; of memory all insights before all preferences.
func StandardOrders() map[string]Order {
	newest := []OrderField{{"createdAt", cursor.KindTime}, {"id", cursor.KindUUID}}
	return map[string]Order{
		"tasks": {Fields: newest},
		"notes": {Fields: newest},
		"memory": {Fields: newest, Blocks: []OrderBlock{
			{Type: "insight", Has: "content"},
			{Type: "preference", Has: "key"},
		}},
	}
}

// ordering is an Order that has been checked.
type ordering struct {
	Order
	layout cursor.Layout // of a key: the block if there are blocks, then the fields
	first  int           // index of the first field in a key
}

func newOrdering(resource string, o Order) (*ordering, error) {
	if len(o.Fields) == 0 {
		return nil, errors.New("it has no field")
	}
	var fields []cursor.Field
	var names []string
	if len(o.Blocks) > 0 {
		fields = append(fields, cursor.Field{Kind: cursor.KindEnum, Members: len(o.Blocks)})
		for _, b := range o.Blocks {
			names = append(names, strconv.Quote(b.Type)+" "+strconv.Quote(b.Has))
		}
	}
	for i, f := range o.Fields {
		switch f.Kind {
		case cursor.KindTime, cursor.KindText, cursor.KindInt64, cursor.KindUUID:
		default:
			return nil, fmt.Errorf("the field %q is of the kind %s", f.Name, f.Kind)
		}
		if f.Name == "" || f.Name == "_source" || slices.ContainsFunc(o.Fields[:i], func(other OrderField) bool { return other.Name == f.Name }) {
			return nil, fmt.Errorf("the field %d has the name %q, which is empty, _source or there twice", i, f.Name)
		}
		fields = append(fields, cursor.Field{Kind: f.Kind})
		names = append(names, strconv.Quote(f.Name))
	}
	// Behind the place stand the place among the sources, and the sources.
	fields = append(fields, cursor.Field{Kind: cursor.KindText})
	name := fmt.Sprintf("fan-out of %q by %s, ascending %t; v1", resource, strings.Join(names, ", "), o.Ascending)
	layout, err := cursor.NewLayout(name, fields...)
	o.Fields, o.Blocks = slices.Clone(o.Fields), slices.Clone(o.Blocks)
	return &ordering{Order: o, layout: layout, first: min(len(o.Blocks), 1)}, err
}

// width is how many values a key has.
func (o *ordering) width() int { return o.first + len(o.Fields) }

// compare tells which key comes first in the list.
func (o *ordering) compare(a, b cursor.Position) int {
	if o.first > 0 {
		if c := cmp.Compare(a[0].Enum(), b[0].Enum()); c != 0 {
			return c
		}
	}
	for i, f := range o.Fields {
		if c := compareValues(f.Kind, a[o.first+i], b[o.first+i]); c != 0 {
			if o.Ascending {
				return c
			}
			return -c
		}
	}
	return 0
}

// sameTime tells if two keys differ in nothing that stands before their last field. In an
// order of one field, nothing does.
func (o *ordering) sameTime(a, b cursor.Position) bool {
	last := o.width() - 1
	return len(o.Fields) > 1 && slices.Equal(a[:last], b[:last])
}

func compareValues(kind cursor.Kind, a, b cursor.Value) int {
	switch kind {
	case cursor.KindTime:
		return a.Time().Compare(b.Time())
	case cursor.KindText:
		return strings.Compare(a.Text(), b.Text())
	case cursor.KindInt64:
		return cmp.Compare(a.Int64(), b.Int64())
	}
	x, y := a.UUID(), b.UUID()
	return bytes.Compare(x[:], y[:])
}

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
