package stm32f407

import "rigor/harness/sim/bus"

// Debug support, RM0090 §38.16: identification. The bits that freeze timers in
// debug mode are kept; no debugger ever halts the core here.
type dbgmcu struct{ CR, APB1FZ, APB2FZ uint32 }

// dbgIDCODE is device 0x413, revision 2 (§38.6.1).
const dbgIDCODE = 0x10070413

type dbgmcuDevice struct{ *Chip }

func (d dbgmcuDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	switch off {
	case 0x00:
		return dbgIDCODE, bus.None
	case 0x04:
		return uint64(d.DBGMCU.CR), bus.None
	case 0x08:
		return uint64(d.DBGMCU.APB1FZ), bus.None
	case 0x0C:
		return uint64(d.DBGMCU.APB2FZ), bus.None
	}
	return 0, d.unknown("DBGMCU", off)
}

func (d dbgmcuDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	switch off {
	case 0x00: // read-only
	case 0x04:
		d.DBGMCU.CR = uint32(v) & 0xE7
	case 0x08:
		d.DBGMCU.APB1FZ = uint32(v) & 0x06E01DFF
	case 0x0C:
		d.DBGMCU.APB2FZ = uint32(v) & 0x00070003
	default:
		return d.unknown("DBGMCU", off)
	}
	return bus.None
}
