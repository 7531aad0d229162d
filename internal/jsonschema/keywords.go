package jsonschema

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"sync"
	"unicode/utf8"
)

func (d Document) object(schema map[string]any, keyword string, want any, object map[string]any) error {
	properties, _ := schema["properties"].(map[string]any)
	switch keyword {
	case "required":
		return hasAll(object, want.([]any))
	case "properties":
		for name, part := range properties {
			if value, ok := object[name]; ok {
				if err := d.Accepts(part, value); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	case "additionalProperties":
		for name, value := range object {
			if _, ok := properties[name]; ok {
				continue
			}
			if err := d.Accepts(want, value); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
		}
	case "propertyNames":
		for name := range object {
			if err := d.Accepts(want, name); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
		}
	case "maxProperties":
		return accept(len(object) <= int(want.(float64)))
	case "dependentRequired":
		for name, others := range want.(map[string]any) {
			if _, ok := object[name]; ok {
				if err := hasAll(object, others.([]any)); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	case "dependentSchemas":
		for name, whole := range want.(map[string]any) {
			if _, ok := object[name]; ok {
				if err := d.Accepts(whole, object); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	return nil
}

func hasAll(object map[string]any, names []any) error {
	for _, name := range names {
		if _, ok := object[name.(string)]; !ok {
			return fmt.Errorf("%w: there is no %s", ErrRefused, name)
		}
	}
	return nil
}

func (d Document) array(keyword string, want any, array []any) error {
	switch keyword {
	case "items":
		for i, item := range array {
			if err := d.Accepts(want, item); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
	case "contains":
		for _, item := range array {
			if err := d.Accepts(want, item); !errors.Is(err, ErrRefused) {
				return err
			}
		}
		return ErrRefused
	case "minItems":
		return accept(len(array) >= int(want.(float64)))
	case "maxItems":
		return accept(len(array) <= int(want.(float64)))
	case "uniqueItems":
		for i, item := range array {
			for _, other := range array[:i] {
				if want == true && equal(item, other) {
					return ErrRefused
				}
			}
		}
	}
	return nil
}

func ofString(keyword string, want any, text string) error {
	switch keyword {
	case "pattern":
		return accept(compiled(want.(string)).MatchString(text))
	case "minLength":
		return accept(utf8.RuneCountInString(text) >= int(want.(float64)))
	}
	return accept(utf8.RuneCountInString(text) <= int(want.(float64))) // maxLength
}

func ofNumber(keyword string, want, number float64) error {
	if keyword == "minimum" {
		return accept(number >= want)
	}
	return accept(number <= want)
}

var patterns sync.Map

// compiled compiles a pattern once.
func compiled(pattern string) *regexp.Regexp {
	if found, ok := patterns.Load(pattern); ok {
		return found.(*regexp.Regexp)
	}
	made := regexp.MustCompile(pattern)
	patterns.Store(pattern, made)
	return made
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// hasType tells if a value is of a type, or of one of several.
func hasType(value, want any) bool {
	if many, ok := want.([]any); ok {
		for _, one := range many {
			if hasType(value, one) {
				return true
			}
		}
		return false
	}
	is := typeOf(value)
	return is == want || is == "integer" && want == "number"
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
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	}
	return "null"
}
