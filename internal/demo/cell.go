package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// cell is a field of a row on its way from JSON to a database.
type cell interface {
	// parse sets the field from a JSON value; the error says what the value is not.
	parse(raw json.RawMessage) error
	// value returns what is stored in the field's column, nil for null.
	value(Dialect) any
	// nullable says if the field may be null or absent.
	nullable() bool
}

// required is the part that all cells share which are never null.
type required struct{}

func (required) nullable() bool { return false }

type textCell struct {
	required
	p *string
}

func text(p *string) cell { return textCell{p: p} }

func (c textCell) parse(raw json.RawMessage) error {
	if raw[0] != '"' {
		return errors.New("is no string")
	}
	if err := json.Unmarshal(raw, c.p); err != nil {
		return err
	}
	// encoding/json puts U+FFFD where bytes are no UTF-8 or a surrogate stands alone.
	if strings.ContainsRune(*c.p, utf8.RuneError) {
		return errors.New("is no valid Unicode")
	}
	if strings.ContainsRune(*c.p, 0) {
		return errors.New("holds a NUL, which no database stores")
	}
	return nil
}

func (c textCell) value(Dialect) any { return *c.p }

type uuidCell struct{ textCell }

func uuid(p *string) cell { return uuidCell{textCell{p: p}} }

var uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (c uuidCell) parse(raw json.RawMessage) error {
	if err := c.textCell.parse(raw); err != nil {
		return err
	}
	if !uuidPattern.MatchString(*c.p) {
		return fmt.Errorf("%q is no UUID", *c.p)
	}
	*c.p = strings.ToLower(*c.p)
	return nil
}

type oneOfCell struct {
	textCell
	allowed []string
}

func oneOf(p *string, allowed ...string) cell { return oneOfCell{textCell{p: p}, allowed} }

func (c oneOfCell) parse(raw json.RawMessage) error {
	if err := c.textCell.parse(raw); err != nil {
		return err
	}
	if !slices.Contains(c.allowed, *c.p) {
		return fmt.Errorf("%q is none of %s", *c.p, strings.Join(c.allowed, ", "))
	}
	return nil
}

// momentCell is stored as a timestamptz, and in SQLite as microseconds since 1970.
type momentCell struct {
	required
	p *time.Time
}

func moment(p *time.Time) cell { return momentCell{p: p} }

// momentPattern is stricter than time.Parse, which takes T3:00 and a comma.
var momentPattern = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)"$`)

func (c momentCell) parse(raw json.RawMessage) error {
	if !momentPattern.Match(raw) {
		return fmt.Errorf("%s is no RFC 3339 time in UTC with up to six digits of a second", raw)
	}
	at, err := time.Parse(time.RFC3339, string(raw[1:len(raw)-1]))
	if err != nil || at.Year() == 0 {
		return fmt.Errorf("%s is no day or no time of a day", raw)
	}
	*c.p = at.UTC()
	return nil
}

func (c momentCell) value(d Dialect) any {
	if d == SQLite {
		return c.p.UnixMicro()
	}
	return *c.p
}

type flagCell struct {
	required
	p *bool
}

func flag(p *bool) cell { return flagCell{p: p} }

func (c flagCell) parse(raw json.RawMessage) error {
	switch string(raw) {
	case "true", "false":
		*c.p = raw[0] == 't'
		return nil
	}
	return errors.New("is neither true nor false")
}

func (c flagCell) value(d Dialect) any {
	switch {
	case d != SQLite:
		return *c.p
	case *c.p:
		return 1
	}
	return 0
}

type numberCell struct {
	required
	p *float64
}

func number(p *float64) cell { return numberCell{p: p} }

func (c numberCell) parse(raw json.RawMessage) error {
	if isNull(raw) || json.Unmarshal(raw, c.p) != nil {
		return errors.New("is no number of double precision")
	}
	return nil
}

func (c numberCell) value(Dialect) any { return *c.p }

// documentCell is any JSON, null included.
type documentCell struct {
	required
	p *json.RawMessage
}

func document(p *json.RawMessage) cell { return documentCell{p: p} }

func (c documentCell) parse(raw json.RawMessage) error {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return err
	}
	*c.p = compact.Bytes()
	return nil
}

// A string, since drivers take []byte for binary data.
func (c documentCell) value(Dialect) any { return string(*c.p) }

type optionalDocumentCell struct{ documentCell }

func optionalDocument(p *json.RawMessage) cell { return optionalDocumentCell{documentCell{p: p}} }

func (optionalDocumentCell) nullable() bool { return true }

func (c optionalDocumentCell) parse(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	return c.documentCell.parse(raw)
}

func (c optionalDocumentCell) value(d Dialect) any {
	if *c.p == nil {
		return nil
	}
	return c.documentCell.value(d)
}

// optionalCell is a nullable field of what some other cell reads and stores.
type optionalCell[T any] struct {
	p  **T
	of func(*T) cell
}

func optional[T any](p **T, of func(*T) cell) cell { return optionalCell[T]{p, of} }

func (optionalCell[T]) nullable() bool { return true }

func (c optionalCell[T]) parse(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	*c.p = new(T)
	return c.of(*c.p).parse(raw)
}

func (c optionalCell[T]) value(d Dialect) any {
	if *c.p == nil {
		return nil
	}
	return c.of(*c.p).value(d)
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }
