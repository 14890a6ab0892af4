//go:build tinygo && v1_1_0

package main

import "rigor/firmware/fft"

const unknownText = "this release knows ticks, level, statistics, spectrum and peak, but not "

// What 1.1.0 can do and 1.0 can't.
var added = []command{
	{"spectrum", spectrum},
	{"peak", peak},
}

// spectrum is the power of the readings in each bin up to half their rate.
func spectrum() []uint32 {
	var points [history]fft.Point
	for i := range points {
		points[i].Re = int16(readings[(taken+uint32(i))%history])
	}
	fft.Fixed(points[:])
	power := make([]uint32, history/2)
	for i := range power {
		re, im := int32(points[i].Re), int32(points[i].Im)
		power[i] = uint32(re*re + im*im)
	}
	return power
}

// peak is the bin with the most power besides the mean's, and its power.
func peak() []uint32 {
	power := spectrum()
	at := 1
	for i, p := range power {
		if i > 0 && p > power[at] {
			at = i
		}
	}
	return []uint32{uint32(at), power[at]}
}
