package federation

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// slowObject is what isObject has to say.
func slowObject(text []byte) bool {
	return json.Valid(text) && text[0] == '{' && text[len(text)-1] == '}'
}

var rowSeeds = []string{
	``, `{`, `}`, `{}`, `{ }`, ` {}`, `{} `, `{}{}`, `[]`, `null`, `"a"`, `7`, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a" : 1 , "b" : [ ] }`,
	`{"a":[1,2,]}`, `{"a":[,]}`, `{"a":[1 2]}`, `{"a":{"b":{"c":[true,false,null]}}}`, `{"a":tru}`, `{"a":nul`, `{"a":truex}`, `{"a":-}`, `{"a":-0}`, `{"a":01}`,
	`{"a":0.}`, `{"a":.5}`, `{"a":1.5e+7}`, `{"a":1e}`, `{"a":1E-0}`, `{"a":+1}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":"\u00e9\n\/\""}`, `{"a":"\u00g9"}`, `{"a":"\u00"`, `{"a":"\`,
	`{"a":"\x"}`, "{\"a\":\"\n\"}", "{\"a\":\"\x7f\x80\xff\"}", "{\"a\":\"\x00\"}", "{\"a\x00\":1}", "{\n\t\r \"a\":1}", "{\v}", "{\u00a0}", "\ufeff{}", `{a:1}`, `{'a':1}`, `{"a":1/**/}`,
	`{"a":"` + "\u2028" + `"}`, `{"":""}`, `{"a":1}x`, `{"a":[}`, `{"a":{]}`, `{"a":]}`,
}

func FuzzIsObjectAgreesWithEncodingJSON(f *testing.F) {
	for _, seed := range rowSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := isObject(text), slowObject(text); got != want {
			t.Errorf("%q is an object: %t; encoding/json says %t", text, got, want)
		}
	})
}

// Each single byte of good rows is left out, doubled and replaced by each byte there is.
func TestIsObjectAgreesWithEncodingJSONOnDamagedRows(t *testing.T) {
	check := func(text []byte) {
		if got, want := isObject(text), slowObject(text); got != want {
			t.Fatalf("%q is an object: %t; encoding/json says %t", text, got, want)
		}
	}
	for _, row := range []string{
		`{"id":"05000000-0000-4000-8000-000000000001","n":[-0,1.5e+7,{"x":null}],"t":"a\u00e9\"\\","b":true}`, `{ "a" : [ 0.1 , false ] , "b" : { } }`,
	} {
		for i := range row {
			check([]byte(row[:i]))
			check([]byte(row[:i] + row[i+1:]))
			check([]byte(row[:i+1] + row[i:]))
			for c := range 256 {
				damaged := []byte(row)
				damaged[i] = byte(c)
				check(damaged)
			}
		}
	}
}

func TestARowMayNestAsDeepAsEncodingJSONLetsIt(t *testing.T) {
	for depth, want := range map[int]bool{1: true, maxNesting - 1: true, maxNesting: false, 1 << 20: false} {
		for _, open := range []string{"[", `{"a":`} {
			text := []byte(`{"a":` + strings.Repeat(open, depth) + "1" + strings.Repeat(map[string]string{"[": "]", `{"a":`: "}"}[open], depth) + "}")
			if got := isObject(text); got != want || got != json.Valid(text) {
				t.Errorf("%d times %s in an object: %t", depth, open, got)
			}
		}
	}
}

func BenchmarkIsObject(b *testing.B) {
	row := []byte(`{"id":"05000000-0000-4000-8000-000000000001","title":"Task","tags":["keys","ops"],"metadata":{"estimate":3},"dueDate":null}`)
	row = bytes.Replace(row, []byte("Task"), bytes.Repeat([]byte("Task "), 60), 1)
	b.SetBytes(int64(len(row)))
	for b.Loop() {
		if !isObject(row) {
			b.Fatal("the row is none")
		}
	}
}
