package strictjson_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// refusal decodes a text that must be refused and returns why it was.
func refusal(t *testing.T, text string) *strictjson.Error {
	t.Helper()
	value, err := strictjson.Decode([]byte(text))
	if err == nil {
		t.Fatalf("Decode accepts %q", text)
	}
	if !reflect.ValueOf(value).IsZero() {
		t.Errorf("beside the refusal of %q stands the value %+v, want the zero Value", text, value)
	}
	var refused *strictjson.Error
	if !errors.As(err, &refused) {
		t.Fatalf("Decode refuses %q with %T, want *strictjson.Error", text, err)
	}
	if refused.Reason == "" || !strings.Contains(refused.Error(), refused.Reason) {
		t.Errorf("the message for %q is %q, which does not give its reason %q", text, refused.Error(), refused.Reason)
	}
	return refused
}

func TestAValueKeepsWhatWasWrittenAndWhere(t *testing.T) {
	const text = ` {"b": [1e2, -0, "x\u0041"], "a": {"n": null, "t": true}} `
	got, err := strictjson.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := strictjson.Value{Kind: strictjson.Object, Offset: 1, Members: []strictjson.Member{
		{Name: "b", Offset: 2, Value: strictjson.Value{Kind: strictjson.Array, Offset: 7, Items: []strictjson.Value{
			{Kind: strictjson.Number, Offset: 8, Text: "1e2"},
			{Kind: strictjson.Number, Offset: 13, Text: "-0"},
			{Kind: strictjson.String, Offset: 17, Text: "xA"},
		}}},
		{Name: "a", Offset: 29, Value: strictjson.Value{Kind: strictjson.Object, Offset: 34, Members: []strictjson.Member{
			{Name: "n", Offset: 35, Value: strictjson.Value{Kind: strictjson.Null, Offset: 40, Text: "null"}},
			{Name: "t", Offset: 46, Value: strictjson.Value{Kind: strictjson.Bool, Offset: 51, Text: "true"}},
		}}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Decode(%s) gives\n%+v, want\n%+v", text, got, want)
	}
}

func TestEveryEscapeIsResolved(t *testing.T) {
	const text = `"\"\\\/\b\f\n\r\t\u0000\u00e9\u20AC\ud83d\ude00é😀"`
	const want = "\"\\/\b\f\n\r\t\x00é€😀é😀"
	got, err := strictjson.Decode([]byte(text))
	if err != nil || got.Text != want {
		t.Errorf("Decode(%s) gives %q and error %v, want %q", text, got.Text, err, want)
	}
}

func TestAmbiguousOrBrokenTextIsRefusedAtItsPlace(t *testing.T) {
	for _, tt := range []struct {
		name, text, path string
		offset           int64
	}{
		{"nothing", "", "", 0},
		{"only space", " \n", "", 2},
		{"byte order mark", "\ufeff{}", "", 0},
		{"a second value", "{} {}", "", 3},
		{"a comma after the value", "{},", "", 2},
		{"a NUL after the value", "{}\x00", "", 2},
		{"a space that is none in JSON", "{\u00a0}", "", 1},
		{"vertical tab", "\v1", "", 0},
		{"comment", "{/**/}", "", 1},

		{"duplicate member", `{"a":1,"b":2,"a":3}`, "a", 13},
		{"duplicate member by escape", `{"ab":1,"\u0061b":3}`, "ab", 8},
		{"duplicate member deep inside", `{"a":[0,{"x":1,"x":1}]}`, "a[1].x", 15},
		{"duplicate of an empty name", `{"":1,"":2}`, `[""]`, 6},

		{"invalid UTF-8", "[\"ab\xff\"]", "[0]", 4},
		{"invalid UTF-8 in a name", "{\"a\xc0\x80\":1}", "", 3},
		{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", "", 1},
		{"invalid UTF-8 outside of strings", "[\xff]", "[0]", 1},
		{"lone high surrogate", `"x\ud800"`, "", 2},
		{"lone low surrogate", `"\udc00"`, "", 1},
		{"two high surrogates", `"\ud800\ud800"`, "", 1},
		{"high surrogate before another escape", `"\ud800\n"`, "", 1},
		{"surrogates the wrong way round", `"\ude00\ud83d"`, "", 1},
		{"high surrogate before half an escape", `"\ud83d\u12"`, "", 7},
		{"replacement character", `"` + "\ufffd" + `"`, "", 1},
		{"replacement character by escape", `"\uFFFD"`, "", 1},
		{"replacement character in a name", "{\"\ufffd\":1}", "", 2},

		{"string without an end", `["abc`, "[0]", 1},
		{"newline in a string", "\"a\nb\"", "", 2},
		{"unknown escape", `"\x41"`, "", 1},
		{"escape at the end", `"\`, "", 1},
		{"short hexadecimal escape", `"\u12G4"`, "", 1},

		{"leading zero", `[01]`, "", 2},
		{"plus sign", `+1`, "", 0},
		{"minus alone", `-`, "", 1},
		{"point without digits", `[1.]`, "[0]", 3},
		{"point first", `.5`, "", 0},
		{"exponent without digits", `1e+`, "", 3},
		{"hexadecimal", `0x10`, "", 1},
		{"NaN", `NaN`, "", 0},
		{"Infinity", `-Infinity`, "", 1},

		{"True", `True`, "", 0},
		{"half a word", `nul`, "", 0},
		{"a longer word", `nullx`, "", 4},

		{"comma after the last member", `{"a":1,}`, "", 7},
		{"comma after the last item", `[1,]`, "[1]", 3},
		{"comma before the first item", `[,1]`, "[0]", 1},
		{"no comma", `[1 2]`, "", 3},
		{"no colon", `{"a" 1}`, "a", 5},
		{"no value", `{"a":}`, "a", 5},
		{"name without quotes", `{a:1}`, "", 1},
		{"a number for a name", `{1:1}`, "", 1},
		{"wrong bracket", `[1}`, "", 2},
		{"object without an end", `{"a":1`, "", 6},
		{"array without an end", `{"odd name":[1`, `["odd name"]`, 14},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused := refusal(t, tt.text)
			if refused.Path != tt.path || refused.Offset != tt.offset {
				t.Errorf("%q is refused at path %q, byte %d (%s); want path %q, byte %d",
					tt.text, refused.Path, refused.Offset, refused.Reason, tt.path, tt.offset)
			}
		})
	}
}

func TestNamesThatDifferInCaseAreTwoMembers(t *testing.T) {
	got, err := strictjson.Decode([]byte(`{"a":1,"A":2}`))
	if err != nil || len(got.Members) != 2 {
		t.Errorf("got %d members and error %v, want 2 members", len(got.Members), err)
	}
}

func TestThirtyTwoLevelsAreReadAndThirtyThreeAreNot(t *testing.T) {
	for _, tt := range []struct{ name, open, end string }{
		{"arrays", "[", "]"},
		{"objects", `{"a":`, "}"},
	} {
		nested := func(n int) string { return strings.Repeat(tt.open, n) + "1" + strings.Repeat(tt.end, n) }
		if _, err := strictjson.Decode([]byte(nested(32))); err != nil {
			t.Errorf("32 nested %s are refused: %v", tt.name, err)
		}
		if refused := refusal(t, nested(33)); refused.Offset != int64(32*len(tt.open)) {
			t.Errorf("33 nested %s are refused at byte %d, want %d", tt.name, refused.Offset, 32*len(tt.open))
		}
	}
}

func TestADuplicateIsFoundAmongManyMembers(t *testing.T) {
	for _, n := range []int{1, 7, 8, 9, 100, 5000} {
		for _, at := range []int{0, n / 2, n - 1} {
			names := manyNames(n)
			if value, err := strictjson.Decode(objectOf(names)); err != nil || len(value.Members) != n {
				t.Fatalf("%d different members: got %d and error %v", n, len(value.Members), err)
			}
			refused := refusal(t, string(objectOf(append(names, names[at]))))
			if refused.Path != names[at] {
				t.Errorf("member %d of %d given again is refused at path %q, want %q", at, n, refused.Path, names[at])
			}
		}
	}
}

func TestAMessageRepeatsNoMoreThanAShortPartOfTheText(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	refused := refusal(t, `{"`+long+`":1,"`+long+`":2}`)
	if len(refused.Error()) > 300 {
		t.Errorf("the message for a name of 100,000 letters has %d bytes", len(refused.Error()))
	}
}
