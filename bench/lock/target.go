//go:build unix

package main

import "github.com/mosaicstack/fedkit/bench/internal/figures"

// targets compares fleetlock with the others, by grants that are not synced to the disk,
// which no other contender does.
func targets(summaries []summary) []figures.Target {
	by := make(map[string]summary)
	for _, s := range summaries {
		by[s.name] = s
	}
	fleet, flock, seed := by[fleetFast], by[rawFlock], by[theSeed]
	return []figures.Target{
		{Name: "acquire + release, uncontended", Value: fleet.solo / flock.solo, Limit: 12, Unit: " × flock", Decimals: 2},
		{Name: "release → acquire, median", Value: fleet.handover.median / flock.handover.median, Limit: 2, Unit: " × blocked flock", Decimals: 2},
		{Name: "SIGKILL → acquire, median", Value: fleet.kill.median / flock.kill.median, Limit: 1.3, Unit: " × blocked flock", Decimals: 2},
		{Name: "fairness among 8 processes (Jain)", Value: fleet.processes.jain, Limit: 0.99, AtLeast: true, Decimals: 3},
		{Name: "throughput of 8 processes", Value: fleet.processes.perSecond / seed.processes.perSecond, Limit: 5, AtLeast: true, Unit: " × the seed", Decimals: 2},
		{Name: "moments with two holders", Value: float64(fleet.faults), Limit: 0},
	}
}
