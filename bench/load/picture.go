package main

import (
	"fmt"
	"strings"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// The picture: for each crowd a bar for each contender, as long as it serves pages per
// second.
const (
	pictureWidth = 760
	nameWidth    = 190 // left of the bars
	noteWidth    = 220 // right of the longest
	barHeight    = 20
	headHeight   = 30
)

// pictureStyle is readable on a light and on a dark page, and needs no background.
const pictureStyle = `
text { font: 13px system-ui, sans-serif; fill: #24292f }
.small { font-size: 11px; fill: #57606a }
.without { fill: #8c959f }
.ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.small { fill: #9198a1 }
.ours { fill: #4493f8 }
}
`

func (r *run) picture() string {
	most := 0.0
	for _, c := range r.cells {
		most = max(most, figures.Median(c.rates))
	}
	height := len(crowds) * (headHeight + len(contenders)*barHeight)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n", pictureWidth, height+24)
	fmt.Fprintf(&b, "<title>Pages of 50 tasks per second</title>\n<style>%s</style>\n", pictureStyle)
	b.WriteString(`<text x="0" y="14">Pages of 50 tasks per second, and how long one takes</text>` + "\n")
	y := 24
	for _, n := range crowds {
		fmt.Fprintf(&b, `<text class="small" x="0" y="%d">%s</text>`+"\n", y+20, connectionsOf(n))
		y += headHeight
		for _, name := range contenders {
			r.cell(name, n).draw(&b, y, most)
			y += barHeight
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// draw adds the bar of a cell.
func (c *cell) draw(b *strings.Builder, y int, most float64) {
	rate := figures.Median(c.rates)
	width := rate / most * (pictureWidth - nameWidth - noteWidth)
	class := "ours"
	if c.contender == bare {
		class = "without"
	}
	fmt.Fprintf(b, `<text x="0" y="%d">%s</text>`+"\n", y+14, c.contender)
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>`+"\n", class, nameWidth, y+2, width, barHeight-4)
	fmt.Fprintf(b, `<text class="small" x="%.1f" y="%d">%.0f, p50 %s, p99 %s</text>`+"\n", nameWidth+width+6, y+14, rate,
		figures.Duration(figures.Quantile(c.times, 0.5)), figures.Duration(figures.Quantile(c.times, 0.99)))
}
