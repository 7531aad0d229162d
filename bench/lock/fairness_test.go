//go:build unix

package main

import (
	"math"
	"testing"
)

func TestTheFairnessOfGettingNothingIsNoNumber(t *testing.T) {
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
