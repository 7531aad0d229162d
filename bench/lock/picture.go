//go:build unix

package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// The picture: a line for each contender, on a logarithmic scale of time. A bar goes
// from the tenth to the ninetieth of a hundred hand-overs; a mark in it is the median.
const (
	nameWidth  = 230 // left of the scale
	noteWidth  = 70  // right of it
	lineHeight = 26
	headHeight = 44
	barHeight  = 10
)

// picture shows the hand-overs, if there are any, as an SVG.
func picture(all []summary) string {
	var measured []summary
	for _, s := range all {
		if s.handover.p10 > 0 { // which is not so of NaN
			measured = append(measured, s)
		}
	}
	if len(measured) == 0 {
		return ""
	}
	return draw(measured)
}

func draw(all []summary) string {
	bottom := headHeight + len(all)*lineHeight
	first, last := powers(all)
	scale := figures.LogScale(nameWidth, figures.PictureWidth-noteWidth, first, last)
	p := figures.NewPicture("How long the next process waits from the release of a lock on", bottom+24)
	p.Text("", 0, 16, "release → acquire by the next process, p10 – median – p90")
	for power := first; power <= last; power++ {
		x := scale.X(math.Pow10(power))
		p.Line("grid", x, headHeight-8, float64(bottom))
		p.TextAround("small", x, float64(bottom)+16, roundTime(power))
	}
	if limit := scale.X(2 * all[0].handover.median); all[0].name == rawFlock {
		p.Line("limit", limit, headHeight-8, float64(bottom))
		p.Text("small", limit+4, headHeight-10, "2 × blocked flock")
	}
	for i, s := range all {
		middle := float64(headHeight+i*lineHeight) + lineHeight/2
		p.Text("", 0, middle+4, s.name)
		p.Bar(class(s), scale.X(s.handover.p10), scale.X(s.handover.p90), middle-barHeight/2, barHeight)
		p.Line("mark", scale.X(s.handover.median), middle-8, middle+8)
		p.Note(middle+4, "× "+figures.Digits(s.handover.median/all[0].handover.median))
	}
	return p.String()
}

func class(s summary) string {
	if strings.HasPrefix(s.name, "fleetlock") {
		return "ours"
	}
	return "others"
}

// powers are those of ten between which all hand-overs are, in nanoseconds.
func powers(all []summary) (first, last int) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range all {
		low, high = min(low, s.handover.p10), max(high, s.handover.p90)
	}
	first = int(math.Floor(math.Log10(low)))
	return first, max(first+1, int(math.Ceil(math.Log10(high))))
}

// roundTime names a power of ten of nanoseconds.
func roundTime(power int) string {
	units := []string{"ns", "µs", "ms", "s"}
	i := min(power/3, len(units)-1)
	return fmt.Sprintf("%.0f %s", math.Pow10(power-3*i), units[i])
}
