package model

import (
	"strings"
	"testing"
)

// Two counters that go up by one or double, and must not meet at 6.
type counters struct{}

func (counters) Start() [2]int { return [2]int{1, 2} }

func (counters) Next(s [2]int, visit func([2]int, Step)) {
	for i := range s {
		for _, step := range []Step{{Call: "increment"}, {Call: "double"}} {
			next := s
			next[i]++
			if step.Call == "double" {
				next[i] = 2 * s[i]
			}
			step.Who = int8(i)
			if next[i] < 8 {
				visit(next, step)
			}
		}
	}
}

func (counters) Wrong(s [2]int) Violation {
	if s[0] == 6 && s[1] == 6 {
		return "they meet"
	}
	return ""
}

func (counters) Canonical(s [2]int) [2]int { return [2]int{min(s[0], s[1]), max(s[0], s[1])} }

func TestTheTraceIsAShortestOne(t *testing.T) {
	t.Parallel()
	got := Explore[[2]int](counters{})
	if got.Wrong != "they meet" || len(got.Trace) != 5 {
		t.Errorf("the counters meet at 6 after 5 steps; the explorer found: %v", got)
	}
}

func TestTheTraceKeepsTheNamesOfTheProcesses(t *testing.T) {
	t.Parallel()
	s := counters{}.Start()
	for _, step := range Explore[[2]int](counters{}).Trace {
		if step.Call == "double" {
			s[step.Who] *= 2
		} else {
			s[step.Who]++
		}
	}
	if s != [2]int{6, 6} {
		t.Errorf("the steps of the trace lead to %v instead of 6 and 6", s)
	}
}

func TestTheTraceIsANumberedList(t *testing.T) {
	t.Parallel()
	r := Result{Wrong: "it breaks", States: 7, Trace: []Step{
		{Call: "pread", Note: "free"}, {Who: 1, Note: "is SIGKILLed"}, {Who: -1, Note: "a tick passes"},
	}}
	want := `it breaks after 3 steps (7 states explored):
    1. P1 pread        free
    2. P2 is SIGKILLed
    3. ---- a tick passes ----
`
	if got := r.String(); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("the trace is printed as\n%s\ninstead of\n%s", got, want)
	}
}
