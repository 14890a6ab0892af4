package pwm

import (
	"context"
	"fmt"
	"time"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/harness"
	"rigor/harness/timebase"
	"rigor/probes"
)

// The lines of rigs.yaml that the program uses; see firmware/README.md.
const (
	output  probes.Line = "timer"
	running probes.Line = "running" // high while there are pulses
)

// A point is one setting of the timer.
type point struct {
	name  string
	hz    uint32
	duty  uint32 // of the period, in millionths
	lasts time.Duration
}

// From the slowest that a servo wants to the fastest that a slow core's timer
// still divides into a useful number of steps.
var points = []point{
	{name: "servo, 50 Hz", hz: 50, duty: 75_000, lasts: 200 * time.Millisecond},
	{name: "tone, 440 Hz", hz: 440, duty: 500_000, lasts: 50 * time.Millisecond},
	{name: "dimmer, 1 kHz", hz: 1000, duty: 100_000, lasts: 50 * time.Millisecond},
	{name: "infrared, 38 kHz", hz: 38_000, duty: 333_333, lasts: 10 * time.Millisecond},
	{name: "converter, 100 kHz", hz: 100_000, duty: 250_000, lasts: 4 * time.Millisecond},
	{name: "clock, 1 MHz", hz: 1_000_000, duty: 500_000, lasts: time.Millisecond},
}

// A clock is a core at its rate, Hz.
type clock struct {
	chip string
	core uint32
}

// timerClocks are the rates of the timer. The STM32F407's TIM3: at 168 MHz APB1
// runs at a fourth of it and its timers at twice that; at 16 MHz nothing is divided
// (RM0090 §7.2, TinyGo's and firmware/board's settings). The ESP32-C3's LEDC counts
// APB_CLK, 80 MHz whenever the core runs from the PLL (ESP32-C3 TRM, Reset and Clock).
var timerClocks = map[clock]timebase.Rate{
	{"stm32f407", 16e6}:  16e6,
	{"stm32f407", 168e6}: 84e6,
	{"esp32c3", 160e6}:   80e6,
}

// Experiments are the suite's questions to a board with an image of the program pwm.
func Experiments(image images.Image) []harness.Experiment {
	var all []harness.Experiment
	for _, p := range points {
		all = append(all, harness.Experiment{
			Name: p.name, Image: image, Watch: []probes.Line{output, running}, Stimulate: p.stimulate, Measure: p.measure,
		})
	}
	return all
}

// stimulate gives the setting, then has the pulses run.
func (p point) stimulate(ctx context.Context, b *harness.Bench) (harness.Report, error) {
	var report harness.Report
	for _, cmd := range []wire.Command{
		{Name: wire.CommandPWMFrequency, Count: 1, Param: p.hz},
		{Name: wire.CommandPWMDuty, Count: 1, Param: p.duty},
		{Name: wire.CommandPWM, Count: 2, Param: uint32(p.lasts / time.Millisecond)},
	} {
		err := b.Firmware.Start(ctx, cmd, harness.Patience)
		if err == nil {
			report, err = b.Firmware.Collect(ctx, cmd, harness.Patience)
		}
		if err != nil {
			return report, err
		}
	}
	if report.Values[0] == 0 {
		return report, fmt.Errorf("the firmware set the timer to a period of no ticks")
	}
	return report, nil
}
