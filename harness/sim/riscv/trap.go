package riscv

// Exception causes (volume II table 3.6).
const (
	causeFetchMisaligned = 0
	causeFetchAccess     = 1
	causeIllegal         = 2
	causeBreakpoint      = 3
	causeLoadMisaligned  = 4
	causeLoadAccess      = 5
	causeStoreMisaligned = 6
	causeStoreAccess     = 7
	causeECallU          = 8
	causeECallM          = 11
)

// Fields of mstatus (volume II 3.1.6).
const (
	mstatusMIE      = 1 << 3
	mstatusMPIE     = 1 << 7
	mstatusMPPShift = 11
	mstatusMPP      = 3 << mstatusMPPShift
	mstatusFSShift  = 13
	mstatusFS       = 3 << mstatusFSShift
	mstatusMPRV     = 1 << 17
	mstatusTW       = 1 << 21
)

// raise takes an exception whose instruction is at PC. tval is an address, or the
// encoding of an illegal instruction.
func (c *Core) raise(cause uint64, tval uint64) {
	c.enter(cause, tval)
	c.Pipe = 0
	c.PC = c.Mtvec &^ 0xFF
	if !c.cfg.Vectored31 {
		c.PC = c.Mtvec &^ 3
	}
}

// enter is what exceptions and interrupts have in common (volume II 3.1.6.1). Both end a reservation, as in Rocket
// (Rocket.scala: invalidate_lr).
func (c *Core) enter(cause, tval uint64) {
	c.Mepc, c.Mcause = c.PC, cause
	if !c.cfg.Privileged191 || isAddress(cause) {
		c.Mtval = tval & c.mask
	}
	s := c.Mstatus &^ (mstatusMPP | mstatusMPIE | mstatusMIE)
	s |= uint64(c.Priv) << mstatusMPPShift
	if c.Mstatus&mstatusMIE != 0 && (c.Priv == MachineMode || !c.cfg.Privileged191) {
		s |= mstatusMPIE
	}
	c.Mstatus, c.Priv = s, MachineMode
	c.Reserved = false
	c.endSpin()
	c.Cycle += uint64(c.cfg.Timing.Trap)
	c.traps++
	c.leave = true
	c.updatePending()
}

// isAddress says whether tval of an exception is an address.
func isAddress(cause uint64) bool {
	switch cause {
	case causeFetchMisaligned, causeFetchAccess, causeLoadMisaligned, causeLoadAccess, causeStoreMisaligned, causeStoreAccess:
		return true
	}
	return false
}

// mret returns from a trap. Version 1.9.1 restores the interrupt enable of the mode returned to; user mode's is always 0.
func (c *Core) mret() {
	s := c.Mstatus
	priv := uint8(s >> mstatusMPPShift & 3)
	s &^= mstatusMPP
	if priv == MachineMode || !c.cfg.Privileged191 {
		s &^= mstatusMIE
		if s&mstatusMPIE != 0 {
			s |= mstatusMIE
		}
	}
	s |= mstatusMPIE
	if c.cfg.Ext&ExtU == 0 {
		s |= mstatusMPP
	}
	if priv != MachineMode {
		s &^= mstatusMPRV
	}
	c.Mstatus, c.Priv = s, priv
	c.PC = c.Mepc
	c.Pipe = 0
	c.leave = true
	c.updatePending()
}

// SetInterrupt says which interrupt the matrix of the ESP32-C3 presents, 1 to
// 31, or 0 for none; a level. The core sees it some cycles later (Timing.Latency).
func (c *Core) SetInterrupt(cause int) {
	if int(c.Interrupt) == cause {
		return
	}
	if c.Interrupt == 0 {
		c.InterruptAt = c.Cycle + uint64(c.cfg.Timing.Latency)
	}
	c.Interrupt = uint8(cause)
	c.updatePending()
}

// SetIP sets or clears bits of mip, which are levels from outside: MSIP 3, MTIP 7,
// MEIP 11.
func (c *Core) SetIP(mask uint64, level bool) {
	if level {
		c.Mip |= mask
	} else {
		c.Mip &^= mask
	}
	c.updatePending()
}

// requested says whether an interrupt ends WFI: one that is enabled in mie, but
// not necessarily in mstatus.
func (c *Core) requested() bool {
	if c.cfg.Vectored31 {
		return c.Interrupt != 0
	}
	return c.Mip&c.Mie != 0
}

func (c *Core) interruptsEnabled() bool { return c.Mstatus&mstatusMIE != 0 || c.Priv != MachineMode }

// updatePending is called whenever something has changed that interrupts depend on.
func (c *Core) updatePending() {
	c.attention = c.requested() && (c.Sleep || c.interruptsEnabled())
	if c.attention {
		c.leave = true
	}
}

// service wakes the core or takes the interrupt that is due.
func (c *Core) service() {
	c.Sleep = false
	if !c.interruptsEnabled() {
		c.updatePending()
		return
	}
	if c.cfg.Vectored31 {
		cause := uint64(c.Interrupt)
		c.enter(1<<31|cause, 0)
		c.PC = c.Mtvec&^0xFF + 4*cause
	} else {
		c.serviceStandard()
	}
	c.Pipe = 0
}

// serviceStandard takes the interrupt of the highest priority (volume II 3.1.9):
// external, software, timer.
func (c *Core) serviceStandard() {
	due := c.Mip & c.Mie
	cause := uint64(0)
	for _, n := range []uint64{11, 3, 7} {
		if due>>n&1 != 0 {
			cause = n
			break
		}
	}
	c.enter(1<<(c.cfg.XLEN-1)|cause, 0)
	c.PC = c.Mtvec &^ 3
	if c.Mtvec&3 == 1 {
		c.PC += 4 * cause
	}
}

// wfi waits for an interrupt.
func (c *Core) wfi() {
	c.Sleep = !c.requested()
	c.leave = true
}
