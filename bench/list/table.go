package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// costTable has a row for each cell, at the first page and in the middle where there are
// more.
func costTable(t *tableau) *figures.Table {
	table := &figures.Table{Head: []string{"", "page", theFloor, theLibrary, "× floor"}}
	promised := slices.ContainsFunc(t.cells, func(c cell) bool { return c.most > 0 })
	if promised {
		table.Head = append(table.Head, "target", "")
	}
	rest := t.others()
	for _, i := range rest {
		table.Head = append(table.Head, t.contenders[i].name)
	}
	for i, c := range t.cells {
		if t.title == tasksSection().title && c.depth != firstPage && c.depth != deepPage {
			continue
		}
		floor, ours := t.of(i, theFloor), t.of(i, theLibrary)
		target := figures.Target{Value: ratio(ours, floor), Limit: c.most}
		cells := []string{c.title(), depthName(c.depth), figures.Duration(median(floor.rounds)), figures.Duration(median(ours.rounds)),
			figures.Digits(target.Value)}
		switch {
		case c.most > 0:
			cells = append(cells, target.Wanted(), target.Verdict())
		case promised:
			cells = append(cells, "–", "")
		}
		for _, number := range rest {
			cells = append(cells, multiple(t.measured[i][number], floor))
		}
		table.Add(cells...)
	}
	return table
}

// others are the contenders behind the floor and the library.
func (t *tableau) others() []int {
	var others []int
	for i, c := range t.contenders {
		if c.name != theFloor && c.name != theLibrary {
			others = append(others, i)
		}
	}
	return others
}

// of returns what was measured of a contender, nothing if it or the cell took no part.
func (t *tableau) of(cell int, name string) series {
	i := slices.IndexFunc(t.contenders, func(c contender) bool { return c.name == name })
	if i < 0 || cell < 0 {
		return series{}
	}
	return t.measured[cell][i]
}

// multiple is a time, and how many times the floor that is.
func multiple(s, floor series) string {
	if s.failed != nil {
		return "failed"
	}
	return fmt.Sprintf("%s ×%s", figures.Duration(median(s.rounds)), figures.Digits(ratio(s, floor)))
}

// title is the cell without its depth.
func (c cell) title() string {
	teams := c.grant.name + " teams"
	if len(c.grant.teams) == 1 {
		teams = "1 team"
	}
	switch {
	case c.name != "":
		return c.name
	case c.resource.name == tasks.name:
		return teams
	case c.resource.name == memory.name:
		return memory.name
	}
	return c.resource.name + ", " + teams
}

// depthTable has a row for each grant and a column for each depth.
func depthTable(t *tableau) *figures.Table {
	table := &figures.Table{Head: []string{""}}
	for _, depth := range depths {
		table.Head = append(table.Head, depthColumn(depth))
	}
	table.Head = append(table.Head, "worst × first")
	for _, name := range []string{theFloor, theLibrary, theOffset} {
		for _, g := range grants() {
			cells := []string{fmt.Sprintf("%s, %s", name, cell{resource: tasks, grant: g}.title())}
			worst := math.NaN()
			first := t.at(g, firstPage)
			for _, depth := range depths {
				i := t.at(g, depth)
				cells = append(cells, figures.Duration(median(t.of(i, name).rounds)))
				if depth != firstPage {
					worst = most(worst, ratio(t.of(i, name), t.of(first, name)))
				}
			}
			table.Add(append(cells, figures.Digits(worst))...)
		}
	}
	return table
}

func depthColumn(depth float64) string {
	if depth == lastPage {
		return depthName(depth)
	}
	return fmt.Sprintf("%g %%", 100*depth)
}

// at finds a cell, or returns -1.
func (t *tableau) at(g grant, depth float64) int {
	return slices.IndexFunc(t.cells, func(c cell) bool { return c.grant.name == g.name && c.depth == depth })
}

// most is the larger one, of which the first may be none yet.
func most(a, b float64) float64 {
	if math.IsNaN(a) {
		return b
	}
	return max(a, b)
}

// growthTable compares the two worlds.
func growthTable(t *tableau) *figures.Table {
	table := &figures.Table{Head: []string{"", "page", theFloor, grownFloor, "× smaller", theLibrary, grownLibrary, "× smaller", "× floor, grown"}}
	for i, c := range t.cells {
		floor, more, ours, grown := t.of(i, theFloor), t.of(i, grownFloor), t.of(i, theLibrary), t.of(i, grownLibrary)
		table.Add(c.title(), depthName(c.depth),
			figures.Duration(median(floor.rounds)), figures.Duration(median(more.rounds)), figures.Digits(ratio(more, floor)),
			figures.Duration(median(ours.rounds)), figures.Duration(median(grown.rounds)), figures.Digits(ratio(grown, ours)),
			figures.Digits(ratio(grown, more)))
	}
	return table
}
