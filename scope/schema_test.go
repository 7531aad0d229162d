package scope_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/federation/contract"
	"github.com/mosaicstack/fedkit/internal/jsonschema"
)

// publishedSchema returns the schema that hosts and peers are given. What judges by it
// shares no code with Parse.
func publishedSchema(t testing.TB) jsonschema.Document {
	t.Helper()
	published, err := jsonschema.Parse(contract.GrantScope())
	if err != nil {
		t.Fatal(err)
	}
	return published
}

var errRefused = jsonschema.ErrRefused

func accept(ok bool) error {
	if !ok {
		return errRefused
	}
	return nil
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
