package contractcheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mosaicstack/fedkit/federation/contract"
	ours "github.com/mosaicstack/fedkit/internal/jsonschema"
)

// seeds are values that the schemas accept, by the place of the schema; what the tests
// try is these and what is made of them.
var seeds = map[string]string{
	"#/components/schemas/ListRequest":                                `{"limit":50,"cursor":"x"}`,
	"#/components/schemas/GetRequest":                                 `{}`,
	"#/components/schemas/ListPage":                                   `{"items":[{"id":"1","_source":"local"},{"_source":"local"}],"nextCursor":"x","_truncated":true,"_partial":true,"_sources":[{"name":"local","state":"ok"}]}`,
	"#/components/schemas/GetResult":                                  `{"item":{"id":"1","_source":"local"}}`,
	"#/components/schemas/Task":                                       `{"id":"00000000-0000-4000-8000-00000000000a","title":"t","description":null,"status":"s","priority":"p","projectId":null,"missionId":"00000000-0000-4000-8000-00000000000b","assignee":"a","tags":[1],"dueDate":"2026-01-02T03:04:05.000001Z","metadata":{},"createdAt":"2026-01-02T03:04:05.1Z","updatedAt":"2026-01-02T03:04:05Z","_source":"local"}`,
	"#/components/schemas/Note":                                       `{"id":"00000000-0000-4000-8000-00000000000a","missionId":null,"taskId":null,"status":"s","content":"c","createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z","_source":"local"}`,
	"#/components/schemas/Capabilities":                               `{"resources":["notes","tasks"],"excluded_resources":["credentials"],"max_rows_per_query":100,"supported_verbs":["list","get","capabilities"],"protocol_versions":["1"],"features":["cursors","get"],"limits":{"max_body_bytes":8192,"max_cursor_length":4096,"max_id_bytes":1024}}`,
	"#/components/schemas/EnrollRequest":                              `{"token":"t","csr":"c"}`,
	"#/components/schemas/EnrollResult":                               `{"certificate":"-----BEGIN CERTIFICATE-----\n","chain":""}`,
	"#/components/schemas/Problem":                                    `{"type":"about:blank","title":"t","status":401,"code":"unauthorized","detail":"d"}`,
	"#/x-standard-rows/memory":                                        `{"type":"preference","id":"00000000-0000-4000-8000-00000000000a","kind":"k","key":"k","value":null,"source":null,"mutable":true,"createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z","_source":"local"}`,
	"#/components/responses/Refused/content/application~1json/schema": `{"error":{"code":"forbidden","message":"m"}}`,
}

const scopeSeed = `{"resources":["tasks","notes"],"excluded_resources":["credentials"],"filters":{"tasks":{"include_teams":["a","b"],"include_personal":true}},"max_rows_per_query":100}`

// The tests of the root judge by a small package of its own. It must say of a value what
// a validator says that the field knows.
func TestOurJudgeAgreesWithAWellKnownOne(t *testing.T) {
	t.Parallel()
	for pointer, seed := range seeds {
		agree(t, contract.OpenAPI(), pointer, seed)
	}
	agree(t, contract.GrantScope(), "#", scopeSeed)
}

func agree(t *testing.T, document, pointer, seed string) {
	t.Helper()
	judge, err := ours.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	known := compile(t, document, pointer)
	random := rand.New(rand.NewPCG(1, 2))
	accepted, refused := 0, 0
	for i := range 4000 {
		value := decode(t, seed)
		for range i % 4 { // at 0, the seed as it is
			value = mutate(random, value)
			value = decode(t, encode(t, value)) // so that nothing is at two places
		}
		text := encode(t, value)
		want := known.Validate(decode(t, text)) == nil
		got := judge.Validate(pointer, decode(t, text))
		if errors.Is(got, ours.ErrUnknownKeyword) || (got == nil) != want {
			t.Errorf("%s: %s is good: %t, and our judge says %v", pointer, text, want, got)
		}
		if want {
			accepted++
		} else {
			refused++
		}
	}
	if accepted < 1000 || refused < 500 {
		t.Errorf("%s: %d values are accepted and %d refused, which says little", pointer, accepted, refused)
	}
}

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// OpenAPI leaves the schemas in it to JSON Schema.
func TestEachSchemaOfTheContractIsOne(t *testing.T) {
	t.Parallel()
	meta, err := jsonschema.NewCompiler().Compile("https://json-schema.org/draft/2020-12/schema")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct{ Schemas map[string]any }
		Rows       map[string]any `json:"x-standard-rows"`
	}
	if err := json.Unmarshal([]byte(contract.OpenAPI()), &document); err != nil {
		t.Fatal(err)
	}
	schemas := document.Components.Schemas
	maps.Copy(schemas, document.Rows)
	schemas[contract.GrantScopeName] = decode(t, contract.GrantScope())
	if len(schemas) < 20 {
		t.Errorf("there are %d schemas", len(schemas))
	}
	for name, schema := range schemas {
		if err := meta.Validate(schema); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if meta.Validate(map[string]any{"properties": map[string]any{"a": map[string]any{"type": "text"}}}) == nil {
		t.Error("a type that JSON has not is taken for one")
	}
}

// compile reads the schema at a place of a document.
func compile(t *testing.T, document, pointer string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	for name, text := range map[string]string{"https://contract/document": document, "https://contract/" + contract.GrantScopeName: contract.GrantScope()} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(name, value); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("https://contract/document" + pointer)
	if err != nil {
		t.Fatalf("%s: %v", pointer, err)
	}
	return schema
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// others are values to put in the place of one, or beside it.
var others = []any{nil, true, false, 0.0, 1.0, -1.0, 1.5, 10000.0, 10001.0, 1e300, "", "x", "1", "01", "local", "list", "tasks", "Tasks", "forbidden",
	strings.Repeat("x", 4096), strings.Repeat("é", 4097), "2026-01-02T03:04:05.0000001Z", []any{}, []any{"a", "a"}, map[string]any{}, map[string]any{"_source": "local"},
	names(256), names(257), names(1025)}

// names are different names of resources, also good as those of teams.
func names(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = fmt.Sprintf("a%d", i)
	}
	return all
}

// mutate changes one thing at a random depth.
func mutate(random *rand.Rand, value any) any {
	if random.IntN(4) == 0 {
		return others[random.IntN(len(others))]
	}
	switch value := value.(type) {
	case map[string]any:
		names := append(sortedNames(value), "unknown")
		name := names[random.IntN(len(names))]
		switch random.IntN(8) {
		case 0:
			delete(value, name)
		case 1:
			value[name+"s"] = others[random.IntN(len(others))]
		default:
			value[name] = mutate(random, value[name])
		}
		return value
	case []any:
		if len(value) == 0 || random.IntN(4) == 0 {
			return append(value, others[random.IntN(len(others))])
		}
		i := random.IntN(len(value))
		if random.IntN(4) == 0 {
			return append(value, value[i])
		}
		value[i] = mutate(random, value[i])
		return value
	}
	return others[random.IntN(len(others))]
}

func sortedNames(object map[string]any) []string {
	var names []string
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
