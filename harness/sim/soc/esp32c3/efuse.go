package esp32c3

import (
	"encoding/binary"

	"rigor/harness/sim/bus"
)

// eFuse controller: TRM eFuse Controller. What is burnt are the MAC address and
// what chip it is, for the rest is a new part's: zeros. Reading takes no time.
// Programming faults.
type efuseState struct {
	Regs [0x200 / 4]uint32
}

const (
	efuseMAC0   = 0x44
	efuseMAC1   = 0x48
	efuseSYS3   = 0x50
	efuseSYS5   = 0x58
	efuseFirst  = 0x2C // what is read of the fuses
	efuseEnd    = 0x1C8
	efuseSTATUS = 0x1D0
	efuseCMD    = 0x1D4
	efuseRAW    = 0x1D8
	efuseST     = 0x1DC
	efuseENA    = 0x1E0
	efuseCLR    = 0x1E4

	efuseREAD = 1 << 0
	efusePGM  = 1 << 1
	efuseIdle = 1 // STATUS.STATE

	sourceEFUSE = 24
)

func (e *efuseState) reg(off uint32) *uint32 { return &e.Regs[off/4] }

// efuseReset reads the fuses (TRM eFuse Controller, block 1; what its SYS_DATA_PART0 means is in ESP-IDF, esp_efuse_table).
func (c *Chip) efuseReset() {
	e, o := &c.EFUSE, &c.opt
	*e = efuseState{}
	resetValues("EFUSE", e.Regs[:])
	*e.reg(efuseMAC0) = binary.BigEndian.Uint32(o.MAC[2:])
	*e.reg(efuseMAC1) = uint32(binary.BigEndian.Uint16(o.MAC[:]))
	minor, major := uint32(o.Revision%100), uint32(o.Revision/100)
	*e.reg(efuseSYS3) = minor&7<<18 | uint32(o.Package)&7<<21
	*e.reg(efuseSYS5) = minor>>3&1<<23 | major&3<<24
	*e.reg(efuseSTATUS) = efuseIdle
	c.efuseInterrupts()
}

func (c *Chip) efuseInterrupts() {
	e := &c.EFUSE
	*e.reg(efuseST) = *e.reg(efuseRAW) & *e.reg(efuseENA)
	c.source(sourceEFUSE, *e.reg(efuseST) != 0)
}

type efuseDevice struct{ *Chip }

func (d efuseDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	if peripherals.Register("EFUSE", off) == nil {
		return 0, d.unknown("EFUSE", off)
	}
	return uint64(*d.EFUSE.reg(off)), bus.None
}

func (d efuseDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	e, v := &d.EFUSE, uint32(v64)
	switch {
	case peripherals.Register("EFUSE", off) == nil:
		return d.unknown("EFUSE", off)
	case off >= efuseFirst && off < efuseEnd, off == efuseSTATUS, off == efuseST, off == 0x1FC: // read-only
	case off == efuseCMD && v&efusePGM != 0:
		return d.lack("programming of eFuses (EFUSE.CMD.PGM_CMD)")
	case off == efuseCMD:
		*e.reg(efuseRAW) |= v & efuseREAD
	case off == efuseCLR:
		*e.reg(efuseRAW) &^= v
	default:
		*e.reg(off) = v
	}
	d.efuseInterrupts()
	return bus.None
}

func (d efuseDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, peripherals.Register("EFUSE", off) != nil)
}
