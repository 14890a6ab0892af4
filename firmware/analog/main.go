//go:build tinygo

// Analog samples a voltage at a steady rate, by timer, ADC and DMA, without the
// processor's help. The timer raises a pin at each trigger.
package main

import (
	"runtime/volatile"

	"rigor/firmware/board"
	"rigor/firmware/runs"
	"rigor/firmware/wire"
)

const maxCount = 4000

var (
	values  [maxCount]volatile.Register16
	samples [maxCount]uint32
)

func main() {
	board.Init()
	runs.Serve("analog", []runs.Run{
		{Name: wire.CommandAnalog, MaxCount: maxCount, MaxParam: board.TimerHz / board.AnalogPeriodMin, Take: sample},
	})
}

// sample takes count conversions, rate of them a second. If one was lost it
// sends none, which the host sees.
func sample(count int, rate uint32) []uint32 {
	runs.Ready()
	ok := board.SampleAnalog(values[:count], board.TimerHz/max(rate, 1))
	board.Running(false)
	if !ok {
		return nil
	}
	for i := range count {
		samples[i] = uint32(values[i].Get())
	}
	return samples[:count]
}
