package armv7m

// System control block offsets from 0xE000E000 (DDI 0403E tables B3-4, B3-5).
const (
	scbICTR  = 0x004
	scbACTLR = 0x008
	scbCPUID = 0xD00
	scbICSR  = 0xD04
	scbVTOR  = 0xD08
	scbAIRCR = 0xD0C
	scbSCR   = 0xD10
	scbCCR   = 0xD14
	scbSHPR  = 0xD18
	scbSHCSR = 0xD24
	scbCFSR  = 0xD28
	scbHFSR  = 0xD2C
	scbDFSR  = 0xD30
	scbMMFAR = 0xD34
	scbBFAR  = 0xD38
	scbAFSR  = 0xD3C
	scbID    = 0xD40
	scbCPACR = 0xD88
	dbgDHCSR = 0xDF0
	dbgDCRSR = 0xDF4
	dbgDCRDR = 0xDF8
	dbgDEMCR = 0xDFC
	scbSTIR  = 0xF00
)

// Bits, named as in DDI 0403E B3.2.
const (
	icsrNMIPENDSET = 1 << 31
	icsrPENDSVSET  = 1 << 28
	icsrPENDSVCLR  = 1 << 27
	icsrPENDSTSET  = 1 << 26
	icsrPENDSTCLR  = 1 << 25
	icsrISRPENDING = 1 << 22
	icsrRETTOBASE  = 1 << 11

	aircrVECTKEY       = 0x05FA << 16
	aircrVECTKEYSTAT   = 0xFA05 << 16
	aircrSYSRESETREQ   = 1 << 2
	aircrVECTCLRACTIVE = 1 << 1
	aircrVECTRESET     = 1 << 0

	scrSLEEPONEXIT = 1 << 1
	scrSLEEPDEEP   = 1 << 2
	scrSEVONPEND   = 1 << 4

	ccrNONBASETHRDENA = 1 << 0
	ccrUSERSETMPEND   = 1 << 1
	ccrUNALIGNTRP     = 1 << 3
	ccrDIV0TRP        = 1 << 4
	ccrBFHFNMIGN      = 1 << 8
	ccrSTKALIGN       = 1 << 9
	ccrMask           = ccrNONBASETHRDENA | ccrUSERSETMPEND | ccrUNALIGNTRP | ccrDIV0TRP | ccrBFHFNMIGN | ccrSTKALIGN

	hfsrVECTTBL  = 1 << 1
	hfsrFORCED   = 1 << 30
	hfsrDEBUGEVT = 1 << 31

	dfsrBKPT = 1 << 1
	dfsrMask = 0x1F

	// Both only limit what the model does not do anyway: it neither interrupts
	// multi-cycle instructions nor buffers stores.
	actlrMask = 1<<0 | 1<<1 // DISMCYCINT, DISDEFWBUF

	demcrMONEN   = 1 << 16
	demcrMONPEND = 1 << 17
	demcrMONSTEP = 1 << 18
	demcrTRCENA  = 1 << 24
	demcrMask    = demcrTRCENA | demcrMONEN | 1<<19 | 0x7F1 // with MON_REQ and the VC_ bits

	dhcsrSRESETST  = 1 << 25
	dhcsrSRETIREST = 1 << 24
	dhcsrSREGRDY   = 1 << 16

	vtorMask = 0xFFFFFF80
)

// idRegisters are ID_PFR0 to ID_ISAR4 of the Cortex-M4 (DDI 0439D table 4-1).
var idRegisters = [...]uint32{
	0x00000030, 0x00000200, 0x00100000, 0x00000000, // PFR0, PFR1, DFR0, AFR0
	0x00100030, 0x00000000, 0x01000000, 0x00000000, // MMFR0 to MMFR3
	0x01141110, 0x02112000, 0x21232231, 0x01111131, 0x01310102, // ISAR0 to ISAR4
}

