// Package figures writes down what was measured: tables, numbers and targets.
package figures

import (
	"fmt"
	"strings"
)

// A Table is written as Markdown, its columns aligned for those who read it as text: the
// first to the left, the others to the right.
type Table struct {
	Head []string
	rows [][]string
}

// Add adds a row, of as many cells as Head has or fewer.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *Table) String() string {
	width := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.rows...) {
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
	line(t.Head)
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
