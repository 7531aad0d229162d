//go:build unix

package main

import (
	"math"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// summaries are of a flock that costs 1 µs, and of others in proportion.
func testSummaries() []summary {
	return []summary{
		{
			name: rawFlock, solo: 1000, goroutines: crowd{1e6, 0.9, 0}, processes: crowd{2e6, 0.95, 0},
			handover: spread{40e3, 50e3, 80e3}, kill: spread{300e3, 400e3, 600e3},
		},
		{
			name: theSeed, solo: 200e3, goroutines: crowd{7000, 0.25, 0}, processes: crowd{5000, 0.5, 3},
			handover: spread{5e6, 50e6, 95e6}, kill: spread{math.NaN(), math.NaN(), math.NaN()}, stale: "its stale age", faults: 3,
		},
		{
			name: fleetFast, solo: 9000, goroutines: crowd{9e4, 1, 0}, processes: crowd{6e4, 0.985, 0},
			handover: spread{70e3, 90e3, 150e3}, kill: spread{400e3, 520e3, 700e3},
		},
	}
}

func TestTheTablesShowTimesAndMultiples(t *testing.T) {
	want := `|                        | acquire + release | × flock | 8 goroutines |  Jain | 8 processes |  Jain | two holders |
|------------------------|------------------:|--------:|-------------:|------:|------------:|------:|------------:|
| flock, open descriptor |           1.00 µs |    1.00 |     1000 k/s | 0.900 |    2000 k/s | 0.950 |           0 |
| the seed's algorithm   |            200 µs |     200 |      7000 /s | 0.250 |     5000 /s | 0.500 |           3 |
| fleetlock, NoSync      |           9.00 µs |    9.00 |     90.0 k/s | 1.000 |    60.0 k/s | 0.985 |           0 |
`
	if got := costTable(testSummaries()).String(); got != want {
		t.Errorf("the table of costs is\n%s\nand not\n%s", got, want)
	}
	want = `|                        | release → acquire |     p90 | × blocked flock | SIGKILL → acquire |    p90 | × blocked flock |
|------------------------|------------------:|--------:|----------------:|------------------:|-------:|----------------:|
| flock, open descriptor |           50.0 µs | 80.0 µs |            1.00 |            400 µs | 600 µs |            1.00 |
| the seed's algorithm   |           50.0 ms | 95.0 ms |            1000 |     its stale age |        |                 |
| fleetlock, NoSync      |           90.0 µs |  150 µs |            1.80 |            520 µs | 700 µs |            1.30 |
`
	if got := waitTable(testSummaries()).String(); got != want {
		t.Errorf("the table of waits is\n%s\nand not\n%s", got, want)
	}
}

func TestTheTargetsCompareFleetlockWithFlockAndTheSeed(t *testing.T) {
	want := `| fleetlock, NoSync                 |                target |             measured |             |
|-----------------------------------|----------------------:|---------------------:|------------:|
| acquire + release, uncontended    |          ≤ 12 × flock |         9.00 × flock |         met |
| release → acquire, median         |   ≤ 2 × blocked flock | 1.80 × blocked flock |         met |
| SIGKILL → acquire, median         | ≤ 1.3 × blocked flock | 1.30 × blocked flock |         met |
| fairness among 8 processes (Jain) |                ≥ 0.99 |                0.985 | **not met** |
| throughput of 8 processes         |          ≥ 5 × the seed |       12.00 × the seed |         met |
| moments with two holders          |                   ≤ 0 |                    0 |         met |
`
	if got := figures.Targets("fleetlock, NoSync", targets(testSummaries())).String(); stripSpaces(got) != stripSpaces(want) {
		t.Errorf("the table of targets is\n%s\nand not\n%s", got, want)
	}
}

// stripSpaces leaves the widths of columns to the test of the other tables.
func stripSpaces(s string) string { return strings.NewReplacer(" ", "", "-", "", ":", "").Replace(s) }

func TestThePictureHasABarForEachContender(t *testing.T) {
	text := picture(testSummaries())
	if bars := strings.Count(text, "<rect"); bars != len(testSummaries()) {
		t.Errorf("the picture has %d bars for %d contenders", bars, len(testSummaries()))
	}
	for _, want := range []string{"the seed&#39;s algorithm", "× 1.80", "prefers-color-scheme: dark", "10 µs", "100 ms"} {
		if !strings.Contains(text, want) {
			t.Errorf("the picture lacks %q:\n%s", want, text)
		}
	}
}

func TestThereIsNoPictureOfNothing(t *testing.T) {
	nothing := spread{math.NaN(), math.NaN(), math.NaN()}
	if got := picture([]summary{{name: rawFlock, handover: nothing}}); got != "" {
		t.Errorf("the picture of nothing is %s", got)
	}
}
