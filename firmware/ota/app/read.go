//go:build tinygo

package main

import (
	"runtime"
	"time"
)

// history is how many readings are kept.
const history = 64

// readings are of something that swings and is noisy; there is no sensor.
var (
	readings [history]int32
	taken    uint32
	noise    uint32 = 0x2545F491
)

// read takes a reading a millisecond, or as often as it gets to run.
func read() {
	next := time.Now()
	for {
		rounds[reader] = true
		if now := time.Now(); now.After(next) {
			readings[taken%history] = sample(taken)
			taken++
			next = now.Add(time.Millisecond)
		}
		runtime.Gosched()
	}
}

// sample is a triangle of 32 readings with noise on it (xorshift, G. Marsaglia, 2003).
func sample(n uint32) int32 {
	noise ^= noise << 13
	noise ^= noise >> 17
	noise ^= noise << 5
	v := int32(n%32) * 128
	if n%32 >= 16 {
		v = 4096 - v
	}
	return v + int32(noise&255)
}

// level is the filtered value of the readings.
func level() []uint32 { return []uint32{uint32(filter(&readings))} }

// statistics are number, least, greatest and mean of the readings.
func statistics() []uint32 {
	least, greatest, sum := readings[0], readings[0], int32(0)
	for _, v := range readings {
		least, greatest, sum = min(least, v), max(greatest, v), sum+v
	}
	return []uint32{taken, uint32(least), uint32(greatest), uint32(sum / history)}
}
