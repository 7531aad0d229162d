//go:build unix

package main

import (
	"fmt"
	"math"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// costTable is about who does not wait for each other, or wait in a crowd.
func costTable(all []summary) *figures.Table {
	t := &figures.Table{Head: []string{"", "acquire + release", "× flock", "8 goroutines", "Jain", "8 processes", "Jain", "two holders"}}
	for _, s := range all {
		t.Add(s.name, figures.Duration(s.solo), figures.Digits(s.solo/all[0].solo),
			rate(s.goroutines.perSecond), index(s.goroutines.jain),
			rate(s.processes.perSecond), index(s.processes.jain), fmt.Sprint(s.faults))
	}
	return t
}

// waitTable is about the one that is next.
func waitTable(all []summary) *figures.Table {
	t := &figures.Table{Head: []string{"", "release → acquire", "p90", "× blocked flock", "SIGKILL → acquire", "p90", "× blocked flock"}}
	for _, s := range all {
		cells := []string{s.name, figures.Duration(s.handover.median), figures.Duration(s.handover.p90), figures.Digits(s.handover.median / all[0].handover.median)}
		if s.stale != "" {
			cells = append(cells, s.stale, "", "")
		} else {
			cells = append(cells, figures.Duration(s.kill.median), figures.Duration(s.kill.p90), figures.Digits(s.kill.median/all[0].kill.median))
		}
		t.Add(cells...)
	}
	return t
}

func index(j float64) string {
	if math.IsNaN(j) {
		return "–"
	}
	return fmt.Sprintf("%.3f", j)
}

func rate(perSecond float64) string {
	if perSecond >= 1e4 {
		return figures.Digits(perSecond/1e3) + " k/s"
	}
	return figures.Digits(perSecond) + " /s"
}
