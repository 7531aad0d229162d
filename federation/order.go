package federation

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
// A gateway that sorts by finer times than it writes may lose rows of one written time.
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

// sortInstants puts rows that differ in nothing but the last field of the order into the
// right one. They may stand in any order within a page: a source whose times are finer than
// what it writes, as the milliseconds of some are, sorts them by what cannot be seen. Where
// such rows stand on both sides of the end of its page, one of them may be passed over.
func (o *ordering) sortInstants(rows []listedRow) {
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && o.sameTime(rows[from].key, rows[to].key) {
			to++
		}
		slices.SortFunc(rows[from:to], func(a, b listedRow) int { return o.compare(a.key, b.key) })
		from = to
	}
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