// shcsrBits places the system handlers in SHCSR (B3.2.13).
var shcsrBits = [...]struct {
	bit uint
	exc int
	set func(*System) *ExcSet
}{
	{0, excMemManage, active}, {1, excBusFault, active}, {3, excUsageFault, active}, {7, excSVCall, active},
	{8, excDebugMonitor, active}, {10, excPendSV, active}, {11, excSysTick, active},
	{12, excUsageFault, pending}, {13, excMemManage, pending}, {14, excBusFault, pending}, {15, excSVCall, pending},
	{16, excMemManage, enabled}, {17, excBusFault, enabled}, {18, excUsageFault, enabled},
}

func active(s *System) *ExcSet  { return &s.Active }
func pending(s *System) *ExcSet { return &s.Pending }
func enabled(s *System) *ExcSet { return &s.Enabled }

func (s *System) shcsr() uint32 {
	var v uint32
	for _, b := range shcsrBits {
		if b.set(s).has(b.exc) {
			v |= 1 << b.bit
		}
	}
	return v
}

func (c *Core) setSHCSR(v uint32) {
	for _, b := range shcsrBits {
		b.set(&c.Sys).put(b.exc, v>>b.bit&1 != 0)
	}
	c.refreshExceptions()
}

func (c *Core) scbRead(off uint32) (v uint32, known bool) {
	s := &c.Sys
	switch off {
	case scbICTR:
		return uint32(max(c.cfg.IRQs, 1)-1) / 32, true
	case scbACTLR:
		return s.ACTLR, true
	case scbCPUID:
		return c.cfg.CPUID, true
	case scbICSR:
		return c.icsr(), true
	case scbVTOR:
		return s.VTOR, true
	case scbAIRCR:
		return aircrVECTKEYSTAT | uint32(s.PriGroup)<<8, true
	case scbSCR:
		return s.SCR, true
	case scbCCR:
		return s.CCR, true
	case scbSHPR, scbSHPR + 4, scbSHPR + 8:
		return c.priorities(int(off-scbSHPR) + excMemManage), true
	case scbSHCSR:
		return s.shcsr(), true
	case scbCPACR:
		return s.CPACR, true
	case dbgDHCSR:
		return c.dhcsr(), true
	case dbgDEMCR:
		return c.demcr(), true
	}
	if off >= scbID && off < scbID+4*uint32(len(idRegisters)) {
		return idRegisters[(off-scbID)/4], true
	}
	return s.faultStatus(off)
}

func (s *System) faultStatus(off uint32) (v uint32, known bool) {
	switch off {
	case scbCFSR:
		return s.CFSR, true
	case scbHFSR:
		return s.HFSR, true
	case scbDFSR:
		return s.DFSR, true
	case scbMMFAR:
		return s.MMFAR, true
	case scbBFAR:
		return s.BFAR, true
	case scbAFSR:
		return 0, true // no AUXFAULT input is wired
	}
	return 0, false
}

// icsr is the Interrupt Control and State Register (B3.2.4). In Thread mode
// RETTOBASE is UNKNOWN; it reads as "no other exception is active" would.
func (c *Core) icsr() uint32 {
	s := &c.Sys
	v := uint32(c.IPSR) | c.vectPending()<<12
	if s.Pending.has(excNMI) {
		v |= icsrNMIPENDSET
	}
	if s.Pending.has(excPendSV) {
		v |= icsrPENDSVSET
	}
	if s.Pending.has(excSysTick) {
		v |= icsrPENDSTSET
	}
	if s.Pending[0]>>excIRQ0|s.Pending[1]|s.Pending[2]|s.Pending[3] != 0 {
		v |= icsrISRPENDING
	}
	others := s.Active
	others.clear(int(c.IPSR))
	if others.count() == 0 {
		v |= icsrRETTOBASE
	}
	return v
}

// vectPending counts BASEPRI and FAULTMASK in, PRIMASK not.
func (c *Core) vectPending() uint32 {
	p := int16(noPriority)
	if c.Basepri != 0 {
		p = int16(c.group(c.Basepri))
	}
	if c.Faultmask {
		p = -1
	}
	if c.Sys.BestPrio < p {
		return uint32(c.Sys.Best)
	}
	return 0
}

