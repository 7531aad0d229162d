//go:build unix

package main

import "github.com/mosaicstack/fedkit/bench/internal/figures"

// A summary is a result in the numbers that are shown: medians, times in nanoseconds.
type summary struct {
	name                  string
	solo                  float64
	goroutines, processes crowd
	handover, kill        spread
	stale                 string // see contender
	faults                int64
}

// A spread is a distribution in three numbers.
type spread struct{ p10, median, p90 float64 }

func spreadOf(values []float64) spread {
	return spread{figures.Quantile(values, 0.1), figures.Median(values), figures.Quantile(values, 0.9)}
}

func summarize(results []result) []summary {
	var all []summary
	for _, r := range results {
		s := summary{
			name: r.contender.name, stale: r.contender.stale, solo: figures.Median(r.solo),
			goroutines: medianCrowd(r.goroutines), processes: medianCrowd(r.processes),
			handover: spreadOf(r.handovers), kill: spreadOf(r.kills),
		}
		s.faults = s.goroutines.faults + s.processes.faults
		all = append(all, s)
	}
	return all
}

// medianCrowd has the medians of the rounds, and the faults of all.
func medianCrowd(rounds []crowd) (c crowd) {
	var rates, fairness []float64
	for _, r := range rounds {
		rates, fairness = append(rates, r.perSecond), append(fairness, r.jain)
		c.faults += r.faults
	}
	c.perSecond, c.jain = figures.Median(rates), figures.Median(fairness)
	return c
}
