//go:build tinygo

package main

import (
	"time"

	"rigor/firmware/board"
	"rigor/firmware/runs"
)

const maxChanges = 1000

// The LED: how often it changes, and the first changes since forgetChanges.
var (
	interval = 5 * time.Millisecond
	change   time.Duration // the next one, or the one that is due
	changes  [maxChanges]uint32
	changed  int
)

// blink changes the LED, for ever. A change that is late is not followed by one that
// is early, but those after it are at their old times.
func blink() {
	due := now()
	for on := true; ; on = !on {
		due += interval
		change = due
		sleepUntil(due)
		var at time.Duration
		mask := board.Hold()
		for _, level := range [...]bool{!on, on} { // as it is first, see takeReadings
			board.SetEcho(level)
			at = now()
		}
		board.Release(mask)
		if changed < maxChanges {
			changes[changed] = ticks(at)
			changed++
		}
		if late := now() - due; late > interval {
			due += late / interval * interval
		}
	}
}

func forgetChanges() {
	clear(changes[:])
	changed = 0
}

func setLED(_ int, micros uint32) []uint32 {
	runs.Accept()
	interval = max(time.Duration(micros)*time.Microsecond, 100*time.Microsecond)
	return answer(1, uint32(interval/time.Microsecond))
}
