package scope_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// refusal parses a text that must be refused and returns why it was.
func refusal(t *testing.T, text string) *scope.ParseError {
	t.Helper()
	s, err := scope.Parse(scope.Standard(), []byte(text))
	if err == nil {
		t.Fatalf("Parse accepts %q as %s", text, canonical(t, s))
	}
	if !s.IsZero() {
		t.Errorf("beside the refusal of %q stands the scope %s, want the zero Scope", text, canonical(t, s))
	}
	var refused *scope.ParseError
	if !errors.As(err, &refused) || !errors.Is(err, scope.ErrInvalid) {
		t.Fatalf("Parse refuses %q with %T (%v), want a *ParseError that matches ErrInvalid", text, err, err)
	}
	if refused.Reason == "" || !strings.Contains(refused.Error(), refused.Reason) || !strings.Contains(refused.Error(), refused.Path) {
		t.Errorf("the message for %q is %q, which does not give its path %q and reason %q", text, refused, refused.Path, refused.Reason)
	}
	return refused
}

func TestAScopeSaysWhatItsTextSaid(t *testing.T) {
	s := mustParse(t, `{
		"resources": ["tasks", "notes"],
		"excluded_resources": ["credentials", "api_keys"],
		"filters": {"tasks": {"include_teams": ["t2", "t1"], "include_personal": true}},
		"max_rows_per_query": 100
	}`)
	if got, want := s.Resources(), []string{"notes", "tasks"}; !slices.Equal(got, want) {
		t.Errorf("the resources are %q, want %q", got, want)
	}
	if got, want := s.Excluded(), []string{"api_keys", "credentials"}; !slices.Equal(got, want) {
		t.Errorf("the exclusions are %q, want %q", got, want)
	}
	if got := s.MaxRows(); got != 100 {
		t.Errorf("the cap is %d, want 100", got)
	}
}

// valid is what the refused texts below differ from in one place.
const valid = `{"resources":["tasks"],"max_rows_per_query":100}`

func TestTheTextThatTheRefusedOnesDifferFromIsValid(t *testing.T) {
	mustParse(t, valid)
}

func TestWhateverCouldWidenAGrantUnnoticedIsRefusedAtItsPlace(t *testing.T) {
	for _, tt := range []struct {
		name, text, path string
		offset           int64
	}{
		{"duplicate member", `{"resources":["notes"],"resources":["tasks"],"max_rows_per_query":1}`, "resources", 23},
		{"duplicate cap", `{"resources":["tasks"],"max_rows_per_query":1,"max_rows_per_query":10000}`, "max_rows_per_query", 46},
		{"duplicate member by escape", `{"resources":["notes"],"\u0072esources":["tasks"],"max_rows_per_query":1}`, "resources", 23},
		{"duplicate filter", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":[]},"tasks":{}},"max_rows_per_query":1}`, "filters.tasks", 63},
		{"duplicate member of a filter", `{"resources":["tasks"],"filters":{"tasks":{"include_personal":false,"include_personal":true}},"max_rows_per_query":1}`,
			"filters.tasks.include_personal", 68},
		{"case-folded member", `{"Resources":["tasks"],"max_rows_per_query":1}`, "Resources", 1},
		{"case-folded second member", `{"resources":["notes"],"Resources":["tasks"],"max_rows_per_query":1}`, "Resources", 23},
		{"member with a long s, which folds to s", `{"reſources":["tasks"],"max_rows_per_query":1}`, `["re\u017fources"]`, 1},
		{"member with a Kelvin sign, which folds to k", `{"resources":["tasks"],"max_rows_per_query":1,"filters":{"tas` + "\u212a" + `s":{}}}`, `filters["tas\u212as"]`, 57},
		{"case-folded member of a filter", `{"resources":["tasks"],"filters":{"tasks":{"Include_Teams":[]}},"max_rows_per_query":1}`, "filters.tasks.Include_Teams", 43},
		{"unknown member", `{"resources":["tasks"],"max_rows_per_query":1,"exclude":["tasks"]}`, "exclude", 46},
		{"unknown member of a filter", `{"resources":["tasks"],"filters":{"tasks":{"exclude_teams":["t1"]}},"max_rows_per_query":1}`, "filters.tasks.exclude_teams", 43},
		{"null scope", `null`, "", 0},
		{"null resources", `{"resources":null,"max_rows_per_query":1}`, "resources", 13},
		{"null resource", `{"resources":[null],"max_rows_per_query":1}`, "resources[0]", 14},
		{"null exclusions", `{"resources":["tasks"],"excluded_resources":null,"max_rows_per_query":1}`, "excluded_resources", 44},
		{"null filters", `{"resources":["tasks"],"filters":null,"max_rows_per_query":1}`, "filters", 33},
		{"null filter", `{"resources":["tasks"],"filters":{"tasks":null},"max_rows_per_query":1}`, "filters.tasks", 42},
		{"null teams", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":null}},"max_rows_per_query":1}`, "filters.tasks.include_teams", 59},
		{"null personal", `{"resources":["tasks"],"filters":{"tasks":{"include_personal":null}},"max_rows_per_query":1}`, "filters.tasks.include_personal", 62},
		{"null cap", `{"resources":["tasks"],"max_rows_per_query":null}`, "max_rows_per_query", 44},
		{"trailing value", valid + `{}`, "", 48},
		{"trailing brace", valid + `}`, "", 48},
		{"trailing comma", valid + ` ,`, "", 49},
		{"trailing NUL", valid + "\x00", "", 48},
		{"byte order mark", "\ufeff" + valid, "", 0},
		{"invalid UTF-8", "{\"resources\":[\"tasks\"],\"filters\":{\"tasks\":{\"include_teams\":[\"t\xff\"]}},\"max_rows_per_query\":1}", "filters.tasks.include_teams[0]", 62},
		{"lone surrogate", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["a","b","c","t\ud800"]}},"max_rows_per_query":1}`, "filters.tasks.include_teams[3]", 74},
		{"replacement character", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["` + "\ufffd" + `"]}},"max_rows_per_query":1}`, "filters.tasks.include_teams[0]", 61},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused := refusal(t, tt.text)
			if refused.Path != tt.path || refused.Offset != tt.offset {
				t.Errorf("%s is refused at path %q, byte %d (%s); want path %q, byte %d",
					tt.text, refused.Path, refused.Offset, refused.Reason, tt.path, tt.offset)
			}
		})
	}
}

