package esp32c3

import "testing"

// Registers of permissions can be locked until the next reset (TRM Permission Control).
func TestPermissionsLock(t *testing.T) {
	c := started(t, Options{}, endless())
	const base = 0x600C1000
	if got := ld(t, c, base+0xC4); got != 0x0F0FF0FF {
		t.Errorf("CORE_X_DRAM0_PMS_CONSTRAIN_1 0x%08x after the reset", got)
	}
	st(t, c, base+0xC4, 0)
	st(t, c, base+0xC0, 1)
	st(t, c, base+0xC4, 5)
	st(t, c, base+0xC0, 0)
	st(t, c, base+0xCC, 1)
	if a, b, other := ld(t, c, base+0xC0), ld(t, c, base+0xC4), ld(t, c, base+0xCC); a != 1 || b != 0 || other != 1 {
		t.Errorf("lock %d, locked %d, of the next group %d: want 1, 0, 1", a, b, other)
	}
}

// The debug assistant keeps where the core was when it was reset.
func TestAssistRecords(t *testing.T) {
	c := started(t, Options{}, endless())
	const rcd = 0x600CE044
	st(t, c, rcd, 3)
	st(t, c, rtc0, 1<<31) // SW_SYS_RST
	run(t, c, 1000)
	if got := c.ASSIST.Regs[assistRCD_PC/4]; got-callerCode >= 0x100 {
		t.Errorf("recorded 0x%08x", got)
	}
}

// Debug triggers are kept, each for itself, and say what kind they are (TRM ESP-RISC-V CPU,
// tdata1.type: 2).
func TestTriggersAreKept(t *testing.T) {
	c := started(t, Options{}, endless())
	x := csrs{c}
	for n := range uint64(triggers) {
		x.WriteCSR(csrTSELECT, n)
		x.WriteCSR(csrTDATA2, 0x3FC80000+n)
	}
	x.WriteCSR(csrTSELECT, 3)
	x.WriteCSR(csrTDATA1, 1<<6|1<<1)
	data, _ := x.ReadCSR(csrTDATA1)
	address, _ := x.ReadCSR(csrTDATA2)
	if data != 2<<28|1<<6|1<<1 || address != 0x3FC80003 {
		t.Errorf("tdata1 0x%x, tdata2 0x%x", data, address)
	}
	if _, ok := x.ReadCSR(0x7A3); ok {
		t.Error("tdata3, which the part has not")
	}
}
