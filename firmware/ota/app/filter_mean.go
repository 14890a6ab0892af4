//go:build tinygo && !v1_1_0

package main

// filter is the mean of the readings.
func filter(r *[history]int32) int32 {
	var sum int32
	for _, v := range r {
		sum += v
	}
	return sum / history
}
