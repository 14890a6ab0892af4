//go:build tinygo

package main

import (
	"runtime"
	"time"

	"rigor/firmware/board"
)

// ticks counts the LED's changes.
var ticks uint32

// blink changes the LED at a steady pace.
func blink() {
	next := time.Now()
	for {
		rounds[blinker] = true
		if now := time.Now(); now.After(next) {
			ticks++
			board.SetEcho(ticks&1 != 0)
			next = next.Add(halfPeriod)
		}
		runtime.Gosched()
	}
}
