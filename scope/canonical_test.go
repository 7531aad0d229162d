package scope_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

func TestTextsThatMeanTheSameHaveOneCanonicalJSONAndHash(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		texts      []string
	}{
		{"order of members and items", `{"excluded_resources":["api_keys","credentials"],` +
			`"filters":{"notes":{"include_teams":["a","b"]},"tasks":{"include_personal":false}},"max_rows_per_query":5,"resources":["notes","tasks"]}`, []string{
			`{"resources":["notes","tasks"],"excluded_resources":["api_keys","credentials"],"filters":{"notes":{"include_teams":["a","b"]},"tasks":{"include_personal":false}},"max_rows_per_query":5}`,
			`{"max_rows_per_query":5,"filters":{"tasks":{"include_personal":false},"notes":{"include_teams":["b","a"]}},"excluded_resources":["credentials","api_keys"],"resources":["tasks","notes"]}`,
		}},
		{"spaces and escapes", `{"max_rows_per_query":5,"resources":["tasks"]}`, []string{
			" {\n\t\"resources\" : [ \"tasks\" ] ,\r\n \"max_rows_per_query\" : 5 } \n",
			`{"\u0072esources":["t\u0061sks"],"max_rows_per_query":5}`,
		}},
		{"defaults", `{"max_rows_per_query":5,"resources":["tasks"]}`, []string{
			`{"resources":["tasks"],"max_rows_per_query":5,"excluded_resources":[]}`,
			`{"resources":["tasks"],"max_rows_per_query":5,"filters":{}}`,
			`{"resources":["tasks"],"max_rows_per_query":5,"filters":{"tasks":{}}}`,
			`{"resources":["tasks"],"max_rows_per_query":5,"filters":{"tasks":{"include_personal":true}}}`,
		}},
		{"default beside a restriction", `{"filters":{"tasks":{"include_teams":[]}},"max_rows_per_query":5,"resources":["tasks"]}`, []string{
			`{"resources":["tasks"],"max_rows_per_query":5,"filters":{"tasks":{"include_teams":[]}}}`,
			`{"resources":["tasks"],"max_rows_per_query":5,"filters":{"tasks":{"include_personal":true,"include_teams":[]}}}`,
		}},
		{"strings in their shortest form", "{\"filters\":{\"tasks\":{\"include_personal\":false,\"include_teams\":" +
			`["\b\f\n\r\t\u0000\u001f","\"\\/<>&",` + "\"\x7f\u2028é😀\"" + `]}},"max_rows_per_query":5,"resources":["tasks"]}`, []string{
			`{"resources":["tasks"],"max_rows_per_query":5,"filters":{"tasks":{"include_personal":false,"include_teams":` +
				`["\u0022\u005C\/\u003c>&","\u007f\u2028\u00e9\ud83D\uDe00","\u0008\u000c\u000A\u000d\u0009\u0000\u001F"]}}}`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, text := range tt.texts {
				s := mustParse(t, text)
				if got := canonical(t, s); got != tt.want {
					t.Errorf("the canonical JSON of %s is\n%s, want\n%s", text, got, tt.want)
				}
				if s.Hash() != sha256.Sum256([]byte(tt.want)) {
					t.Errorf("the hash of %s is not the SHA-256 of its canonical JSON", text)
				}
			}
		})
	}
}

func TestEveryDifferenceInMeaningChangesTheHash(t *testing.T) {
	seen := make(map[[32]byte]string)
	for _, text := range []string{
		`{"resources":["tasks"],"max_rows_per_query":5}`,
		`{"resources":["tasks"],"max_rows_per_query":6}`,
		`{"resources":["notes"],"max_rows_per_query":5}`,
		`{"resources":["notes","tasks"],"max_rows_per_query":5}`,
		`{"resources":["tasks"],"excluded_resources":["notes"],"max_rows_per_query":5}`,
		`{"resources":["tasks"],"filters":{"tasks":{"include_personal":false}},"max_rows_per_query":5}`,
		`{"resources":["tasks"],"filters":{"tasks":{"include_teams":[]}},"max_rows_per_query":5}`,
		`{"resources":["tasks"],"filters":{"tasks":{"include_teams":["a"]}},"max_rows_per_query":5}`,
		`{"resources":["tasks"],"filters":{"tasks":{"include_teams":["A"]}},"max_rows_per_query":5}`,
		`{"resources":["tasks"],"filters":{"tasks":{"include_teams":["a,b"]}},"max_rows_per_query":5}`,
		`{"resources":["tasks"],"filters":{"tasks":{"include_teams":["a","b"]}},"max_rows_per_query":5}`,
		`{"resources":["tasks"],"filters":{"tasks":{"include_teams":["a\",\"b"]}},"max_rows_per_query":5}`,
	} {
		hash := mustParse(t, text).Hash()
		if other, ok := seen[hash]; ok {
			t.Errorf("%s and %s have one hash", text, other)
		}
		seen[hash] = text
	}
}

func TestTheZeroScopeHasNoJSON(t *testing.T) {
	text, err := scope.Scope{}.MarshalJSON()
	if !errors.Is(err, scope.ErrInvalid) || text != nil {
		t.Errorf("the zero Scope marshals to %q with error %v, want ErrInvalid", text, err)
	}
	if _, err := json.Marshal(grantOf(scope.Scope{})); !errors.Is(err, scope.ErrInvalid) {
		t.Errorf("a grant with the zero Scope marshals with error %v, want ErrInvalid", err)
	}
}

func TestWhatJSONMarshalEscapesFurtherIsTheSameScope(t *testing.T) {
	s := mustParse(t, `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["<&>"]}},"max_rows_per_query":5}`)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if again := mustParse(t, string(text)); again.Hash() != s.Hash() {
		t.Errorf("%s has another hash than %s", text, canonical(t, s))
	}
}

func TestEncodingJSONDoesNotReadAScopeAsOneThatDenies(t *testing.T) {
	var grant scope.Grant
	err := json.Unmarshal([]byte(`{"ID":"grant-1","Scope":{"resources":["tasks"],"max_rows_per_query":1}}`), &grant)
	if !errors.Is(err, scope.ErrInvalid) {
		t.Errorf("json.Unmarshal of a scope: %v, want an error that matches %v", err, scope.ErrInvalid)
	}
}
