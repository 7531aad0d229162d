package federationtest

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// A Result is how a case or a level ended.
type Result string

// The results. NotOffered says nothing good and nothing bad: the gateway's capabilities
// do not have what the case is about.
const (
	Passed     Result = "passed"
	Failed     Result = "failed"
	NotOffered Result = "not offered"
)

// A Report is what came of a run. Its JSON is stable.
type Report struct {
	Gateway string           `json:"gateway"` // its URL
	Started time.Time        `json:"started"`
	Levels  map[Level]Result `json:"levels"` // failed if one of its cases did
	Cases   []CaseReport     `json:"cases"`  // by number
}

// A CaseReport is what came of one case.
type CaseReport struct {
	Number   int      `json:"number"`
	Level    Level    `json:"level"`
	Name     string   `json:"name"`
	Result   Result   `json:"result"`
	Requests int      `json:"requests"`           // that it made
	Problems []string `json:"problems,omitempty"` // for people, the first ten
}

func (r *Report) add(c CaseReport) {
	r.Cases = append(r.Cases, c)
	if r.Levels[c.Level] != Failed {
		r.Levels[c.Level] = c.Result
	}
}

// WriteText writes the report for people: a line for each case, and below a failed one
// what was wrong.
func (r Report) WriteText(w io.Writer) error {
	var text strings.Builder
	for _, c := range r.Cases {
		fmt.Fprintf(&text, "%-11s %d %s: %s\n", c.Result, c.Number, c.Level, c.Name)
		for _, problem := range c.Problems {
			fmt.Fprintf(&text, "            %s\n", strings.ReplaceAll(problem, "\n", "\n            "))
		}
	}
	for _, level := range []Level{List, Get, FanOut} {
		fmt.Fprintf(&text, "level %-7s %s\n", level, r.Levels[level])
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// Run runs each case as a test of its own. A level that the gateway does not offer is said
// in the log of t, and neither fails nor passes.
func Run(t *testing.T, g Gateway) {
	t.Helper()
	s, err := begin(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if !s.offers(c.level()) {
			t.Logf("%d %s: the gateway does not offer the level %s", c.number, c.name, c.level())
			continue
		}
		t.Run(fmt.Sprintf("%d %s", c.number, c.name), func(t *testing.T) {
			for _, problem := range s.run(t.Context(), c).Problems {
				t.Error(problem)
			}
		})
	}
}
