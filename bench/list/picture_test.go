package main

import (
	"math"
	"strings"
	"testing"
)

// measuredTasks are tasks of which the floor takes 100 µs, and the others, in the order
// of everyone, twice and four times as long and so on.
func measuredTasks() *tableau {
	t := &tableau{section: tasksSection()}
	for range t.cells {
		var all []series
		for i := range t.contenders {
			all = append(all, series{rounds: []float64{math.Pow(2, float64(i)) * 1e5, math.NaN()}})
		}
		t.measured = append(t.measured, all)
	}
	return t
}

func TestThePictureHasAMarkForEachContenderOfEachCell(t *testing.T) {
	text := picture(measuredTasks())
	for _, m := range marks {
		got, want := strings.Count(text, `<g class="`+m.class+`"`), 1+2*len(grants()) // one in the legend
		if got != want {
			t.Errorf("the picture has %d marks of %s and not %d", got, m.name, want)
		}
	}
	for _, want := range []string{"prefers-color-scheme: dark", "20 teams, deep", "× 2.00", "× 10<"} {
		if !strings.Contains(text, want) {
			t.Errorf("the picture lacks %q:\n%s", want, text)
		}
	}
}
