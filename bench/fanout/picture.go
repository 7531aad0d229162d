package main

import (
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// The picture: a line for each list. A bar is the median of the merged page, a mark that
// of the slowest peer, and a second one what the page may take.
const (
	pictureWidth = 760
	nameWidth    = 210 // left of the scale
	noteWidth    = 70  // right of it
	lineHeight   = 24
	headHeight   = 40
)

// pictureStyle is readable on a light and on a dark page, and needs no background.
const pictureStyle = `
text { font: 13px system-ui, sans-serif; fill: #24292f }
.small { font-size: 11px; fill: #57606a }
.ours { fill: #0969da }
.alone { stroke: #24292f; stroke-width: 2 }
.target { stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.small { fill: #9198a1 }
.ours { fill: #4493f8 }
.alone { stroke: #e6edf3 }
.target { stroke: #f0883e }
}
`

// picture shows the pages as an SVG.
func picture(all []result) string {
	longest := 0.0
	for _, r := range all {
		longest = max(longest, figures.Median(r.merged), allowed(r))
	}
	x := func(ns float64) float64 { return nameWidth + ns/longest*(pictureWidth-nameWidth-noteWidth) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n", pictureWidth, headHeight+len(all)*lineHeight)
	fmt.Fprintf(&b, "<title>A page of a merged list, and the answer of its slowest peer</title>\n<style>%s</style>\n", pictureStyle)
	fmt.Fprintf(&b, `<text x="0" y="14">A page of %d rows over many peers; solid: the slowest peer alone; dashed: target</text>`+"\n", pageRows)
	for i, r := range all {
		top := headHeight + i*lineHeight
		fmt.Fprintf(&b, `<text class="small" x="0" y="%d">%s</text>`+"\n", top+12, html.EscapeString(r.name()))
		fmt.Fprintf(&b, `<rect class="ours" x="%d" y="%d" width="%.1f" height="12" rx="2"/>`+"\n", nameWidth, top+2, x(figures.Median(r.merged))-nameWidth)
		drawLine(&b, "alone", x(figures.Median(r.alone)), top)
		drawLine(&b, "target", x(allowed(r)), top)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", pictureWidth, top+13, figures.Duration(figures.Median(r.merged)))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// allowed is what a page may take.
func allowed(r result) float64 {
	return 1.1*figures.Median(r.alone) + float64(time.Millisecond)
}

func drawLine(b *strings.Builder, class string, x float64, top int) {
	fmt.Fprintf(b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", class, x, x, top-2, top+18)
}
