//go:build tinygo && v1_1_0

package main

import (
	"math"

	"rigor/firmware/fft"
)

const unknownText = "this release knows ticks, level, statistics, deviation, trend, histogram, spectrum and peak, but not "

// What 1.1.0 can do and 1.0 can't.
var added = []command{
	{"deviation", deviation},
	{"trend", trend},
	{"histogram", histogram},
	{"spectrum", spectrum},
	{"peak", peak},
}

// ordered is the i-th reading from the oldest on.
func ordered(i int) int32 { return readings[(taken+uint32(i))%history] }

// deviation is the standard deviation of the readings, in thousandths.
func deviation() []uint32 {
	var sum, squares float64
	for _, v := range readings {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	variance := (squares - sum*sum/history) / history
	if variance < 0 { // by rounding
		variance = 0
	}
	return []uint32{uint32(1000 * math.Sqrt(variance))}
}

// trend fits a straight line by least squares: its slope in thousandths a reading, its value
// now, and the coefficient of determination in thousandths.
func trend() []uint32 {
	var sx, sy, sxx, sxy, syy float64
	for i := range history {
		x, y := float64(i), float64(ordered(i))
		sx, sy, sxx, sxy, syy = sx+x, sy+y, sxx+x*x, sxy+x*y, syy+y*y
	}
	dx, dy, dxy := history*sxx-sx*sx, history*syy-sy*sy, history*sxy-sx*sy
	slope := dxy / dx
	now := (sy-slope*sx)/history + slope*(history-1)
	fit := 1.0
	if dy > 0 {
		fit = dxy * dxy / (dx * dy)
	}
	return []uint32{uint32(int32(1000 * slope)), uint32(int32(now)), uint32(1000 * fit)}
}

// histogram counts the readings in sixteen classes from the least to the greatest.
func histogram() []uint32 {
	least, greatest := readings[0], readings[0]
	for _, v := range readings {
		least, greatest = min(least, v), max(greatest, v)
	}
	counts := make([]uint32, 16)
	width := (greatest - least + int32(len(counts))) / int32(len(counts))
	for _, v := range readings {
		counts[(v-least)/width]++
	}
	return counts
}

// spectrum is the amplitude of the readings in each bin up to half their rate, in tenths. A Hann
// window comes first.
func spectrum() []uint32 {
	var points [history]complex64
	for i := range points {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/history)
		points[i] = complex(float32(w)*float32(ordered(i)), 0)
	}
	fft.Float(points[:])
	amplitude := make([]uint32, history/2)
	for i := range amplitude {
		re, im := float64(real(points[i])), float64(imag(points[i]))
		amplitude[i] = uint32(20 * math.Sqrt(re*re+im*im))
	}
	return amplitude
}

// peak is the bin with the greatest amplitude beyond the mean's, and that.
func peak() []uint32 {
	amplitude := spectrum()
	at := 2
	for i, a := range amplitude {
		if i > 2 && a > amplitude[at] {
			at = i
		}
	}
	return []uint32{uint32(at), amplitude[at]}
}
