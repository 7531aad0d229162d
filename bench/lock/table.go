//go:build unix

package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A table is written as Markdown, its columns aligned for those who read it as text.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	width := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		for i, cell := range cells {
			fill := strings.Repeat(" ", width[i]-len([]rune(cell)))
			if i == 0 {
				fmt.Fprintf(&b, "| %s%s |", cell, fill)
			} else {
				fmt.Fprintf(&b, " %s%s |", fill, cell)
			}
		}
		b.WriteByte('\n')
	}
	line(t.head)
	b.WriteString("|")
	for i, w := range width {
		if i == 0 {
			b.WriteString(strings.Repeat("-", w+2) + "|")
		} else {
			b.WriteString(strings.Repeat("-", w+1) + ":|")
		}
	}
	b.WriteByte('\n')
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}

// costTable is about who does not wait for each other, or wait in a crowd.
func costTable(all []summary) *table {
	t := &table{head: []string{"", "acquire + release", "× flock", "8 goroutines", "Jain", "8 processes", "Jain", "two holders"}}
	for _, s := range all {
		t.add(s.name, duration(s.solo), multiple(s.solo/all[0].solo),
			rate(s.goroutines.perSecond), index(s.goroutines.jain),
			rate(s.processes.perSecond), index(s.processes.jain), fmt.Sprint(s.faults))
	}
	return t
}

// waitTable is about the one that is next.
func waitTable(all []summary) *table {
	t := &table{head: []string{"", "release → acquire", "p90", "× blocked flock", "SIGKILL → acquire", "p90", "× blocked flock"}}
	for _, s := range all {
		cells := []string{s.name, duration(s.handover.median), duration(s.handover.p90), multiple(s.handover.median / all[0].handover.median)}
		if s.stale != "" {
			cells = append(cells, s.stale, "", "")
		} else {
			cells = append(cells, duration(s.kill.median), duration(s.kill.p90), multiple(s.kill.median/all[0].kill.median))
		}
		t.add(cells...)
	}
	return t
}

func targetTable(all []target) *table {
	t := &table{head: []string{"fleetlock, NoSync", "target", "measured", ""}}
	for _, g := range all {
		verdict := "**not met**"
		if g.met() {
			verdict = "met"
		}
		t.add(g.name, g.wanted(), g.measured(), verdict)
	}
	return t
}

// duration has three significant digits.
func duration(ns float64) string {
	switch {
	case math.IsNaN(ns):
		return "–"
	case ns < float64(time.Microsecond):
		return fmt.Sprintf("%.0f ns", ns)
	case ns < float64(time.Millisecond):
		return digits(ns/1e3) + " µs"
	case ns < float64(time.Second):
		return digits(ns/1e6) + " ms"
	}
	return digits(ns/1e9) + " s"
}

func multiple(m float64) string {
	if math.IsNaN(m) {
		return "–"
	}
	return digits(m)
}

func index(j float64) string {
	if math.IsNaN(j) {
		return "–"
	}
	return fmt.Sprintf("%.3f", j)
}

func rate(perSecond float64) string {
	if perSecond >= 1e4 {
		return digits(perSecond/1e3) + " k/s"
	}
	return digits(perSecond) + " /s"
}

// digits writes a number that is not tiny in about three digits.
func digits(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
