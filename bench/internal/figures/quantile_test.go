package figures

import (
	"math"
	"testing"
)

func TestAMedianIsTheMiddleOrBetweenTheTwoInTheMiddle(t *testing.T) {
	for _, row := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
		{[]float64{1, 1, 1, 1000}, 1},
	} {
		if got := Median(row.values); got != row.want {
			t.Errorf("the median of %v is %v and not %v", row.values, got, row.want)
		}
	}
}

func TestQuantilesAreBetweenValuesInProportion(t *testing.T) {
	values := []float64{50, 10, 30, 20, 40}
	for _, row := range []struct{ q, want float64 }{{0, 10}, {0.1, 14}, {0.5, 30}, {0.9, 46}, {1, 50}} {
		if got := Quantile(values, row.q); math.Abs(got-row.want) > 1e-9 {
			t.Errorf("quantile %v of %v is %v and not %v", row.q, values, got, row.want)
		}
	}
	if values[0] != 50 {
		t.Errorf("the values were put in order: %v", values)
	}
}

func TestTheMedianOfNothingIsNoNumber(t *testing.T) {
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
}
