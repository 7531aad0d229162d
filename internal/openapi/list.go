package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// A Case is one kind of answer that the contract has, such as list 400.
type Case struct {
	Operation string // by its operationId, or Other
	Status    int
	Media     string
}

// Cases returns every kind of answer that an operation has, in order.
func (d *Description) Cases(operation string) ([]Case, error) {
	responses, err := d.responses(operation)
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		response, err := d.resolve(responses[status])
		if err != nil {
			return nil, err
		}
		number, err := strconv.Atoi(status)
		if err != nil {
			return nil, err
		}
		for _, media := range slices.Sorted(maps.Keys(response["content"].(map[string]any))) {
			cases = append(cases, Case{operation, number, media})
		}
	}
	return cases, nil
}

// responses are those of an operation, by their statuses.
func (d *Description) responses(operation string) (map[string]any, error) {
	if operation == Other {
		return d.other["responses"].(map[string]any), nil
	}
	for _, item := range d.paths {
		for _, o := range item.(map[string]any) {
			if o := o.(map[string]any); o["operationId"] == operation {
				return o["responses"].(map[string]any), nil
			}
		}
	}
	return nil, fmt.Errorf("the contract has no operation %q", operation)
}

// ErrorCodes returns the codes that an error of a kind may have.
func (d *Description) ErrorCodes(c Case) ([]string, error) {
	all, err := d.document.At("#/components/schemas/ErrorCode/enum")
	if err != nil {
		return nil, err
	}
	responses, err := d.responses(c.Operation)
	if err != nil {
		return nil, err
	}
	response, err := d.resolve(responses[strconv.Itoa(c.Status)])
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, code := range all.([]any) {
		a := Answer{Header: http.Header{"Content-Type": {c.Media}}, Body: c.withCode(code)}
		if d.body(a, response) == nil {
			codes = append(codes, code.(string))
		}
	}
	return codes, nil
}

// withCode is a body of an error of that kind.
func (c Case) withCode(code any) []byte {
	body := map[string]any{"error": map[string]any{"code": code, "message": "m"}}
	if c.Media == "application/problem+json" {
		body = map[string]any{"type": "about:blank", "title": "t", "status": c.Status, "code": code, "detail": "d"}
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // it holds text and a number
	}
	return text
}
