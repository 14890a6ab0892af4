package stm32f407

import (
	"slices"
	"testing"

	"rigor/harness/sim/armv7m"
	"rigor/harness/sim/clock"
)

// accessTimes runs eight times the same access, to addr and as the only ones of the
// program, and returns the cycles between them.
func accessTimes(t *testing.T, access uint16, cfgr, addr uint32) []uint64 {
	t.Helper()
	var at []uint64
	opt := Options{Trace: func(a Access) {
		if a.Addr == addr {
			at = append(at, a.Cycle)
		}
	}}
	code := append(slices.Repeat([]uint16{access}, 8), 0xE7FE)
	c := started(t, opt, program(code...))
	gates(t, c)
	st(t, c, rcc0+0x08, cfgr)
	c.core.R[1], c.core.R[15] = addr, flashBase+8
	c.core.Restore(c.core.Snapshot())
	run(t, c, 20*clock.Microsecond)
	if len(at) != 8 {
		t.Fatalf("%d accesses", len(at))
	}
	var gaps []uint64
	for i := range 7 {
		gaps = append(gaps, at[i+1]-at[i])
	}
	return gaps
}

// What a series of accesses takes is what each leaves the bus free after: see
// the sources at the head of wait.go. A load or store by itself is at its end
// or at its begin.
func TestPeripheralAccessTimes(t *testing.T) {
	const (
		ldr   = 0x680A // LDR r2, [r1]
		str   = 0x600A // STR r2, [r1]
		tim2  = 0x40000024
		tim8  = 0x40010424
		half  = 4<<10 | 4<<13 // PPRE1, PPRE2
		forth = 5<<10 | 4<<13
	)
	tests := []struct {
		name   string
		access uint16
		cfgr   uint32
		addr   uint32
		want   uint64
	}{
		{"load, AHB1: as from memory", ldr, 0, gpioA + 0x10, 1},
		{"store, AHB1: RM0090 §8.2", str, 0, gpioA + 0x18, 2},
		{"load, AHB2", ldr, 0, rng0, 1},
		{"load, PCLK1 = HCLK: two APB cycles", ldr, 0, tim2, 2},
		{"store, PCLK1 = HCLK", str, 0, tim2, 2},
		{"load, PCLK1 = HCLK/2", ldr, half, tim2, 4},
		{"load, PCLK1 = HCLK/4", ldr, forth, tim2, 8},
		{"store, PCLK1 = HCLK/4", str, forth, tim2, 8},
		{"load, PCLK2 = HCLK/2", ldr, forth, tim8, 4},
		{"store, PCLK2 = HCLK/2", str, forth, tim8, 4},
	}
	for _, tt := range tests {
		got := accessTimes(t, tt.access, tt.cfgr, tt.addr)
		if slices.ContainsFunc(got[1:], func(n uint64) bool { return n != tt.want }) {
			t.Errorf("%s: cycles between accesses %v, want %d", tt.name, got, tt.want)
		}
	}
}

// The instructions behind a store don't wait for its transfer: the core has a
// write buffer (DDI 0439D 3.3.3).
func TestStoreIsBuffered(t *testing.T) {
	c := started(t, Options{}, program(0x600A, 0x3301, 0x3301, 0x3301, 0xE7FE)) // STR r2, [r1]; ADDS r3, #1
	gates(t, c)
	st(t, c, rcc0+0x08, 5<<10)
	c.core.R[1], c.core.R[15] = 0x40000024, flashBase+8
	c.core.Restore(c.core.Snapshot())
	from := c.core.Cycle
	run(t, c, c.TimeOf(from+4)-c.Now())
	if c.core.Cycle != from+4 || c.core.R[15] != flashBase+16 {
		t.Errorf("at 0x%08x after %d cycles", c.core.R[15], c.core.Cycle-from)
	}
}

// FLASH.ACR is the core's flash timing: RM0090 §3.9.1.
func TestACR(t *testing.T) {
	loop := append(slices.Repeat([]uint16{0xBF00}, 8), 0xE7F6) // in two lines
	c := started(t, Options{}, program(loop...))
	tests := []struct {
		acr  uint32
		want armv7m.FlashTiming
	}{
		{0, armv7m.FlashTiming{}},
		{5, armv7m.FlashTiming{Waits: 5}},
		{0x105, armv7m.FlashTiming{Waits: 5, Prefetch: true}},
		{0x203, armv7m.FlashTiming{Waits: 3, ICache: true}},
		{0x705, armv7m.FlashTiming{Waits: 5, Prefetch: true, ICache: true, DCache: true}},
	}
	for _, tt := range tests {
		st(t, c, flash0, tt.acr)
		if got := c.core.Flash.FlashTiming; got != tt.want {
			t.Errorf("ACR %#x: %+v", tt.acr, got)
		}
	}
	run(t, c, clock.Microsecond) // a line is cached
	st(t, c, flash0, 0x805)      // off, and reset
	st(t, c, flash0, 0x705)
	if c.core.Flash.Insn != [64]uint32{} {
		t.Error("ICRST left lines in the instruction cache")
	}
	run(t, c, 10*clock.Microsecond)
	st(t, c, flash0, 0xF05) // on: not reset (§3.9.1)
	if c.core.Flash.Insn == [64]uint32{} {
		t.Error("ICRST emptied a cache that is on")
	}
	c.SetPower(false)
	c.SetPower(true)
	run(t, c, powerOnReset)
	if got := c.core.Flash.FlashTiming; got != (armv7m.FlashTiming{}) {
		t.Errorf("after a reset: %+v", got)
	}
}

// Loads from flash wait for the operation, as fetches do, and see what it left:
// RM0090 §3.6.
func TestFlashStallsLoads(t *testing.T) {
	for _, waits := range []uint32{0, 5, 0x705} {
		c := inRAM(t)
		st(t, c, flash0, waits)
		if err := c.LoadRAM(sramBase, []byte{0x0A, 0x68, 0x4B, 0x68, 0xFE, 0xE7}); err != nil { // LDR r2, [r1]; LDR r3, [r1, #4]; B .
			t.Fatal(err)
		}
		st(t, c, flashControl, pg32)
		if f := store(c, flashBase+0x20000, 4, 0x12345678); f != 0 {
			t.Fatal(f)
		}
		c.core.R[1], c.core.R[15] = flashBase+0x20000, sramBase
		from := c.core.Cycle
		run(t, c, programTime-clock.Microsecond)
		if c.core.R[15] != sramBase || !c.core.Held {
			t.Errorf("ACR %#x: at 0x%08x while flash is busy", waits, c.core.R[15])
		}
		run(t, c, 2*clock.Microsecond)
		if c.core.R[2] != 0x12345678 || c.core.R[3] != 0xFFFFFFFF {
			t.Errorf("ACR %#x: loaded 0x%08x and 0x%08x", waits, c.core.R[2], c.core.R[3])
		}
		if c.core.Cycle-from < uint64(programTime/clock.Microsecond)*16 {
			t.Errorf("ACR %#x: %d cycles", waits, c.core.Cycle-from)
		}
	}
}
