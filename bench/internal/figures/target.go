package figures

import (
	"fmt"
	"math"
)

// A Target is a number that has to be reached.
type Target struct {
	Name     string
	Value    float64 // NaN if it was not measured, which does not reach anything
	Limit    float64
	AtLeast  bool   // else at most
	Unit     string // of Value and Limit
	Decimals int    // of Value
}

// Met reports whether the number is reached.
func (t Target) Met() bool {
	if t.AtLeast {
		return t.Value >= t.Limit
	}
	return t.Value <= t.Limit
}

// Wanted is the limit in words.
func (t Target) Wanted() string {
	sign := "≤"
	if t.AtLeast {
		sign = "≥"
	}
	return fmt.Sprintf("%s %g%s", sign, t.Limit, t.Unit)
}

// Measured is the value in words.
func (t Target) Measured() string {
	if math.IsNaN(t.Value) {
		return "–"
	}
	return fmt.Sprintf("%.*f%s", t.Decimals, t.Value, t.Unit)
}

// Verdict says whether the number is reached.
func (t Target) Verdict() string {
	if t.Met() {
		return "met"
	}
	return "**not met**"
}

// Targets is a table of targets, of what the title says.
func Targets(title string, all []Target) *Table {
	t := &Table{Head: []string{title, "target", "measured", ""}}
	for _, g := range all {
		t.Add(g.Name, g.Wanted(), g.Measured(), g.Verdict())
	}
	return t
}
