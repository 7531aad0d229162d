package main

import (
	"fmt"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// The picture: for each crowd a bar for each contender, as long as it serves pages per
// second.
const (
	nameWidth  = 190 // left of the bars
	noteWidth  = 220 // right of the longest
	barHeight  = 20
	headHeight = 30
)

func (r *run) picture() string {
	most := 0.0
	for _, c := range r.cells {
		most = max(most, figures.Median(c.rates))
	}
	scale := figures.LinearScale(nameWidth, figures.PictureWidth-noteWidth, most)
	p := figures.NewPicture("Pages of 50 tasks per second", 24+len(crowds)*(headHeight+len(contenders)*barHeight)+24)
	p.Text("", 0, 14, "Pages of 50 tasks per second, and how long one takes")
	y := 24.0
	for _, n := range crowds {
		p.Text("small", 0, y+20, connectionsOf(n))
		y += headHeight
		for _, name := range contenders {
			r.cell(name, n).draw(p, scale, y)
			y += barHeight
		}
	}
	return p.String()
}

// draw adds the bar of a cell.
func (c *cell) draw(p *figures.Picture, scale figures.Scale, y float64) {
	class := "ours"
	if c.contender == bare {
		class = "others"
	}
	rate := figures.Median(c.rates)
	p.Text("", 0, y+14, c.contender)
	p.Bar(class, nameWidth, scale.X(rate), y+2, barHeight-4)
	p.Text("small", scale.X(rate)+6, y+14, fmt.Sprintf("%.0f, p50 %s, p99 %s", rate,
		figures.Duration(figures.Quantile(c.times, 0.5)), figures.Duration(figures.Quantile(c.times, 0.99))))
}
