package federationtest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestFedkitPasses(t *testing.T) {
	t.Parallel()
	Run(t, Gateway{URL: newReal(t).serve(t)})
}

func TestCasesHaveNumbersOfTheirLevel(t *testing.T) {
	t.Parallel()
	seen := map[int]string{}
	for _, c := range cases {
		if other, twice := seen[c.number]; twice || c.number < 100 || c.number > 399 || c.name == "" {
			t.Errorf("case %d is %q and %q", c.number, c.name, other)
		}
		seen[c.number] = c.name
	}
}

func TestALevelThatIsNotOfferedIsNotPassed(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	r.Getter = nil
	report, err := Check(t.Context(), Gateway{URL: r.serve(t)})
	if err != nil || report.Err() != nil {
		t.Fatalf("a gateway without get ends in %v, %v", err, report.Err())
	}
	if report.Levels[List] != Passed || report.Levels[Get] != NotOffered || report.Levels[FanOut] != NotOffered {
		t.Errorf("the levels are %v", report.Levels)
	}
	for _, c := range report.Cases {
		if offered := c.Level == List; offered != (c.Result == Passed) || offered != (c.Requests > 0) {
			t.Errorf("case %d of the level %s is %s after %d requests", c.Number, c.Level, c.Result, c.Requests)
		}
	}
	text, err := json.Marshal(report)
	if err != nil || !strings.Contains(string(text), `"levels":{"fan-out":"not offered","get":"not offered","list":"passed"}`) {
		t.Errorf("the report is %s, %v", text, err)
	}
}

func TestWhatCannotBeTestedIsAnError(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	at := r.serve(t)
	for name, g := range map[string]Gateway{
		"no URL":       {},
		"no scheme":    {URL: "localhost:8080"},
		"nobody there": {URL: "http://127.0.0.1:1"},
		"no fixture":   {URL: at, Do: func(r *http.Request, _ string) (*http.Response, error) { return http.DefaultClient.Do(r) }},
	} {
		if report, err := Check(t.Context(), g); err == nil {
			t.Errorf("%s: the report is %+v", name, report)
		}
	}
}

func TestAReportTellsWhatFailed(t *testing.T) {
	t.Parallel()
	r := Report{Levels: map[Level]Result{}}
	r.add(CaseReport{Number: 101, Level: List, Name: "a", Result: Failed, Problems: []string{"one\ntwo"}})
	r.add(CaseReport{Number: 102, Level: List, Name: "b", Result: Passed})
	if err := r.Err(); !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), "101 (a)") || r.Levels[List] != Failed {
		t.Errorf("Err is %v, the levels are %v", err, r.Levels)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "failed      101 list: a\n            one\n            two\n") {
		t.Errorf("the text is %s, %v", text.String(), err)
	}
}

// The fixture must have what the cases are about.
func TestTheFixtureHasTeeth(t *testing.T) {
	t.Parallel()
	f := load()
	for _, resource := range resources {
		shown := f.shown("conf-all", resource)
		ties := 0
		for i := range shown[1:] {
			if shown[i].at.Equal(shown[i+1].at) {
				ties++
			}
		}
		if len(shown) < 12 || ties < 4 || len(f.hidden("conf-all", resource)) < 10 {
			t.Errorf("%s: %d rows show, %d of them tie, and %d do not show", resource, len(shown), ties, len(f.hidden("conf-all", resource)))
		}
		for _, r := range shown {
			text, _ := json.Marshal(r.members)
			if strings.Contains(string(text), "canary") {
				t.Errorf("%s: the row %s shows", resource, text)
			}
		}
	}
	all, red := f.shown("conf-all", "tasks"), f.shown("conf-red", "tasks")
	if len(red) == 0 || len(red) >= len(all) || len(f.shown("conf-green", "tasks")) > 0 {
		t.Errorf("%d tasks show, of red %d, of green %d", len(all), len(red), len(f.shown("conf-green", "tasks")))
	}
	if slices.ContainsFunc(active, func(token string) bool { return f.grant(token).Status != "active" }) {
		t.Error("not all active grants are")
	}
}

func TestACheckThatIsStoppedFails(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	s, err := begin(t.Context(), Gateway{URL: r.serve(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.run(ctx, cases[0]); got.Result != Failed {
		t.Errorf("a case without time is %s", got.Result)
	}
}
