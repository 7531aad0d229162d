package main

import (
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// The picture: a line for each list. A bar is the median of the merged page, a mark that
// of the slowest peer, and a second one what the page may take.
const (
	nameWidth  = 210 // left of the scale
	noteWidth  = 70  // right of it
	lineHeight = 24
	headHeight = 40
)

// picture shows the pages as an SVG.
func picture(all []result) string {
	longest := 0.0
	for _, r := range all {
		longest = max(longest, figures.Median(r.merged), allowed(r))
	}
	scale := figures.LinearScale(nameWidth, figures.PictureWidth-noteWidth, longest)
	p := figures.NewPicture("A page of a merged list, and the answer of its slowest peer", headHeight+len(all)*lineHeight)
	p.Text("", 0, 14, fmt.Sprintf("A page of %d rows over many peers; solid: the slowest peer alone; dashed: target", pageRows))
	for i, r := range all {
		top, merged := float64(headHeight+i*lineHeight), figures.Median(r.merged)
		p.Text("small", 0, top+12, r.name())
		p.Bar("ours", nameWidth, scale.X(merged), top+2, 12)
		p.Line("mark", scale.X(figures.Median(r.alone)), top-2, top+18)
		p.Line("limit", scale.X(allowed(r)), top-2, top+18)
		p.Note(top+13, figures.Duration(merged))
	}
	return p.String()
}

// allowed is what a page may take.
func allowed(r result) float64 {
	return 1.1*figures.Median(r.alone) + float64(time.Millisecond)
}
