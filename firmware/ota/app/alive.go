//go:build tinygo

package main

import "rigor/firmware/board"

// The goroutines that have to go round for the program to count as alive.
const (
	blinker = iota
	reader
	goroutines
)

var (
	rounds [goroutines]bool // which went round since the watchdog was fed
	hung   bool             // as a bad update would be
)

// feed feeds the watchdog if all goroutines went round since it did so last.
func feed() {
	if hung {
		return
	}
	for _, went := range rounds {
		if !went {
			return
		}
	}
	clear(rounds[:])
	board.FeedWatchdog()
}
