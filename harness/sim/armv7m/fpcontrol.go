package armv7m

// Floating-point control offsets from 0xE000E000 and bits (DDI 0403E B3.2.20
// and B3.2.21; B1.5.7 for lazy state preservation).
const (
	fpFPCCR  = 0xF34
	fpFPCAR  = 0xF38
	fpFPDSCR = 0xF3C
	fpMVFR0  = 0xF40
	fpMVFR1  = 0xF44

	fpccrASPEN  = 1 << 31
	fpccrLSPEN  = 1 << 30
	fpccrMONRDY = 1 << 8
	fpccrBFRDY  = 1 << 6
	fpccrMMRDY  = 1 << 5
	fpccrHFRDY  = 1 << 4
	fpccrTHREAD = 1 << 3
	fpccrUSER   = 1 << 1
	fpccrLSPACT = 1 << 0
	fpccrState  = fpccrMONRDY | fpccrBFRDY | fpccrMMRDY | fpccrHFRDY | fpccrTHREAD | fpccrUSER | fpccrLSPACT
	fpccrMask   = fpccrASPEN | fpccrLSPEN | fpccrState

	fpdscrMask = 0x07C00000 // AHP, DN, FZ, RMode

	cpacrMask = 0xF << 20 // CP10 and CP11
	cpacrFull = 0xF << 20
)

// lazySaveCycles is what the first floating-point instruction of a handler pays
// when its frame was only reserved: 17 stores behind one another, which take
// one cycle more than their number. It is our assumption, near Arm's 17 for
// eager stacking, and not measured. The part can be interrupted in the save and
// starts it over; the model completes it first.
const lazySaveCycles = 18

// fpPrepare readies the unit for a floating-point instruction
// (ExecuteFPCheck(), DDI 0403E B1.5.7). If it returns false a fault was taken
// instead and the instruction must not execute.
func (c *Core) fpPrepare() bool {
	if c.Sys.CPACR == cpacrFull && c.Control&controlFPCA != 0 && c.Sys.FPCCR&fpccrLSPACT == 0 {
		return true
	}
	return c.fpPrepareContext()
}

func (c *Core) fpPrepareContext() bool {
	if !c.fpEnabled(c.privileged()) {
		c.raise(faultNoCP, 0)
		return false
	}
	if c.Sys.FPCCR&fpccrLSPACT != 0 && !c.saveLazily() {
		return false
	}
	if c.Control&controlFPCA == 0 && c.Sys.FPCCR&fpccrASPEN != 0 {
		c.FPSCR = c.Sys.FPDSCR
		c.Control |= controlFPCA
	}
	return true
}

// fpEnabled is the CPACR check: CP10 decides, since CP11 must equal it.
func (c *Core) fpEnabled(privileged bool) bool {
	switch c.Sys.CPACR >> 20 & 3 {
	case 1:
		return privileged
	case 3:
		return true
	}
	return false
}

// reserveFP records how to save the registers later (UpdateFPCCR()): where,
// at which privilege, and which faults could be taken then.
func (c *Core) reserveFP(addr uint32) {
	s := &c.Sys
	s.FPCAR = addr &^ 7
	s.FPCCR = s.FPCCR&^fpccrState | fpccrLSPACT
	s.FPCCR |= bit(!c.privileged()) * fpccrUSER
	s.FPCCR |= bit(c.IPSR == 0) * fpccrTHREAD
	s.FPCCR |= bit(c.executionPriority() > -1) * fpccrHFRDY
	s.FPCCR |= bit(c.canTake(excMemManage)) * fpccrMMRDY
	s.FPCCR |= bit(c.canTake(excBusFault)) * fpccrBFRDY
	s.FPCCR |= bit(c.canTake(excDebugMonitor)) * fpccrMONRDY
}

// stackFP writes s0 to s15 and FPSCR; the eighteenth word stays reserved.
func (c *Core) stackFP(addr uint32, privileged bool) faultKind {
	if f := c.stackWords(addr, c.S[:16], privileged); f != faultNone {
		return f
	}
	return c.stackWord(addr+0x40, c.FPSCR, privileged)
}

// unstackFP restores the floating-point registers of an extended frame, or
// finds that they were never saved and still hold.
func (c *Core) unstackFP(r returning) faultKind {
	if c.Sys.FPCCR&fpccrLSPACT != 0 {
		c.Sys.FPCCR &^= fpccrLSPACT
		return faultNone
	}
	if !c.fpEnabled(r.privileged(c)) {
		return faultNoCP
	}
	var words [17]uint32
	if f := c.unstackWords(r, basicFrame, words[:]); f != faultNone {
		return f
	}
	copy(c.S[:16], words[:16])
	c.FPSCR = words[16]
	return faultNone
}

// saveLazily saves the registers for which a frame was reserved
// (PreserveFPState()). A fault in it belongs to the context that reserved the
// frame; if it can be taken now the instruction is abandoned and tries again
// later, else it stays pending and the state is lost.
func (c *Core) saveLazily() bool {
	s := &c.Sys
	c.Cycle += lazySaveCycles
	switch c.stackFP(s.FPCAR, s.FPCCR&fpccrUSER == 0) {
	case faultMPUStacking:
		c.pendLazy(faultMPULazy, s.FPCCR&fpccrMMRDY != 0)
	case faultStacking:
		c.pendLazy(faultLazyBus, s.FPCCR&fpccrBFRDY != 0)
	default:
		s.FPCCR &^= fpccrLSPACT
		return c.stop == nil
	}
	if c.attention && c.stop == nil {
		c.service()
		return false
	}
	s.FPCCR &^= fpccrLSPACT
	return c.stop == nil
}

// pendLazy pends the fault of a lazy save (TakePreserveFPException()).
func (c *Core) pendLazy(k faultKind, ready bool) {
	c.record(k, 0)
	switch {
	case ready:
		c.setPending(faults[k].exc)
	case c.Sys.FPCCR&fpccrHFRDY != 0:
		c.Sys.HFSR |= hfsrFORCED
		c.setPending(excHardFault)
	default:
		c.lockup("fault while saving floating-point state")
	}
}

func (c *Core) fpControlRead(off uint32) (v uint32, known bool) {
	switch off {
	case fpFPCCR:
		return c.Sys.FPCCR, true
	case fpFPCAR:
		return c.Sys.FPCAR, true
	case fpFPDSCR:
		return c.Sys.FPDSCR, true
	case fpMVFR0: // DDI 0439D table 7-2
		return 0x10110021, true
	case fpMVFR1:
		return 0x11000011, true
	}
	return 0, false
}

func (c *Core) fpControlWrite(off, v uint32) (known bool) {
	switch off {
	case fpFPCCR:
		c.Sys.FPCCR = v & fpccrMask
	case fpFPCAR:
		c.Sys.FPCAR = v &^ 7
	case fpFPDSCR:
		c.Sys.FPDSCR = v & fpdscrMask
	}
	return true
}
