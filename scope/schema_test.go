package scope_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// schema is a JSON schema, read for the few keywords that the published schema
// of the grant scope uses. It is slow, and shares no code with Parse.
type schema map[string]any

// publishedSchema returns the schema that hosts and peers are given.
func publishedSchema(t testing.TB) schema {
	text, err := os.ReadFile("testdata/grant-scope.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// validate reports whether the schema, a part of root, accepts the value. It
// fails on a keyword that it does not know.
func (s schema) validate(root schema, value any) error {
	for keyword, want := range s {
		if err := validateKeyword(root, s, keyword, want, value); err != nil {
			return fmt.Errorf("%s: %w", keyword, err)
		}
	}
	return nil
}

var (
	errUnknownKeyword = errors.New("this keyword is unknown to the test")
	errRefused        = errors.New("refused")
)

func validateKeyword(root, s schema, keyword string, want, value any) error {
	switch v := value.(type) {
	case map[string]any:
		if known, err := s.validateObject(root, keyword, want, v); known {
			return err
		}
	case []any:
		if known, err := s.validateArray(root, keyword, want, v); known {
			return err
		}
	}
	switch keyword {
	case "$schema", "$id", "$defs", "$comment", "title", "description", "default":
		return nil
	case "$ref":
		name := strings.TrimPrefix(want.(string), "#/$defs/")
		return schema(root["$defs"].(map[string]any)[name].(map[string]any)).validate(root, value)
	case "type":
		return accept(typeOf(value) == want)
	case "pattern":
		text, ok := value.(string)
		return accept(!ok || regexp.MustCompile(want.(string)).MatchString(text))
	case "minLength":
		text, ok := value.(string)
		return accept(!ok || utf8.RuneCountInString(text) >= int(want.(float64)))
	case "maxLength":
		text, ok := value.(string)
		return accept(!ok || utf8.RuneCountInString(text) <= int(want.(float64)))
	case "minimum":
		number, ok := value.(float64)
		return accept(!ok || number >= want.(float64))
	case "maximum":
		number, ok := value.(float64)
		return accept(!ok || number <= want.(float64))
	case "required", "properties", "additionalProperties", "propertyNames", "maxProperties", "items", "minItems", "maxItems", "uniqueItems":
		return nil // they bind objects or arrays only, see above
	}
	return errUnknownKeyword
}

func (s schema) validateObject(root schema, keyword string, want any, object map[string]any) (known bool, err error) {
	properties, _ := s["properties"].(map[string]any)
	switch keyword {
	case "required":
		for _, name := range want.([]any) {
			if _, ok := object[name.(string)]; !ok {
				return true, errRefused
			}
		}
	case "properties":
		for name, part := range properties {
			if value, ok := object[name]; ok {
				err = errors.Join(err, schema(part.(map[string]any)).validate(root, value))
			}
		}
	case "additionalProperties":
		for name, value := range object {
			if _, ok := properties[name]; ok {
				continue
			}
			part, ok := want.(map[string]any)
			if !ok {
				return true, errRefused // want is false
			}
			err = errors.Join(err, schema(part).validate(root, value))
		}
	case "propertyNames":
		for name := range object {
			err = errors.Join(err, schema(want.(map[string]any)).validate(root, name))
		}
	case "maxProperties":
		err = accept(len(object) <= int(want.(float64)))
	default:
		return false, nil
	}
	return true, err
}

func (s schema) validateArray(root schema, keyword string, want any, array []any) (known bool, err error) {
	switch keyword {
	case "items":
		for _, item := range array {
			err = errors.Join(err, schema(want.(map[string]any)).validate(root, item))
		}
	case "minItems":
		err = accept(len(array) >= int(want.(float64)))
	case "maxItems":
		err = accept(len(array) <= int(want.(float64)))
	case "uniqueItems":
		for i, item := range array {
			for _, other := range array[:i] {
				if reflect.DeepEqual(item, other) {
					return true, errRefused
				}
			}
		}
	default:
		return false, nil
	}
	return true, err
}

func accept(ok bool) error {
	if !ok {
		return errRefused
	}
	return nil
}

// typeOf names the type of a value as schemas do.
func typeOf(value any) string {
	switch v := value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	}
	return "null"
}

// lossless refuses texts in which encoding/json repairs or overlooks something:
// duplicate members, broken strings, more than one value, depth. It puts U+FFFD
// where a string is broken, so that looking for it finds every broken string.
func lossless(text []byte) error {
	if !json.Valid(text) {
		return errRefused
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return losslessValue(d, 0)
}

func losslessValue(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil || depth > 32 {
		return errors.Join(errRefused, err)
	}
	switch token := token.(type) {
	case string:
		return accept(!strings.ContainsRune(token, utf8.RuneError))
	case json.Delim:
		seen := make(map[any]bool)
		for d.More() {
			if token == '{' {
				name, _ := d.Token()
				if seen[name] || strings.ContainsRune(name.(string), utf8.RuneError) {
					return errRefused
				}
				seen[name] = true
			}
			if err := losslessValue(d, depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return err
	}
	return nil
}
