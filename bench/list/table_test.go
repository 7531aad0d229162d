package main

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

func TestTheTableOfCostsComparesWithTheFloor(t *testing.T) {
	tasks := measuredTasks()
	tasks.cells, tasks.measured = tasks.cells[:2], tasks.measured[:2] // the second one is neither first nor deep
	tasks.measured[0][2].failed = errors.New("too slow")
	want := `|         |  page |  floor | fedkit | × floor | target |     | seed's shape |        OFFSET |   gorm keyset | fedkit, members only | fedkit, filter unknown |
|---------|------:|-------:|-------:|--------:|-------:|----:|-------------:|--------------:|--------------:|---------------------:|-----------------------:|
| 0 teams | first | 100 µs | 200 µs |    2.00 |    ≤ 3 | met |       failed | 800 µs ×8.00 | 1.60 ms ×16.0 |        3.20 ms ×32.0 |          6.40 ms ×64.0 |
`
	if got := costTable(tasks).String(); !sameCells(got, want) {
		t.Errorf("the table of costs is\n%s\nand not\n%s", got, want)
	}
}

// sameCells compares tables but for the widths of columns.
func sameCells(a, b string) bool {
	narrow := strings.NewReplacer(" ", "", "-", "", ":", "")
	return narrow.Replace(a) == narrow.Replace(b)
}

func TestTheTableOfDepthsHasEachGrantAndThePageFarthestFromTheFirst(t *testing.T) {
	tasks := measuredTasks()
	tasks.measured[5][1].rounds[0] *= 1.5 // fedkit, no teams, 90 %
	text := depthTable(tasks).String()
	for _, want := range []string{
		"| fedkit, 0 teams   | 200 µs | 200 µs | 200 µs | 200 µs | 200 µs | 300 µs | 200 µs |          1.50 |",
		"| floor, 900 teams  | 100 µs | 100 µs | 100 µs | 100 µs | 100 µs | 100 µs | 100 µs |          1.00 |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table of depths lacks\n%s\nit is\n%s", want, text)
		}
	}
}

func TestTheTableOfGrowthComparesTheWorlds(t *testing.T) {
	growth := &tableau{section: growthSection()}
	for range growth.cells {
		growth.measured = append(growth.measured, []series{
			{rounds: []float64{1e5}}, {rounds: []float64{2e5}}, {rounds: []float64{1.1e5}}, {rounds: []float64{2.5e5}},
		})
	}
	want := "| 20 teams  | first | 100 µs |       110 µs |      1.10 | 200 µs |        250 µs |      1.25 |           2.27 |"
	if text := growthTable(growth).String(); !strings.Contains(text, want) {
		t.Errorf("the table of growth lacks\n%s\nit is\n%s", want, text)
	}
	if got := targets([]*tableau{growth}); len(got) != 1 || math.Abs(got[0].Value-1.25) > 1e-9 || !got[0].Met() {
		t.Errorf("the targets of growth are %+v", got)
	}
}

func TestTheTargetsAreOfTheWorstCells(t *testing.T) {
	tasks := measuredTasks()
	cell := tasks.at(teams(1, 20), deepPage)
	tasks.measured[cell][1].rounds[0] = 9e5
	got := make(map[string]figures.Target)
	for _, target := range targets([]*tableau{tasks}) {
		name, where, _ := strings.Cut(target.Name, "; the worst: ")
		got[name] = target
		if target.Value != 2 && target.Value != 1 && where != "20 teams, deep" {
			t.Errorf("the worst of %s is %s", name, where)
		}
	}
	for name, want := range map[string]struct {
		value float64
		met   bool
	}{
		"tasks, other grants": {2, true},
		"tasks, 20 teams":     {9, false},
		"tasks, deep":         {4.5, false},
		"tasks, any depth":    {4.5, false},
	} {
		if target := got[name]; target.Value != want.value || target.Met() != want.met {
			t.Errorf("%s: the target is %+v", name, target)
		}
	}
}

func TestWhatWasNotMeasuredMeetsNoTarget(t *testing.T) {
	tasks := measuredTasks()
	tasks.measured[0][1].rounds = nil
	for _, target := range targets([]*tableau{tasks}) {
		if !strings.HasPrefix(target.Name, "tasks, 20") && target.Met() {
			t.Errorf("%s is met without a measurement: %+v", target.Name, target)
		}
	}
}
