package armv7m

import "testing"

func TestCoprocessorAccess(t *testing.T) { // DDI 0403E B3.2.20
	for _, tt := range []struct {
		cpacr      uint32
		privileged bool
		want       bool
	}{
		{0, true, false}, {0, false, false},
		{0x00500000, true, true}, {0x00500000, false, false},
		{0x00F00000, true, true}, {0x00F00000, false, true},
	} {
		c := newSystem(t)
		c.setSHCSR(1 << 18)
		storeOK(t, c, scsBase+scbCPACR, tt.cpacr)
		c.Control |= bit(!tt.privileged)
		if got := c.fpPrepare(); got != tt.want {
			t.Errorf("CPACR %#x privileged %v: %v, want %v", tt.cpacr, tt.privileged, got, tt.want)
		}
		if !tt.want && (c.IPSR != excUsageFault || c.Sys.CFSR != 1<<19) {
			t.Errorf("CPACR %#x: exception %d CFSR %#x, want NOCP", tt.cpacr, c.IPSR, c.Sys.CFSR)
		}
		if tt.want && c.Control&controlFPCA == 0 {
			t.Error("CONTROL.FPCA is clear after a floating-point instruction")
		}
	}
}

func TestNewContextTakesDefaults(t *testing.T) {
	c := newSystem(t)
	storeOK(t, c, scsBase+scbCPACR, cpacrFull)
	storeOK(t, c, scsBase+fpFPDSCR, 0x03000000)
	c.FPSCR = 0x60000010
	c.fpPrepare()
	if c.FPSCR != 0x03000000 {
		t.Errorf("FPSCR = %#x, want FPDSCR's", c.FPSCR)
	}
	c.FPSCR = 0x60000010
	c.fpPrepare()
	if c.FPSCR != 0x60000010 {
		t.Errorf("FPSCR = %#x, want it kept in an existing context", c.FPSCR)
	}
}

// inLazyHandler is a core in the handler of interrupt 4 whose frame reserves
// room for the floating-point registers s0 = 0xA0, s1 = 0xA1...
func inLazyHandler(t *testing.T, prepare func(*Core)) *Core {
	c := newSystem(t)
	storeOK(t, c, scsBase+scbCPACR, cpacrFull)
	c.fpPrepare()
	for i := range c.S {
		c.S[i] = 0xA0 + uint32(i)
	}
	c.FPSCR = 0x10000001
	setPriority(t, c, 20, 0x80)
	prepare(c)
	c.SetIRQ(4, true)
	c.SetIRQ(4, false)
	c.service()
	if c.IPSR != 20 || c.Sys.FPCCR&fpccrLSPACT == 0 {
		t.Fatalf("exception %d FPCCR %#x", c.IPSR, c.Sys.FPCCR)
	}
	return c
}

func TestLazySave(t *testing.T) {
	c := inLazyHandler(t, func(*Core) {})
	frame, start := c.R[13], c.Cycle
	if got := word(t, c, frame+0x20); got != 0 {
		t.Fatalf("s0 was stacked at entry: %#x", got)
	}
	if !c.fpPrepare() || c.Cycle-start != lazySaveCycles {
		t.Fatalf("the save took %d cycles, want %d", c.Cycle-start, lazySaveCycles)
	}
	for i := range uint32(16) {
		if got := word(t, c, frame+0x20+4*i); got != 0xA0+i {
			t.Errorf("s%d in the frame = %#x", i, got)
		}
	}
	if got := word(t, c, frame+0x60); got != 0x10000001 {
		t.Errorf("FPSCR in the frame = %#x", got)
	}
	if c.Sys.FPCCR&fpccrLSPACT != 0 || c.FPSCR != 0 || c.Control&controlFPCA == 0 {
		t.Errorf("FPCCR %#x FPSCR %#x CONTROL %#x after the save", c.Sys.FPCCR, c.FPSCR, c.Control)
	}
	start = c.Cycle
	if c.fpPrepare(); c.Cycle != start {
		t.Error("the second instruction paid again")
	}

	clear(c.S[:16])
	start = c.Cycle
	c.exceptionReturn(c.R[14])
	c.service()
	if got := c.Cycle - start; got != returnCycles+fpFrameCycles {
		t.Errorf("return with registers took %d cycles, want %d", got, returnCycles+fpFrameCycles)
	}
	if c.S[0] != 0xA0 || c.S[15] != 0xAF || c.FPSCR != 0x10000001 || c.R[13] != testMSP {
		t.Errorf("s0 %#x s15 %#x FPSCR %#x sp %#x after return", c.S[0], c.S[15], c.FPSCR, c.R[13])
	}
}

