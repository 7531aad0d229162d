package figures

import (
	"fmt"
	"math"
	"time"
)

// Duration writes nanoseconds in three significant digits, and NaN, which was not
// measured, as a dash.
func Duration(ns float64) string {
	switch {
	case math.IsNaN(ns):
		return "–"
	case ns < float64(time.Microsecond):
		return fmt.Sprintf("%.0f ns", ns)
	case ns < float64(time.Millisecond):
		return Digits(ns/1e3) + " µs"
	case ns < float64(time.Second):
		return Digits(ns/1e6) + " ms"
	}
	return Digits(ns/1e9) + " s"
}

// Digits writes a number that is not tiny in about three digits, and NaN as a dash.
func Digits(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
