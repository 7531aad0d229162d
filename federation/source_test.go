package federation

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheSourceIsTheLastMemberOfARow(t *testing.T) {
	for row, want := range map[string]string{
		`{}`:                      `{"_source":"local"}`,
		" { } ":                   `{ "_source":"local"}`,
		`{"a":1}`:                 `{"a":1,"_source":"local"}`,
		"{\"a\":1\n}\n":           "{\"a\":1\n,\"_source\":\"local\"}",
		`{"a":{"_source":"x"}}`:   `{"a":{"_source":"x"},"_source":"local"}`,
		`{"a":"}","_sourc":[1]}`:  `{"a":"}","_sourc":[1],"_source":"local"}`,
		`{"_Source":null}`:        `{"_Source":null,"_source":"local"}`,
		`{"a":"\ufffd � \ud800"}`: `{"a":"\ufffd � \ud800","_source":"local"}`,
	} {
		var body bytes.Buffer
		if err := appendSourced(&body, json.RawMessage(row)); err != nil || body.String() != want {
			t.Errorf("%s becomes %s (%v), not %s", row, body.String(), err, want)
		}
	}
}

// slowSourced is what appendSourced has to agree with: encoding/json and nothing
// clever.
func slowSourced(row []byte) (members map[string]json.RawMessage, ok bool) {
	if !utf8.Valid(row) || !json.Valid(row) || !strings.HasPrefix(strings.TrimLeft(string(row), " \t\r\n"), "{") {
		return nil, false
	}
	if err := json.Unmarshal(row, &members); err != nil {
		return nil, false
	}
	_, sourced := members["_source"]
	return members, !sourced
}

// agree holds appendSourced against slowSourced for one row.
func agree(t *testing.T, row []byte) {
	t.Helper()
	members, ok := slowSourced(row)
	var body bytes.Buffer
	err := appendSourced(&body, row)
	if (err == nil) != ok {
		t.Fatalf("%q: the reference says %t, appendSourced %v", row, ok, err)
	}
	if !ok {
		return
	}
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(body.Bytes(), &sent); err != nil {
		t.Fatalf("%q becomes %q, which is no JSON: %v", row, body.Bytes(), err)
	}
	if string(sent["_source"]) != `"local"` || len(sent) != len(members)+1 {
		t.Fatalf("%q becomes %q", row, body.Bytes())
	}
}

func TestEveryChangeOfARowIsTakenAsEncodingJSONTakesIt(t *testing.T) {
	row := []byte(`{"id":"7","n":-0.5e+10,"m":[0,1E2,{"a":[]}],"t":true,"f":false,"z":null,"s":"\u00e9\n\"é","o":{"_source":1}, "":{}}`)
	agree(t, row)
	for i := range row {
		agree(t, row[:i])
		agree(t, row[i:])
		for _, c := range []byte("{}[]:,\"\\ \n\x00\x1f0159.-+eEtfnua_\x80\xff") {
			changed := bytes.Clone(row)
			changed[i] = c
			agree(t, changed)
			agree(t, append(append(bytes.Clone(row[:i]), c), row[i:]...))
		}
	}
}

func TestARowMayBeDeepButNotBottomless(t *testing.T) {
	nested := func(depth int) json.RawMessage {
		return json.RawMessage(`{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`)
	}
	var body bytes.Buffer
	if err := appendSourced(&body, nested(1000)); err != nil {
		t.Errorf("a row 1000 deep is refused: %v", err)
	}
	if err := appendSourced(&body, nested(1_000_000)); err == nil {
		t.Error("a row a million deep is accepted")
	}
}

func FuzzRow(f *testing.F) {
	for _, row := range []string{`{}`, `{"a":1}`, `{"_source":1}`, `{"\u005fsource":1}`, `[]`, `{"a":[{}]}`, `{} {}`, `{"a":-1.5e3}`} {
		f.Add([]byte(row))
	}
	f.Fuzz(func(t *testing.T, row []byte) { agree(t, row) })
}
