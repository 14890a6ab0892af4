package armv7m

import (
	"encoding/binary"
	"strings"
	"testing"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// The tests of the system part drive exceptions without instructions: they set
// the registers, let service work, and look at the result. Addresses of the
// test core:
const (
	testRAM    = 0x20000000
	testMSP    = testRAM + 0x1000
	testPSP    = testRAM + 0x2000
	testPC     = 0x2000
	testVector = 0x1000 // handler n is at testVector + 16n
)

// newSystem makes a core in Thread mode with 96 interrupts, all enabled, whose
// only memory are 16 KB of vectors and code at 0 and 64 KB of RAM.
func newSystem(t testing.TB) *Core {
	t.Helper()
	c := New(Config{CPUID: 0x410FC241, IRQs: 96, PrioBits: 4, Calib: 0x4000493E, RefDiv: 8, Bus: noBus{}})
	rom := make([]byte, 0x4000)
	binary.LittleEndian.PutUint32(rom[0:], testMSP)
	for n := 1; n < 256; n++ {
		binary.LittleEndian.PutUint32(rom[4*n:], uint32(testVector+16*n)|1)
	}
	c.Map([]Region{
		{Name: "rom", Base: 0, Data: rom},
		{Name: "ram", Base: testRAM, Data: make([]byte, 0x10000), Write: true},
	})
	c.limit = clock.Never
	c.SetXPSR(1 << 24)
	c.SetMSP(testMSP)
	c.SetPSP(testPSP)
	c.R[15] = testPC
	for i := uint32(0); i < 3; i++ {
		storeOK(t, c, scsBase+nvicISER+4*i, ^uint32(0))
	}
	return c
}

// noBus is an address space with nothing in it.
type noBus struct{}

func (noBus) Load(uint32, uint8) (uint32, bus.Fault) { return 0, bus.Error }
func (noBus) Store(uint32, uint8, uint32) bus.Fault  { return bus.Error }

func storeOK(t testing.TB, c *Core, addr, v uint32) {
	t.Helper()
	if f := c.ppbStore(addr, 4, v); f != bus.None {
		t.Fatalf("store %s = %#x: %v", PPBName(addr), v, f)
	}
}

func loadOK(t testing.TB, c *Core, addr uint32) uint32 {
	t.Helper()
	v, f := c.ppbLoad(addr, 4)
	if f != bus.None {
		t.Fatalf("load %s: %v", PPBName(addr), f)
	}
	return v
}

func setPriority(t testing.TB, c *Core, exc int, prio uint8) {
	t.Helper()
	addr := uint32(scsBase + scbSHPR + exc - excMemManage)
	if exc >= excIRQ0 {
		addr = uint32(scsBase + nvicIPR + exc - excIRQ0)
	}
	if f := c.ppbStore(addr, 1, uint32(prio)); f != bus.None {
		t.Fatalf("priority of %d: %v", exc, f)
	}
}

func word(t testing.TB, c *Core, addr uint32) uint32 {
	t.Helper()
	v, f := c.read32(addr)
	if f != bus.None {
		t.Fatalf("read %#x: %v", addr, f)
	}
	return v
}

func TestResetValues(t *testing.T) { // DDI 0403E B3.2, DDI 0439D table 4-1
	c := New(Config{CPUID: 0x410FC241, IRQs: 82, PrioBits: 4, Calib: 0x4000493E, RefDiv: 8, Bus: noBus{}})
	tests := []struct {
		off, want uint32
	}{
		{scbICTR, 2}, {scbACTLR, 0}, {sysTickCSR, 0}, {sysTickCALIB, 0x4000493E},
		{scbCPUID, 0x410FC241}, {scbICSR, 0x800}, {scbVTOR, 0}, {scbAIRCR, 0xFA050000}, {scbSCR, 0}, {scbCCR, 0x200},
		{scbSHPR, 0}, {scbSHCSR, 0}, {scbCFSR, 0}, {scbHFSR, 0}, {scbDFSR, 0}, {scbAFSR, 0},
		{scbID, 0x30}, {scbID + 4, 0x200}, {scbID + 8, 0x100000}, {scbID + 0x10, 0x00100030},
		{scbID + 0x20, 0x01141110}, {scbID + 0x30, 0x01310102}, {scbCPACR, 0},
		{mpuTYPE, 0x800}, {mpuCTRL, 0}, {fpFPCCR, 0xC0000000}, {fpFPCAR, 0}, {fpFPDSCR, 0},
		{fpMVFR0, 0x10110021}, {fpMVFR1, 0x11000011}, {dbgDEMCR, 0}, {nvicISER, 0}, {nvicIPR, 0},
	}
	for _, tt := range tests {
		if got := loadOK(t, c, scsBase+tt.off); got != tt.want {
			t.Errorf("%s = %#x, want %#x", PPBName(scsBase+tt.off), got, tt.want)
		}
	}
	if got := loadOK(t, c, dwtBase); got != 0x40000000 {
		t.Errorf("DWT.CTRL = %#x, want four comparators and nothing on", got)
	}
}

func TestResetStatusIsReadOnce(t *testing.T) {
	c := newSystem(t)
	if loadOK(t, c, scsBase+dbgDHCSR)&dhcsrSRESETST == 0 || loadOK(t, c, scsBase+dbgDHCSR)&dhcsrSRESETST != 0 {
		t.Error("DHCSR.S_RESET_ST is to be 1 in the first read after reset and 0 in the second")
	}
}

func TestWritableBits(t *testing.T) {
	tests := []struct{ addr, write, want uint32 }{
		{scsBase + scbVTOR, 0xFFFFFFFF, 0xFFFFFF80},
		{scsBase + scbSCR, 0xFFFFFFFF, 0x16},
		{scsBase + scbCCR, 0xFFFFFFFF, 0x31B},
		{scsBase + scbCPACR, 0xFFFFFFFF, 0x00F00000},
		{scsBase + scbSHPR + 4, 0xFFFFFFFF, 0xF0000000}, // SVCall alone
		{scsBase + scbSHPR + 8, 0xFFFFFFFF, 0xF0F000F0}, // SysTick, PendSV, DebugMonitor
		{scsBase + nvicIPR + 92, 0xFFFFFFFF, 0xF0F0F0F0},
		{scsBase + nvicIPR + 96, 0xFFFFFFFF, 0}, // beyond the last line
		{scsBase + nvicISER + 12, 0xFFFFFFFF, 0},
		{scsBase + sysTickRVR, 0xFFFFFFFF, 0x00FFFFFF},
		{scsBase + fpFPDSCR, 0xFFFFFFFF, 0x07C00000},
		{scsBase + fpFPCAR, 0xFFFFFFFF, 0xFFFFFFF8},
		{scsBase + fpFPCCR, 0xFFFFFFFF, 0xC000017B},
		{scsBase + mpuCTRL, 0xFFFFFFF8, 0},
		{scsBase + dbgDEMCR, 0x01000000, 0x01000000},
		{scsBase + scbCPUID, 0, 0x410FC241},
		{scsBase + scbAIRCR, 0x00000700, 0xFA050000}, // no key
		{scsBase + scbAIRCR, 0x05FA0500, 0xFA050500},
		{scsBase + scbACTLR, 3, 3},
		{dwtBase + dwtCTRL, 1, 0x40000001},
		{fpbBase + fpCTRL, 1, 0x260}, // no key
		{fpbBase + fpCTRL, 3, 0x261},
	}
	for _, tt := range tests {
		c := newSystem(t)
		storeOK(t, c, tt.addr, tt.write)
		if got := loadOK(t, c, tt.addr); got != tt.want {
			t.Errorf("%s after %#x = %#x, want %#x", PPBName(tt.addr), tt.write, got, tt.want)
		}
	}
}

func TestAccessShapes(t *testing.T) {
	tests := []struct {
		addr  uint32
		width uint8
		want  bus.Fault
	}{
		{scsBase + nvicIPR + 3, 1, bus.None},
		{scsBase + nvicIPR + 2, 2, bus.None},
		{scsBase + scbSHPR + 7, 1, bus.None},
		{scsBase + scbCFSR + 1, 1, bus.None},
		{scsBase + scbCFSR + 2, 2, bus.None},
		{itmBase, 1, bus.None},
		{scsBase + nvicISER, 1, bus.Unmodelled},
		{scsBase + scbICSR, 2, bus.Unmodelled},
		{scsBase + scbICSR + 2, 4, bus.Unmodelled},
		{scsBase + dbgDCRSR, 4, bus.Unmodelled},
		{dwtBase + 0x20, 4, bus.Unmodelled},
		{dwtBase + 0x28, 4, bus.None},
		{fpbBase + fpREMAP, 4, bus.Unmodelled},
		{0xE0040000, 4, bus.Unmodelled}, // TPIU
		{0xE00FF000, 4, bus.Unmodelled}, // ROM table
	}
	for _, tt := range tests {
		c := newSystem(t)
		if _, got := c.ppbLoad(tt.addr, tt.width); got != tt.want {
			t.Errorf("load of %d bytes at %s: %v, want %v", tt.width, PPBName(tt.addr), got, tt.want)
		}
	}
}

func TestByteLanes(t *testing.T) {
	c := newSystem(t)
	c.Sys.CFSR = 0x02018282
	if v, _ := c.ppbLoad(scsBase+scbCFSR+2, 2); v != 0x0201 {
		t.Errorf("UFSR = %#x, want 0x0201", v)
	}
	c.ppbStore(scsBase+scbCFSR+1, 1, 0xFF)
	if c.Sys.CFSR != 0x02010082 {
		t.Errorf("CFSR after clearing BFSR = %#x, want 0x02010082", c.Sys.CFSR)
	}
	c.ppbStore(scsBase+nvicIPR+6, 2, 0x5A7F)
	if v := loadOK(t, c, scsBase+nvicIPR+4); v != 0x50700000 {
		t.Errorf("IPR1 = %#x, want 0x50700000", v)
	}
}

func TestUnprivilegedAccess(t *testing.T) {
	c := newSystem(t)
	c.Control |= controlNPRIV
	if _, f := c.ppbLoad(scsBase+scbCPUID, 4); f != bus.Error {
		t.Errorf("load: %v, want a bus error", f)
	}
	if f := c.ppbStore(scsBase+scbSTIR, 4, 5); f != bus.Error {
		t.Errorf("STIR without USERSETMPEND: %v, want a bus error", f)
	}
	c.Sys.CCR |= ccrUSERSETMPEND
	c.Primask = true
	if f := c.ppbStore(scsBase+scbSTIR, 4, 5); f != bus.None || !c.Sys.Pending.has(excIRQ0+5) {
		t.Errorf("STIR with USERSETMPEND: %v, pending %v", f, c.Sys.Pending)
	}
}

// TestEveryRegisterHasAName walks the private peripheral bus: what can be read
// must be called by its name in messages.
func TestEveryRegisterHasAName(t *testing.T) {
	c := newSystem(t)
	seen := map[string]uint32{}
	for _, block := range []uint32{itmBase, dwtBase, fpbBase, scsBase} {
		for off := uint32(0); off < 0x1000; off += 4 {
			if _, f := c.ppbLoad(block+off, 4); f != bus.None {
				continue
			}
			name := PPBName(block + off)
			if strings.HasPrefix(name, "PPB") {
				t.Errorf("0x%08X is readable and has no name", block+off)
			}
			if other, ok := seen[name]; ok {
				t.Errorf("0x%08X and 0x%08X are both %s", other, block+off, name)
			}
			seen[name] = block + off
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d registers found", len(seen))
	}
}

func TestExcSetIRQs(t *testing.T) {
	for irq := 0; irq < 240; irq++ {
		var s ExcSet
		s.set(excIRQ0 + irq)
		for i := 0; i < 8; i++ {
			want := uint32(0)
			if irq/32 == i {
				want = 1 << (irq % 32)
			}
			if got := s.irqs(i); got != want {
				t.Fatalf("interrupt %d: word %d = %#x, want %#x", irq, i, got, want)
			}
		}
	}
}

func TestAIRCR(t *testing.T) {
	c := newSystem(t)
	storeOK(t, c, scsBase+scbAIRCR, 0x05FA0004)
	if c.stop == nil || c.stop.Reason != ResetRequest {
		t.Errorf("SYSRESETREQ: stop = %+v", c.stop)
	}
	for _, v := range []uint32{0x05FA0001, 0x05FA0002} {
		if f := c.ppbStore(scsBase+scbAIRCR, 4, v); f != bus.Unmodelled {
			t.Errorf("AIRCR = %#x: %v, want it reported as not modelled", v, f)
		}
	}
}

func TestCycleCounter(t *testing.T) {
	c := newSystem(t)
	at := func(cycle uint64) uint32 { c.Cycle = cycle; return loadOK(t, c, dwtBase+dwtCYCCNT) }
	enable := func(trcena, cyccntena uint32) {
		storeOK(t, c, scsBase+dbgDEMCR, trcena<<24)
		storeOK(t, c, dwtBase+dwtCTRL, cyccntena)
	}
	steps := []struct {
		do   func()
		at   uint64
		want uint32
	}{
		{func() {}, 50, 0},
		{func() { c.Cycle = 100; enable(0, 1) }, 150, 0},
		{func() { c.Cycle = 200; enable(1, 1) }, 250, 50},
		{func() { c.Cycle = 300; storeOK(t, c, dwtBase+dwtCYCCNT, 0xFFFFFFFF) }, 301, 0},
		{func() { c.Slept += 30 }, 350, 19},
		{func() { enable(1, 0) }, 400, 19},
		{func() { enable(1, 1) }, 402, 21},
		{func() { enable(0, 1) }, 500, 21},
	}
	for i, s := range steps {
		s.do()
		if got := at(s.at); got != s.want {
			t.Errorf("step %d: CYCCNT at %d = %d, want %d", i, s.at, got, s.want)
		}
	}
}

func TestITMLock(t *testing.T) {
	c := newSystem(t)
	storeOK(t, c, itmBase+itmTER, 1)
	if v := loadOK(t, c, itmBase+itmTER); v != 0 {
		t.Errorf("TER written while locked: %#x", v)
	}
	storeOK(t, c, itmBase+lockLAR, lockKey)
	storeOK(t, c, itmBase+itmTER, 1)
	if v := loadOK(t, c, itmBase+itmTER); v != 1 {
		t.Errorf("TER = %#x, want 1", v)
	}
}

func TestNVICRegisters(t *testing.T) { // DDI 0403E B3.4
	c := newSystem(t)
	c.Primask = true
	steps := []struct {
		off, write uint32
		read       uint32
		want       uint32
	}{
		{nvicISER + 4, 0, nvicICER + 4, 0xFFFFFFFF},
		{nvicICER + 4, 0x00FF0000, nvicISER + 4, 0xFF00FFFF},
		{nvicISER + 4, 0x00100000, nvicICER + 4, 0xFF10FFFF},
		{nvicISPR + 8, 0x80000001, nvicICPR + 8, 0x80000001},
		{nvicICPR + 8, 0x00000001, nvicISPR + 8, 0x80000000},
		{nvicISPR + 12, 0xFFFFFFFF, nvicISPR + 12, 0},
		{nvicIABR, 0xFFFFFFFF, nvicIABR, 0},
		{scbSTIR, 7, nvicISPR, 1 << 7},
		{scbSTIR, 96, nvicISPR + 12, 0},
	}
	for _, s := range steps {
		storeOK(t, c, scsBase+s.off, s.write)
		if got := loadOK(t, c, scsBase+s.read); got != s.want {
			t.Errorf("%s = %#x: %s = %#x, want %#x", PPBName(scsBase+s.off), s.write, PPBName(scsBase+s.read), got, s.want)
		}
	}
	c.msr(sysmPRIMASK, 0, 0)
	c.service()
	if got := loadOK(t, c, scsBase+nvicIABR); got != 1<<7 {
		t.Errorf("IABR0 = %#x in the handler of interrupt 7", got)
	}
}

func TestPPBName(t *testing.T) {
	for addr, want := range map[uint32]string{
		0xE0000000: "ITM.STIM0", 0xE000007C: "ITM.STIM31", 0xE0000FB0: "ITM.LAR",
		0xE0001004: "DWT.CYCCNT", 0xE000101C: "DWT.PCSR", 0xE0001034: "DWT.MASK1", 0xE0001058: "DWT.FUNCTION3",
		0xE0002000: "FPB.FP_CTRL", 0xE0002004: "FPB.FP_REMAP", 0xE0002024: "FPB.FP_COMP7",
		0xE000E008: "SCnSCB.ACTLR", 0xE000E018: "SysTick.CVR", 0xE000E104: "NVIC.ISER1", 0xE000E304: "NVIC.IABR1",
		0xE000E41D: "NVIC.IPR7", 0xE000ED04: "SCB.ICSR", 0xE000ED20: "SCB.SHPR3", 0xE000ED70: "SCB.ID_ISAR4",
		0xE000EDB8: "MPU.RASR_A3", 0xE000EDF4: "CoreDebug.DCRSR", 0xE000EF34: "FPU.FPCCR", 0xE0040000: "PPB 0xE0040000",
	} {
		if got := PPBName(addr); got != want {
			t.Errorf("0x%08X is %q, want %q", addr, got, want)
		}
	}
}

func TestFaultStatusClearsByOnes(t *testing.T) {
	for _, off := range []uint32{scbCFSR, scbHFSR, scbDFSR} {
		c := newSystem(t)
		c.Sys.CFSR, c.Sys.HFSR, c.Sys.DFSR = 0x3, 0x3, 0x3
		storeOK(t, c, scsBase+off, 1)
		if got := loadOK(t, c, scsBase+off); got != 2 {
			t.Errorf("%s = %#x, want 2", PPBName(scsBase+off), got)
		}
	}
}

func TestDebugMonitorPends(t *testing.T) {
	c := newSystem(t)
	storeOK(t, c, scsBase+dbgDEMCR, demcrMONEN|demcrMONPEND)
	if got := loadOK(t, c, scsBase+dbgDEMCR); got != demcrMONEN|demcrMONPEND {
		t.Errorf("DEMCR = %#x", got)
	}
	c.service()
	if c.IPSR != excDebugMonitor || loadOK(t, c, scsBase+dbgDEMCR) != demcrMONEN {
		t.Errorf("in exception %d, DEMCR %#x", c.IPSR, loadOK(t, c, scsBase+dbgDEMCR))
	}
}
