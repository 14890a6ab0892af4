//go:build tinygo

// Jitter has a goroutine released at a steady rate and notes when it runs. A
// hardware timer's interrupt releases it through a channel; the timer also raises
// a pin at each release, so that a probe sees when it was due.
//
// The interrupt and the goroutine each leave a mark (see firmware/board): the
// first when the handler has come to the release, the second when the goroutine
// has woken. What else the processor did in between is noted beside each sample as
// bits, wire.CauseTick and on. Samples stay in RAM until the run is over.
//
// A release that comes before the one before was served is missed: it is counted, and
// has no mark.
package main

import (
	"runtime/volatile"

	"rigor/firmware/board"
	"rigor/firmware/runs"
	"rigor/firmware/wire"
)

const maxCount = 1000

// What a run leaves for the commands that ask for it afterwards.
var at, wake, cause [maxCount]uint32

func main() {
	board.Init()
	runs.Overhead = leastOverhead()
	runs.Serve("jitter", []runs.Run{
		{Name: wire.CommandJitterIdle, MaxCount: maxCount, MaxParam: maxRate, Take: releases(nil)},
		{Name: wire.CommandJitterAlloc, MaxCount: maxCount, MaxParam: maxRate, Take: releases(allocate)},
		{Name: wire.CommandJitterUART, MaxCount: maxCount, MaxParam: maxRate, Take: releases(echo)},
		{Name: wire.CommandJitterCompete, MaxCount: maxCount, MaxParam: maxRate, Take: releases(compete)},
		{Name: wire.CommandReleaseWake, MaxCount: maxCount, Take: tell(wake[:])},
		{Name: wire.CommandReleaseCause, MaxCount: maxCount, Take: tell(cause[:])},
	})
}

// tell sends what the run before has left.
func tell(series []uint32) func(int, uint32) []uint32 {
	return func(count int, _ uint32) []uint32 {
		runs.Accept()
		return series[:count]
	}
}

// leastOverhead is the time from a handler's mark to a goroutine's with nothing
// in between. The least of several: the first ones fill the flash cache.
func leastOverhead() uint32 {
	least := ^uint32(0)
	var end volatile.Register32
	for range 16 {
		start := board.Start()
		cycles, _ := board.EndAt()
		end.Set(cycles)
		board.Clear()
		least = min(least, end.Get()-start)
	}
	return least
}
