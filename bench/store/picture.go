package main

import "github.com/mosaicstack/fedkit/bench/internal/figures"

const (
	nameWidth  = 240 // left of the bars
	noteWidth  = 90  // right of them
	lineHeight = 26
	headHeight = 30
)

// picture shows what an acquisition and a release cost, as an SVG.
func picture(all []*contender) string {
	most := 0.0
	for _, c := range all {
		most = max(most, figures.Median(c.pairs))
	}
	scale := figures.LinearScale(nameWidth, figures.PictureWidth-noteWidth, most)
	p := figures.NewPicture("What an acquisition and a release cost", headHeight+len(all)*lineHeight)
	p.Text("", 0, 16, "acquire + release, undisputed")
	for i, c := range all {
		class := "others"
		if c.ours {
			class = "ours"
		}
		top, cost := float64(headHeight+i*lineHeight), figures.Median(c.pairs)
		p.Text("", 0, top+13, c.name)
		p.Bar(class, nameWidth, scale.X(cost), top+2, 14)
		p.Note(top+13, figures.Duration(cost))
	}
	return p.String()
}
