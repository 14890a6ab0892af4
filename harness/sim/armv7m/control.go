package armv7m

// Bits of CONTROL (DDI 0403E B1.4.4) and of XPSR (B1.4.2).
const (
	controlNPRIV = 1 << 0
	controlSPSEL = 1 << 1
	controlFPCA  = 1 << 2

	psrException = 0x1FF
	psrGE        = 0x000F0000
	psrNZCVQ     = 0xF8000000
)

// privileged says whether the core runs privileged code: any handler, or
// Thread mode with CONTROL.nPRIV clear.
func (c *Core) privileged() bool {
	return c.IPSR != 0 || c.Control&controlNPRIV == 0
}

// onProcessStack says which stack pointer R[13] is.
func (c *Core) onProcessStack() bool {
	return c.IPSR == 0 && c.Control&controlSPSEL != 0
}

// stacks returns both stack pointers. With setStacks it brackets any change of
// mode or of CONTROL.SPSEL.
func (c *Core) stacks() (main, process uint32) {
	if c.onProcessStack() {
		return c.OtherSP, c.R[13]
	}
	return c.R[13], c.OtherSP
}

func (c *Core) setStacks(main, process uint32) {
	if c.onProcessStack() {
		c.OtherSP, c.R[13] = main, process
	} else {
		c.R[13], c.OtherSP = main, process
	}
}

// MSP returns the main stack pointer.
func (c *Core) MSP() uint32 {
	main, _ := c.stacks()
	return main
}

// PSP returns the process stack pointer.
func (c *Core) PSP() uint32 {
	_, process := c.stacks()
	return process
}

// SetMSP sets the main stack pointer; the two low bits are always zero.
func (c *Core) SetMSP(v uint32) { c.setStacks(v&^3, c.PSP()) }

// SetPSP sets the process stack pointer; the two low bits are always zero.
func (c *Core) SetPSP(v uint32) { c.setStacks(c.MSP(), v&^3) }

// Special register numbers of MRS and MSR (B5.2.2). 0 to 7 are the combinations
// of APSR, IPSR and EPSR.
const (
	sysmMSP        = 8
	sysmPSP        = 9
	sysmPRIMASK    = 16
	sysmBASEPRI    = 17
	sysmBASEPRIMAX = 18
	sysmFAULTMASK  = 19
	sysmCONTROL    = 20
)

// mrs reads a special register. Unprivileged code reads all but the flags and
// CONTROL as zero, and EPSR reads as zero to everyone.
func (c *Core) mrs(sysm uint8) uint32 {
	if sysm < 8 {
		return c.mrsPSR(sysm)
	}
	if sysm == sysmCONTROL {
		return c.Control
	}
	if !c.privileged() {
		return 0
	}
	switch sysm {
	case sysmMSP:
		return c.MSP()
	case sysmPSP:
		return c.PSP()
	case sysmPRIMASK:
		return bit(c.Primask)
	case sysmBASEPRI, sysmBASEPRIMAX:
		return uint32(c.Basepri)
	case sysmFAULTMASK:
		return bit(c.Faultmask)
	}
	return 0
}

func (c *Core) mrsPSR(sysm uint8) uint32 {
	var v uint32
	if sysm&1 != 0 && c.privileged() {
		v = uint32(c.IPSR)
	}
	if sysm&4 == 0 {
		v |= c.XPSR() & (psrNZCVQ | psrGE)
	}
	return v
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// msr writes a special register; mask selects the flags (bit 1) and GE (bit 0)
// of APSR. Unprivileged code writes APSR only.
func (c *Core) msr(sysm, mask uint8, v uint32) {
	if sysm < 8 {
		c.msrAPSR(sysm, mask, v)
		return
	}
	if !c.privileged() {
		return
	}
	switch sysm {
	case sysmMSP:
		c.SetMSP(v)
	case sysmPSP:
		c.SetPSP(v)
	case sysmPRIMASK:
		c.Primask = v&1 != 0
	case sysmBASEPRI:
		c.Basepri = uint8(v) & c.priorityMask()
	case sysmBASEPRIMAX:
		c.raiseBasepri(uint8(v) & c.priorityMask())
	case sysmFAULTMASK:
		c.setFaultmask(v&1 != 0)
	case sysmCONTROL:
		c.setControl(v)
	}
	c.updatePending()
}

func (c *Core) msrAPSR(sysm, mask uint8, v uint32) {
	if sysm&4 != 0 {
		return
	}
	var m uint32
	if mask&2 != 0 {
		m |= psrNZCVQ
	}
	if mask&1 != 0 {
		m |= psrGE
	}
	c.SetXPSR(c.XPSR()&^m | v&m)
}

// raiseBasepri only ever masks more.
func (c *Core) raiseBasepri(v uint8) {
	if v != 0 && (c.Basepri == 0 || v < c.Basepri) {
		c.Basepri = v
	}
}

// setFaultmask sets FAULTMASK only below the priority of HardFault.
func (c *Core) setFaultmask(on bool) {
	if !on || c.executionPriority() > -1 {
		c.Faultmask = on
	}
}

// setControl writes CONTROL; SPSEL is Thread mode's only.
func (c *Core) setControl(v uint32) {
	main, process := c.stacks()
	const others = controlNPRIV | controlFPCA
	c.Control = c.Control&^others | v&others
	if c.IPSR == 0 {
		c.Control = c.Control&^controlSPSEL | v&controlSPSEL
	}
	c.setStacks(main, process)
}

// cps is CPSIE and CPSID of PRIMASK (i) and FAULTMASK (f); unprivileged code
// executes them as no operation.
func (c *Core) cps(enable, i, f bool) {
	if !c.privileged() {
		return
	}
	if i {
		c.Primask = !enable
	}
	if f {
		c.setFaultmask(!enable)
	}
	c.updatePending()
}
