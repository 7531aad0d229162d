package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// FuzzDecode compares Decode with a reference made of encoding/json: whatever
// one of them accepts, the other does too, and they find the same tree.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"resources":["tasks"],"max_rows_per_query":100}`,
		`{"limit":10,"cursor":"abc"}`,
		` [ null , true , false , -0.5e+10 , "\ud83d\ude00" ] `,
		`{"a":{"a":[]},"b":{"a":1}}`,
		`{"a":1,"\u0061":2}`,
		`"\ud800"`, `"\ud800\ud800"`, "\"\xff\"", "\ufeff1", `"\ufffd"`, "\"\ufffd\"", `1 2`, `01`, `[1,]`, `{"a":1,}`,
		strings.Repeat("[", 33) + strings.Repeat("]", 33),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := strictjson.Decode(text)
		want, wantErr := reference(text)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("Decode(%q) gives error %v, the reference %v", text, err, wantErr)
		}
		if err != nil {
			checkRefusal(t, text, err)
			return
		}
		if tree := plain(got); !reflect.DeepEqual(tree, want) {
			t.Errorf("Decode(%q) gives %#v, the reference %#v", text, tree, want)
		}
		checkOffsets(t, text, got)
	})
}

func checkRefusal(t *testing.T, text []byte, err error) {
	t.Helper()
	var refused *strictjson.Error
	if !errors.As(err, &refused) {
		t.Fatalf("Decode refuses %q with %T, want *strictjson.Error", text, err)
	}
	if refused.Offset < 0 || refused.Offset > int64(len(text)) {
		t.Errorf("Decode refuses %q at byte %d of %d", text, refused.Offset, len(text))
	}
}

// checkOffsets looks at the byte that each value begins with.
func checkOffsets(t *testing.T, text []byte, v strictjson.Value) {
	t.Helper()
	first := map[strictjson.Kind]string{
		strictjson.Null: "n", strictjson.Bool: "tf", strictjson.Number: "-0123456789",
		strictjson.String: `"`, strictjson.Array: "[", strictjson.Object: "{",
	}[v.Kind]
	if !strings.ContainsRune(first, rune(text[v.Offset])) {
		t.Errorf("in %q, %v is said to begin at byte %d", text, v.Kind, v.Offset)
	}
	for _, item := range v.Items {
		checkOffsets(t, text, item)
	}
	for _, m := range v.Members {
		if text[m.Offset] != '"' {
			t.Errorf("in %q, the name %q is said to begin at byte %d", text, m.Name, m.Offset)
		}
		checkOffsets(t, text, m.Value)
	}
}

// plain turns a Value into what encoding/json makes of it with UseNumber.
func plain(v strictjson.Value) any {
	switch v.Kind {
	case strictjson.Bool:
		return v.Text == "true"
	case strictjson.Number:
		return json.Number(v.Text)
	case strictjson.String:
		return v.Text
	case strictjson.Array:
		items := make([]any, len(v.Items))
		for i, item := range v.Items {
			items[i] = plain(item)
		}
		return items
	case strictjson.Object:
		members := make(map[string]any)
		for _, m := range v.Members {
			members[m.Name] = plain(m.Value)
		}
		return members
	}
	return nil
}

// reference is Decode the slow way. encoding/json puts U+FFFD where a string is
// broken, so that looking for it finds every kind of broken string.
func reference(text []byte) (any, error) {
	if !json.Valid(text) {
		return nil, errors.New("not JSON")
	}
	if err := walk(newDecoder(text), 0); err != nil {
		return nil, err
	}
	var tree any
	return tree, newDecoder(text).Decode(&tree)
}

func newDecoder(text []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d
}

// walk reads one value of a valid text token by token.
func walk(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case string:
		return whole(token)
	case json.Delim:
		if depth == 32 {
			return errors.New("too deep")
		}
		names := make(map[string]bool)
		for d.More() {
			if token == '{' {
				name, _ := d.Token()
				if err := whole(name.(string)); err != nil || names[name.(string)] {
					return fmt.Errorf("bad or second %q", name)
				}
				names[name.(string)] = true
			}
			if err := walk(d, depth+1); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}

func whole(text string) error {
	if strings.ContainsRune(text, '\ufffd') {
		return errors.New("broken string")
	}
	return nil
}
