//go:build tinygo

// Hub does several things at once: it reads a BME280 over I2C with the driver of
// tinygo.org/x/drivers, blinks a LED at a steady rate, and keeps a wireless network's
// station, over which it publishes readings. Package firmware/wire/hub has its
// commands.
//
// Each of the three has a goroutine: the LED's sleeps from change to change, the
// network's looks after its stack every millisecond, and the first one obeys
// commands and reads the sensor. What they do to each other is to be measured, so
// nothing is done to keep them apart.
package main

import (
	"runtime"
	"time"

	"rigor/firmware/board"
	"rigor/firmware/runs"
	"rigor/firmware/wire/hub"
)

var boot = time.Now()

func main() {
	board.Init()
	startStation()
	go blink()
	go attend()
	const ever = 60_000 // milliseconds
	runs.Serve("hub", []runs.Run{
		{Name: hub.CommandScan, MaxCount: 4, Take: scan},
		{Name: hub.CommandSpeed, MaxCount: 1, MaxParam: 1, Take: setSpeed},
		{Name: hub.CommandFree, MaxCount: 4, Take: free},
		{Name: hub.CommandIdentify, MaxCount: 2, Take: identify},
		{Name: hub.CommandRead, MaxCount: hub.MaxReadings * hub.Words, MaxParam: ever, Take: takeReadings},
		{Name: hub.CommandReadTimes, MaxCount: hub.MaxReadings, Take: tell(began[:])},
		{Name: hub.CommandLEDTimes, MaxCount: maxChanges, Take: tell(changes[:])},
		{Name: hub.CommandHarts, MaxCount: 16, Take: harts},
		{Name: hub.CommandLED, MaxCount: 1, MaxParam: 1_000_000, Take: setLED},
		{Name: hub.CommandSSID, MaxCount: hub.MaxText / 4, MaxParam: anyWord, Take: ssid.set},
		{Name: hub.CommandKey, MaxCount: hub.MaxText / 4, MaxParam: anyWord, Take: key.set},
		{Name: hub.CommandHost, MaxCount: 1, MaxParam: anyWord, Take: setHost},
		{Name: hub.CommandPort, MaxCount: 1, MaxParam: 0xFFFF, Take: setPort},
		{Name: hub.CommandJoin, MaxCount: 4, MaxParam: ever, Take: join},
		{Name: hub.CommandLeave, MaxCount: 1, Take: leave},
		{Name: hub.CommandLink, MaxCount: 8, Take: link},
	})
}

const anyWord = 1<<32 - 1

var samples [hub.MaxReadings * hub.Words]uint32

// answer is count samples: the values, and zeros.
func answer(count int, values ...uint32) []uint32 {
	clear(samples[:count])
	copy(samples[:count], values)
	return samples[:count]
}

// tell sends what the run before has left.
func tell(series []uint32) func(int, uint32) []uint32 {
	return func(count int, _ uint32) []uint32 {
		runs.Accept()
		return series[:count]
	}
}

// harts starts goroutines that each tell which core they run on.
func harts(count int, _ uint32) []uint32 {
	runs.Accept()
	ran := make(chan uint32)
	for range count {
		go func() { ran <- board.Hart() }()
	}
	for i := range count {
		samples[i] = <-ran
	}
	return samples[:count]
}

// now is the time since the start.
func now() time.Duration { return time.Since(boot) }

// ticks is that in core clock cycles.
func ticks(t time.Duration) uint32 { return uint32(uint64(t) * (board.CoreHz / 1_000_000) / 1000) }

// sleepUntil lets the others run at least once.
func sleepUntil(t time.Duration) {
	if d := t - now(); d > 0 {
		time.Sleep(d)
		return
	}
	runtime.Gosched()
}