func TestLazySaveNotNeeded(t *testing.T) {
	c := inLazyHandler(t, func(*Core) {})
	start := c.Cycle
	c.exceptionReturn(c.R[14])
	c.service()
	if c.Cycle-start != returnCycles || c.Sys.FPCCR&fpccrLSPACT != 0 || c.S[0] != 0xA0 || c.R[13] != testMSP || c.Control&controlFPCA == 0 {
		t.Errorf("return took %d cycles, FPCCR %#x, s0 %#x, sp %#x, CONTROL %#x",
			c.Cycle-start, c.Sys.FPCCR, c.S[0], c.R[13], c.Control)
	}
}

// TestLazyReservationRecords what the interrupted context could have taken
// (UpdateFPCCR(), B1.5.7).
func TestLazyReservationRecords(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*Core)
		want    uint32
	}{
		{"nothing enabled", func(*Core) {}, fpccrTHREAD | fpccrHFRDY},
		{"all enabled", func(c *Core) { c.setSHCSR(7 << 16); c.setDEMCR(demcrMONEN) },
			fpccrTHREAD | fpccrHFRDY | fpccrMMRDY | fpccrBFRDY | fpccrMONRDY},
		{"user", func(c *Core) { c.Control |= controlNPRIV }, fpccrTHREAD | fpccrHFRDY | fpccrUSER},
		{"BASEPRI", func(c *Core) { c.setSHCSR(7 << 16); c.Sys.Priority[excBusFault] = 0xA0; c.msr(sysmBASEPRI, 0, 0xA0) },
			fpccrTHREAD | fpccrHFRDY | fpccrMMRDY},
	}
	for _, tt := range tests {
		c := inLazyHandler(t, tt.prepare)
		if got := c.Sys.FPCCR & fpccrState; got != tt.want|fpccrLSPACT {
			t.Errorf("%s: FPCCR state %#x, want %#x", tt.name, got, tt.want|fpccrLSPACT)
		}
	}
}

func TestLazySaveFaults(t *testing.T) {
	nowhere := func(c *Core) { c.Sys.FPCAR = 0x30000000 }
	closed := func(c *Core) { c.Sys.MPU.Ctrl = mpuENABLE; c.refreshDerived() }
	open := func(c *Core) { // BusFault and MemManage pre-empt the handler
		c.setSHCSR(7 << 16)
	}
	low := func(c *Core) { // they were ready, but do not pre-empt the handler
		open(c)
		c.Sys.Priority[excBusFault], c.Sys.Priority[excMemManage] = 0xF0, 0xF0
	}
	tests := []struct {
		name           string
		prepare, spoil func(*Core)
		exc            uint16
		done           bool
		cfsr, hfsr     uint32
	}{
		{"bus", open, nowhere, excBusFault, false, 1 << 13, 0},
		{"bus, disabled", func(*Core) {}, nowhere, excHardFault, false, 1 << 13, hfsrFORCED},
		{"bus, waits", low, nowhere, 20, true, 1 << 13, 0},
	}
	for _, tt := range tests {
		c := inLazyHandler(t, tt.prepare)
		tt.spoil(c)
		if got := c.fpPrepare(); got != tt.done || c.IPSR != tt.exc || c.Sys.CFSR != tt.cfsr || c.Sys.HFSR != tt.hfsr {
			t.Errorf("%s: done %v exception %d CFSR %#x HFSR %#x", tt.name, got, c.IPSR, c.Sys.CFSR, c.Sys.HFSR)
		}
		if got := c.Sys.FPCCR&fpccrLSPACT != 0; got == tt.done {
			t.Errorf("%s: LSPACT %v", tt.name, got)
		}
	}
	c := inLazyHandler(t, func(c *Core) { c.cps(false, false, false); open(c) })
	closed(c)
	if c.fpPrepare() || c.Sys.CFSR&(1<<5) == 0 {
		t.Errorf("MPU: CFSR %#x, want MLSPERR", c.Sys.CFSR)
	}
	c = inLazyHandler(t, func(*Core) {})
	nowhere(c)
	c.Sys.FPCCR &^= fpccrHFRDY
	if c.fpPrepare() || c.stop == nil || c.stop.Reason != Lockup {
		t.Errorf("not even HardFault was ready: stop %+v, want a lockup", c.stop)
	}
}
