package listquery

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// A Type is what a column can hold in a typed row. A pointer is a column that may be
// null; so is json.RawMessage, whose null is nil.
type Type interface {
	string | int64 | float64 | bool | time.Time | cursor.UUID | json.RawMessage |
		*string | *int64 | *float64 | *bool | *time.Time | *cursor.UUID
}

// A Column reads one column of a table into one field of a row of type T.
type Column[T any] struct {
	column selectedColumn
	as     string // the name in the result, by which orders name it
	target func(*T) any
	value  func(*T) cursor.Value // nil if the column cannot be part of an order
	encode func([]byte, *T) ([]byte, error)
}

// Col is the column of that name, read into the field that field points at:
//
//	listquery.Col("created_at", func(i *Invoice) *time.Time { return &i.CreatedAt })
//
// Times are read in UTC, exact to the microsecond. Null in a column whose field is
// not a pointer is an error of the page that reads it.
func Col[T any, V Type](column string, field func(*T) *V) Column[T] {
	return colAs(column, column, field)
}

// colAs is Col under another name in the result, by which the blocks of a resource
// are aligned and orders are named.
func colAs[T any, V Type](as, column string, field func(*T) *V) Column[T] {
	kind, nullable := kindOf[V]()
	c := Column[T]{column: selectedColumn{column, kind, nullable}, as: as}
	c.target = func(row *T) any { return scanTarget(field(row)) }
	if kind.cursorKind() != cursor.KindNull && !nullable {
		c.value = func(row *T) cursor.Value { return orderValue(field(row)) }
	}
	c.encode = func(text []byte, row *T) ([]byte, error) { return appendValue(text, field(row)) }
	return c
}

// A kind is the type of a column, whether it may be null or not.
type kind uint8

const (
	textKind kind = iota + 1
	intKind
	floatKind
	boolKind
	timeKind
	uuidKind
	jsonKind
)

func (k kind) String() string {
	names := [...]string{"none", "text", "int64", "float64", "bool", "time", "uuid", "json"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// cursorKind is the kind of cursor field that holds such a value, KindNull if none
// does: floats and booleans make poor orders, and JSON has none.
func (k kind) cursorKind() cursor.Kind {
	switch k {
	case textKind:
		return cursor.KindText
	case intKind:
		return cursor.KindInt64
	case timeKind:
		return cursor.KindTime
	case uuidKind:
		return cursor.KindUUID
	}
	return cursor.KindNull
}

func kindOf[V Type]() (k kind, nullable bool) {
	switch any(*new(V)).(type) {
	case string:
		return textKind, false
	case *string:
		return textKind, true
	case int64:
		return intKind, false
	case *int64:
		return intKind, true
	case float64:
		return floatKind, false
	case *float64:
		return floatKind, true
	case bool:
		return boolKind, false
	case *bool:
		return boolKind, true
	case time.Time:
		return timeKind, false
	case *time.Time:
		return timeKind, true
	case cursor.UUID:
		return uuidKind, false
	case *cursor.UUID:
		return uuidKind, true
	default:
		return jsonKind, true
	}
}

// orderValue is the value of an order column in a row that was read.
func orderValue(field any) cursor.Value {
	switch v := field.(type) {
	case *string:
		return cursor.TextValue(*v)
	case *int64:
		return cursor.Int64Value(*v)
	case *time.Time:
		return cursor.TimeValue(*v)
	case *cursor.UUID:
		return cursor.UUIDValue(*v)
	}
	return cursor.NullValue()
}
