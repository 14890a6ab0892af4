package esp32c3

import (
	"math/bits"

	"rigor/harness/sim/bus"
)

// Interrupt matrix: TRM Interrupt Matrix (its table 8.3-1 numbers the 62
// sources), and ESP-RISC-V CPU, Interrupt Controller, for how one of the 31 interrupts is chosen:
// enabled, pending, a priority not below the threshold and not 0; the highest
// priority first, of equal ones the lowest number.
//
// The controller's latency of four cycles is part of what the core charges
// for taking an interrupt.
type matrixState struct {
	Levels  uint64 // of the sources
	MAP     [sources]uint8
	GATE    uint32
	ENABLE  uint32
	TYPE    uint32 // 1: on edges
	CLEAR   uint32
	PRI     [32]uint8
	THRESH  uint8
	Lines   uint32 // levels of the interrupts
	Latched uint32 // edges seen
}

const sources = 62

// source sets the level of an interrupt source.
func (c *Chip) source(n int, level bool) {
	old := c.Matrix.Levels
	c.Matrix.Levels = old &^ (1 << n)
	if level {
		c.Matrix.Levels |= 1 << n
	}
	if c.Matrix.Levels != old {
		c.matrixUpdate()
	}
}

// matrixUpdate routes the sources anew and presents an interrupt.
func (c *Chip) matrixUpdate() {
	m := &c.Matrix
	var lines uint32
	for l := m.Levels; l != 0; l &= l - 1 {
		lines |= 1 << m.MAP[bits.TrailingZeros64(l)]
	}
	lines &^= 1 // not an interrupt: sources mapped to it are off
	m.Latched = (m.Latched | lines&^m.Lines) & m.TYPE &^ m.CLEAR
	m.Lines = lines
	c.core.SetInterrupt(m.present())
}

// pending are the interrupts that wait, enabled or not.
func (m *matrixState) pending() uint32 { return m.Lines&^m.TYPE | m.Latched }

// present is the interrupt that the core sees, 0 if none.
func (m *matrixState) present() int {
	best := 0
	for p := m.pending() & m.ENABLE; p != 0; p &= p - 1 {
		n := bits.TrailingZeros32(p)
		if pri := m.PRI[n]; pri != 0 && pri >= m.THRESH && (best == 0 || pri > m.PRI[best]) {
			best = n
		}
	}
	return best
}

// matrixReset keeps the levels, which are the sources' own.
func (c *Chip) matrixReset() {
	c.Matrix = matrixState{Levels: c.Matrix.Levels, GATE: 1}
	c.matrixUpdate()
}

type matrixDevice struct{ *Chip }

func (d matrixDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	m := &d.Matrix
	switch {
	case off < 4*sources:
		return uint64(m.MAP[off/4]), bus.None
	case off == 0xF8:
		return m.Levels & 0xFFFFFFFF, bus.None
	case off == 0xFC:
		return m.Levels >> 32, bus.None
	case off == 0x100:
		return uint64(m.GATE), bus.None
	case off == 0x104:
		return uint64(m.ENABLE), bus.None
	case off == 0x108:
		return uint64(m.TYPE), bus.None
	case off == 0x10C:
		return uint64(m.CLEAR), bus.None
	case off == 0x110:
		return uint64(m.pending()), bus.None
	case off >= 0x114 && off < 0x194:
		return uint64(m.PRI[(off-0x114)/4]), bus.None
	case off == 0x194:
		return uint64(m.THRESH), bus.None
	case off == 0x7FC:
		return 0x02007210, bus.None
	}
	return 0, d.unknown("INTERRUPT_CORE0", off)
}

func (d matrixDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	m, v := &d.Matrix, uint32(v64)
	switch {
	case off < 4*sources:
		m.MAP[off/4] = uint8(v & 31)
	case off == 0xF8, off == 0xFC, off == 0x110, off == 0x7FC: // read-only
	case off == 0x100:
		m.GATE = v & 1
	case off == 0x104:
		m.ENABLE = v
	case off == 0x108:
		m.TYPE = v
	case off == 0x10C:
		m.CLEAR = v
	case off >= 0x114 && off < 0x194:
		m.PRI[(off-0x114)/4] = uint8(v & 15)
	case off == 0x194:
		m.THRESH = uint8(v & 15)
	default:
		return d.unknown("INTERRUPT_CORE0", off)
	}
	d.matrixUpdate()
	return bus.None
}

func (d matrixDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, peripherals.Register("INTERRUPT_CORE0", off) != nil)
}
