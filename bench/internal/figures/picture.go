package figures

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// PictureWidth is that of every picture.
const PictureWidth = 760

// A Picture is an SVG that is readable on a light and on a dark page, and needs no
// background. What is drawn has one of these classes:
//
//	small                      text of less weight
//	grid, target, limit, mark  lines: thin; a target, and one that is dashed; strong
//	ours, others, red, purple, brown  shapes
type Picture struct {
	title  string
	height int
	drawn  strings.Builder
}

const pictureStyle = `
text { font: 13px system-ui, sans-serif; fill: #24292f }
.small { font-size: 11px; fill: #57606a }
.grid { stroke: #8c959f; stroke-opacity: .35 }
.target { stroke: #bc4c00; stroke-width: 2 }
.limit { stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 4 3 }
.mark { stroke: #24292f; stroke-width: 2 }
.ours { fill: #0969da }
.others { fill: #8c959f }
.red { fill: #cf222e }
.purple { fill: #8250df }
.brown { fill: #9a6700 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.small { fill: #9198a1 }
.target, .limit { stroke: #f0883e }
.mark { stroke: #e6edf3 }
.ours { fill: #4493f8 }
.red { fill: #ff7b72 }
.purple { fill: #be8fff }
.brown { fill: #d29922 }
}
`

// NewPicture begins a picture. The title is for those who cannot see it.
func NewPicture(title string, height int) *Picture { return &Picture{title: title, height: height} }

func (p *Picture) String() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n"+
		"<title>%s</title>\n<style>%s</style>\n%s</svg>\n", PictureWidth, p.height, html.EscapeString(p.title), pictureStyle, p.drawn.String())
}

// Text writes a text that begins at x, on the line y. The class may be empty.
func (p *Picture) Text(class string, x, y float64, text string) { p.write("start", class, x, y, text) }

// TextAround writes a text that has its middle at x.
func (p *Picture) TextAround(class string, x, y float64, text string) {
	p.write("middle", class, x, y, text)
}

// Note writes a text that ends at the right edge.
func (p *Picture) Note(y float64, text string) { p.write("end", "", PictureWidth, y, text) }

func (p *Picture) write(anchor, class string, x, y float64, text string) {
	fmt.Fprintf(&p.drawn, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(text))
}

// Line draws a line at x, from one y to another.
func (p *Picture) Line(class string, x, from, to float64) {
	fmt.Fprintf(&p.drawn, `<line class="%s" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`+"\n", class, x, x, from, to)
}

// Bar draws a bar from one x to another, at least a pixel long.
func (p *Picture) Bar(class string, from, to, y, height float64) {
	fmt.Fprintf(&p.drawn, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`+"\n", class, from, y, max(to-from, 1), height)
}

// Shape draws an SVG element that is made around 0, 0.
func (p *Picture) Shape(class, element string, x, y float64) {
	fmt.Fprintf(&p.drawn, `<g class="%s" transform="translate(%.1f %.1f)">%s</g>`+"\n", class, x, y, element)
}

// A Scale gives values their places between two edges.
type Scale struct {
	Left, Right float64
	at          func(value float64) float64 // 0 to 1
}

// LinearScale goes from 0 to a value.
func LinearScale(left, right, most float64) Scale {
	return Scale{left, right, func(v float64) float64 { return v / most }}
}

// LogScale goes from one power of ten to another.
func LogScale(left, right float64, first, last int) Scale {
	return Scale{left, right, func(v float64) float64 { return (math.Log10(v) - float64(first)) / float64(last-first) }}
}

// X is the place of a value.
func (s Scale) X(value float64) float64 { return s.Left + s.at(value)*(s.Right-s.Left) }
