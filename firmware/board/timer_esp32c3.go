//go:build tinygo && esp32c3

package board

import (
	"device/esp"
	"machine"
	"math/bits"
	"runtime/interrupt"
)

// TimerHz is the clock of the timer: APB's.
const TimerHz = 80_000_000

// TimerPeriodMax is the longest period of the timer in its clock's ticks.
const TimerPeriodMax = 1023 << ledcMaxBits

// The timer is LEDC timer 0, whose channel 0 is at the timer pin: the one timer
// of the chip with both an interrupt and, at the same overflow, an edge on a pin.
const (
	ledcOut0     = 45 // matrix signal LEDC_LS_SIG_OUT0 (TRM table 5.11-1)
	ledcMaxBits  = 14 // of the counter
	ledcFraction = 8  // bits behind the point of the divider, which has 10 before it
	ledcDuty     = 4  // bits behind the point of the duty
	ledcFromAPB  = 1  // CONF.APB_CLK_SEL

	timerCPUInterrupt = 11 // TinyGo uses 6, 7, 9 and 10
)

// Pulses makes the timer pin rise at the beginning of each period from now on
// and stay high for the given part of it, both in ticks of TimerHz. The first
// period is a pause. It returns both as the timer can do them.
func Pulses(period, high uint32) (uint32, uint32) { return setTimer(period, high) }

// Every makes pulses of a quarter of the period and calls f from the interrupt
// that comes with each of their beginnings.
func Every(period uint32, f func()) {
	startTime()
	release = f
	esp.INTERRUPT_CORE0.LEDC_INT_MAP.Set(timerCPUInterrupt)
	interrupt.New(timerCPUInterrupt, handleTimer).Enable()
	setTimer(period, period/4)
	esp.LEDC.INT_ENA.Set(esp.LEDC_INT_ENA_LSTIMER0_OVF_INT_ENA)
}

var release func()

func handleTimer(interrupt.Interrupt) {
	clearOverflow()
	release()
}

// StopTimer ends pulses and calls; the pin is low then.
func StopTimer() {
	esp.LEDC.INT_ENA.Set(0)
	timerPin.Low()
	timerPin.Configure(machine.PinConfig{Mode: machine.PinOutput})
	esp.LEDC.SetTIMER0_CONF_RST(1)
	clearOverflow()
}

func overflowed() bool { return esp.LEDC.INT_RAW.HasBits(esp.LEDC_INT_RAW_LSTIMER0_OVF_INT_RAW) }

func clearOverflow() { esp.LEDC.INT_CLR.Set(esp.LEDC_INT_CLR_LSTIMER0_OVF_INT_CLR) }

// setTimer starts the timer. What the channel is told takes effect at the next
// overflow (TRM §32.3.3), so that the pin stays low until the first.
func setTimer(period, high uint32) (uint32, uint32) {
	esp.SYSTEM.SetPERIP_CLK_EN0_LEDC_CLK_EN(1)
	esp.SYSTEM.SetPERIP_RST_EN0_LEDC_RST(1)
	esp.SYSTEM.SetPERIP_RST_EN0_LEDC_RST(0)
	l := esp.LEDC
	l.SetCONF_APB_CLK_SEL(ledcFromAPB)
	l.SetCONF_CLK_EN(1)
	timerPin.Low()
	timerPin.Configure(machine.PinConfig{Mode: machine.PinOutput})
	connect(timerPin, ledcOut0)

	resolution, divider := divide(period)
	l.TIMER0_CONF.Set(resolution | divider<<4 | esp.LEDC_TIMER_CONF_RST)
	l.TIMER0_CONF.Set(resolution | divider<<4 | esp.LEDC_TIMER_CONF_PARA_UP)

	duty := uint32(uint64(high) << (resolution + ledcDuty) / uint64(period))
	l.CH0_HPOINT.Set(0)
	l.CH0_DUTY.Set(duty)
	l.CH0_CONF1.Set(esp.LEDC_CH_CONF1_DUTY_START)
	l.CH0_CONF0.Set(esp.LEDC_CH_CONF0_SIG_OUT_EN | esp.LEDC_CH_CONF0_PARA_UP)
	clearOverflow()
	return divider << resolution >> ledcFraction, duty * divider >> (ledcFraction + ledcDuty)
}

// divide finds the counter's bits and the clock's divider for a period: with 8 bits
// the divider's fraction makes every period of whole ticks; where the period ends in
// zeros there may be more, for a finer duty, and for longer ones there must be.
func divide(period uint32) (resolution, divider uint32) {
	fits := bits.Len32(period / (1 << 10)) // the least that keeps the divider in its 10 bits
	exact := ledcFraction + bits.TrailingZeros32(period)
	most := bits.Len32(period) - 1 // the divider is at least one
	n := min(max(fits, min(exact, most)), ledcMaxBits)
	return uint32(n), uint32(uint64(period) << ledcFraction >> n)
}
