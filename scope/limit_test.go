package scope_test

import (
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// rowsFor evaluates a request with this limit and cap.
func rowsFor(t *testing.T, limit scope.Limit, cap string) scope.Decision {
	t.Helper()
	granted := mustParse(t, `{"resources":["tasks"],"max_rows_per_query":`+cap+`}`)
	rules := rulesWith(t, answer(everything("t1")))
	return rules.Evaluate(t.Context(), scope.Request{Grant: grantOf(granted), Resource: "tasks", Limit: limit})
}

func TestALimitIsClampedToTheCap(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit scope.Limit
		want  int
	}{
		{"not asked", scope.Limit{}, 25},
		{"one", scope.ParseLimit("1"), 1},
		{"below the cap", scope.ParseLimit("24"), 24},
		{"the cap", scope.ParseLimit("25"), 25},
		{"above the cap", scope.ParseLimit("26"), 25},
		{"above 32 bits", scope.ParseLimit("4294967297"), 25},
		{"the largest", scope.ParseLimit("9007199254740991"), 25},
	} {
		if got := outcomeOf(rowsFor(t, tt.limit, "25")).filter.Limit; got != tt.want {
			t.Errorf("limit %s (%v) with a cap of 25 gives %d rows, want %d", tt.name, tt.limit, got, tt.want)
		}
	}
}

func TestFinding7ALimitThatOnlyLooksLikeANumberIsRefused(t *testing.T) {
	for _, text := range []string{"1e3", "0x10", "0b11", " 5 ", "+5"} {
		denial := denialOf(t, rowsFor(t, scope.ParseLimit(text), "100"), scope.CodeInvalidLimit)
		if denial.Stage != scope.StageRowCap {
			t.Errorf("limit %q is refused at stage %s, want %s", text, denial.Stage, scope.StageRowCap)
		}
	}
}

func TestALimitThatIsNotInCanonicalDecimalIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "0", "00", "-0", "-1", "01", "1.0", "1.5", "10.", ".5", "1e0", "1E2", "0o7", "1_000", "1,000", "5\n", "\t5", "5 6",
		"null", "true", "NaN", "Infinity", `"5"`, "five", "٥", "５", "1\x00",
		"9007199254740992", "9223372036854775808", "18446744073709551617", strings.Repeat("9", 10_000),
	} {
		denialOf(t, rowsFor(t, scope.ParseLimit(text), "100"), scope.CodeInvalidLimit)
	}
}