// dhcsr shows a core without a debugger. The core runs this very load, so it
// has retired an instruction since the last one.
func (c *Core) dhcsr() uint32 {
	v := uint32(dhcsrSRETIREST | dhcsrSREGRDY)
	if c.Sys.ResetSt {
		v |= dhcsrSRESETST
		c.Sys.ResetSt = false
	}
	return v
}

func (c *Core) demcr() uint32 {
	v := c.Sys.DEMCR
	if c.Sys.Pending.has(excDebugMonitor) {
		v |= demcrMONPEND
	}
	return v
}

func (c *Core) scbWrite(off, v uint32) (known bool) {
	s := &c.Sys
	switch off {
	case scbICTR, scbCPUID, scbAFSR, dbgDHCSR: // DHCSR's control bits are the debugger's
	case scbACTLR:
		s.ACTLR = v & actlrMask
		return v&^actlrMask == 0
	case scbICSR:
		c.setICSR(v)
	case scbVTOR:
		s.VTOR = v & vtorMask
	case scbAIRCR:
		return c.setAIRCR(v)
	case scbSCR:
		s.SCR = v & (scrSLEEPONEXIT | scrSLEEPDEEP | scrSEVONPEND)
	case scbCCR:
		s.CCR = v & ccrMask
	case scbSHCSR:
		c.setSHCSR(v)
	case scbCPACR:
		s.CPACR = v & cpacrMask
	case dbgDEMCR:
		return c.setDEMCR(v)
	case scbSTIR:
		if n := int(v & 0x1FF); n < c.cfg.IRQs {
			c.setPending(excIRQ0 + n)
		}
	default:
		return s.setFaultStatus(off, v) || off >= scbID && off < scbID+4*uint32(len(idRegisters))
	}
	return true
}

// setFaultStatus writes the fault registers; status bits clear by writing ones.
func (s *System) setFaultStatus(off, v uint32) (known bool) {
	switch off {
	case scbCFSR:
		s.CFSR &^= v
	case scbHFSR:
		s.HFSR &^= v
	case scbDFSR:
		s.DFSR &^= v & dfsrMask
	case scbMMFAR:
		s.MMFAR = v
	case scbBFAR:
		s.BFAR = v
	default:
		return false
	}
	return true
}

func (c *Core) setICSR(v uint32) {
	if v&icsrNMIPENDSET != 0 {
		c.setPending(excNMI)
	}
	if v&icsrPENDSVSET != 0 {
		c.setPending(excPendSV)
	}
	if v&icsrPENDSVCLR != 0 {
		c.clearPending(excPendSV)
	}
	if v&icsrPENDSTSET != 0 {
		c.setPending(excSysTick)
	}
	if v&icsrPENDSTCLR != 0 {
		c.clearPending(excSysTick)
	}
}

func (c *Core) setAIRCR(v uint32) (known bool) {
	if v>>16<<16 != aircrVECTKEY {
		return true // without the key the write is ignored
	}
	if v&(aircrVECTRESET|aircrVECTCLRACTIVE) != 0 {
		return false
	}
	c.Sys.PriGroup = uint8(v >> 8 & 7)
	c.refreshExceptions()
	if v&aircrSYSRESETREQ != 0 {
		c.stop = &Stop{Reason: ResetRequest, PC: c.R[15], What: "AIRCR.SYSRESETREQ"}
	}
	return true
}

func (c *Core) setDEMCR(v uint32) (known bool) {
	if v&demcrMONSTEP != 0 {
		return false
	}
	c.traceEnable(v&demcrTRCENA != 0)
	c.Sys.DEMCR = v & demcrMask
	c.Sys.Enabled.put(excDebugMonitor, v&demcrMONEN != 0)
	c.Sys.Pending.put(excDebugMonitor, v&demcrMONPEND != 0)
	c.refreshExceptions()
	return true
}

// unalignedTrap says whether CCR.UNALIGN_TRP faults unaligned halfwords and words.
func (c *Core) unalignedTrap() bool { return c.Sys.CCR&ccrUNALIGNTRP != 0 }

// divTrap says whether CCR.DIV_0_TRP faults divisions by zero.
func (c *Core) divTrap() bool { return c.Sys.CCR&ccrDIV0TRP != 0 }
