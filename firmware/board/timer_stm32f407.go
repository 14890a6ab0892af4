//go:build tinygo && stm32f407

package board

import (
	"device/stm32"
	"machine"
	"runtime/interrupt"
	"runtime/volatile"
	"unsafe"
)

// The timer is TIM3, whose channel 1 is at the timer pin. It counts at TimerHz.
const (
	timerPin = machine.PC6
	// TimerPeriodMax is the longest period of the timer in its clock's ticks.
	TimerPeriodMax = 1 << 30
)

const (
	pwmMode1  = 6 << 4 // OC1M: high while the counter is below CCR1 (RM0090 §18.4.7)
	preload   = 1 << 3 // OC1PE
	mmsUpdate = 2 << 4 // CR2.MMS: TRGO at each update (§18.4.2)
)

// Pulses makes the timer pin rise at the beginning of each period from now on
// and stay high for the given part of it, both in ticks of TimerHz. The first
// period is a pause. It returns both as the timer can do them: beyond 65536
// ticks in steps of its prescaler.
func Pulses(period, high uint32) (uint32, uint32) {
	period, high = setTimer(period, high)
	startTimer()
	return period, high
}

// Every makes pulses of a quarter of the period and calls f from the interrupt
// that comes with each of their beginnings. It goes the way of every TinyGo
// program, through machine's own handler.
func Every(period uint32, f func()) {
	setTimer(period, period/4)
	if err := machine.TIM3.SetWraparoundInterrupt(f); err != nil {
		panic("BUG: board: timer interrupt: " + err.Error())
	}
	startTime()
	startTimer()
}

// StopTimer ends pulses and calls; the pin is low then.
func StopTimer() {
	t := stm32.TIM3
	t.DIER.Set(0)
	t.CR1.Set(0)
	t.CCR1.Set(0)
	t.EGR.Set(stm32.TIM_EGR_UG)
	t.SR.Set(0)
}

// setTimer stops the timer and loads it. CCR1 is loaded as zero and written
// behind its preload, so that the pin stays low until the first update.
func setTimer(period, high uint32) (uint32, uint32) {
	if _, err := machine.TIM3.Channel(timerPin); err != nil {
		panic("BUG: board: timer pin: " + err.Error())
	}
	stm32.RCC.APB1ENR.SetBits(stm32.RCC_APB1ENR_TIM3EN)
	prescale := (period + 0xFFFF) / 0x10000
	t := stm32.TIM3
	t.CR1.Set(stm32.TIM_CR1_ARPE)
	t.CR2.Set(mmsUpdate)
	t.PSC.Set(prescale - 1)
	t.ARR.Set(period/prescale - 1)
	t.CCMR1_Output.Set(pwmMode1 | preload)
	t.CCR1.Set(0)
	t.EGR.Set(stm32.TIM_EGR_UG)
	t.SR.Set(0)
	t.CCR1.Set(high / prescale)
	t.CCER.Set(stm32.TIM_CCER_CC1E)
	return period / prescale * prescale, high / prescale * prescale
}

func startTimer() { stm32.TIM3.CR1.Set(stm32.TIM_CR1_ARPE | stm32.TIM_CR1_CEN) }

// EndAt marks the end of an interval as End does, and returns the cycle counter
// and the time in core clock cycles. The cycle counter stands still while the
// processor sleeps; the time goes on, in steps of a tick of TimerHz. No interrupt
// comes between the mark and the readings.
func EndAt() (cycles, now uint32) {
	mask := interrupt.Disable()
	cycles = End()
	now = stm32.TIM5.CNT.Get() * (CoreHz / TimerHz)
	interrupt.Restore(mask)
	return cycles, now
}

// startTime lets TIM5 count for EndAt; it has 32 bits.
func startTime() {
	stm32.RCC.APB1ENR.SetBits(stm32.RCC_APB1ENR_TIM5EN)
	stm32.TIM5.ARR.Set(0xFFFFFFFF)
	stm32.TIM5.CR1.Set(stm32.TIM_CR1_CEN)
}

// Cycles is the cycle counter, which stands still while the processor sleeps.
func Cycles() uint32 { return dwtCycCnt.Get() }

// The runtime counts its 100 Hz ticks.
//
//go:extern runtime.tickCount
var tickCount volatile.Register64

// Ticks counts the runtime's tick interrupts.
func Ticks() uint32 { return (*volatile.Register32)(unsafe.Pointer(&tickCount)).Get() }

// JustTicked reports whether the runtime's tick came in the last 1000 core clock
// cycles, so that its interrupt, some 240 of them, or the round of the scheduler that it
// wakes may have held up another one.
func JustTicked() bool { return stm32.TIM2.CNT.Get() < 1000*(tickTimerHz/1000)/(CoreHz/1000) }

var consumed uint32 // bytes of the console taken by TryReadByte

// Received counts the bytes that the console's interrupt has received, as far as
// TryReadByte took them.
func Received() uint32 { return consumed + uint32(machine.UART1.Buffered()) }

// TryReadByte takes a byte from the console if there is one.
func TryReadByte() (byte, bool) {
	if machine.UART1.Buffered() == 0 {
		return 0, false
	}
	b, _ := machine.UART1.ReadByte()
	consumed++
	return b, true
}
