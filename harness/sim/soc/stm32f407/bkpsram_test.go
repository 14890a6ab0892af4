package stm32f407

import (
	"testing"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// RM0090 §5.1.2 and §5.1.1: accessible with its clock on, written only while
// DBP is set, kept over a reset, lost with the supply.
func TestBackupSRAM(t *testing.T) {
	const bkp = 0x40024000
	c := started(t, Options{}, endless())
	if v := ld(t, c, bkp); v != 0 || !warned(c, "BKPSRAM used while its clock is off") {
		t.Errorf("without its clock: %#x, %q", v, c.Warnings())
	}
	gates(t, c)
	first := ld(t, c, bkp+0xFFC)
	st(t, c, bkp+0xFFC, ^first)
	if v := ld(t, c, bkp+0xFFC); v != first || !warned(c, "BKPSRAM written while PWR.CR.DBP is 0") {
		t.Errorf("%#x after a write without DBP, want %#x; %q", v, first, c.Warnings())
	}
	st(t, c, pwr0, pwrDBP)
	st(t, c, bkp+0xFFC, 0x11223344)
	if f := (cpuBus{c}).Store(bkp+0xFFD, 1, 0xAA); f != bus.None {
		t.Fatal(f)
	}
	snap := c.Snapshot()
	kept := func(when string, want bool) {
		gates(t, c)
		if v := ld(t, c, bkp+0xFFC); v == 0x1122AA44 != want {
			t.Errorf("%#x %s", v, when)
		}
	}
	kept("after a store of a byte", true)
	c.SetReset(true)
	c.SetReset(false)
	run(t, c, resetPulse)
	kept("after a reset", true)
	c.SetPower(false)
	c.SetPower(true)
	run(t, c, powerOnReset+clock.Microsecond)
	kept("after a loss of power", false)
	c.Restore(snap)
	kept("after Restore", true)
}
