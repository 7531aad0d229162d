package scope_test

import (
	"slices"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

func TestLintNamesWhatIsSurelyNotMeant(t *testing.T) {
	for _, tt := range []struct {
		name, filter string
		want         []string // paths
	}{
		{"no filter", `{}`, nil},
		{"a sound filter", `{"include_teams":["red","blue","team 7","Ünited"],"include_personal":false}`, nil},
		{"personal rows only", `{"include_teams":[]}`, nil},
		{"nothing can show", `{"include_teams":[],"include_personal":false}`, []string{"filters.tasks"}},
		{"space before", `{"include_teams":["a"," b"]}`, []string{"filters.tasks.include_teams[0]"}},
		{"space after", `{"include_teams":["b\u00a0","a"]}`, []string{"filters.tasks.include_teams[1]"}},
		{"a newline is space and unseen", `{"include_teams":["a\n"]}`, []string{"filters.tasks.include_teams[0]", "filters.tasks.include_teams[0]"}},
		{"a NUL", `{"include_teams":["a\u0000b"]}`, []string{"filters.tasks.include_teams[0]"}},
		{"a zero width space", `{"include_teams":["a\u200bb"]}`, []string{"filters.tasks.include_teams[0]"}},
		{"a direction mark", `{"include_teams":["a\u202eb"]}`, []string{"filters.tasks.include_teams[0]"}},
		{"ids that differ by case", `{"include_teams":["red","x","Red","RED"]}`, []string{"filters.tasks.include_teams[1]", "filters.tasks.include_teams[2]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustParse(t, `{"resources":["notes","tasks"],"filters":{"tasks":`+tt.filter+`},"max_rows_per_query":5}`)
			var paths []string
			for _, w := range s.Lint() {
				paths = append(paths, w.Path)
				if w.Message == "" {
					t.Errorf("the warning at %s says nothing", w.Path)
				}
			}
			if !slices.Equal(paths, tt.want) {
				t.Errorf("the filter %s has warnings %v, want them at %q", tt.filter, s.Lint(), tt.want)
			}
		})
	}
}

func TestTheZeroScopeHasNoWarnings(t *testing.T) {
	if warnings := (scope.Scope{}).Lint(); len(warnings) != 0 {
		t.Errorf("the zero Scope has warnings %v", warnings)
	}
}
