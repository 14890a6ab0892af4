package measure

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Serial gives the probability that values in random order resemble their neighbours as these do, or more:
// near 0 they depend on those before, as under drift, a cycle or a mode that lasts. It is
// the rank version of von Neumann's ratio (Bartels, The Rank Version of von Neumann's Ratio Test for
// Randomness, JASA 77, 1982), which outliers don't move, by its normal approximation. Values that are all
// equal, or fewer than 10, say nothing: 1.
func Serial[T int64 | float64](values []T) float64 {
	n := float64(len(values))
	var steps, squares float64
	rank := ranks2(values)
	for i, r := range rank {
		if i > 0 {
			steps += (r - rank[i-1]) * (r - rank[i-1])
		}
		squares += (r - (n + 1)) * (r - (n + 1))
	}
	if n < 10 || squares == 0 {
		return 1
	}
	variance := 4 * (n - 2) * (5*n*n - 2*n - 9) / (5 * n * (n + 1) * (n - 1) * (n - 1))
	return distuv.UnitNormal.CDF((steps/squares - 2) / math.Sqrt(variance))
}

// ranks2 numbers values by size, in halves so that equal ones share the middle of their ranks.
func ranks2[T int64 | float64](values []T) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	rank := make([]float64, len(values))
	for i, v := range values {
		first, _ := slices.BinarySearch(sorted, v)
		past := first
		for past < len(sorted) && sorted[past] == v {
			past++
		}
		rank[i] = float64(first + past + 1)
	}
	return rank
}
