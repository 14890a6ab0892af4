// Package board puts simulated silicon on a board: supply, reset and boot
// straps, a USB-to-serial bridge on two of the pins, and observers of any pin.
// What the outside does to the chip it does through pins and time alone.
package board

import (
	"fmt"
	"slices"

	"rigor/harness/sim/clock"
)

// Pin numbers a chip's pins as the chip likes; PinByName translates.
type Pin int

// Drive is what the outside applies to a pin.
type Drive struct {
	Kind DriveKind
	MV   int32 // millivolts, for DriveVoltage
}

// DriveKind says how strongly the outside holds a pin.
type DriveKind uint8

const (
	HiZ DriveKind = iota // nothing connected
	DriveLow
	DriveHigh
	DriveVoltage // an analog source
	PullUp       // a weak resistor to the supply: the chip's own output wins
	PullDown     // a weak resistor to ground
	ShortLow     // a short to ground, stronger than the chip's own output
	ShortHigh    // a short to the supply
)

// StopKind says why a chip ended a Run early.
type StopKind uint8

const (
	Running     StopKind = iota // it did not: the time came
	Lockup                      // the core locked up
	NotModelled                 // the program used what the model lacks
)

// Stop is why a Run ended.
type Stop struct {
	Kind StopKind
	PC   uint64
	Text string // "stm32f407: RCC.PLLI2SCFGR not modelled, PC 0x08000123"
}

func (s Stop) Error() string { return s.Text }

// Err is nil while the chip runs.
func (s Stop) Err() error {
	if s.Kind == Running {
		return nil
	}
	return fmt.Errorf("simulated chip stopped: %w", s)
}

// Stats counts what a chip did since power-on of the simulation.
type Stats struct {
	Instructions uint64
	Cycles       uint64 // of the core's clock
	Slept        uint64 // cycles of these asleep
	ClockHz      uint64 // the core's clock now
}

// Warnings are a chip's, each thing once, and no more than a program gone wild should
// make the host remember.
type Warnings []string

// Add notes one, formatted as by fmt.Sprintf.
func (w *Warnings) Add(format string, args ...any) {
	const most = 100
	text := fmt.Sprintf(format, args...)
	if len(*w) < most && !slices.Contains(*w, text) {
		*w = append(*w, text)
	}
}

// Chip is simulated silicon as a board sees it. It is passive: time moves only
// in Run.
type Chip interface {
	Name() string // stm32f407
	Now() clock.Time
	// Run moves time to until, or past it by one instruction at most; it
	// returns earlier when the chip cannot go on.
	Run(until clock.Time) Stop
	SetPower(on bool)
	SetReset(asserted bool) // the reset pin
	PinByName(name string) (Pin, error)
	PinName(p Pin) string
	// Drive applies a level from the outside at a time between the last Run's
	// beginning and Now; blocks that time-stamp edges use it.
	Drive(p Pin, d Drive, at clock.Time)
	// SetAnalog connects a source whose voltage changes by itself: f is a pure
	// function of world time, in microvolts. It stands in place of what Drive
	// applies until nil disconnects it. Like the watcher it is outside the chip:
	// no part of a snapshot or a digest. Analog inputs and the reading of a
	// level see it at that moment; edges need Triggering.
	SetAnalog(p Pin, f func(at clock.Time) int64)
	Level(p Pin) bool
	MicroVolts(p Pin) int64 // now
	// Watch calls f at every change of a pin's level, in order of time. Only
	// one watcher; nil ends it.
	Watch(f func(p Pin, high bool, at clock.Time))
	Stats() Stats
	// Warnings are things that a program did and real silicon swallows without
	// a word, such as access to a block whose clock is off.
	Warnings() []string
	// Caveats are why, as the program has set up the chip now, its times differ
	// from the part's. They are about the model, not the program.
	Caveats() []string
	// Snapshot and Restore copy the whole chip; Digest hashes it (SHA-256).
	Snapshot() any
	Restore(snapshot any)
	Digest() [32]byte
}
