package main

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// Every contender reads the same rows in every cell, or the bench fails: see verify.
func TestASmallRunMeasuresEveryContender(t *testing.T) {
	b := small(t)
	b.take = func(s section, c cell) bool {
		wide := len(c.grant.teams) > 20
		switch {
		case s.mode != prepared:
			return len(c.grant.teams) == 20
		case s.title == tasksSection().title:
			return !wide || len(c.grant.teams) == 900 && c.depth == deepPage
		}
		return !wide || len(c.grant.teams) == 5000 && c.depth == firstPage
	}
	if err := b.measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range b.run.tables {
		for i, c := range table.cells {
			for j, one := range table.contenders {
				s := table.measured[i][j]
				if s.failed != nil || len(s.rounds) != b.rounds || !(median(s.rounds) > 0) {
					t.Errorf("%s, %s: %s measures %v, %v", table.title, c.label(), one.name, s.rounds, s.failed)
				}
			}
		}
	}
	text := b.page()
	for _, s := range b.sections() {
		if !strings.Contains(text, "## "+s.title+"\n") {
			t.Errorf("the page has no table %q:\n%s", s.title, text)
		}
	}
}

func TestAPageThatHasOtherRowsIsNoticed(t *testing.T) {
	want := []row{{"id": "a", "title": "one"}, {"id": "b"}}
	for _, test := range []struct {
		name string
		got  []row
	}{
		{"a row less", want[:1]},
		{"another order", []row{want[1], want[0]}},
		{"another value", []row{{"id": "a", "title": "two"}, {"id": "b"}}},
		{"null for nothing", []row{want[0], {"id": "b", "title": nil}}},
	} {
		if compare(want, test.got, 2) == nil {
			t.Errorf("%s: the pages count as the same", test.name)
		}
	}
	if err := compare(want, slices.Clone(want), 2); err != nil {
		t.Errorf("the same rows are others: %v", err)
	}
	if compare(nil, nil, 2) == nil {
		t.Error("two empty pages count as the same where there are rows")
	}
}

func TestARatioIsTakenRoundByRound(t *testing.T) {
	a := series{rounds: []float64{2, 40, math.NaN(), 6}}
	b := series{rounds: []float64{1, 10, 5, 2}}
	if got := ratio(a, b); got != 3 {
		t.Errorf("the ratio is %v and not 3, the median of 2, 4 and 3", got)
	}
	if got := ratio(series{}, b); !math.IsNaN(got) {
		t.Errorf("the ratio of nothing is %v", got)
	}
}

func TestASlowContenderSitsOut(t *testing.T) {
	slowly := float64(2 * slow)
	for _, test := range []struct {
		rounds []float64
		done   bool
	}{
		{[]float64{slowly, slowly}, false},
		{[]float64{slowly, slowly, slowly}, true},
		{[]float64{1, slowly, 1}, false},
	} {
		if got := (&series{rounds: test.rounds}).done(); got != test.done {
			t.Errorf("that %v is enough is %v", test.rounds, got)
		}
	}
}
