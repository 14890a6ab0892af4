package stm32f407

import (
	"testing"

	"rigor/harness/sim/clock"
)

// A program measures a clock by capturing every 8th of its edges: at HCLK 16 MHz,
// 8 periods of LSI (32 kHz, as iwdg.go has it) take 4000 cycles, of LSE (32768 Hz)
// 3906.25, and of 8 MHz HSE by RTCPRE 16 take 256.
func TestTimerMeasuresClocks(t *testing.T) {
	for _, tt := range []struct {
		name     string
		n        int
		or       uint32
		channel  uint32
		min, max uint32
	}{
		{"LSI", 5, tapLSI << 6, 3, 4000, 4000},
		{"LSE", 5, tapLSE << 6, 3, 3906, 3907},
		{"HSE_RTC", 11, tapHSERTC, 0, 256, 256},
	} {
		c := idle(t)
		st(t, c, pwr0, pwrDBP|pwrVOS)
		st(t, c, csr0, csrLSION)
		st(t, c, bdcr0, 1)                        // LSEON
		st(t, c, rcc0+8, 16<<16)                  // RTCPRE
		st(t, c, rcc0, ld(t, c, rcc0)|1<<16)      // HSEON
		run(t, c, 3*clock.Second)                 // LSE takes its time
		tm, ch := c.timDevice(tt.n), 4*tt.channel // its bits in CCER
		set(t, tm, timOR, tt.or)
		if got := get(t, tm, timOR); got != tt.or {
			t.Errorf("OR %#x, want %#x", got, tt.or)
		}
		ccmr := uint32(timCCMR1)
		if tt.channel > 1 {
			ccmr = timCCMR2
		}
		set(t, tm, ccmr, 0xD<<(8*(tt.channel&1))) // own input, every 8th edge
		set(t, tm, timCCER, 1<<ch)
		set(t, tm, timCR1, timCEN)
		var at []uint32
		for len(at) < 4 {
			until(c, c.Cycle()+50)
			if get(t, tm, timSR)&(timCC1IF<<tt.channel) != 0 {
				at = append(at, get(t, tm, timCCR1+ch))
			}
		}
		for i := range 3 {
			if d := (at[i+1] - at[i]) & 0xFFFF; d < tt.min || d > tt.max {
				t.Errorf("%s: 8 periods take %d cycles, want %d to %d", tt.name, d, tt.min, tt.max)
			}
		}
		set(t, tm, timOR, 0)
		get(t, tm, timCCR1+ch)
		until(c, c.Cycle()+10_000)
		if get(t, tm, timSR)&(timCC1IF<<tt.channel) != 0 {
			t.Errorf("%s: the pin is captured, which does not move", tt.name)
		}
	}
}
