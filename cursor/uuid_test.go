package cursor_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestAUUIDIsReadInEitherCaseAndWrittenInLowerCase(t *testing.T) {
	const lower = "01954c3a-ff00-7111-8022-010203040506"
	for _, text := range []string{lower, strings.ToUpper(lower), "01954C3a-fF00-7111-8022-010203040506"} {
		u, err := cursor.ParseUUID(text)
		if err != nil {
			t.Errorf("%q is refused: %v", text, err)
		}
		if u != someUUID || u.String() != lower {
			t.Errorf("%q is read as %v", text, u)
		}
	}
}

func TestABadUUIDIsRefused(t *testing.T) {
	cases := []struct{ name, text string }{
		{"empty", ""},
		{"a word", "foo"},
		{"one digit short", "01954c3a-ff00-7111-8022-01020304050"},
		{"one digit long", "01954c3a-ff00-7111-8022-0102030405060"},
		{"no hyphens", "01954c3aff0071118022010203040506"},
		{"no hyphens, padded to length", "01954c3aff00711180220102030405060000"},
		{"a group too long", "01954c3aff-00-7111-8022-010203040506"},
		{"a hyphen for a digit", "01954c3a-ff00-7111-8022-01020304050-"},
		{"a letter beyond f", "01954c3g-ff00-7111-8022-010203040506"},
		{"a NUL byte", "01954c3a-ff00-7111-8022-01020304050\x00"},
		{"a space before", " 1954c3a-ff00-7111-8022-010203040506"},
		{"braces", "{01954c3a-ff00-7111-8022-010203040506}"},
		{"a URN", "urn:uuid:01954c3a-ff00-7111-8022-010203040506"},
		{"a full-width digit", "01954c3a-ff00-7111-8022-0102030４6"},
		{"very long", strings.Repeat("0", 1<<20)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			u, err := cursor.ParseUUID(c.text)
			if err == nil {
				t.Fatalf("%.80q is read as %v", c.text, u)
			}
			if u != (cursor.UUID{}) {
				t.Errorf("beside the error of %.80q stands %v", c.text, u)
			}
			if len(err.Error()) > 200 {
				t.Errorf("the error of %.80q repeats it in %d characters", c.text, len(err.Error()))
			}
			kept := someUUID
			if err := kept.UnmarshalText([]byte(c.text)); err == nil || kept != someUUID {
				t.Errorf("UnmarshalText of %.80q returns %v and leaves %v", c.text, err, kept)
			}
		})
	}
}

func TestAUUIDTravelsThroughJSON(t *testing.T) {
	text, err := json.Marshal(map[string]cursor.UUID{"id": someUUID})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"id":"01954c3a-ff00-7111-8022-010203040506"}`; string(text) != want {
		t.Errorf("the UUID is written as %s, not as %s", text, want)
	}
	var back map[string]cursor.UUID
	if err := json.Unmarshal(text, &back); err != nil || back["id"] != someUUID {
		t.Errorf("%s is read as %v, %v", text, back, err)
	}
}

func TestUUIDsSortAsTheirTextsDo(t *testing.T) {
	texts := []string{
		"00000000-0000-0000-0000-000000000000",
		"00000000-0000-0000-0000-0000000000ff",
		"7fffffff-0000-0000-0000-000000000000",
		"80000000-0000-0000-0000-000000000000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff",
	}
	var before cursor.UUID
	for _, text := range texts {
		u, err := cursor.ParseUUID(text)
		if err != nil {
			t.Fatal(err)
		}
		if string(u[:]) < string(before[:]) {
			t.Errorf("the bytes of %s sort before those of %v", text, before)
		}
		before = u
	}
}
