//go:build unix

package main

import (
	"fmt"
	"math"
)

// A target is what fleetlock has to reach. It is about grants that are not synced to the
// disk, which no other contender does.
type target struct {
	name     string
	value    float64
	limit    float64
	atLeast  bool   // else at most
	unit     string // of value and limit
	decimals int    // of value
}

func (t target) met() bool {
	if math.IsNaN(t.value) {
		return false
	}
	if t.atLeast {
		return t.value >= t.limit
	}
	return t.value <= t.limit
}

func (t target) wanted() string {
	sign := "≤"
	if t.atLeast {
		sign = "≥"
	}
	return fmt.Sprintf("%s %g%s", sign, t.limit, t.unit)
}

func (t target) measured() string { return fmt.Sprintf("%.*f%s", t.decimals, t.value, t.unit) }

// targets compares fleetlock with the others.
func targets(summaries []summary) []target {
	by := make(map[string]summary)
	for _, s := range summaries {
		by[s.name] = s
	}
	fleet, flock, seed := by[fleetFast], by[rawFlock], by[theSeed]
	return []target{
		{"acquire + release, uncontended", fleet.solo / flock.solo, 12, false, " × flock", 2},
		{"release → acquire, median", fleet.handover.median / flock.handover.median, 2, false, " × blocked flock", 2},
		{"SIGKILL → acquire, median", fleet.kill.median / flock.kill.median, 1.3, false, " × blocked flock", 2},
		{"fairness among 8 processes (Jain)", fleet.processes.jain, 0.99, true, "", 3},
		{"throughput of 8 processes", fleet.processes.perSecond / seed.processes.perSecond, 5, true, " × the seed", 2},
		{"moments with two holders", float64(fleet.faults), 0, false, "", 0},
	}
}
