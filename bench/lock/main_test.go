//go:build unix

package main

import (
	"math"
	"os"
	"slices"
	"testing"
	"time"
)

// A worker is this test, run once more.
func TestMain(m *testing.M) {
	workIfTold()
	// Under the race detector a process takes a second to end, unless it is told.
	if _, set := os.LookupEnv("GORACE"); !set {
		os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	os.Exit(m.Run())
}

// shortRun is one round of everything, with real processes.
func shortRun(t *testing.T, d time.Duration) *run {
	t.Helper()
	r := newRun(1, d, t.TempDir())
	r.turns = 1
	if err := r.measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// idle reports whether a crowd was never granted the lock.
func (r *run) idle() bool {
	return slices.ContainsFunc(summarize(r.results), func(s summary) bool {
		return s.goroutines.perSecond == 0 || s.processes.perSecond == 0
	})
}

func TestAShortRunMeasuresEveryContender(t *testing.T) {
	r := shortRun(t, 40*time.Millisecond)
	if r.idle() { // on a machine that is very slow
		r = shortRun(t, 4*time.Second)
	}
	for _, s := range summarize(r.results) {
		for what, value := range map[string]float64{
			"an acquisition":      s.solo,
			"8 goroutines":        s.goroutines.perSecond,
			"8 processes":         s.processes.perSecond,
			"a hand-over":         s.handover.median,
			"the death of holder": s.kill.median,
		} {
			if what == "the death of holder" && s.stale != "" {
				continue
			}
			if math.IsNaN(value) || value <= 0 {
				t.Errorf("%s: %s measures %v", s.name, what, value)
			}
		}
		if s.faults != 0 {
			t.Errorf("%s had two holders %d times", s.name, s.faults)
		}
	}
}
