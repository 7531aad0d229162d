//go:build unix

package main

// jain is Jain's index of fairness: 1 if all got the same, 1/n if one of n got it all;
// NaN if nobody got anything.
func jain(shares []int64) float64 {
	var sum, squares float64
	for _, s := range shares {
		sum += float64(s)
		squares += float64(s) * float64(s)
	}
	return sum * sum / (float64(len(shares)) * squares)
}
