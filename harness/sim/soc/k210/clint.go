package k210

import (
	"math/bits"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Core-local interrupter (SiFive E31 Core Complex Manual §9, SDK clint.h): software
// interrupts, and the timer mtime, which counts ACLK/50. Here its counts fall on
// multiples of 50 cycles.
type clintState struct {
	MSIP     [2]bool
	MTIMECMP [2]uint64
	Offset   uint64 // what mtime adds to what it counts
}

const (
	mtimeDivision = 50

	mipMSIP = 1 << 3
	mipMTIP = 1 << 7
	mipMEIP = 1 << 11

	clMSIP     = 0x0000
	clMTIMECMP = 0x4000
	clMTIME    = 0xBFF8
)

func (c *Chip) clintReset() {
	c.CLINT = clintState{MTIMECMP: [2]uint64{clock.Never, clock.Never}, Offset: -(c.Cycle() / mtimeDivision)}
	c.clintUpdate()
}

// mtime is the timer at a cycle.
func (s *clintState) mtime(cycle uint64) uint64 { return cycle/mtimeDivision + s.Offset }

// clintUpdate gives the harts what CLINT asks for, and schedules what it will.
func (c *Chip) clintUpdate() {
	s, now := &c.CLINT, c.Cycle()
	for n := range c.harts {
		c.setIP(n, mipMSIP, s.MSIP[n])
		due := s.mtime(now) >= s.MTIMECMP[n]
		c.setIP(n, mipMTIP, due)
		at := clock.Never
		if !due {
			at = cycleOfCount(now/mtimeDivision, s.MTIMECMP[n]-s.mtime(now))
		}
		c.Schedule(slotCLINT+n, at)
	}
}

// cycleOfCount is when so many counts after another since cycle 0 have passed, or Never.
func cycleOfCount(since, n uint64) uint64 {
	count, carry := bits.Add64(since, n, 0)
	hi, lo := bits.Mul64(count, mtimeDivision)
	if hi|carry != 0 {
		return clock.Never
	}
	return lo
}

// clintDevice is the block's registers.
type clintDevice struct{ *Chip }

func (d clintDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	v, ok := d.register(off &^ 7)
	if !ok {
		return 0, d.unknown("CLINT", off)
	}
	if width < 8 {
		v = v >> (8 * (off & 4)) & (1<<32 - 1)
	}
	return v, bus.None
}

// register is the 64 bits at an offset.
func (d clintDevice) register(off uint32) (v uint64, ok bool) {
	s := &d.CLINT
	switch off {
	case clMSIP:
		return uint64(oneIf(s.MSIP[0])) | uint64(oneIf(s.MSIP[1]))<<32, true
	case clMTIMECMP, clMTIMECMP + 8:
		return s.MTIMECMP[(off-clMTIMECMP)/8], true
	case clMTIME:
		return s.mtime(d.Cycle()), true
	}
	return 0, false
}

func (d clintDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	base := off &^ 7
	old, ok := d.register(base)
	if !ok {
		return d.unknown("CLINT", off)
	}
	if width < 8 {
		shift := 8 * (off & 4)
		v = old&^((1<<32-1)<<shift) | v<<shift
	}
	s := &d.CLINT
	switch base {
	case clMSIP:
		s.MSIP = [2]bool{v&1 != 0, v>>32&1 != 0}
	case clMTIME:
		s.Offset = v - d.Cycle()/mtimeDivision
	default:
		s.MTIMECMP[(base-clMTIMECMP)/8] = v
	}
	d.clintUpdate()
	return bus.None
}

// foreseeLoad: all but mtime changes by events and stores only.
func (d clintDevice) foreseeLoad(off uint32, width uint8, until uint64) (least, most uint64, ok bool) {
	if off&^7 != clMTIME {
		return steady(d, off, width, true)
	}
	least, most = d.CLINT.mtime(d.Cycle()), d.CLINT.mtime(until)
	switch {
	case width == 8:
		return least, most, true
	case least>>32 != most>>32:
		return 0, 0, false
	}
	shift := 8 * (off & 4)
	return least >> shift & (1<<32 - 1), most >> shift & (1<<32 - 1), true
}
