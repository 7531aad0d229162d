package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// CheckRows holds the rows of an answer to what the contract says of the standard
// schema. A resource that is none of it may have rows of any kind.
func (d *Description) CheckRows(a Answer) error {
	_, operation := d.operation(a.Path)
	if id := operation["operationId"]; a.Status != http.StatusOK || id != "list" && id != "get" {
		return nil
	}
	schema, err := d.document.At("#/x-standard-rows/" + resource(a.Path))
	if err != nil {
		return nil
	}
	var body struct {
		Items []any
		Item  any
	}
	if err := json.Unmarshal(a.Body, &body); err != nil {
		return err
	}
	if operation["operationId"] == "get" {
		body.Items = []any{body.Item}
	}
	var problems []error
	for i, row := range body.Items {
		if err := d.document.Accepts(schema, row); err != nil {
			problems = append(problems, fmt.Errorf("row %d: %w", i, err))
		}
	}
	return errors.Join(problems...)
}

// resource is what a path of list or get names.
func resource(path string) string {
	for _, verb := range []string{"/list/", "/get/"} {
		if _, rest, found := strings.Cut(path, verb); found {
			name, _, _ := strings.Cut(rest, "/")
			return name
		}
	}
	return ""
}
