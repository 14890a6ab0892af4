//go:build tinygo && v1_1_0

package main

// filter is the median of the readings, which outliers don't move.
func filter(r *[history]int32) int32 {
	sorted := *r
	for i := range sorted {
		v, at := sorted[i], i
		for at > 0 && sorted[at-1] > v {
			sorted[at] = sorted[at-1]
			at--
		}
		sorted[at] = v
	}
	return (sorted[history/2-1] + sorted[history/2]) / 2
}
