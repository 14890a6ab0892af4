package riscv

import "fmt"

// Numbers of control and status registers (volume II table 2.2 and following).
const (
	csrFFLAGS      = 0x001
	csrFRM         = 0x002
	csrFCSR        = 0x003
	csrMSTATUS     = 0x300
	csrMISA        = 0x301
	csrMIE         = 0x304
	csrMTVEC       = 0x305
	csrMCOUNTEREN  = 0x306
	csrMUCOUNTEREN = 0x320 // of version 1.9.1
	csrMSCRATCH    = 0x340
	csrMEPC        = 0x341
	csrMCAUSE      = 0x342
	csrMTVAL       = 0x343
	csrMIP         = 0x344
	csrPMPCFG0     = 0x3A0
	csrPMPADDR0    = 0x3B0
	csrMPCER       = 0x7E0 // of the ESP32-C3; so the next two
	csrMPCMR       = 0x7E1
	csrMPCCR       = 0x7E2
	csrMCYCLE      = 0xB00
	csrMINSTRET    = 0xB02
	csrMCYCLEH     = 0xB80
	csrMINSTRETH   = 0xB82
	csrCYCLE       = 0xC00
	csrINSTRET     = 0xC02
	csrCYCLEH      = 0xC80
	csrINSTRETH    = 0xC82
	csrMVENDORID   = 0xF11
	csrMARCHID     = 0xF12
	csrMIMPID      = 0xF13
	csrMHARTID     = 0xF14
)

// unmodelledCSRs are registers that parts have and the model lacks.
var unmodelledCSRs = map[uint16]string{
	0x7A0: "tselect", 0x7A1: "tdata1", 0x7A2: "tdata2", 0x7A3: "tdata3", 0x7A5: "tcontrol",
}

// csrOutcome is how an access to a register ended.
type csrOutcome uint8

const (
	csrDone csrOutcome = iota
	csrIllegal
	csrUnmodelled
)

// csr executes an instruction that accesses a register (volume I 9.1).
func (c *Core) csr(in *insn) csrOutcome {
	n := uint16(in.imm)
	operand, writes := c.X[in.n&31], in.a&3 == 1 || in.n != 0
	if in.a >= 4 {
		operand = uint64(in.n)
	}
	if uint8(n>>8&3) > c.Priv || writes && n>>10 == 3 {
		return csrIllegal
	}
	var old uint64
	if in.a&3 != 1 || in.d != 0 {
		var o csrOutcome
		if old, o = c.readCSR(n); o != csrDone {
			return o
		}
	}
	if writes {
		v := operand
		switch in.a & 3 {
		case 2:
			v = old | operand
		case 3:
			v = old &^ operand
		}
		if o := c.writeCSR(n, v&c.mask); o != csrDone {
			return o
		}
	}
	if in.d != 0 {
		c.X[in.d&31] = c.extend(old)
	}
	return csrDone
}

// extend makes a value of XLEN bits that of a register.
func (c *Core) extend(v uint64) uint64 {
	if c.cfg.XLEN == 32 {
		return uint64(int64(int32(v)))
	}
	return v
}

// custom is what becomes of numbers that readCSR and writeCSR don't know.
func (c *Core) custom(n uint16, access func(CSRs) bool) csrOutcome {
	if c.cfg.CSR != nil && access(c.cfg.CSR) {
		return csrDone
	}
	if name, known := unmodelledCSRs[n]; known {
		c.stop = &Stop{Reason: NotModelled, PC: c.PC, What: fmt.Sprintf("CSR %s (%#03x)", name, n)}
		return csrUnmodelled
	}
	return csrIllegal
}

func (c *Core) readCSR(n uint16) (v uint64, o csrOutcome) {
	switch {
	case n <= csrFCSR && n != 0:
		return c.readFloat(n)
	case n >= csrPMPCFG0 && n < csrPMPCFG0+4 && c.cfg.PMP > 0 && (c.cfg.XLEN == 32 || n&1 == 0):
		return c.readPMPCfg(int(n - csrPMPCFG0)), csrDone
	case n >= csrPMPADDR0 && n < csrPMPADDR0+16 && c.cfg.PMP > 0:
		return c.PMPAddr[n-csrPMPADDR0], csrDone
	case c.cfg.Vectored31 && n >= csrMPCER && n <= csrMPCCR:
		return c.readPerf(n), csrDone
	case !c.cfg.Vectored31:
		if v, known := c.readStandard(n); known {
			return v, csrDone
		}
	}
	switch n {
	case csrMSTATUS:
		v = c.mstatus()
	case csrMISA:
		v = c.misa()
	case csrMTVEC:
		v = c.Mtvec
	case csrMSCRATCH:
		v = c.Mscratch
	case csrMEPC:
		v = c.Mepc
	case csrMCAUSE:
		v = c.Mcause
	case csrMTVAL:
		v = c.Mtval
	case csrMVENDORID:
		v = c.cfg.Vendor
	case csrMARCHID:
		v = c.cfg.Arch
	case csrMIMPID:
		v = c.cfg.Imp
	case csrMHARTID:
		v = c.cfg.HartID
	default:
		o = c.custom(n, func(x CSRs) (ok bool) { v, ok = x.ReadCSR(n); return ok })
	}
	return v, o
}

