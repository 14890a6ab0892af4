package stm32f407

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Random number generator, RM0090 §24. Its numbers come from a generator
// seeded by Options.Seed, one each 40 periods of PLL48CLK; seed errors do not
// occur.
//
// Before the PLL runs, PLL48CLK does not, and a program that asks for a number
// gets CECS instead: TinyGo's start-up does.
type rng struct {
	CR, SR, DR uint32
	State      uint64
}

const (
	rngIE     = 1 << 3
	rngEN     = 1 << 2
	rngDRDY   = 1 << 0
	rngCECS   = 1 << 1
	rngCEIS   = 1 << 5
	rngSEIS   = 1 << 6
	irqRNG    = 80
	rngPeriod = 40
)

type rngDevice struct{ *Chip }

func (d rngDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	r := &d.RNG
	switch off {
	case 0x00:
		return uint64(r.CR), bus.None
	case 0x04:
		return uint64(r.SR), bus.None
	case 0x08:
		return uint64(d.readRNG()), bus.None
	}
	return 0, d.unknown("RNG", off)
}

func (d rngDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	r := &d.RNG
	switch off {
	case 0x00:
		r.CR = uint32(v) & (rngIE | rngEN)
		if r.CR&rngEN == 0 {
			r.SR &^= rngDRDY
		}
		d.rngClockChanged()
	case 0x04:
		r.SR &= uint32(v) | ^uint32(rngCEIS|rngSEIS) // cleared by writing 0
	case 0x08: // read-only
	default:
		return d.unknown("RNG", off)
	}
	d.updateRNGIRQ()
	return bus.None
}

// readRNG is §24.4.3: reading clears DRDY. With DRDY clear there is no number,
// and reading gives 0.
func (c *Chip) readRNG() uint32 {
	r := &c.RNG
	if r.SR&rngDRDY == 0 {
		c.warn("RNG.DR read without DRDY")
		return 0
	}
	r.SR &^= rngDRDY
	c.rngClockChanged()
	c.updateRNGIRQ()
	return r.DR
}

// rngClockChanged follows the clocks: too slow a PLL48CLK is an error
// (§24.3.2), and the next number comes in 40 of its periods.
func (c *Chip) rngClockChanged() {
	r, f := &c.RNG, c.RCC.Tree.PLL48
	bad := r.CR&rngEN != 0 && f < c.RCC.Tree.HCLK/16
	if bad && r.SR&rngCECS == 0 {
		r.SR |= rngCECS | rngCEIS
	}
	if !bad {
		r.SR &^= rngCECS
	}
	switch {
	case r.CR&rngEN == 0 || bad || f == 0:
		c.ScheduleAt(slotRNG, clock.NeverTime)
	case r.SR&rngDRDY == 0 && c.Due[slotRNG] == clock.NeverTime:
		c.ScheduleIn(slotRNG, clock.Time(rngPeriod*uint64(clock.Second)/f))
	}
	c.updateRNGIRQ()
}

func (c *Chip) rngReady() {
	c.RNG.DR = uint32(splitmix(&c.RNG.State))
	c.RNG.SR |= rngDRDY
	c.updateRNGIRQ()
}

func (c *Chip) updateRNGIRQ() {
	r := &c.RNG
	c.irq(irqRNG, r.CR&rngIE != 0 && r.SR&(rngDRDY|rngCEIS|rngSEIS) != 0)
}

// resetRNG goes on with the sequence, so that a reset does not repeat numbers.
func (c *Chip) resetRNG() {
	c.RNG = rng{State: c.RNG.State}
	c.ScheduleAt(slotRNG, clock.NeverTime)
	c.updateRNGIRQ()
}
