package contractcheck

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi/datamodel"

	"github.com/mosaicstack/fedkit/federation/contract"
)

// problems returns what is wrong with a text that should be OpenAPI 3.1, files that it
// refers to included.
func problems(t *testing.T, text string) []string {
	t.Helper()
	document, err := libopenapi.NewDocumentWithConfiguration([]byte(text), &datamodel.DocumentConfiguration{
		BasePath:            "../../federation/contract",
		AllowFileReferences: true,
		Logger:              slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	if version := document.GetVersion(); !strings.HasPrefix(version, "3.1.") {
		found = append(found, "the version is "+version)
	}
	if _, err := document.BuildV3Model(); err != nil {
		found = append(found, err.Error())
	}
	v, errs := validator.NewValidator(document)
	for _, err := range errs {
		return append(found, err.Error())
	}
	_, violations := v.ValidateDocument()
	for _, violation := range violations {
		found = append(found, violation.Error())
		for _, detail := range violation.SchemaValidationErrors {
			found = append(found, detail.Error())
		}
	}
	return found
}

func TestTheContractIsOpenAPI31(t *testing.T) {
	t.Parallel()
	for _, problem := range problems(t, contract.OpenAPI()) {
		t.Error(problem)
	}
}

func TestAContractThatIsBrokenIsFoundOut(t *testing.T) {
	t.Parallel()
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
		if len(problems(t, text)) == 0 {
			t.Errorf("%s: nothing is found wrong", name)
		}
	}
}
