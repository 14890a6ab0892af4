package series

import (
	"math"
	"slices"
)

// near is how many points before and after tell what a single point may be. Two outliers among
// those five don't move their median.
const near = 2

// drawIn replaces points far from those around them by the farthest that they may be, three
// standard deviations from their median. A new level is not far from what follows it.
func drawIn(points []float64) []float64 {
	around := make([]float64, len(points))
	off := make([]float64, len(points))
	for i := range points {
		from := max(min(i-near, len(points)-2*near-1), 0)
		around[i] = median(points[from:min(from+2*near+1, len(points))])
		off[i] = math.Abs(points[i] - around[i])
	}
	limit := 3 * 1.4826 * median(off)
	x := slices.Clone(points)
	for i := range x {
		x[i] = min(max(x[i], around[i]-limit), around[i]+limit)
	}
	return x
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
