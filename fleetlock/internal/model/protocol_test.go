package model

import (
	"os"
	"slices"
	"testing"
	"time"
)

// torture chooses larger configurations, too, for which a machine needs gibibytes and
// minutes. The race detector makes the explorer eight times slower and has nothing to
// find in it, since it knows no goroutines: there the small ones have to do.
var torture = os.Getenv("FEDKIT_TORTURE") == "1"

// A trial is a configuration in which nothing may be wrong.
type trial struct {
	name string
	Config
}

// small are the trials of every run, also under the race detector.
var small = []trial{
	{"two strict processes, twice, and two kills", Config{Processes: 2, Rounds: 2, Kills: 2}},
	{"two leases whose holders act on what they checked", Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 4, Touch: true}},
	{"a ticket and a kill", Config{Processes: 2, Rounds: 1, TTL: 1, Ticks: 1, Detaches: 1, Kills: 1}},
	{"a ticket and a damaged slot", Config{Processes: 2, Rounds: 1, TTL: 1, Ticks: 1, Detaches: 1, Damages: 1}},
	{"a ticket and a failing write", Config{Processes: 2, Rounds: 1, TTL: 1, Ticks: 1, Detaches: 1, Faults: 1}},
	{"an operator and a failing write", Config{Processes: 2, Rounds: 1, Breaks: 1, Faults: 1}},
}

// medium are those that the race detector has no time for, each of at most 500,000 states.
var medium = []trial{
	{"three strict processes and a kill", Config{Processes: 3, Rounds: 1, Kills: 1}},
	{"three strict processes, of which one stops to wait", Config{Processes: 3, Rounds: 1, Cancels: 1}},
	{"two leases, a failing write and a renewal", Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 3, Faults: 1, Renews: 1}},
	{"two leases, a damaged slot and a kill", Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 2, Kills: 1, Damages: 1}},
	{"two leases that are renewed in time", Config{Processes: 2, Rounds: 1, Lease: 4, Own: 3, Ticks: 5, Renews: 1}},
	{"an operator, twice, and a kill", Config{Processes: 2, Rounds: 2, Breaks: 1, Kills: 1}},
	{"an operator and a damaged slot", Config{Processes: 2, Rounds: 1, Breaks: 1, Damages: 1}},
	{"two strict processes, twice, a failing write and a kill", Config{Processes: 2, Rounds: 2, Kills: 1, Faults: 1}},
	{"two strict processes, twice, a damaged slot and a kill", Config{Processes: 2, Rounds: 2, Kills: 1, Damages: 1}},
	{"two strict processes, a failing write and one stops to wait", Config{Processes: 2, Rounds: 2, Faults: 1, Cancels: 1}},
	{"two leases, twice", Config{Processes: 2, Rounds: 2, Lease: 2, Own: 1, Ticks: 2}},
	{"a ticket that does not run out, twice, and a damaged slot", Config{Processes: 2, Rounds: 2, TTL: 1, Detaches: 1, Damages: 1}},
	{"a ticket that does not run out, twice, and a failing write", Config{Processes: 2, Rounds: 2, TTL: 1, Detaches: 1, Faults: 1}},
}

