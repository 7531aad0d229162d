// Package jsonschema holds values to JSON Schema 2020-12, for tests: slowly, and with no
// more keywords than the documents of fedkit have. A keyword that it does not know is
// an error, never a pass. The module internal/contractcheck holds it to a well-known
// validator.
package jsonschema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Document is a JSON document with schemas in it.
type Document struct{ root any }

// Parse reads a document.
func Parse(text string) (Document, error) {
	var d Document
	err := json.Unmarshal([]byte(text), &d.root)
	return d, err
}

var (
	// ErrRefused says that a value does not match a schema.
	ErrRefused = errors.New("refused")
	// ErrUnknownKeyword says that a schema cannot be judged by this package.
	ErrUnknownKeyword = errors.New("this keyword is unknown here")
)

// At returns the value at a JSON pointer, which begins with # as in a $ref.
func (d Document) At(pointer string) (any, error) {
	path, ok := strings.CutPrefix(pointer, "#")
	if !ok {
		return nil, fmt.Errorf("%q does not begin with #", pointer)
	}
	value := d.root
	for path != "" {
		var token string
		token, path, _ = strings.Cut(path[1:], "/")
		if path != "" {
			path = "/" + path
		}
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if value, ok = member(value, token); !ok {
			return nil, fmt.Errorf("there is no %s: nothing has the name %q", pointer, token)
		}
	}
	return value, nil
}

// member returns a member of an object by its name, or of an array by its index.
func member(value any, name string) (any, bool) {
	switch value := value.(type) {
	case map[string]any:
		found, ok := value[name]
		return found, ok
	case []any:
		i, err := strconv.Atoi(name)
		if err == nil && i >= 0 && i < len(value) && strconv.Itoa(i) == name {
			return value[i], true
		}
	}
	return nil, false
}

// Validate holds a value, as encoding/json decodes it into an any, to the schema at a
// pointer. The error names the keywords on the way to what is wrong.
func (d Document) Validate(pointer string, value any) error {
	schema, err := d.At(pointer)
	if err != nil {
		return err
	}
	return d.Accepts(schema, value)
}

// Accepts holds a value to a schema of the document.
func (d Document) Accepts(schema, value any) error {
	switch schema := schema.(type) {
	case bool:
		return accept(schema)
	case map[string]any:
		for keyword, want := range schema {
			if err := d.keyword(schema, keyword, want, value); err != nil {
				return fmt.Errorf("%s: %w", keyword, err)
			}
		}
		return nil
	}
	return fmt.Errorf("%T is no schema", schema)
}

// keyword applies one keyword: by what it says itself, and else by the type of value
// that it is for.
func (d Document) keyword(schema map[string]any, keyword string, want, value any) error {
	switch keyword {
	case "$schema", "$id", "$defs", "$comment", "title", "description", "default":
		return nil
	case "$ref":
		return d.Validate(want.(string), value)
	case "type":
		return accept(hasType(value, want))
	case "const":
		return accept(equal(value, want))
	case "enum", "allOf", "anyOf", "oneOf":
		return d.choice(keyword, want.([]any), value)
	}
	switch keywords[keyword] {
	case "object":
		if object, ok := value.(map[string]any); ok {
			return d.object(schema, keyword, want, object)
		}
	case "array":
		if array, ok := value.([]any); ok {
			return d.array(keyword, want, array)
		}
	case "string":
		if text, ok := value.(string); ok {
			return ofString(keyword, want, text)
		}
	case "number":
		if number, ok := value.(float64); ok {
			return ofNumber(keyword, want.(float64), number)
		}
	default:
		return ErrUnknownKeyword
	}
	return nil // it binds values of another type
}

// keywords are those for values of one type.
var keywords = map[string]string{
	"required": "object", "properties": "object", "additionalProperties": "object", "propertyNames": "object",
	"maxProperties": "object", "dependentRequired": "object", "dependentSchemas": "object",
	"items": "array", "contains": "array", "minItems": "array", "maxItems": "array", "uniqueItems": "array",
	"pattern": "string", "minLength": "string", "maxLength": "string",
	"minimum": "number", "maximum": "number",
}

// choice applies the keywords that have a list of schemas or values.
func (d Document) choice(keyword string, among []any, value any) error {
	matches := 0
	var refused error
	for _, one := range among {
		err := error(nil)
		if keyword == "enum" {
			err = accept(equal(value, one))
		} else {
			err = d.Accepts(one, value)
		}
		switch {
		case err == nil:
			matches++
		case !errors.Is(err, ErrRefused):
			return err
		default:
			refused = err
		}
	}
	switch {
	case keyword == "allOf" && matches < len(among), matches == 0:
		return refused
	case keyword == "oneOf" && matches > 1:
		return fmt.Errorf("%w: %d schemas match", ErrRefused, matches)
	}
	return nil
}

func accept(ok bool) error {
	if !ok {
		return ErrRefused
	}
	return nil
}
