//go:build tinygo

// Package board is what firmware programs know of the board they run on: its
// clock, its console, its stimulus and marker pins, and the cycle counter. A
// program imports this and nothing of its chip, so that it builds for every
// board that has a file here.
//
// # Pins
//
// The same roles on every board; the pin numbers stand in the chip's file and
// in firmware/README.md.
//
//	stimulus  input, driven by a probe
//	echo      output, repeats the stimulus in the program echo
//	start     output, rises when a measured interval starts
//	end       output, rises when it ends
//	run       output, high while samples are taken
//
// # Marks
//
// [Start] and [End] each make one store that raises their pin and then, in the
// next instruction, read the cycle counter. Both are the same instructions in the same
// alignment, so the time from store to reading is the same at both ends and falls out of the
// difference: an interval between the pins' edges equals the difference of the two
// readings, exact to the cycle.
//
// Left out: everything that TinyGo's machine package already does well enough
// to be used directly.
package board

import (
	"runtime"

	"rigor/firmware/wire"
)

// sourceDigest identifies the sources of this build. The build sets it
// (-ldflags -X); it is empty in a build by hand.
var sourceDigest string

// Hello describes the running program.
func Hello(program string) wire.Hello {
	return wire.Hello{
		Version:      wire.Version,
		Program:      program,
		SourceDigest: sourceDigest,
		Chip:         Chip,
		CoreHz:       CoreHz,
		CounterHz:    CoreHz,
	}
}

// Init brings clock, pins and cycle counter into the state that the program
// needs. It must come first in main.
func Init() {
	setClock()
	configurePins()
	enableCounter()
	runtime.GC() // what start-up allocated must not be collected in a measurement
}
