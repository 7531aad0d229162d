package figures

import (
	"math"
	"slices"
)

// Quantile returns the value that a share q of the values is below, between two values
// in proportion; NaN if there are none.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Median is the value in the middle.
func Median(values []float64) float64 { return Quantile(values, 0.5) }
