package main

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

const (
	pictureWidth = 720
	nameWidth    = 240 // left of the bars
	noteWidth    = 90  // right of them
	lineHeight   = 26
)

// pictureStyle is readable on a light and on a dark page, and needs no background.
const pictureStyle = `
text { font: 13px system-ui, sans-serif; fill: #24292f }
.bar { fill: #8c959f }
.ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ours { fill: #4493f8 }
}
`

// picture shows what an acquisition and a release cost, as an SVG.
func picture(all []*contender) string {
	var most float64
	for _, c := range all {
		most = math.Max(most, figures.Median(c.pairs))
	}
	var b strings.Builder
	height := lineHeight*len(all) + 34
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`, pictureWidth, height)
	fmt.Fprintf(&b, "<title>What an acquisition and a release cost</title><style>%s</style>\n", pictureStyle)
	fmt.Fprintf(&b, `<text x="%d" y="16">acquire + release, undisputed</text>`+"\n", nameWidth)
	for i, c := range all {
		y := 30 + i*lineHeight
		class := "bar"
		if c.ours {
			class = "bar ours"
		}
		width := figures.Median(c.pairs) / most * (pictureWidth - nameWidth - noteWidth)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, nameWidth-8, y+13, html.EscapeString(c.name))
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="14"/>`, class, nameWidth, y+2, width)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s</text>`+"\n", nameWidth+width+6, y+13, figures.Duration(figures.Median(c.pairs)))
	}
	b.WriteString("</svg>\n")
	return b.String()
}
