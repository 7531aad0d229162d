package contractcheck

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mosaicstack/fedkit/federation/contract"
	ours "github.com/mosaicstack/fedkit/internal/jsonschema"
)

// openAPI is the schema of OpenAPI 3.1 documents, as the OpenAPI Initiative publishes it
// at https://spec.openapis.org/oas/3.1/schema/2022-10-07.
func openAPI(t *testing.T) *jsonschema.Schema {
	t.Helper()
	const file = "testdata/openapi-3.1.schema.json"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(file, value); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// problem returns what is wrong with a text that should be OpenAPI 3.1, nil if nothing is.
func problem(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	value := decode(t, text)
	if err := schema.Validate(value); err != nil {
		return err
	}
	document, err := ours.Parse(text)
	if err != nil {
		return err
	}
	return unresolved(document, value)
}

// unresolved looks for a reference that leads nowhere.
func unresolved(document ours.Document, value any) error {
	switch value := value.(type) {
	case map[string]any:
		if ref, ok := value["$ref"].(string); ok && ref != contract.GrantScopeName {
			if _, err := document.At(ref); err != nil {
				return fmt.Errorf("the reference %s: %w", ref, err)
			}
		}
		for _, part := range value {
			if err := unresolved(document, part); err != nil {
				return err
			}
		}
	case []any:
		for _, part := range value {
			if err := unresolved(document, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestTheContractIsOpenAPI31(t *testing.T) {
	t.Parallel()
	if err := problem(t, openAPI(t), contract.OpenAPI()); err != nil {
		t.Error(err)
	}
}

func TestAContractThatIsBrokenIsFoundOut(t *testing.T) {
	t.Parallel()
	schema := openAPI(t)
	for name, change := range map[string][2]string{
		"another version":           {`"openapi": "3.1.1"`, `"openapi": "3.0.3"`},
		"a member that is none":     {`"operationId": "list"`, `"operationID": "list"`},
		"a reference to nothing":    {`#/components/schemas/ListPage`, `#/components/schemas/Page`},
		"a reference to no file":    {`grant-scope.v1.schema.json"}`, `scope.json"}`},
		"a response without words":  {`"description": "A page.",`, ``},
		"a parameter of no place":   {`"in": "path"`, `"in": "body"`},
		"a security scheme of none": {`"type": "mutualTLS"`, `"type": "mTLS"`},
	} {
		text := strings.Replace(contract.OpenAPI(), change[0], change[1], 1)
		if text == contract.OpenAPI() {
			t.Errorf("%s: the contract has no %s", name, change[0])
		}
		if problem(t, schema, text) == nil {
			t.Errorf("%s: nothing is found wrong", name)
		}
	}
}
