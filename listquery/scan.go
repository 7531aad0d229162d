package listquery

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// scanTarget is the destination that database/sql scans a column into so that it
// arrives in field, which points at a Type. Drivers disagree about times, uuids and
// JSON; the other types are left to database/sql.
func scanTarget(field any) any {
	switch f := field.(type) {
	case *time.Time:
		return &scanner[time.Time]{f, readTime}
	case **time.Time:
		return (*nullTimeScanner)(&nullScanner[time.Time]{f, readTime})
	case *cursor.UUID:
		return &scanner[cursor.UUID]{f, readUUID}
	case **cursor.UUID:
		return &nullScanner[cursor.UUID]{f, readUUID}
	case *json.RawMessage:
		return (*jsonScanner)(f)
	}
	return field
}

// A scanner is a sql.Scanner that reads a driver's value into a field.
type scanner[V any] struct {
	field *V
	read  func(src any) (V, error)
}

func (s *scanner[V]) Scan(src any) (err error) {
	*s.field, err = s.read(src)
	return err
}

// A nullScanner reads null as a nil pointer.
type nullScanner[V any] struct {
	field **V
	read  func(src any) (V, error)
}

func (s *nullScanner[V]) Scan(src any) error {
	if src == nil {
		*s.field = nil
		return nil
	}
	v, err := s.read(src)
	*s.field = &v
	return err
}

// A nullTimeScanner also reads as null what RFC 3339 cannot write, as
// Dialect.selectTime has Postgres do.
type nullTimeScanner nullScanner[time.Time]

func (s *nullTimeScanner) Scan(src any) error {
	if err := (*nullScanner[time.Time])(s).Scan(src); err != nil {
		return err
	}
	if t := *s.field; t != nil && (t.Year() < 1 || t.Year() > 9999) {
		*s.field = nil
	}
	return nil
}

// readTime takes a driver's time, or SQLite's integer of microseconds, in UTC.
func readTime(src any) (time.Time, error) {
	switch v := src.(type) {
	case time.Time:
		return v.UTC(), nil
	case int64:
		return time.UnixMicro(v).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%T is not a time", src)
}

// readUUID takes a uuid as databases write it, in lower case. Where a uuid is kept as
// text in another spelling, it would compare differently in the database and in the
// cursor, and a list would lose rows or never end.
func readUUID(src any) (cursor.UUID, error) {
	var text string
	switch v := src.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return cursor.UUID{}, fmt.Errorf("%T is not a uuid", src)
	}
	id, err := cursor.ParseUUID(text)
	if err == nil && hasUpper(text) {
		err = fmt.Errorf("the uuid %q is not in lower case", text)
	}
	return id, err
}

// A jsonScanner copies a JSON text; database/sql would not take one from a string.
type jsonScanner json.RawMessage

func (s *jsonScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s = nil
	case string:
		*s = jsonScanner(v)
	case []byte:
		*s = append(jsonScanner{}, v...) // the driver owns v
	default:
		return fmt.Errorf("%T is not JSON", src)
	}
	return nil
}
