package scope_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// logged is what a host's log has of a trace.
func logged(d scope.Decision) string {
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("evaluated", "scope", d.Trace())
	return b.String()
}

func TestATraceShowsHowADecisionCameAbout(t *testing.T) {
	for _, tt := range []struct {
		name       string
		holds      []int
		text, logs []string // parts, in this order
		passed     int
	}{
		{"some", nil,
			[]string{`grant "grant-1"`, `peer "peer-1"`, `subject "user-1"`, `resource "tasks"`, "row_cap (limit not asked, cap 10: 10 rows)", "native_rbac (personal rows, teams 1)", "intersect: some (personal rows, teams 0)"},
			[]string{"outcome=some", "stage=intersect", "cap=10", "limit=10", "native.teams=1", "scope.teams=0"}, 6},
		{"none", []int{row14}, []string{"no personal rows, teams 1", "intersect: none"}, []string{"outcome=none", "native.personal=false"}, 6},
		{"invalid scope", []int{row5}, []string{"denied at scope_parse: invalid_scope"}, []string{"outcome=deny", "stage=scope_parse", "code=invalid_scope", "error="}, 0},
		{"unknown resource", []int{row6}, []string{"denied at resource_allowlist: invalid_resource"}, []string{"code=invalid_resource"}, 1},
		{"excluded", []int{row7, row8}, []string{"denied at resource_exclusion: resource_excluded"}, []string{"code=resource_excluded"}, 1},
		{"not granted", []int{row8}, []string{"denied at resource_allowlist: resource_not_granted"}, []string{"code=resource_not_granted"}, 2},
		{"invalid limit", []int{row9}, []string{"denied at row_cap: invalid_limit"}, []string{"code=invalid_limit"}, 3},
		{"bad cursor", []int{row11}, []string{"denied at cursor: cursor_forged: forged"}, []string{"code=cursor_forged", "error=forged"}, 4},
		{"native unavailable", []int{row12}, []string{"denied at native_rbac: native_rbac_unavailable", "broken"}, []string{"code=native_rbac_unavailable", "broken"}, 5},
		{"native denied", []int{row13}, []string{"denied at native_rbac: native_rbac_denied"}, []string{"code=native_rbac_denied", "native.allowed=false"}, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &situation{nativeFault: nativeFaults["error"]}
			for _, row := range tt.holds {
				s.holds[row] = true
			}
			d := s.evaluate(t)
			text, logs := d.Trace().String(), logged(d)
			wantInOrder(t, text, tt.text)
			wantInOrder(t, logs, tt.logs)
			order := []string{"scope_parse", "resource_exclusion", "resource_allowlist", "row_cap", "cursor", "native_rbac"}
			wantInOrder(t, text, order[:tt.passed])
			wantInOrder(t, logs, []string{"passed=\"[" + strings.Join(order[:tt.passed], " ") + "]"})
		})
	}
}

// wantInOrder checks that the parts are in the text, one after the other. Empty
// and single lists are quoted differently in logs, so quotes are left out.
func wantInOrder(t *testing.T, text string, parts []string) {
	t.Helper()
	rest := strings.ReplaceAll(text, `"`, "")
	for _, part := range parts {
		_, after, found := strings.Cut(rest, strings.ReplaceAll(part, `"`, ""))
		if !found {
			t.Errorf("%q has no %q, or not in this order", text, part)
			return
		}
		rest = after
	}
}

func TestATraceHasTheReasonOfNativeAccess(t *testing.T) {
	d := evaluateWith(t, t.Context(), answer(scope.Access{Reason: "no seat"}))
	wantInOrder(t, logged(d), []string{"native.reason=no seat"})
}

func TestATraceShowsLimitsAskedAndGiven(t *testing.T) {
	d := rowsFor(t, scope.ParseLimit("500"), "100")
	wantInOrder(t, d.Trace().String(), []string{"row_cap (limit 500, cap 100: 100 rows)"})
	wantInOrder(t, logged(d), []string{"asked=500", "cap=100", "limit=100"})
	wantInOrder(t, rowsFor(t, scope.ParseLimit("x"), "100").Trace().String(), []string{"denied at row_cap"})
}

func TestTheTraceOfTheZeroDecisionSaysThatNothingWasDecided(t *testing.T) {
	var d scope.Decision
	wantInOrder(t, d.Trace().String(), []string{"denied at undecided: undecided"})
	wantInOrder(t, logged(d), []string{"outcome=deny", "code=undecided"})
}

func TestATraceCutsAndQuotesAResourceThatAPeerMadeUp(t *testing.T) {
	rules := rulesWith(t, answer(everything("a")))
	req := scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "x\n" + strings.Repeat("y", 100_000)}
	d := rules.Evaluate(t.Context(), req)
	if text := d.Trace().String(); len(text) > 400 || strings.Contains(text, "\n") {
		t.Errorf("the trace has %d bytes: %.400s", len(text), text)
	}
	if text := logged(d); len(text) > 600 {
		t.Errorf("the log line has %d bytes: %.600s", len(text), text)
	}
}

func TestATraceCostsTheEvaluationNoAllocation(t *testing.T) {
	rules := rulesWith(t, answer(scope.Access{}))
	req := scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "unknown"}
	if n := testing.AllocsPerRun(100, func() { rules.Evaluate(t.Context(), req) }); n != 0 {
		t.Errorf("a denial before native access allocates %v times, want 0", n)
	}
}