func TestACapThatIsNotAPlainIntegerInRangeIsRefused(t *testing.T) {
	for _, cap := range []string{
		"1e2", "1E2", "1e+2", "10.0", "100.", "-0", "0", "-1", "0.5", `"100"`, `""`, "true", "[100]", "{}", "null",
		"10001", "99999", "4294967297", "9007199254740993", "18446744073709551617", strings.Repeat("9", 1000),
	} {
		text := `{"resources":["tasks"],"max_rows_per_query":` + cap + `}`
		if refused := refusal(t, text); refused.Path != "max_rows_per_query" {
			t.Errorf("the cap %.20s is refused at path %q (%s), want max_rows_per_query", cap, refused.Path, refused.Reason)
		}
	}
}

func TestACapFromOneToTenThousandIsRead(t *testing.T) {
	for _, cap := range []int{1, 9, 10, 100, 9999, 10_000} {
		s := mustParse(t, fmt.Sprintf(`{"resources":["tasks"],"max_rows_per_query":%d}`, cap))
		if s.MaxRows() != cap {
			t.Errorf("the cap %d is read as %d", cap, s.MaxRows())
		}
	}
}

func TestATextThatBreaksARuleOfScopesIsRefusedAtItsPlace(t *testing.T) {
	for _, tt := range []struct{ name, text, path string }{
		{"nothing", ``, ""},
		{"an array", `[]`, ""},
		{"a string", `"tasks"`, ""},
		{"no resources", `{"max_rows_per_query":1}`, ""},
		{"no cap", `{"resources":["tasks"]}`, ""},
		{"empty resources", `{"resources":[],"max_rows_per_query":1}`, "resources"},
		{"resources as a string", `{"resources":"tasks","max_rows_per_query":1}`, "resources"},
		{"resources as an object", `{"resources":{"tasks":true},"max_rows_per_query":1}`, "resources"},
		{"a number for a resource", `{"resources":["tasks",1],"max_rows_per_query":1}`, "resources[1]"},
		{"a resource twice", `{"resources":["tasks","notes","tasks"],"max_rows_per_query":1}`, "resources[2]"},
		{"a resource outside the registry", `{"resources":["tasks","projects"],"max_rows_per_query":1}`, "resources[1]"},
		{"a resource in another case", `{"resources":["Tasks"],"max_rows_per_query":1}`, "resources[0]"},
		{"an empty resource", `{"resources":[""],"max_rows_per_query":1}`, "resources[0]"},
		{"a wildcard", `{"resources":["*"],"max_rows_per_query":1}`, "resources[0]"},
		{"an exclusion twice", `{"resources":["tasks"],"excluded_resources":["notes","notes"],"max_rows_per_query":1}`, "excluded_resources[1]"},
		{"an exclusion outside the registry", `{"resources":["tasks"],"excluded_resources":["secrets"],"max_rows_per_query":1}`, "excluded_resources[0]"},
		{"a resource that is excluded too", `{"resources":["tasks","notes"],"excluded_resources":["memory","notes"],"max_rows_per_query":1}`, "excluded_resources[1]"},
		{"the same, exclusions first", `{"excluded_resources":["notes"],"resources":["notes"],"max_rows_per_query":1}`, "excluded_resources[0]"},
		{"exclusions as false", `{"resources":["tasks"],"excluded_resources":false,"max_rows_per_query":1}`, "excluded_resources"},
		{"filters as an array", `{"resources":["tasks"],"filters":[],"max_rows_per_query":1}`, "filters"},
		{"a filter of a resource that is not granted", `{"resources":["tasks"],"filters":{"notes":{}},"max_rows_per_query":1}`, "filters.notes"},
		{"a filter of an excluded resource", `{"resources":["tasks"],"excluded_resources":["notes"],"filters":{"notes":{}},"max_rows_per_query":1}`, "filters.notes"},
		{"a filter of an unknown resource", `{"resources":["tasks"],"filters":{"all rows":{}},"max_rows_per_query":1}`, `filters["all rows"]`},
		{"a filter as true", `{"resources":["tasks"],"filters":{"tasks":true},"max_rows_per_query":1}`, "filters.tasks"},
		{"teams as a string", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":"t1"}},"max_rows_per_query":1}`, "filters.tasks.include_teams"},
		{"a number for a team", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["t1",7]}},"max_rows_per_query":1}`, "filters.tasks.include_teams[1]"},
		{"an empty team id", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":[""]}},"max_rows_per_query":1}`, "filters.tasks.include_teams[0]"},
		{"a team twice", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["t1","t\u0031"]}},"max_rows_per_query":1}`, "filters.tasks.include_teams[1]"},
		{"personal as a number", `{"resources":["tasks"],"filters":{"tasks":{"include_personal":0}},"max_rows_per_query":1}`, "filters.tasks.include_personal"},
		{"personal as a string", `{"resources":["tasks"],"filters":{"tasks":{"include_personal":"false"}},"max_rows_per_query":1}`, "filters.tasks.include_personal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if refused := refusal(t, tt.text); refused.Path != tt.path {
				t.Errorf("%s is refused at path %q (%s), want path %q", tt.text, refused.Path, refused.Reason, tt.path)
			}
		})
	}
}

// listOf returns n different names as a JSON array.
func listOf(n int) ([]string, string) {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("r%d", i)
	}
	return names, `["` + strings.Join(names, `","`) + `"]`
}

func TestThePublishedLimitsAreReachedAndNotExceeded(t *testing.T) {
	names, _ := listOf(300)
	registry := registryOf(t, append(names, "tasks")...)
	list := func(n int) string { _, text := listOf(n); return text }
	filters := func(n int) string {
		names, _ := listOf(n)
		return `{"` + strings.Join(names, `":{},"`) + `":{}}`
	}
	for _, tt := range []struct {
		name, format string
		fits, excess string
		path         string
	}{
		{"256 resources", `{"resources":%s,"max_rows_per_query":1}`, list(256), list(257), "resources"},
		{"256 exclusions", `{"resources":["tasks"],"excluded_resources":%s,"max_rows_per_query":1}`, list(256), list(257), "excluded_resources"},
		{"256 filters", `{"resources":` + list(256) + `,"filters":%s,"max_rows_per_query":1}`, filters(256), filters(257), "filters.r256"},
		{"1024 teams", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":%s}},"max_rows_per_query":1}`, list(1024), list(1025), "filters.tasks.include_teams"},
		{"255 ASCII characters in an id", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["%s"]}},"max_rows_per_query":1}`,
			strings.Repeat("x", 255), strings.Repeat("x", 256), "filters.tasks.include_teams[0]"},
		{"255 characters of four bytes in an id", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["%s"]}},"max_rows_per_query":1}`,
			strings.Repeat("😀", 255), strings.Repeat("😀", 256), "filters.tasks.include_teams[0]"},
		{"255 escaped characters in an id", `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["%s"]}},"max_rows_per_query":1}`,
			strings.Repeat(`\ud83d\ude00`, 255), strings.Repeat(`\ud83d\ude00`, 256), "filters.tasks.include_teams[0]"},
		{"1 MiB of text", "%s" + valid, strings.Repeat(" ", 1<<20-len(valid)), strings.Repeat(" ", 1<<20-len(valid)+1), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := scope.Parse(registry, fmt.Appendf(nil, tt.format, tt.fits)); err != nil {
				t.Errorf("the limit itself is refused: %v", err)
			}
			_, err := scope.Parse(registry, fmt.Appendf(nil, tt.format, tt.excess))
			var refused *scope.ParseError
			if !errors.As(err, &refused) || refused.Path != tt.path {
				t.Errorf("one more gives %v, want a refusal at path %q", err, tt.path)
			}
		})
	}
}

func TestTheZeroRegistryRefusesEveryScope(t *testing.T) {
	if _, err := scope.Parse(scope.Registry{}, []byte(valid)); !errors.Is(err, scope.ErrInvalid) {
		t.Errorf("Parse with the zero Registry gives error %v, want ErrInvalid", err)
	}
}

func TestARefusalRepeatsOnlyAShortPartOfTheTextInASCII(t *testing.T) {
	long := strings.Repeat("ſ", 100_000)
	for _, text := range []string{
		`{"` + long + `":1}`,
		`{"resources":["` + long + `"],"max_rows_per_query":1}`,
		`{"resources":["tasks"],"filters":{"` + long + `":{}},"max_rows_per_query":1}`,
		`{"resources":["tasks"],"max_rows_per_query":1` + strings.Repeat("0", 100_000) + `}`,
	} {
		message := refusal(t, text).Error()
		if len(message) > 1200 || strings.ContainsFunc(message, func(r rune) bool { return r > 126 || r < ' ' }) {
			t.Errorf("the message for %.60s... has %d bytes: %.300s", text, len(message), message)
		}
	}
}
