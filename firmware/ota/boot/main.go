//go:build tinygo

// Boot is the first program after a reset. It decides which slot is to be run, verifies
// what is in it, tells what it found by one frame of firmware/wire/ota on the console, and hands
// over. If it has nothing to hand over to, it says so every second.
package main

import (
	"rigor/firmware/board"
	"rigor/firmware/ota"
	"rigor/firmware/wire"
	wireota "rigor/firmware/wire/ota"
)

// trialSeconds is how long the watchdog lets a new image be silent.
const trialSeconds = 8

var (
	device ota.Device
	frame  [wire.MaxFrame]byte
)

func main() {
	board.Init()
	device.Open(board.Flash(), ota.LayoutOf(board.Chip))
	report := device.Boot()
	tell(report)
	for report.Slot == wireota.NoSlot {
		waitSecond()
		tell(report)
	}
	if report.Why == wireota.Trial {
		board.StartWatchdog(trialSeconds)
	}
	board.HandOver(device.Layout.Image(int(report.Slot)))
}

func tell(report wireota.Boot) { board.Write(wireota.AppendBoot(frame[:0], report)) }

func waitSecond() {
	for began := board.Cycles(); board.Cycles()-began < board.CoreHz; {
	}
}
