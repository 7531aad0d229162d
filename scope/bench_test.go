package scope_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

// BenchmarkDeadlineContext is the part of BenchmarkEvaluate that the standard
// library takes: read the one next to the other.
func BenchmarkDeadlineContext(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, cancel := context.WithTimeout(b.Context(), time.Second)
		cancel()
	}
}

func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("teams=%d", n), func(b *testing.B) {
			teams := manyTeams(n)
			rules := rulesWith(b, answer(scope.Access{Allowed: true, Personal: true, Teams: teams}))
			text := `{"resources":["tasks","notes"],"filters":{"tasks":{"include_teams":["` +
				strings.Join(teams, `","`) + `"]}},"max_rows_per_query":100}`
			req := scope.Request{Grant: grantOf(mustParse(b, text)), Resource: "tasks", Limit: scope.ParseLimit("50")}
			var filter scope.Filter
			b.ReportAllocs()
			for b.Loop() {
				rules.Evaluate(b.Context(), req).Switch(
					func(d *scope.Denial) { b.Fatal(d) },
					func() { b.Fatal("nothing was left") },
					func(f scope.Filter) { filter = f },
				)
			}
			if len(filter.Teams) != n {
				b.Errorf("the filter has %d teams, want %d", len(filter.Teams), n)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("teams=%d", n), func(b *testing.B) {
			text := []byte(`{"resources":["tasks","notes"],"excluded_resources":["credentials"],"filters":{"tasks":{"include_teams":["` +
				strings.Join(manyTeams(n), `","`) + `"]}},"max_rows_per_query":100}`)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := scope.Parse(scope.Standard(), text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
