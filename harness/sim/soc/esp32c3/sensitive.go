package esp32c3

import (
	"slices"

	"rigor/harness/sim/bus"
)

// Permission control: TRM Permission Control (PMS). Registers are kept and can be
// locked as on the part, but permit everything: no access is ever refused, no
// monitor ever sees a violation. Protection that acts is the core's PMP.
type sensitiveState struct {
	Regs [sensitiveSize / 4]uint32
}

const (
	sensitiveSize = 0x174
	sensitiveGate = 0x170 // CLOCK_GATE, not locked
	sensitiveDATE = 0xFFC
)

// sensitiveLocks are the registers whose lowest bit locks them and those up to the
// next one, until the next reset.
var sensitiveLocks = []uint32{
	0x00, 0x08, 0x10, 0x18, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78, 0x80,
	0x90, 0xA8, 0xB4, 0xC0, 0xC8, 0xD8, 0x104, 0x130, 0x14C, 0x160, sensitiveGate,
}

// sensitiveStatus are the registers that tell of violations: read-only, and 0.
var sensitiveStatus = []uint32{0x88, 0x8C, 0xBC, 0xD0, 0xD4, 0x138, 0x13C, 0x144, 0x148, 0x168, 0x16C}

// sensitiveDefaults are the reset values that are not 0.
var sensitiveDefaults = map[uint32]uint32{
	0x14: 1, 0x1C: 0xF, 0x2C: 0xF, 0x34: 3,
	0x3C: 0xFF0FF, 0x44: 0xFF0FF, 0x4C: 0xFF0FF, 0x54: 0xFF0FF, 0x5C: 0xFF0FF,
	0x64: 0xFF0FF, 0x6C: 0xFF0FF, 0x74: 0xFF0FF, 0x7C: 0xFF0FF, 0x84: 3,
	0xAC: 0x1C7FFF, 0xB0: 0x1C7FFF, 0xB8: 3, 0xC4: 0xF0FF0FF, 0xCC: 3,
	0xDC: 0xCF0FFFFF, 0xE0: 0xFCC30CF3, 0xE4: 0x3CC0CC33, 0xE8: 0xFFFFF3FC,
	0xEC: 0xCF0FFFFF, 0xF0: 0xFCC30CF3, 0xF4: 0x3CC0CC33, 0xF8: 0xFFFFF3FC,
	0xFC: 0x3FFFFF, 0x100: 0xFFF, 0x108: 0x3FFF, 0x10C: 0x3FFF, 0x134: 3, 0x140: 3,
	0x150: 0xCF0FFFFF, 0x154: 0xFCC30CF3, 0x158: 0x3CC0CC33, 0x15C: 0xF3FC, 0x164: 3, sensitiveGate: 1,
}

func (c *Chip) sensitiveReset() {
	c.SENSITIVE = sensitiveState{}
	for off, v := range sensitiveDefaults {
		c.SENSITIVE.Regs[off/4] = v
	}
}

// locked tells whether a register may not be written any more.
func (s *sensitiveState) locked(off uint32) bool {
	i, exact := slices.BinarySearch(sensitiveLocks, off)
	if !exact {
		i--
	}
	lock := sensitiveLocks[i]
	return lock != sensitiveGate && s.Regs[lock/4]&1 != 0
}

type sensitiveDevice struct{ *Chip }

func (d sensitiveDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	switch {
	case off < sensitiveSize:
		return uint64(d.SENSITIVE.Regs[off/4]), bus.None
	case off == sensitiveDATE:
		return 0x02010200, bus.None
	}
	return 0, d.unknown("SENSITIVE", off)
}

func (d sensitiveDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	switch {
	case off >= sensitiveSize:
		return d.unknown("SENSITIVE", off)
	case slices.Contains(sensitiveStatus, off):
	case d.SENSITIVE.locked(off):
		d.warn("SENSITIVE+0x%02x written while it is locked", off)
	default:
		d.SENSITIVE.Regs[off/4] = uint32(v)
	}
	return bus.None
}
