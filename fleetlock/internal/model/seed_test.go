package model

import "testing"

// The lengths are those of an independent model of the seed, step by step.
func TestTheSeedHasTwoOwners(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		steps int
		seedConfig
	}{
		{
			"debris of two crashes", 33,
			seedConfig{processes: 2, staleMutex: true, staleReclaim: true},
		},
		{
			"two kills in a clean directory, and time passes only while everybody is idle", 41,
			seedConfig{processes: 4, kills: 2, periods: 2, onlyIdle: true},
		},
		{
			"debris of one crash, and a pause", 19,
			seedConfig{processes: 2, periods: 1, staleMutex: true},
		},
		{
			"debris of one crash, and a pause while nobody owns the lock", 24,
			seedConfig{processes: 2, periods: 1, onlyFree: true, staleMutex: true},
		},
		{
			"a clean directory, and a pause while nobody owns the lock", 18,
			seedConfig{processes: 2, periods: 1, onlyFree: true},
		},
		{
			"a clean directory, and a pause", 13,
			seedConfig{processes: 2, periods: 1},
		},
		{
			"two that waited for a busy owner as long as they could", 13,
			seedConfig{processes: 2, busyOwner: true, deadline: true},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := Explore(seedSystem{test.seedConfig})
			t.Log(got)
			if got.Wrong != TwoHolders || len(got.Trace) != test.steps {
				t.Errorf("the seed gets two owners after %d steps; the explorer found: %v", test.steps, got)
			}
		})
	}
}

func TestTheSeedHasOneOwnerWithoutPauseOrDeadline(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]seedConfig{
		"debris of one crash": {processes: 3, staleMutex: true},
		"a clean directory":   {processes: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Explore(seedSystem{config})
			t.Log(got)
			if got.Wrong != "" {
				t.Errorf("the seed has one owner without pause or deadline; the explorer found: %v", got)
			}
		})
	}
}