// readStandard reads what the ESP32-C3 has not.
func (c *Core) readStandard(n uint16) (v uint64, known bool) {
	switch n {
	case csrMIE:
		return c.Mie, true
	case csrMIP:
		return c.Mip, true
	case c.counteren():
		return c.Mcounteren, true
	}
	if n >= csrCYCLE && n < csrMVENDORID && c.Priv != MachineMode && c.Mcounteren>>(n&31)&1 == 0 {
		return 0, false
	}
	switch n {
	case csrMCYCLE, csrCYCLE:
		return (c.Cycle + c.CycleBase) & c.mask, true
	case csrMINSTRET, csrINSTRET:
		return (c.Insns + c.InsnBase) & c.mask, true
	case csrMCYCLEH, csrCYCLEH:
		return (c.Cycle + c.CycleBase) >> 32, c.cfg.XLEN == 32
	case csrMINSTRETH, csrINSTRETH:
		return (c.Insns + c.InsnBase) >> 32, c.cfg.XLEN == 32
	}
	return 0, false
}

// counteren is the number of the register that grants user mode the counters.
func (c *Core) counteren() uint16 {
	if c.cfg.Privileged191 {
		return csrMUCOUNTEREN
	}
	return csrMCOUNTEREN
}

func (c *Core) misa() uint64 {
	return uint64(c.cfg.Ext) | 1<<8 | uint64(c.cfg.XLEN/32)<<(c.cfg.XLEN-2)
}

// mstatus puts together what is stored and what is derived: UXL and SD.
func (c *Core) mstatus() uint64 {
	v := c.Mstatus
	if c.cfg.XLEN == 64 && c.cfg.Ext&ExtU != 0 && !c.cfg.Privileged191 {
		v |= 2 << 32
	}
	if v&mstatusFS == mstatusFS {
		v |= 1 << (c.cfg.XLEN - 1)
	}
	return v
}

func (c *Core) writeCSR(n uint16, v uint64) csrOutcome {
	switch {
	case n <= csrFCSR && n != 0:
		return c.writeFloat(n, uint32(v))
	case n >= csrPMPCFG0 && n < csrPMPCFG0+4 && c.cfg.PMP > 0 && (c.cfg.XLEN == 32 || n&1 == 0):
		c.writePMPCfg(int(n-csrPMPCFG0), v)
		c.leave = true
		return csrDone
	case n >= csrPMPADDR0 && n < csrPMPADDR0+16 && c.cfg.PMP > 0:
		c.writePMPAddr(int(n-csrPMPADDR0), v)
		c.leave = true
		return csrDone
	case c.cfg.Vectored31 && n >= csrMPCER && n <= csrMPCCR:
		return c.writePerf(n, uint32(v))
	case !c.cfg.Vectored31 && c.writeStandard(n, v):
		return csrDone
	}
	switch n {
	case csrMSTATUS:
		c.writeMstatus(v)
	case csrMISA: // fixed
	case csrMTVEC:
		c.writeMtvec(v)
	case csrMSCRATCH:
		c.Mscratch = v
	case csrMEPC:
		c.Mepc = v & c.pcMask
	case csrMCAUSE:
		c.Mcause = v
		if c.cfg.Vectored31 {
			c.Mcause &= 1<<31 | 0x1F
		}
	case csrMTVAL:
		c.Mtval = v
	default:
		return c.custom(n, func(x CSRs) bool { return x.WriteCSR(n, v) })
	}
	return csrDone
}

// writeMtvec: on the ESP32-C3 MODE is always 1 and the base aligned to 256 bytes.
func (c *Core) writeMtvec(v uint64) {
	if c.cfg.Vectored31 {
		c.Mtvec = v&^0xFF | 1
		return
	}
	c.Mtvec = v &^ 2
	if c.cfg.Privileged191 {
		c.Mtvec = v &^ 3
	}
}

