//go:build unix

package main

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// The picture: a line for each contender, on a logarithmic scale of time. A bar goes
// from the tenth to the ninetieth of a hundred hand-overs; a mark in it is the median.
const (
	pictureWidth = 760
	nameWidth    = 230 // left of the scale
	noteWidth    = 70  // right of it
	lineHeight   = 26
	headHeight   = 44
	barHeight    = 10
)

// pictureStyle is readable on a light and on a dark page, and needs no background.
const pictureStyle = `
text { font: 13px system-ui, sans-serif; fill: #24292f }
.small { font-size: 11px; fill: #57606a }
.grid { stroke: #8c959f; stroke-opacity: .35 }
.target { stroke: #bc4c00; stroke-dasharray: 4 3 }
.bar { fill: #8c959f }
.ours { fill: #0969da }
.median { stroke: #24292f; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.small { fill: #9198a1 }
.target { stroke: #f0883e }
.ours { fill: #4493f8 }
.median { stroke: #e6edf3 }
}
`

// A scale gives times their places, from one power of ten to another.
type scale struct{ first, last int }

func scaleFor(all []summary) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range all {
		low, high = min(low, s.handover.p10), max(high, s.handover.p90)
	}
	first := int(math.Floor(math.Log10(low)))
	return scale{first, max(first+1, int(math.Ceil(math.Log10(high))))}
}

func (s scale) x(ns float64) float64 {
	share := (math.Log10(ns) - float64(s.first)) / float64(s.last-s.first)
	return nameWidth + share*(pictureWidth-nameWidth-noteWidth)
}

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
	return draw(measured, scaleFor(measured))
}

func draw(all []summary, sc scale) string {
	bottom := headHeight + len(all)*lineHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n", pictureWidth, bottom+24)
	fmt.Fprintf(&b, "<title>How long the next process waits from the release of a lock on</title>\n<style>%s</style>\n", pictureStyle)
	fmt.Fprintf(&b, `<text x="0" y="16">release → acquire by the next process, p10 – median – p90</text>`+"\n")
	for power := sc.first; power <= sc.last; power++ {
		at := math.Pow10(power)
		drawLine(&b, "grid", sc.x(at), headHeight-8, bottom)
		fmt.Fprintf(&b, `<text class="small" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", sc.x(at), bottom+16, roundTime(power))
	}
	if limit := 2 * all[0].handover.median; all[0].name == rawFlock {
		drawLine(&b, "target", sc.x(limit), headHeight-8, bottom)
		fmt.Fprintf(&b, `<text class="small" x="%.1f" y="%d">2 × blocked flock</text>`+"\n", sc.x(limit)+4, headHeight-10)
	}
	for i, s := range all {
		drawContender(&b, s, s.handover.median/all[0].handover.median, sc, headHeight+i*lineHeight)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawContender(b *strings.Builder, s summary, multiple float64, sc scale, top int) {
	class := "bar"
	if strings.HasPrefix(s.name, "fleetlock") {
		class = "ours"
	}
	from, to, middle := sc.x(s.handover.p10), sc.x(s.handover.p90), float64(top)+lineHeight/2
	fmt.Fprintf(b, `<text x="0" y="%.1f">%s</text>`+"\n", middle+4, html.EscapeString(s.name))
	fmt.Fprintf(b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2"/>`+"\n",
		class, from, middle-barHeight/2, max(to-from, 1), barHeight)
	drawLine(b, "median", sc.x(s.handover.median), int(middle)-8, int(middle)+8)
	fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">× %s</text>`+"\n", pictureWidth, middle+4, figures.Digits(multiple))
}

func drawLine(b *strings.Builder, class string, x float64, from, to int) {
	fmt.Fprintf(b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", class, x, x, from, to)
}

// roundTime names a power of ten of nanoseconds.
func roundTime(power int) string {
	units := []string{"ns", "µs", "ms", "s"}
	i := min(power/3, len(units)-1)
	return fmt.Sprintf("%.0f %s", math.Pow10(power-3*i), units[i])
}