// large are those of a long run.
var large = []trial{
	{"two leases, a kill, a failing write and a renewal", Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 3, Kills: 1, Faults: 1, Renews: 1}},
	{"two leases that run out, a damaged slot and a kill", Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 3, Kills: 1, Damages: 1}},
	{"two leases that run out, twice", Config{Processes: 2, Rounds: 2, Lease: 2, Own: 1, Ticks: 3}},
	{"a ticket, twice, and a kill", Config{Processes: 2, Rounds: 2, TTL: 1, Ticks: 1, Detaches: 1, Kills: 1}},
	{"a ticket, twice, and a damaged slot", Config{Processes: 2, Rounds: 2, TTL: 1, Ticks: 1, Detaches: 1, Damages: 1}},
	{"a ticket, twice, and a failing write", Config{Processes: 2, Rounds: 2, TTL: 1, Ticks: 1, Detaches: 1, Faults: 1}},
	{"an operator, twice, and a damaged slot", Config{Processes: 2, Rounds: 2, Breaks: 1, Damages: 1}},
	{"three strict processes, two kills", Config{Processes: 3, Rounds: 1, Kills: 2}},
	{"three strict processes, twice, and a kill", Config{Processes: 3, Rounds: 2, Kills: 1}},
	{"three strict processes, a failing write and a kill", Config{Processes: 3, Rounds: 1, Kills: 1, Faults: 1}},
	{"three strict processes, a damaged slot and a kill", Config{Processes: 3, Rounds: 1, Kills: 1, Damages: 1}},
	{"three strict processes, of which one stops to wait and one is killed", Config{Processes: 3, Rounds: 1, Kills: 1, Cancels: 1}},
	{"two leases, twice, a kill and a renewal", Config{Processes: 2, Rounds: 2, Lease: 2, Own: 1, Ticks: 3, Kills: 1, Renews: 1}},
	{"three leases and two kills", Config{Processes: 3, Rounds: 1, Lease: 2, Own: 1, Ticks: 3, Kills: 2}},
	{"three leases and a damaged slot", Config{Processes: 3, Rounds: 1, Lease: 2, Own: 1, Ticks: 2, Damages: 1}},
	{"two leases that are renewed in time, and a failing write", Config{Processes: 2, Rounds: 1, Lease: 4, Own: 3, Ticks: 5, Renews: 2, Faults: 1}},
	{"two leases that are renewed in time, and a damaged slot", Config{Processes: 2, Rounds: 1, Lease: 4, Own: 3, Ticks: 5, Renews: 2, Damages: 1}},
	{"a ticket, a kill and a damaged slot", Config{Processes: 2, Rounds: 2, TTL: 2, Ticks: 3, Detaches: 1, Kills: 1, Damages: 1}},
	{"a ticket, a kill and a failing write", Config{Processes: 2, Rounds: 2, TTL: 2, Ticks: 2, Detaches: 1, Kills: 1, Faults: 1}},
	{"three processes, a ticket and a damaged slot", Config{Processes: 3, Rounds: 1, TTL: 2, Ticks: 2, Detaches: 1, Damages: 1}},
	{"three processes, an operator and a kill", Config{Processes: 3, Rounds: 1, Breaks: 1, Kills: 1}},
	{"three processes, an operator, a damaged slot and a kill", Config{Processes: 3, Rounds: 1, Breaks: 1, Kills: 1, Damages: 1}},
	{"two leases, twice, an operator and a damaged slot", Config{Processes: 2, Rounds: 2, Lease: 2, Own: 1, Ticks: 2, Breaks: 1, Damages: 1}},
}

func trials() []trial {
	switch {
	case torture:
		return slices.Concat(small, medium, large)
	case raceDetector:
		return small
	}
	return append(small, medium...)
}

func TestNoInterleavingBreaksTheProtocol(t *testing.T) {
	t.Parallel()
	for _, trial := range trials() {
		t.Run(trial.name, func(t *testing.T) {
			if !torture {
				t.Parallel() // the large ones would not fit into memory together
			}
			start := time.Now()
			got := Explore(machine{trial.Config})
			t.Logf("%d states in %v", got.States, time.Since(start).Round(time.Millisecond))
			if got.Wrong != "" {
				t.Errorf("no interleaving may break the protocol; this one does: %v", got)
			}
		})
	}
}

// Deviations from the protocol that an implementation may choose.
func TestSoundVariantsAreSound(t *testing.T) {
	t.Parallel()
	damagedTwice, damagedLease := damaged, Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 2, Renews: 1, Damages: 1}
	switch {
	case torture:
		damagedLease.Lease, damagedLease.Own, damagedLease.Ticks = 4, 3, 4
	case raceDetector:
		damagedTwice.Kills, damagedTwice.Rounds, damagedLease.Renews = 0, 1, 0
	}
	for _, test := range []struct {
		trial
		variant Variant
	}{
		{trial{"a byte dropped before the free record, and a failing write", faulty}, ByteBeforeFreeRecord},
		{trial{"a byte dropped before the free record, and a kill", strict}, ByteBeforeFreeRecord},
		{trial{"a lost record that is the holder's", damagedTwice}, OwnsLostRecord},
		{trial{"a lost record of a lease", damagedLease}, OwnsLostRecord},
		{trial{"a waiter that looks once, if nobody dies", calm}, NoRecheckOfClose},
		{trial{"number and floor compared", damagedTwice}, CompareVersionAndFloor},
		{trial{"number and floor of a lease compared", damagedLease}, CompareVersionAndFloor},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.Variant = test.variant
			got := Explore(machine{test.Config})
			t.Logf("%d states", got.States)
			if got.Wrong != "" {
				t.Errorf("this variant of the protocol is sound, but: %v", got)
			}
		})
	}
}
