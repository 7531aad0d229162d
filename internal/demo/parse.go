package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// Error is what [Parse] finds wrong with a fixture.
type Error struct {
	Table  string // the table, empty for the file as a whole
	Row    int    // the row within the table, counted from 0, or -1 for the table as a whole
	Member string // the member of the row, empty for the row as a whole
	Reason string // a phrase that says what the place is, such as "is no UUID"
}

func (e *Error) Error() string {
	switch {
	case e.Table == "":
		return "demo data " + e.Reason
	case e.Row < 0:
		return fmt.Sprintf("demo data: %s %s", e.Table, e.Reason)
	case e.Member == "":
		return fmt.Sprintf("demo data: %s[%d] %s", e.Table, e.Row, e.Reason)
	}
	return fmt.Sprintf("demo data: %s[%d].%s %s", e.Table, e.Row, e.Member, e.Reason)
}

// Parse reads demo data. Every error but one of r is an [*Error]. Ids are unique,
// and what they refer to is there: Parse says so before a database does, and says
// where. The Data beside an error is empty.
func Parse(r io.Reader) (Data, error) {
	source := &reader{from: r}
	var data Data
	if err := parseTables(json.NewDecoder(source), data.tables()); err != nil {
		return Data{}, source.explain(err)
	}
	if err := check(data.tables()); err != nil {
		return Data{}, err
	}
	return data, nil
}

// reader remembers the error of a source, which encoding/json returns among its own.
type reader struct {
	from io.Reader
	err  error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// explain turns the errors of encoding/json into ours.
func (r *reader) explain(err error) error {
	var ours *Error
	switch {
	case r.err != nil:
		return fmt.Errorf("demo data: %w", r.err)
	case errors.As(err, &ours):
		return err
	}
	return &Error{Reason: "is no JSON: " + err.Error()}
}

func parseTables(dec *json.Decoder, tables []table) error {
	if err := enter(dec, '{', &Error{Reason: "is no object"}); err != nil {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		name, err := key(dec)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(tables, func(t table) bool { return t.name == name })
		if i < 0 {
			return &Error{Table: name, Row: -1, Reason: "is no table of the standard schema"}
		}
		if seen[name] {
			return &Error{Table: name, Row: -1, Reason: "is there twice"}
		}
		seen[name] = true
		if err := parseRows(dec, tables[i]); err != nil {
			return err
		}
	}
	return leave(dec)
}

func parseRows(dec *json.Decoder, t table) error {
	if err := enter(dec, '[', &Error{Table: t.name, Row: -1, Reason: "is no array"}); err != nil {
		return err
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		place := Error{Table: t.name, Row: t.len()}
		if err := parseRow(raw, t.grow(), place); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func parseRow(raw json.RawMessage, columns []column, place Error) error {
	fail := func(member, reason string) error {
		place.Member, place.Reason = member, reason
		return &place
	}
	if raw[0] != '{' {
		return fail("", "is no object")
	}
	if !utf8.Valid(raw) {
		return fail("", "is no valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return err
	}
	seen := make([]bool, len(columns))
	for dec.More() {
		name, err := key(dec)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
		if i < 0 {
			return fail(name, "is no column")
		}
		if seen[i] {
			return fail(name, "is there twice")
		}
		seen[i] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if err := columns[i].parse(value); err != nil {
			return fail(name, err.Error())
		}
	}
	for i, c := range columns {
		if !seen[i] && !c.nullable() {
			return fail(c.name, "is missing")
		}
	}
	return nil
}

// enter reads the delimiter that opens an object or an array.
func enter(dec *json.Decoder, want json.Delim, otherwise *Error) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return otherwise
	}
	return nil
}

// leave reads the end of the whole and makes sure that nothing follows.
func leave(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return &Error{Reason: "goes on after its end"}
	}
	return nil
}

func key(dec *json.Decoder) (string, error) {
	token, err := dec.Token()
	if err != nil {
		return "", err
	}
	return token.(string), nil // the decoder has seen to it
}
