//go:build tinygo && esp32c3

package board

import (
	"device/esp"
	"runtime/interrupt"
)

// Time is counted by timer group 1, at half of APB's 80 MHz; the runtime uses group 0.
const timeHz = 40_000_000

func startTime() {
	esp.SYSTEM.SetPERIP_CLK_EN0_TIMERGROUP1_CLK_EN(1)
	t := esp.TIMG1
	t.T0CONFIG.Set(esp.TIMG_T0CONFIG_EN | esp.TIMG_T0CONFIG_INCREASE | 2<<esp.TIMG_T0CONFIG_DIVIDER_Pos)
}

// EndAt marks the end of an interval as End does, and returns the cycle counter
// and the time in core clock cycles. The cycle counter stands still while the
// processor sleeps; the time goes on, in steps of four. No interrupt comes
// between the mark and the readings.
func EndAt() (cycles, now uint32) {
	mask := interrupt.Disable()
	cycles = End()
	const latch = 1 << 31
	for esp.TIMG1.T0UPDATE.Set(latch); esp.TIMG1.T0UPDATE.HasBits(latch); { // it crosses into the timer's clock
	}
	now = esp.TIMG1.T0LO.Get() * (CoreHz / timeHz)
	interrupt.Restore(mask)
	return cycles, now
}

// Ticks counts the runtime's tick interrupts: there are none on this chip.
func Ticks() uint32 { return 0 }

// JustTicked reports whether the runtime's tick has just come: never.
func JustTicked() bool { return false }
