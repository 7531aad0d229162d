// Package openapi holds answers of a gateway to the contract: to the status, headers,
// content type and body that the OpenAPI document describes for the request.
package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/mosaicstack/fedkit/federation/contract"
	"github.com/mosaicstack/fedkit/internal/jsonschema"
)

// An Answer is what came back to a request.
type Answer struct {
	Method string // of the request
	Path   string // of the request, unescaped
	Status int
	Header http.Header
	Body   []byte
}

// Other is the operation of requests to paths that the document does not have.
const Other = "other"

// A Description is the OpenAPI document. It may be used concurrently.
type Description struct {
	document jsonschema.Document
	paths    map[string]any
	other    map[string]any // the operation of all other paths
}

// Contract returns the description that fedkit publishes.
func Contract() *Description {
	d, err := parse(contract.OpenAPI())
	if err != nil {
		panic(err) // it is part of the program, and tested
	}
	return d
}

func parse(text string) (*Description, error) {
	document, err := jsonschema.Parse(text)
	if err != nil {
		return nil, err
	}
	paths, err := document.At("#/paths")
	if err != nil {
		return nil, err
	}
	other, err := document.At("#/x-other-paths")
	if err != nil {
		return nil, err
	}
	return &Description{document, paths.(map[string]any), other.(map[string]any)}, nil
}

// Check returns what of an answer the description does not have, nil if it has all of
// it. Headers beyond those described are an error with exact, and else the business of
// whatever stands in between.
func (d *Description) Check(a Answer, exact bool) error {
	described, err := d.response(a)
	if err != nil {
		return err
	}
	return errors.Join(d.headers(a, described, exact), d.body(a, described))
}

// Operation names the operation of a request, which is Other if the path has none.
func (d *Description) Operation(path string) string {
	_, operation := d.operation(path)
	return operation["operationId"].(string)
}

// operation returns what a path does, by the one method that it has.
func (d *Description) operation(path string) (method string, operation map[string]any) {
	for template, item := range d.paths {
		if !matches(template, path) {
			continue
		}
		for method, operation := range item.(map[string]any) {
			return strings.ToUpper(method), operation.(map[string]any)
		}
	}
	return "", d.other
}

// matches tells if a path is one of a template. The last parameter of it takes all that
// is left: an id may have slashes.
func matches(template, path string) bool {
	for {
		fixed, rest, found := strings.Cut(template, "{")
		if !found {
			return template == path
		}
		behind, ok := strings.CutPrefix(path, fixed)
		if !ok {
			return false
		}
		name, rest, _ := strings.Cut(rest, "}")
		if rest == "" {
			return behind != "" && (name == "id" || !strings.Contains(behind, "/"))
		}
		value, after, ok := strings.Cut(behind, "/")
		if !ok || value == "" {
			return false
		}
		template, path = rest, "/"+after
	}
}

// response finds the description of an answer.
func (d *Description) response(a Answer) (map[string]any, error) {
	method, operation := d.operation(a.Path)
	if method != "" && !answers(a.Status, a.Method == method) {
		return nil, fmt.Errorf("%s of a path for %s is answered with %d", a.Method, method, a.Status)
	}
	described, ok := operation["responses"].(map[string]any)[strconv.Itoa(a.Status)]
	if !ok {
		return nil, fmt.Errorf("the status %d is none that %v has", a.Status, operation["operationId"])
	}
	return d.resolve(described)
}

// answers tells if a status answers a request by the method that a path has, or by
// another: that is 405, unless the verb is not offered or the audit has failed.
func answers(status int, rightMethod bool) bool {
	if rightMethod {
		return status != http.StatusMethodNotAllowed
	}
	return status == http.StatusMethodNotAllowed || status == http.StatusNotFound || status == http.StatusServiceUnavailable
}

// resolve follows a reference.
func (d *Description) resolve(described any) (map[string]any, error) {
	object := described.(map[string]any)
	ref, ok := object["$ref"].(string)
	if !ok {
		return object, nil
	}
	found, err := d.document.At(ref)
	if err != nil {
		return nil, err
	}
	return d.resolve(found)
}

func (d *Description) headers(a Answer, described map[string]any, exact bool) error {
	known, _ := described["headers"].(map[string]any)
	var problems []error
	for name, h := range known {
		if err := d.header(a, name, h); err != nil {
			problems = append(problems, fmt.Errorf("the header %s: %w", name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		if name == "Connection" { // is about nothing but the connection (RFC 9110, section 7.6.1)
			continue
		}
		if _, ok := known[name]; exact && !ok && name != "Content-Type" {
			problems = append(problems, fmt.Errorf("the header %s is none of the contract's", name))
		}
	}
	if length := a.Header.Get("Content-Length"); length != "" && length != strconv.Itoa(len(a.Body)) {
		problems = append(problems, fmt.Errorf("Content-Length is %s, and the body has %d bytes", length, len(a.Body)))
	}
	return errors.Join(problems...)
}

func (d *Description) header(a Answer, name string, described any) error {
	h, err := d.resolve(described)
	if err != nil {
		return err
	}
	values := a.Header[http.CanonicalHeaderKey(name)]
	if len(values) == 0 {
		if h["required"] == true {
			return errors.New("is missing")
		}
		return nil
	}
	if len(values) > 1 {
		return fmt.Errorf("stands there %d times", len(values))
	}
	var value any = values[0]
	if h["schema"].(map[string]any)["type"] == "integer" {
		number, err := strconv.ParseUint(values[0], 10, 53)
		if err != nil {
			return fmt.Errorf("%q is no number", values[0])
		}
		value = float64(number)
	}
	if err := d.document.Accepts(h["schema"], value); err != nil {
		return fmt.Errorf("%q: %w", values[0], err)
	}
	return nil
}

func (d *Description) body(a Answer, described map[string]any) error {
	media := a.Header.Get("Content-Type")
	content, ok := described["content"].(map[string]any)[media].(map[string]any)
	if !ok {
		return fmt.Errorf("the content type %q is none of the contract's", media)
	}
	var value any
	if err := json.Unmarshal(a.Body, &value); err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	if err := unambiguous(a.Body); err != nil {
		return fmt.Errorf("the body: %w", err)
	}
	if err := d.document.Accepts(content["schema"], value); err != nil {
		return fmt.Errorf("the body: %w", err)
	}
	return nil
}
