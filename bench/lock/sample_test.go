//go:build unix

package main

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
		if got := median(row.values); got != row.want {
			t.Errorf("the median of %v is %v and not %v", row.values, got, row.want)
		}
	}
}

func TestQuantilesAreBetweenValuesInProportion(t *testing.T) {
	values := []float64{50, 10, 30, 20, 40}
	for _, row := range []struct{ q, want float64 }{{0, 10}, {0.1, 14}, {0.5, 30}, {0.9, 46}, {1, 50}} {
		if got := quantile(values, row.q); math.Abs(got-row.want) > 1e-9 {
			t.Errorf("quantile %v of %v is %v and not %v", row.q, values, got, row.want)
		}
	}
	if values[0] != 50 {
		t.Errorf("the values were put in order: %v", values)
	}
}

func TestWhatWasNotMeasuredIsNoNumber(t *testing.T) {
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
	if got := jain([]int64{0, 0}); !math.IsNaN(got) {
		t.Errorf("the fairness of getting nothing is %v", got)
	}
}

func TestJainsIndexIsOneForEqualSharesAndOneInNForOneWinner(t *testing.T) {
	for _, row := range []struct {
		shares []int64
		want   float64
	}{
		{[]int64{5, 5, 5, 5, 5, 5, 5, 5}, 1},
		{[]int64{100, 0, 0, 0, 0, 0, 0, 0}, 0.125},
		{[]int64{1, 3}, 0.8},
	} {
		if got := jain(row.shares); math.Abs(got-row.want) > 1e-9 {
			t.Errorf("the fairness of %v is %v and not %v", row.shares, got, row.want)
		}
	}
}