func (c *Core) writeStandard(n uint16, v uint64) bool {
	const interrupts = 1<<3 | 1<<7 | 1<<11
	switch n {
	case csrMIE:
		c.Mie = v & interrupts
		c.updatePending()
	case csrMIP: // all of its bits are levels from outside
	case c.counteren():
		c.Mcounteren = v & 7
	case csrMCYCLE:
		c.CycleBase = c.replaced(c.Cycle+c.CycleBase, v, 0) - c.Cycle
	case csrMCYCLEH:
		c.CycleBase = c.replaced(c.Cycle+c.CycleBase, v, 32) - c.Cycle
	case csrMINSTRET:
		c.InsnBase = c.replaced(c.Insns+c.InsnBase, v, 0) - c.Insns
	case csrMINSTRETH:
		c.InsnBase = c.replaced(c.Insns+c.InsnBase, v, 32) - c.Insns
	default:
		return false
	}
	return true
}

// replaced is a counter with XLEN of its bits set to v.
func (c *Core) replaced(counter, v uint64, shift uint) uint64 {
	return counter&^(c.mask<<shift) | v<<shift
}

func (c *Core) writeMstatus(v uint64) {
	writable := uint64(mstatusMIE | mstatusMPIE)
	if c.cfg.Ext&ExtU != 0 {
		if !c.cfg.Privileged191 {
			writable |= mstatusTW
		}
		if !c.cfg.Vectored31 {
			writable |= mstatusMPRV
		}
		if mpp := v >> mstatusMPPShift & 3; mpp == UserMode || mpp == MachineMode {
			writable |= mstatusMPP
		}
	}
	if c.cfg.Ext&ExtF != 0 {
		writable |= mstatusFS
	}
	c.Mstatus = c.Mstatus&^writable | v&writable
	c.leave = true
	c.updatePending()
}

// Events of mpcer (TRM register 1.24).
const (
	perfCycle = 1 << 0
	perfInst  = 1 << 1
	perfAll   = 1<<11 - 1

	perfEnable   = 1 << 0 // of mpcmr
	perfSaturate = 1 << 1
)

// PerfCounter is the performance counter of the ESP32-C3.
type PerfCounter struct {
	Mpcer, Mpcmr uint32
	Base         uint64 // what the counter adds to what it counts
}

// counted is what has happened since the core was made, of the event that mpcer
// selects. Cycles asleep are not counted.
func (c *Core) counted() uint64 {
	switch {
	case c.Perf.Mpcmr&perfEnable == 0:
		return 0
	case c.Perf.Mpcer == perfCycle:
		return c.Cycle - c.Slept
	case c.Perf.Mpcer == perfInst:
		return c.Insns
	}
	return 0
}

// mpccr is the counter, which stops at its greatest value or wraps.
func (c *Core) mpccr() uint64 {
	v := c.Perf.Base + c.counted()
	if c.Perf.Mpcmr&perfSaturate != 0 {
		return min(v, 1<<32-1)
	}
	return v & (1<<32 - 1)
}

func (c *Core) readPerf(n uint16) uint64 {
	switch n {
	case csrMPCER:
		return uint64(c.Perf.Mpcer)
	case csrMPCMR:
		return uint64(c.Perf.Mpcmr)
	}
	return c.mpccr()
}

// writePerf keeps the counter's value over changes of what it counts.
func (c *Core) writePerf(n uint16, v uint32) csrOutcome {
	value := c.mpccr()
	switch n {
	case csrMPCER:
		c.Perf.Mpcer = v & perfAll
	case csrMPCMR:
		c.Perf.Mpcmr = v & (perfEnable | perfSaturate)
	default:
		value = uint64(v)
	}
	c.Perf.Base = value - c.counted()
	if e := c.Perf.Mpcer; c.Perf.Mpcmr&perfEnable != 0 && e != 0 && e != perfCycle && e != perfInst {
		c.stop = &Stop{Reason: NotModelled, PC: c.PC, What: fmt.Sprintf("performance counter events %#x (CSR mpcer)", e)}
	}
	return csrDone
}

// Of the floating-point registers of control nothing is there while mstatus.FS is off.
func (c *Core) readFloat(n uint16) (uint64, csrOutcome) {
	if c.cfg.Ext&ExtF == 0 || c.Mstatus&mstatusFS == 0 {
		return 0, csrIllegal
	}
	switch n {
	case csrFFLAGS:
		return uint64(c.FCSR & 0x1F), csrDone
	case csrFRM:
		return uint64(c.FCSR >> 5), csrDone
	}
	return uint64(c.FCSR), csrDone
}

func (c *Core) writeFloat(n uint16, v uint32) csrOutcome {
	if c.cfg.Ext&ExtF == 0 || c.Mstatus&mstatusFS == 0 {
		return csrIllegal
	}
	c.Mstatus |= mstatusFS
	switch n {
	case csrFFLAGS:
		c.FCSR = c.FCSR&^0x1F | v&0x1F
	case csrFRM:
		c.FCSR = c.FCSR&0x1F | v&7<<5
	default:
		c.FCSR = v & 0xFF
	}
	return csrDone
}
