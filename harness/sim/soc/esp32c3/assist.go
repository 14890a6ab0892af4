package esp32c3

import "rigor/harness/sim/bus"

// Debug assistant: TRM Debug Assistant. It records the core's PC and stack pointer,
// which can be read after the core was reset. What it could watch, the stack's
// bounds and two areas on each bus, has no effect; the log of bus accesses
// faults.
type assistState struct {
	Regs [assistLog / 4]uint32
}

const (
	assistINTR_RAW = 0x04
	assistINTR_CLR = 0x0C
	assistRCD_EN   = 0x44 // bit 0: RECORDEN, bit 1: PDEBUGEN
	assistRCD_PC   = 0x48
	assistRCD_SP   = 0x4C
	assistLog      = 0x70 // from here on the log
	assistLASTPC   = 0x94
	assistMODE     = 0x98
	assistDATE     = 0x1FC
)

// assistReset records where the core is if it was asked to; only a chip reset
// forgets that.
func (c *Chip) assistReset(r resetCause) {
	a := &c.ASSIST
	recorded := a.Regs[assistRCD_EN/4]&1 != 0
	pc, sp := a.Regs[assistRCD_PC/4], a.Regs[assistRCD_SP/4]
	if recorded {
		pc, sp = uint32(c.core.PC), uint32(c.core.X[2])
	}
	if r.level() >= levelChip {
		pc, sp = 0, 0
	}
	*a = assistState{}
	resetValues("ASSIST_DEBUG", a.Regs[:])
	a.Regs[assistRCD_PC/4], a.Regs[assistRCD_SP/4] = pc, sp
}

type assistDevice struct{ *Chip }

func (d assistDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	switch {
	case off < assistLog:
		return uint64(d.ASSIST.Regs[off/4]), bus.None
	case off == assistLASTPC:
		return d.core.Mepc, bus.None
	case off == assistMODE:
		return 0, bus.None
	case off == assistDATE:
		return 0x02008010, bus.None
	}
	return 0, d.lack(RegisterName(0x600CE000 + off))
}

func (d assistDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	switch {
	case off == assistINTR_RAW, off == assistRCD_PC, off == assistRCD_SP, off == assistLASTPC, off == assistMODE: // read-only
	case off == assistINTR_CLR:
		d.ASSIST.Regs[assistINTR_RAW/4] &^= uint32(v)
	case off < assistLog:
		d.ASSIST.Regs[off/4] = uint32(v)
	default:
		return d.lack(RegisterName(0x600CE000 + off))
	}
	return bus.None
}
