package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// unambiguous returns what of a text of JSON readers may read differently: encoding/json
// takes the last of two members with one name, others the first, and it repairs what is
// not UTF-8.
func unambiguous(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("it is not UTF-8")
	}
	return noMemberTwice(json.NewDecoder(bytes.NewReader(text)))
}

// noMemberTwice reads one value.
func noMemberTwice(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	open, _ := token.(json.Delim)
	if open == 0 {
		return nil
	}
	names := make(map[json.Token]bool)
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if names[name] {
				return fmt.Errorf("the member %q stands there twice", name)
			}
			names[name] = true
		}
		if err := noMemberTwice(d); err != nil {
			return err
		}
	}
	_, err = d.Token() // that closes it
	return err
}
