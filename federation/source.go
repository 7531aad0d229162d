package federation

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// sourceMember is what every row of this gateway gets as its last member.
const sourceMember = `"_source":"local"`

// jsonSpace is what RFC 8259 allows around a value.
const jsonSpace = " \t\r\n"

var (
	errRowNotUTF8   = errors.New("not valid UTF-8")
	errRowNotObject = errors.New("not one JSON object")
	errRowSourced   = errors.New("has a _source of its own")
)

// appendSourced writes a row with its source to body. A row that is not exactly
// one JSON object is an error: it comes from the host, but bytes that are no
// object could end the page early or smuggle a second row into it.
func appendSourced(body *bytes.Buffer, row json.RawMessage) error {
	row = bytes.Trim(row, jsonSpace)
	switch {
	case !utf8.Valid(row):
		return errRowNotUTF8
	case !isObject(row):
		return errRowNotObject
	case isSourced(row):
		return errRowSourced
	}
	members := row[:len(row)-1] // without the closing brace
	body.Write(members)
	if len(bytes.Trim(members[1:], jsonSpace)) > 0 {
		body.WriteByte(',')
	}
	body.WriteString(sourceMember)
	body.WriteByte('}')
	return nil
}

// isSourced tells if an object has the member _source. Few rows have those letters
// or an escape, behind which they may hide; only these are parsed.
func isSourced(object []byte) bool {
	if !bytes.Contains(object, []byte("_source")) && !bytes.Contains(object, []byte(`\u`)) {
		return false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return true
	}
	_, sourced := members["_source"]
	return sourced
}
