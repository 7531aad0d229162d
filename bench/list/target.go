package main

import (
	"math"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// Limits of one page of fedkit against another one.
const (
	mostOfFirst   = 1.2
	mostOfSmaller = 1.3
)

// targets are what fedkit has to reach, by the worst cell of each kind.
func targets(tables []*tableau) []figures.Target {
	var all []figures.Target
	for _, t := range tables {
		switch t.title {
		case growthSection().title:
			all = append(all, worst("tasks, growing", mostOfSmaller, " × smaller", t.growths()))
		case othersSection().title:
			for _, r := range []resource{notes, memory, userDefined} {
				all = append(all, worst(r.name, mostOfFloor, " × floor", t.ratios(func(c cell) bool { return c.resource.name == r.name })))
			}
		case unpreparedSection().title:
		default:
			all = append(all, t.targets()...)
		}
	}
	return all
}

// targets are those of a table of tasks.
func (t *tableau) targets() []figures.Target {
	name := map[string]string{tasksSection().title: "tasks", skewSection().title: "far from even", genericSection().title: "planned for no arguments"}[t.title]
	shown := func(c cell) bool { return c.depth == firstPage || c.depth == deepPage }
	all := []figures.Target{
		worst(name+", other grants", mostOfFloor, " × floor", t.ratios(func(c cell) bool { return shown(c) && c.most == mostOfFloor })),
		worst(name+", 20 teams", mostInMiddle, " × floor", t.ratios(func(c cell) bool { return shown(c) && c.most == mostInMiddle })),
	}
	if t.title == skewSection().title {
		return all
	}
	all = append(all, worst(name+", deep", mostOfFirst, " × first", t.depths(shown)))
	if t.title == tasksSection().title {
		all = append(all, worst(name+", any depth", mostOfFirst, " × first", t.depths(func(cell) bool { return true })))
	}
	return all
}

// A finding is a number and where it was found.
type finding struct {
	value float64
	where string
}

// ratios are those of fedkit to the floor.
func (t *tableau) ratios(take func(cell) bool) []finding {
	var all []finding
	for i, c := range t.cells {
		if take(c) {
			all = append(all, finding{ratio(t.of(i, theLibrary), t.of(i, theFloor)), c.title() + ", " + depthName(c.depth)})
		}
	}
	return all
}

// depths are those of fedkit to its first page of the same list.
func (t *tableau) depths(take func(cell) bool) []finding {
	var all []finding
	for i, c := range t.cells {
		if take(c) && c.depth != firstPage {
			first := t.of(t.at(c.grant, firstPage), theLibrary)
			all = append(all, finding{ratio(t.of(i, theLibrary), first), c.title() + ", " + depthName(c.depth)})
		}
	}
	return all
}

// growths are those of fedkit in the grown world to the other one.
func (t *tableau) growths() []finding {
	var all []finding
	for i, c := range t.cells {
		all = append(all, finding{ratio(t.of(i, grownLibrary), t.of(i, theLibrary)), c.title() + ", " + depthName(c.depth)})
	}
	return all
}

// worst is the target that all findings have to reach.
func worst(name string, limit float64, unit string, all []finding) figures.Target {
	found := finding{value: math.NaN()}
	for _, f := range all {
		if math.IsNaN(f.value) {
			return figures.Target{Name: name, Value: math.NaN(), Limit: limit, Unit: unit}
		}
		if found.where == "" || f.value > found.value {
			found = f
		}
	}
	return figures.Target{Name: name + "; the worst: " + found.where, Value: found.value, Limit: limit, Unit: unit, Decimals: 2}
}
