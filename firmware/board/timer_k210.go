//go:build tinygo && k210

package board

import (
	"device/kendryte"
	"runtime/interrupt"
	"runtime/volatile"
	"unsafe"
)

// TimerHz is the clock of the timers: PLL0's 780 MHz by twice timerThreshold+1.
const (
	TimerHz        = 97_500_000
	timerThreshold = 3
)

// TimerPeriodMax is the longest period of the timer in its clock's ticks.
const TimerPeriodMax = 1 << 31

// The timer is channel 0 of TIMER0, whose toggle output is at the timer pin.
// Registers and fields are those of DW_apb_timers, as the Kendryte standalone
// SDK has them in timer.h: a channel in PWM mode is low for LOAD_COUNT ticks and one, then
// high for LOAD_COUNT2 and one, and interrupts at the end of each.
type timerChannel struct {
	load, current, control, eoi, status volatile.Register32
}

const (
	timerEnable      = 1 << 0
	timerUserDefined = 1 << 1 // counts from LOAD_COUNT, not from all ones
	timerMasked      = 1 << 2 // no interrupt
	timerPWM         = 1 << 3
)

// channel is channel 0 of a timer, at its beginning.
func channel(t *kendryte.TIMER_Type) *timerChannel { return (*timerChannel)(unsafe.Pointer(t)) }

var (
	timer      = channel(kendryte.TIMER0)
	timerLoad2 = (*volatile.Register32)(unsafe.Add(unsafe.Pointer(kendryte.TIMER0), 0xB0))
)

// Pulses makes the timer pin rise at the beginning of each period from now on
// and stay high for the given part of it, both in ticks of TimerHz. The first
// period's low part is a pause. It returns both as the timer can do them.
func Pulses(period, high uint32) (uint32, uint32) {
	setTimer(period, high)
	startTimer(timerMasked)
	return period, high
}

// Every makes pulses of a quarter of the period and calls f from the interrupt
// that comes with each of their beginnings. That which comes with each of their ends
// does nothing.
func Every(period uint32, f func()) {
	startTime()
	release = f
	setTimer(period, period/4)
	i := interrupt.New(kendryte.IRQ_TIMER0A, handleTimer)
	i.SetPriority(5) // as TinyGo has it of other interrupts
	i.Enable()
	startTimer(0)
}

var release func()

// handleTimer looks at the pin to tell which end it was: a flag could lose
// count.
func handleTimer(interrupt.Interrupt) {
	const padLevel = 1 << 31 // PAD_DI of FPIOA's word for a pin
	timer.eoi.Get()
	if kendryte.FPIOA.IO[timerPin].HasBits(padLevel) {
		release()
	}
}

// StopTimer ends pulses and calls; the pin is low then.
func StopTimer() {
	timer.control.Set(timerMasked)
	timer.eoi.Get()
}

// setTimer stops the timer and loads it.
func setTimer(period, high uint32) {
	clockTimers()
	StopTimer()
	timer.load.Set(period - high - 1)
	timerLoad2.Set(high - 1)
}

func startTimer(masked uint32) {
	timer.control.Set(timerEnable | timerUserDefined | timerPWM | masked)
}

// clockTimers has TIMER0 and TIMER1 count at TimerHz.
func clockTimers() {
	s := kendryte.SYSCTL
	s.CLK_EN_CENT.SetBits(kendryte.SYSCTL_CLK_EN_CENT_APB0_CLK_EN)
	s.CLK_EN_PERI.SetBits(kendryte.SYSCTL_CLK_EN_PERI_TIMER0_CLK_EN | kendryte.SYSCTL_CLK_EN_PERI_TIMER1_CLK_EN)
	s.CLK_TH2.ReplaceBits(timerThreshold<<8|timerThreshold, 0xFFFF, 0)
	s.CLK_SEL0.SetBits(kendryte.SYSCTL_CLK_SEL0_TIMER0_CLK_SEL | kendryte.SYSCTL_CLK_SEL0_TIMER1_CLK_SEL)
}

// Time is counted by TIMER1, down from all ones.
var timeChannel = channel(kendryte.TIMER1)

func startTime() {
	clockTimers()
	timeChannel.control.Set(timerMasked)
	timeChannel.control.Set(timerEnable | timerMasked)
}

// EndAt marks the end of an interval as End does, and returns the cycle counter
// and the time in core clock cycles. The cycle counter may stand still while the
// processor sleeps; the time goes on, in steps of four. No interrupt comes
// between the mark and the readings.
func EndAt() (cycles, now uint32) {
	mask := interrupt.Disable()
	cycles = End()
	now = ^timeChannel.current.Get() * (CoreHz / TimerHz)
	interrupt.Restore(mask)
	return cycles, now
}

// Ticks counts the runtime's tick interrupts: there are none on this chip.
func Ticks() uint32 { return 0 }

// JustTicked reports whether the runtime's tick has just come: never.
func JustTicked() bool { return false }
