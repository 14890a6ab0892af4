//go:build tinygo

// Pwm puts pulses of a given rate and width on the timer pin.
package main

import (
	"runtime"

	"rigor/firmware/board"
	"rigor/firmware/runs"
	"rigor/firmware/wire"
)

var setting struct{ frequency, duty uint32 }

func main() {
	board.Init()
	runs.Serve("pwm", []runs.Run{
		{Name: wire.CommandPWMFrequency, MaxCount: 1, MaxParam: board.TimerHz, Take: set(&setting.frequency)},
		{Name: wire.CommandPWMDuty, MaxCount: 1, MaxParam: 1_000_000, Take: set(&setting.duty)},
		{Name: wire.CommandPWM, MaxCount: 2, MaxParam: 10_000, Take: pulses},
	})
}

func set(v *uint32) func(int, uint32) []uint32 {
	return func(_ int, param uint32) []uint32 {
		runs.Accept()
		*v = param
		return []uint32{param}
	}
}

// pulses go on for some milliseconds. Its samples are the period and the width
// that the timer was set to, in ticks of its clock.
func pulses(count int, millis uint32) []uint32 {
	period := (board.TimerHz + setting.frequency/2) / max(setting.frequency, 1)
	high := uint32(uint64(period) * uint64(setting.duty) / 1_000_000)
	runs.Ready()
	period, high = board.Pulses(max(period, 2), high)
	for ; millis > 0; millis-- {
		for began := board.Cycles(); board.Cycles()-began < board.CoreHz/1000; {
			runtime.Gosched()
		}
	}
	board.Running(false)
	board.StopTimer()
	return []uint32{period, high}[:count]
}
