package armv7m

import (
	"encoding/binary"
	"slices"
	"testing"
)

// The numbers of this file are worked out by hand from the rules at the head of
// flash.go; RM0090 §3.5.2, figure 5, draws the first two rows.

const (
	nop  = 0xBF00
	addi = 0xF101 // ADD r1, r1, #1: 32 bits, with 0x0101
)

// inFlash makes a core with code at the start of a flash line, about to run it.
func inFlash(t FlashTiming, code ...uint16) *Core {
	flash := make([]byte, 4096)
	for i, h := range code {
		binary.LittleEndian.PutUint16(flash[0x100+2*i:], h)
	}
	c := New(Config{CPUID: 0x410FC241, IRQs: 16, PrioBits: 4, RefDiv: 8, Bus: emptyBus{}})
	c.Map([]Region{
		{Name: "alias", Data: flash, Flash: true},
		{Name: "flash", Base: 0x08000000, Data: flash, Flash: true},
		{Name: "sram", Base: 0x20000000, Data: make([]byte, 4096), Write: true},
	})
	c.Reset()
	c.SetFlashTiming(t)
	c.SetXPSR(psrT)
	c.R[15] = 0x08000100
	return c
}

// cyclesTo returns the cycles from the code's start to its end.
func cyclesTo(t *testing.T, c *Core, halfwords int) uint64 {
	t.Helper()
	c.SetBreakpoint(0x08000100+2*uint32(halfwords), true)
	if stop := c.Run(10_000); stop.Reason != Breakpoint {
		t.Fatalf("stopped at %#x: %v", stop.PC, stop.Reason)
	}
	return c.Cycle
}

func TestStraightCode(t *testing.T) {
	wide := slices.Repeat([]uint16{addi, 0x0101}, 16)
	narrow := slices.Repeat([]uint16{0x3101}, 32)
	across := append([]uint16{0x3101}, wide[:30]...)
	tests := []struct {
		name string
		FlashTiming
		code []uint16
		want uint64
	}{
		{"16 bits, no waits", FlashTiming{}, narrow, 32},
		{"16 bits: each line waits", FlashTiming{Waits: 5}, narrow, 32 + 4*5},
		{"16 bits, prefetch: a line takes 8 cycles and its read 6", FlashTiming{Waits: 5, Prefetch: true}, narrow, 32 + 5},
		{"32 bits: each line waits", FlashTiming{Waits: 5}, wide, 16 + 4*5},
		{"32 bits, prefetch: a line takes 4 cycles and its read 6", FlashTiming{Waits: 5, Prefetch: true}, wide, 16 + 5 + 3*2},
		{"32 bits, prefetch, 3 waits: as long as a line", FlashTiming{Waits: 3, Prefetch: true}, wide, 16 + 3},
		{"an instruction across lines needs both; 1 for straddling words", FlashTiming{Waits: 5}, across, 16 + 1 + 4*5},
		{"caches are of no use", FlashTiming{Waits: 5, ICache: true, DCache: true}, narrow, 32 + 4*5},
	}
	for _, tt := range tests {
		if got := cyclesTo(t, inFlash(tt.FlashTiming, tt.code...), len(tt.code)); got != tt.want {
			t.Errorf("%s: %d cycles, want %d", tt.name, got, tt.want)
		}
	}
}

