package scope_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/mosaicstack/fedkit/internal/jsonschema"
	"github.com/mosaicstack/fedkit/scope"
)

// FuzzParse compares Parse with the published JSON schema and the rules that a
// schema cannot express, by way of encoding/json: whatever one of them accepts,
// the other does too, and they find the same in it. The seeds are in testdata.
func FuzzParse(f *testing.F) {
	published := publishedSchema(f)
	registry := scope.Standard()
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := scope.Parse(registry, text)
		want, wantErr := referenceParse(published, registry, text)
		if errors.Is(wantErr, jsonschema.ErrUnknownKeyword) {
			t.Fatal(wantErr)
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("Parse(%q) gives error %v, the reference %v", text, err, wantErr)
		}
		if err != nil {
			checkRefusal(t, text, s, err)
			return
		}
		checkAccepted(t, registry, text, s)
		if got := meaningOf(t, s); !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q) means %+v, the reference %+v", text, got, want)
		}
	})
}

func checkRefusal(t *testing.T, text []byte, s scope.Scope, err error) {
	t.Helper()
	var refused *scope.ParseError
	if !errors.As(err, &refused) || !errors.Is(err, scope.ErrInvalid) {
		t.Fatalf("Parse refuses %q with %T (%v), want a *ParseError that matches ErrInvalid", text, err, err)
	}
	if refused.Reason == "" || refused.Offset < 0 || refused.Offset > int64(len(text)) {
		t.Errorf("Parse refuses %q at byte %d of %d for the reason %q", text, refused.Offset, len(text), refused.Reason)
	}
	if !s.IsZero() {
		t.Errorf("beside the refusal of %q stands a scope", text)
	}
}

func checkAccepted(t *testing.T, registry scope.Registry, text []byte, s scope.Scope) {
	t.Helper()
	once := canonical(t, s)
	again, err := scope.Parse(registry, []byte(once))
	if err != nil {
		t.Fatalf("Parse accepts %q and refuses its canonical JSON %q: %v", text, once, err)
	}
	if twice := canonical(t, again); twice != once || again.Hash() != s.Hash() {
		t.Errorf("the canonical JSON of %q is %q at first and %q at second", text, once, twice)
	}
	if len(once) > len(text) {
		t.Errorf("the canonical JSON %q is longer than %q", once, text)
	}
	if !s.Contains(s) || !s.Contains(again) || !again.Contains(s) {
		t.Errorf("%q does not contain itself", once)
	}
	if m, ok := s.Meet(again); !ok || m.Hash() != s.Hash() {
		t.Errorf("%q is not its own Meet", once)
	}
}

// meaning is what a scope allows, apart from how it is written.
type meaning struct {
	Resources, Excluded []string
	Cap                 int
	Rules               map[string]meaningOfRule
}

type meaningOfRule struct {
	Personal, AllTeams bool
	Teams              []string
}

// document is a text that the schema accepts, as encoding/json reads it.
type document struct {
	Resources []string `json:"resources"`
	Excluded  []string `json:"excluded_resources"`
	Cap       int      `json:"max_rows_per_query"`
	Filters   map[string]struct {
		Teams    *[]string `json:"include_teams"`
		Personal *bool     `json:"include_personal"`
	} `json:"filters"`
}

func (d document) meaning() meaning {
	m := meaning{sorted(d.Resources), sorted(d.Excluded), d.Cap, map[string]meaningOfRule{}}
	for _, name := range d.Resources {
		filter := d.Filters[name]
		rule := meaningOfRule{Personal: filter.Personal == nil || *filter.Personal, AllTeams: filter.Teams == nil}
		if filter.Teams != nil {
			rule.Teams = sorted(*filter.Teams)
		}
		m.Rules[name] = rule
	}
	return m
}

func sorted(list []string) []string {
	return slices.Sorted(slices.Values(list))
}

// meaningOf finds out what the scope allows by its methods, and by its canonical
// JSON where there is no method.
func meaningOf(t *testing.T, s scope.Scope) meaning {
	t.Helper()
	var d document
	if err := json.Unmarshal([]byte(canonical(t, s)), &d); err != nil {
		t.Fatal(err)
	}
	m := d.meaning()
	m.Resources, m.Excluded, m.Cap = sorted(s.Resources()), sorted(s.Excluded()), s.MaxRows()
	return m
}

var plainCap = regexp.MustCompile(`"max_rows_per_query"\s*:\s*[1-9][0-9]*\s*[,}]`)

// referenceParse is Parse the slow way.
func referenceParse(published jsonschema.Document, registry scope.Registry, text []byte) (meaning, error) {
	if len(text) > 1<<20 {
		return meaning{}, errRefused
	}
	if err := lossless(text); err != nil {
		return meaning{}, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return meaning{}, err // a number that no float64 can hold
	}
	if err := published.Validate("#", tree); err != nil {
		return meaning{}, err
	}
	// To a schema 1e2 and 10.0 are integers. The literals are looked at one by one.
	var literals map[string]json.RawMessage
	if err := json.Unmarshal(text, &literals); err != nil {
		return meaning{}, err
	}
	if cap := string(literals["max_rows_per_query"]); !plainCap.MatchString(`{"max_rows_per_query":` + cap + `}`) {
		return meaning{}, errRefused
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return meaning{}, err
	}
	return d.meaning(), d.check(registry)
}

// check applies the rules that the comment of the schema lists.
func (d document) check(registry scope.Registry) error {
	for _, name := range slices.Concat(d.Resources, d.Excluded) {
		if !slices.Contains(registry.Names(), name) {
			return errRefused
		}
	}
	for _, name := range d.Excluded {
		if slices.Contains(d.Resources, name) {
			return errRefused
		}
	}
	for name := range d.Filters {
		if !slices.Contains(d.Resources, name) {
			return errRefused
		}
	}
	return nil
}
