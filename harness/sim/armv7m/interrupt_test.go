package armv7m

import (
	"encoding/binary"
	"testing"
)

// These tests run instructions: Thread mode is a field of NOPs at testPC, and
// the handler of exception n is written to its vector's address.

func runningCore(t testing.TB, thread []uint16) *Core {
	c := newSystem(t)
	rom := c.windowAt(0).data
	for a := testPC; a < len(rom); a += 2 {
		binary.LittleEndian.PutUint16(rom[a:], 0xBF00) // NOP
	}
	for exc := 1; exc < 256; exc++ {
		putCode(c, testVector+16*uint32(exc), 0x4770) // BX LR
	}
	putCode(c, testPC, thread...)
	return c
}

func putCode(c *Core, addr uint32, code ...uint16) {
	rom := c.windowAt(0).data
	for i, h := range code {
		binary.LittleEndian.PutUint16(rom[addr+2*uint32(i):], h)
	}
}

// TestInterruptCycles: 12 cycles in, BX's one, 10 out, from any cycle of a run
// of one-cycle instructions.
func TestInterruptCycles(t *testing.T) {
	for at := uint64(20); at < 60; at++ {
		c := runningCore(t, nil)
		c.Run(at)
		c.SetIRQ(4, true)
		c.SetIRQ(4, false)
		for _, step := range []struct {
			until uint64
			ipsr  uint16
		}{{at + 11, 0}, {at + 12, 20}, {at + 22, 20}, {at + 23, 0}} {
			c.Run(step.until)
			if c.Cycle != step.until || c.IPSR != step.ipsr {
				t.Fatalf("interrupt at %d: in exception %d at %d, want %d at %d", at, c.IPSR, c.Cycle, step.ipsr, step.until)
			}
		}
		if c.R[15] != testPC+2*uint32(at) {
			t.Fatalf("interrupt at %d: resumed at %#x", at, c.R[15])
		}
	}
}

func TestUnmaskTakesInterrupt(t *testing.T) {
	c := runningCore(t, []uint16{0xB672, 0xBF00, 0xBF00, 0xB662}) // CPSID i, NOP, NOP, CPSIE i
	c.SetIRQ(4, true)
	c.Primask = true
	c.updatePending()
	c.Run(3)
	if c.IPSR != 0 {
		t.Fatal("taken while masked")
	}
	c.Run(16)
	if c.IPSR != 20 || c.Cycle != 16 {
		t.Errorf("exception %d at cycle %d, want 20 at 16: CPSIE and an entry", c.IPSR, c.Cycle)
	}
}

func TestSleepSkipsAhead(t *testing.T) {
	c := runningCore(t, []uint16{0xBF30}) // WFI
	if stop := c.Run(1_000_000); stop.Reason != Asleep || c.Cycle != 1_000_000 || c.Insns != 1 {
		t.Fatalf("stop %+v at cycle %d after %d instructions", stop, c.Cycle, c.Insns)
	}
	c.SetIRQ(4, true)
	if c.Run(1_000_012); c.IPSR != 20 || c.Cycle != 1_000_012 {
		t.Errorf("exception %d at cycle %d", c.IPSR, c.Cycle)
	}
	if c.Slept < 999_990 {
		t.Errorf("slept %d cycles", c.Slept)
	}
}

// TestSysTickRuns counts a periodic interrupt over a million cycles: SysTick
// wakes the core from WFI in a loop.
func TestSysTickRuns(t *testing.T) {
	c := runningCore(t, []uint16{0xBF30, 0xE7FD})        // WFI; B back to it
	putCode(c, testVector+16*excSysTick, 0x3601, 0x4770) // ADDS r6, #1; BX LR
	storeOK(t, c, scsBase+sysTickRVR, 999)
	storeOK(t, c, scsBase+sysTickCSR, 7)
	if stop := c.Run(1_000_500); stop.Reason != Asleep || c.Cycle != 1_000_500 {
		t.Errorf("stop %+v at cycle %d", stop, c.Cycle)
	}
	if c.R[6] != 1000 {
		t.Errorf("%d interrupts in 1000500 cycles, want 1000", c.R[6])
	}
}

// TestLazySaveRuns executes VADD.F32 in Thread mode and in a handler.
func TestLazySaveRuns(t *testing.T) {
	vadd := []uint16{0xEE30, 0x0A20} // VADD.F32 s0, s0, s1
	c := runningCore(t, vadd)
	putCode(c, testVector+16*20, 0xEE30, 0x0A20, 0x4770)
	storeOK(t, c, scsBase+scbCPACR, cpacrFull)
	c.S[0], c.S[1] = 0x3F800000, 0x3F800000
	c.Run(10)
	if c.S[0] != 0x40000000 {
		t.Fatalf("s0 = %#x, want 2", c.S[0])
	}
	c.SetIRQ(4, true)
	c.SetIRQ(4, false)
	c.Run(10 + entryCycles + lazySaveCycles + 1)
	if c.IPSR != 20 || c.S[0] != 0x40400000 || c.Sys.FPCCR&fpccrLSPACT != 0 {
		t.Errorf("exception %d s0 %#x FPCCR %#x at %d", c.IPSR, c.S[0], c.Sys.FPCCR, c.Cycle)
	}
	c.Run(200)
	if c.IPSR != 0 || c.S[0] != 0x40000000 {
		t.Errorf("after return: exception %d s0 %#x", c.IPSR, c.S[0])
	}
}

func TestFetchFromPeripherals(t *testing.T) { // execute never, DDI 0403E B3.1
	for _, pc := range []uint32{0x40000000, 0xA0000000, 0xE0001000} {
		c := runningCore(t, nil)
		c.setSHCSR(1 << 16)
		c.R[15] = pc
		c.Run(12)
		if c.IPSR != excMemManage || c.Sys.CFSR != 1 {
			t.Errorf("at %#x: exception %d CFSR %#x, want MemManage with IACCVIOL", pc, c.IPSR, c.Sys.CFSR)
		}
	}
}

// BenchmarkMasking is what a TinyGo scheduler does most: CPSID, CPSIE.
func BenchmarkMasking(b *testing.B) {
	c := newSystem(b)
	c.SetIRQ(4, true)
	for range b.N {
		c.cps(false, true, false)
		c.cps(true, true, false)
	}
}

// TestBusFaultsIgnored: with CCR.BFHFNMIGN a load of nothing goes on under
// FAULTMASK, and locks up without it.
func TestBusFaultsIgnored(t *testing.T) {
	for _, ignored := range []bool{true, false} {
		c := runningCore(t, []uint16{0x6808}) // LDR r0, [r1]
		c.R[1] = 0x60000000
		c.Sys.CCR |= bit(ignored) * ccrBFHFNMIGN
		c.cps(false, false, true)
		stop := c.Run(10)
		if ignored && stop.Reason != Deadline || !ignored && stop.Reason != Lockup {
			t.Errorf("ignored %v: stop %+v", ignored, stop)
		}
	}
}