// A loop of two lines, 100 times: 14 NOP, SUBS r0, BNE. An iteration takes 17
// cycles without waits.
func TestLoops(t *testing.T) {
	loop := append(slices.Repeat([]uint16{nop}, 14), 0x3801, 0xD1EF)
	tests := []struct {
		name string
		FlashTiming
		want uint64
	}{
		{"no waits", FlashTiming{}, 1700 - 1},
		{"two lines each time", FlashTiming{Waits: 5}, 1700 - 1 + 100*2*5},
		{"cached", FlashTiming{Waits: 5, ICache: true}, 1700 - 1 + 2*5},
		// The second line was never missed, so it isn't cached, but it comes in
		// time each time.
		{"cached, prefetch", FlashTiming{Waits: 5, ICache: true, Prefetch: true}, 1700 - 1 + 5},
		// Both lines are read each time: the first by a miss that must also wait
		// for the prefetch of the third, of whose 6 cycles 9 have passed.
		{"prefetch", FlashTiming{Waits: 5, Prefetch: true}, 1700 - 1 + 100*5},
	}
	for _, tt := range tests {
		c := inFlash(tt.FlashTiming, loop...)
		c.R[0] = 100
		if got := cyclesTo(t, c, len(loop)); got != tt.want {
			t.Errorf("%s: %d cycles, want %d", tt.name, got, tt.want)
		}
	}
}

// The instruction cache has 64 lines and drops the one used least recently: a
// loop of 65 misses each time, one of 64 never again (RM0090 §3.5.2).
func TestInstructionCacheSize(t *testing.T) {
	for _, tt := range []struct{ lines, misses int }{{64, 64}, {65, 650}} {
		code := slices.Repeat([]uint16{nop}, 8*tt.lines)
		n := len(code)
		code[n-4] = 0x3801                                     // SUBS r0, #1
		code[n-3] = 0xD001                                     // BEQ to the end
		code[n-2], code[n-1] = 0xF7FF, 0xB800|uint16(-n)&0x7FF // B.W to the start
		fast, slow := inFlash(FlashTiming{}, code...), inFlash(FlashTiming{Waits: 5, ICache: true}, code...)
		fast.R[0], slow.R[0] = 10, 10
		if got := cyclesTo(t, slow, n) - cyclesTo(t, fast, n); got != uint64(5*tt.misses) {
			t.Errorf("%d lines: %d cycles of waits, want %d", tt.lines, got, 5*tt.misses)
		}
	}
}

// Loads from flash, by code that is in one line: LDR r2, [r3]; LDR r4, [r3, #4];
// LDR r5, [r3, #16]; five ADDS. Without waits that is 9 cycles.
func TestFlashData(t *testing.T) {
	code := []uint16{0x681A, 0x685C, 0x691D, 0x3101, 0x3101, 0x3101, 0x3101, 0x3101}
	tests := []struct {
		name string
		FlashTiming
		want uint64
	}{
		{"no waits", FlashTiming{}, 9},
		{"the code's line and three reads", FlashTiming{Waits: 5}, 9 + 5 + 3*5},
		{"the second load hits", FlashTiming{Waits: 5, DCache: true}, 9 + 5 + 2*5},
		// The first load goes before the prefetch, which thus takes from cycle 12
		// to 18; the third one, at 14, waits for its end.
		{"prefetch on the same port", FlashTiming{Waits: 5, DCache: true, Prefetch: true}, 9 + 5 + 5 + (18 - 14) + 5},
	}
	for _, tt := range tests {
		c := inFlash(tt.FlashTiming, code...)
		c.R[3] = 0x08000800
		if got := cyclesTo(t, c, len(code)); got != tt.want {
			t.Errorf("%s: %d cycles, want %d", tt.name, got, tt.want)
		}
	}
}

// A line is the same by each of its addresses, and code in RAM needs none.
func TestFlashAlias(t *testing.T) {
	c := inFlash(FlashTiming{Waits: 5, ICache: true}, slices.Repeat([]uint16{0x3101}, 8)...)
	first := cyclesTo(t, c, 8)
	c.R[15] = 0x100
	c.SetBreakpoint(0x110, true)
	c.Run(1000)
	if second := c.Cycle - first; first != 8+5 || second != 8 {
		t.Errorf("%d cycles, then %d by the alias", first, second)
	}
	c.R[15] = 0x20000000
	before := c.Flash
	for range 4 {
		c.Step()
	}
	if c.Flash != before {
		t.Error("code in RAM used the flash interface")
	}
}
