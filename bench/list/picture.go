package main

import (
	"fmt"
	"math"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// The picture: a line for each cell of the tasks, first and deep, on a logarithmic scale
// of multiples of the floor, with a mark for each contender.
const (
	nameWidth  = 130 // left of the scale
	noteWidth  = 60  // right of it
	lineHeight = 26
	headHeight = 64
)

// A mark is how a contender is drawn: a shape around 0, 0, so that it is told by more
// than its colour.
type mark struct{ name, class, shape string }

var marks = []mark{
	{theSeed, "red", `<rect x="-5" y="-5" width="10" height="10"/>`},
	{theOffset, "purple", `<path d="M0-6 6 5H-6z"/>`},
	{theGorm, "brown", `<path d="M0-7 6 0 0 7-6 0z"/>`},
	{theLibrary, "ours", `<circle r="6"/>`},
}

// picture shows the first pages and the deep ones of a table.
func picture(t *tableau) string {
	var cells []int
	for i, c := range t.cells {
		if c.depth == firstPage || c.depth == deepPage {
			cells = append(cells, i)
		}
	}
	powers := powersOf(t, cells)
	scale := figures.LogScale(nameWidth, figures.PictureWidth-noteWidth, 0, powers)
	bottom := float64(headHeight + len(cells)*lineHeight)
	p := figures.NewPicture("A page of tasks, in multiples of the same rows by their primary keys", int(bottom)+24)
	drawLegend(p)
	for power := range powers + 1 {
		x := scale.X(math.Pow10(power))
		p.Line("grid", x, headHeight-8, bottom)
		p.TextAround("small", x, bottom+16, fmt.Sprintf("× %.0f", math.Pow10(power)))
	}
	for line, i := range cells {
		drawCell(p, t, i, scale, headHeight+(float64(line)+0.5)*lineHeight)
	}
	return p.String()
}

// powersOf is the power of ten up to which the multiples go.
func powersOf(t *tableau, cells []int) int {
	high := 10.0
	for _, i := range cells {
		for _, m := range marks {
			if r := ratio(t.of(i, m.name), t.of(i, theFloor)); r > high { // which NaN is not
				high = r
			}
		}
	}
	return int(math.Ceil(math.Log10(high)))
}

func drawLegend(p *figures.Picture) {
	p.Text("", 0, 14, "A page of 50 tasks, as a multiple of the same rows by their primary keys")
	x := float64(nameWidth)
	for _, m := range marks {
		p.Shape(m.class, m.shape, x, 36)
		p.Text("small", x+12, 40, m.name)
		x += 120
	}
	p.Line("target", x, 29, 43)
	p.Text("small", x+8, 40, "fedkit's target")
}

func drawCell(p *figures.Picture, t *tableau, number int, scale figures.Scale, middle float64) {
	c := t.cells[number]
	p.Text("", 0, middle+4, c.title()+", "+depthName(c.depth))
	p.Line("target", scale.X(c.most), middle-9, middle+9)
	for _, m := range marks {
		if r := ratio(t.of(number, m.name), t.of(number, theFloor)); r > 0 { // which NaN is not
			p.Shape(m.class, m.shape, scale.X(max(r, 1)), middle)
		}
	}
	p.Note(middle+4, "× "+figures.Digits(ratio(t.of(number, theLibrary), t.of(number, theFloor))))
}
