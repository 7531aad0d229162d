package main

import "fmt"

// pageRows is the length of a page.
const pageRows = 50

// A cell is one list that is measured.
type cell struct {
	peers int
	shape shape
}

// A shape says which peer has the row at a place of the merged list.
type shape struct {
	name string
	peer func(place, peers int) int
}

var (
	inTurn  = shape{"in turn", func(place, peers int) int { return place % peers }}
	skewed  = shape{"one has 3 of 5", func(place, peers int) int { return max(0, place%5-2) * (1 + place/5) % peers }}
	inRuns  = shape{"in runs of 17", func(place, peers int) int { return place / 17 % peers }}
	shapes  = []shape{inTurn, skewed, inRuns}
	crowded = []int{2, 8, 16, 64}
)

func cells() (all []cell) {
	for _, peers := range crowded {
		for _, s := range shapes {
			all = append(all, cell{peers, s})
		}
	}
	return all
}

func (c cell) name() string { return fmt.Sprintf("%d peers, rows %s", c.peers, c.shape.name) }
