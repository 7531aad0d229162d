package main

import (
	"crypto/md5"
	"fmt"
	"slices"

	"github.com/mosaicstack/fedkit/cursor"
)

// A cell of the tables is a page of a list: whose, under which grant, and how deep.
type cell struct {
	name     string // if the grant and the depth are not name enough
	resource resource
	subject  string
	grant    grant
	depth    float64 // the share of the list that is before the page
	byTime   bool    // by the share of the time instead: to count 30,000,000 rows takes long
	most     float64 // how many times the floor the page may take; 0 if that is no target
}

// label names the cell in errors.
func (c cell) label() string {
	if c.name != "" {
		return c.name + ", " + depthName(c.depth)
	}
	return fmt.Sprintf("%s, %s teams, %s", c.resource.name, c.grant.name, depthName(c.depth))
}

// A grant is the teams of a filter.
type grant struct {
	name  string
	teams []string
}

// theSubject has projects, notes and memory, and is a member of the first 1,000 teams.
const theSubject = "user-1"

// teams is a grant of the teams with the numbers from first to last.
func teams(first, last int) grant {
	var ids []string
	for n := first; n <= last; n++ {
		ids = append(ids, uid("team", n))
	}
	slices.Sort(ids)
	return grant{fmt.Sprint(len(ids)), ids}
}

// nobodys is a grant with n teams more, which own nothing.
func (g grant) nobodys(n int) grant {
	ids := slices.Clone(g.teams)
	for i := range n {
		ids = append(ids, uid("nobody", i))
	}
	slices.Sort(ids)
	return grant{fmt.Sprint(len(ids)), ids}
}

// uid is the function of the same name in the worlds.
func uid(kind string, n int) string {
	return cursor.UUID(md5.Sum(fmt.Append(nil, kind, n))).String()
}

// Grants of more teams are promised more than those in the middle, for which no way is
// a good one.
const (
	mostOfFloor  = 3
	mostInMiddle = 8
)

// grants are those of the tables.
func grants() []grant {
	return []grant{teams(1, 0), teams(1, 1), teams(1, 20), teams(1, 200), teams(1, 900)}
}

func (g grant) most() float64 {
	if len(g.teams) == 20 {
		return mostInMiddle
	}
	return mostOfFloor
}

const (
	firstPage = 0
	deepPage  = 0.5
)

// depths are those from the first to the last page.
var depths = []float64{firstPage, 0.1, 0.25, deepPage, 0.75, 0.9, lastPage}

func depthName(depth float64) string {
	switch depth {
	case firstPage:
		return "first"
	case deepPage:
		return "deep"
	case lastPage:
		return "last"
	}
	return fmt.Sprintf("%g %%", 100*depth)
}

// cellsOf are the grants, at each of the depths.
func cellsOf(r resource, depths ...float64) []cell {
	var cells []cell
	for _, g := range grants() {
		for _, depth := range depths {
			c := cell{resource: r, subject: theSubject, grant: g, depth: depth, most: mostOfFloor}
			if r.name == tasks.name {
				c.most = g.most()
			}
			cells = append(cells, c)
		}
	}
	return cells
}
