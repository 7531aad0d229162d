package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// The picture: a line for each cell of the tasks, first and deep, on a logarithmic scale
// of multiples of the floor, with a mark for each contender.
const (
	pictureWidth = 760
	nameWidth    = 130 // left of the scale
	noteWidth    = 60  // right of it
	lineHeight   = 26
	headHeight   = 64
)

// pictureStyle is readable on a light and on a dark page, and needs no background.
const pictureStyle = `
text { font: 13px system-ui, sans-serif; fill: #24292f }
.small { font-size: 11px; fill: #57606a }
.grid { stroke: #8c959f; stroke-opacity: .35 }
.target { stroke: #bc4c00; stroke-width: 2 }
.ours { fill: #0969da }
.seed { fill: #cf222e }
.offset { fill: #8250df }
.gorm { fill: #9a6700 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.small { fill: #9198a1 }
.target { stroke: #f0883e }
.ours { fill: #4493f8 }
.seed { fill: #ff7b72 }
.offset { fill: #be8fff }
.gorm { fill: #d29922 }
}
`

// A mark is how a contender is drawn: a shape around 0, 0, so that it is told by more
// than its colour.
type mark struct{ name, class, shape string }

var marks = []mark{
	{theSeed, "seed", `<rect x="-5" y="-5" width="10" height="10"/>`},
	{theOffset, "offset", `<path d="M0-6 6 5H-6z"/>`},
	{theGorm, "gorm", `<path d="M0-7 6 0 0 7-6 0z"/>`},
	{theLibrary, "ours", `<circle r="6"/>`},
}

// draw puts the mark somewhere.
func (m mark) draw(b *strings.Builder, x, y float64) {
	fmt.Fprintf(b, `<g class="%s" transform="translate(%.1f %.1f)">%s</g>`+"\n", m.class, x, y, m.shape)
}

// picture shows the first pages and the deep ones of a table.
func picture(t *tableau) string {
	var cells []int
	for i, c := range t.cells {
		if c.depth == firstPage || c.depth == deepPage {
			cells = append(cells, i)
		}
	}
	sc := scaleFor(t, cells)
	bottom := headHeight + len(cells)*lineHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n", pictureWidth, bottom+24)
	fmt.Fprintf(&b, "<title>A page of tasks, in multiples of the same rows by their primary keys</title>\n<style>%s</style>\n", pictureStyle)
	drawLegend(&b)
	for power := range sc.powers + 1 {
		x := sc.x(math.Pow10(power))
		drawLine(&b, "grid", x, headHeight-8, float64(bottom))
		fmt.Fprintf(&b, `<text class="small" x="%.1f" y="%d" text-anchor="middle">× %.0f</text>`+"\n", x, bottom+16, math.Pow10(power))
	}
	for line, i := range cells {
		drawCell(&b, t, i, sc, headHeight+(float64(line)+0.5)*lineHeight)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// A scale gives multiples from 1 to a power of ten their places.
type scale struct{ powers int }

func scaleFor(t *tableau, cells []int) scale {
	high := 10.0
	for _, i := range cells {
		for _, m := range marks {
			if r := ratio(t.of(i, m.name), t.of(i, theFloor)); r > high { // which NaN is not
				high = r
			}
		}
	}
	return scale{int(math.Ceil(math.Log10(high)))}
}

func (s scale) x(multiple float64) float64 {
	share := math.Log10(max(multiple, 1)) / float64(s.powers)
	return nameWidth + share*(pictureWidth-nameWidth-noteWidth)
}

func drawLegend(b *strings.Builder) {
	fmt.Fprintf(b, `<text x="0" y="14">A page of 50 tasks, as a multiple of the same rows by their primary keys</text>`+"\n")
	x := float64(nameWidth)
	for _, m := range marks {
		m.draw(b, x, 36)
		fmt.Fprintf(b, `<text class="small" x="%.1f" y="40">%s</text>`+"\n", x+12, m.name)
		x += 120
	}
	drawLine(b, "target", x, 29, 43)
	fmt.Fprintf(b, `<text class="small" x="%.1f" y="40">fedkit's target</text>`+"\n", x+8)
}

func drawCell(b *strings.Builder, t *tableau, number int, sc scale, middle float64) {
	c := t.cells[number]
	fmt.Fprintf(b, `<text x="0" y="%.1f">%s, %s</text>`+"\n", middle+4, c.title(), depthName(c.depth))
	drawLine(b, "target", sc.x(c.most), middle-9, middle+9)
	for _, m := range marks {
		if r := ratio(t.of(number, m.name), t.of(number, theFloor)); r > 0 { // which NaN is not
			m.draw(b, sc.x(r), middle)
		}
	}
	ours := ratio(t.of(number, theLibrary), t.of(number, theFloor))
	fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">× %s</text>`+"\n", pictureWidth, middle+4, figures.Digits(ours))
}

func drawLine(b *strings.Builder, class string, x, from, to float64) {
	fmt.Fprintf(b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`+"\n", class, x, x, from, to)
}
