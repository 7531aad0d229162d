package jsonschema

import (
	"errors"
	"slices"
	"testing"

	"github.com/mosaicstack/fedkit/federation/contract"
)

// general are the keywords that bind values of every type, or none.
var general = []string{
	"$schema", "$id", "$defs", "$comment", "title", "description", "default",
	"$ref", "type", "const", "enum", "allOf", "anyOf", "oneOf",
}

// problems looks for what would be ignored in the schemas within a value: keywords that
// are unknown, and those for values that the schema's type has not.
func problems(at string, value any, isSchema bool) (count int, all []string) {
	switch value := value.(type) {
	case []any:
		for _, part := range value {
			n, more := problems(at, part, isSchema)
			count, all = count+n, append(all, more...)
		}
	case map[string]any:
		if isSchema {
			count = 1
		}
		for name, part := range value {
			if isSchema {
				if wrong := wrongKeyword(value, name); wrong != "" {
					all = append(all, at+"/"+name+": "+wrong)
				}
			}
			n, more := within(at, name, part, isSchema)
			count, all = count+n, append(all, more...)
		}
	}
	return count, all
}

func within(at, name string, part any, inSchema bool) (count int, all []string) {
	at += "/" + name
	named := slices.Contains([]string{"properties", "dependentSchemas", "$defs"}, name) && inSchema ||
		slices.Contains([]string{"schemas", "x-standard-rows"}, name) && !inSchema
	object, ok := part.(map[string]any)
	switch {
	case named && ok:
		for name, schema := range object {
			n, more := problems(at+"/"+name, schema, true)
			count, all = count+n, append(all, more...)
		}
		return count, all
	case inSchema && slices.Contains([]string{"const", "enum", "default", "required", "dependentRequired"}, name):
		return 0, nil // values, and no schemas
	}
	return problems(at, part, inSchema || name == "schema")
}

func wrongKeyword(schema map[string]any, name string) string {
	of, known := keywords[name]
	switch {
	case slices.Contains(general, name):
		return ""
	case !known:
		return "is unknown"
	}
	types, ok := schema["type"].([]any)
	if !ok {
		types = []any{schema["type"]}
	}
	for _, has := range types {
		if has == nil || has == of || has == "integer" && of == "number" {
			return ""
		}
	}
	return "is for a type that the schema has not"
}

// A keyword that nobody judges by lets everything pass.
func TestEachKeywordOfTheDocumentsIsJudgedBy(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"the contract": contract.OpenAPI(), "the scope": contract.GrantScope()} {
		document, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		count, found := problems("", document.root, text == contract.GrantScope())
		if count < 10 {
			t.Errorf("%s has %d schemas: the test does not see them", name, count)
		}
		for _, problem := range found {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

func TestAKeywordThatIsIgnoredIsFound(t *testing.T) {
	t.Parallel()
	for text, wrong := range map[string]bool{
		`{"schema":{"type":"string","pattern":"x"}}`:                                         false,
		`{"schema":{"type":["string","null"],"minLength":1}}`:                                false,
		`{"schema":{"properties":{"pattern":{"type":"integer","minimum":1}}}}`:               false,
		`{"schema":{"const":{"x":1}}}`:                                                       false,
		`{"schema":{"type":"string","minimum":1}}`:                                           true,
		`{"schema":{"type":"object","items":{}}}`:                                            true,
		`{"schema":{"type":"string","format":"date-time"}}`:                                  true,
		`{"components":{"schemas":{"A":{"allOf":[{"minLenght":1}]}}}}`:                       true,
		`{"schema":{"type":"object","properties":{"a":{"type":"array","maxLength":1}}}}`:     true,
		`{"schema":{"dependentSchemas":{"a":{"not":{}}}}}`:                                   true,
		`{"x-standard-rows":{"a":{"type":"object","additionalProperties":{"exclusive":1}}}}`: true,
	} {
		document, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, found := problems("", document.root, false); (len(found) > 0) != wrong {
			t.Errorf("%s: %v", text, found)
		}
	}
}

func TestAnUnknownKeywordNeverPasses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"format":"x"}`, `{"anyOf":[{"format":"x"},true]}`, `{"oneOf":[true,{"format":"x"}]}`, `{"allOf":[{"format":"x"}]}`,
		`{"items":{"format":"x"}}`, `{"contains":{"format":"x"}}`, `{"$ref":"#/nothing"}`, `{"$ref":"other.json"}`,
	} {
		document, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := document.Validate("#", []any{"x"}); err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("a value that %s cannot be judged by ends in %v", text, err)
		}
	}
}

func TestAPointerLeadsIntoObjectsAndArrays(t *testing.T) {
	t.Parallel()
	document, err := Parse(`{"a":[{"b/c":1},{"~d":2}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for pointer, want := range map[string]any{"#/a/0/b~1c": 1.0, "#/a/1/~0d": 2.0, "#/a/2": nil, "#/a/-1": nil, "#/a/00": nil, "#/a/x": nil, "#/b": nil, "a": nil} {
		if got, err := document.At(pointer); got != want || (err == nil) != (want != nil) {
			t.Errorf("%s leads to %v, %v; want %v", pointer, got, err, want)
		}
	}
}
