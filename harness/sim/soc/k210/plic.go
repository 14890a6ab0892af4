package k210

import (
	"math/bits"

	"rigor/harness/sim/bus"
)

// Platform-level interrupt controller (SiFive E31 Core Complex Manual §8, SDK plic.h): 65
// sources, of which each hart has a context for machine mode and one for supervisor
// mode. Gateways are level-sensitive: a claimed source is quiet until it is
// completed.
type plicState struct {
	PRIORITY  [sources]uint8
	ENABLE    [contexts]sourceSet
	THRESHOLD [contexts]uint8
	Level     sourceSet // what the blocks ask for
	Pending   sourceSet
	Claimed   sourceSet // until completed
}

// sourceSet is a set of sources by number.
type sourceSet [3]uint32

func (s *sourceSet) has(n int) bool { return s[n>>5]>>(n&31)&1 != 0 }

func (s *sourceSet) set(n int, on bool) {
	if on {
		s[n>>5] |= 1 << (n & 31)
	} else {
		s[n>>5] &^= 1 << (n & 31)
	}
}

const (
	sources  = 66 // source 0 is none
	contexts = 4  // by twos of a hart: machine mode's, supervisor mode's
)

// Sources (SDK plic.h).
const (
	irqSPI0   = 1 // irqSPI0+n is SPI n's
	irqI2S0   = 5
	irqUART1  = 11
	irqTIMER0 = 14 // two of each
	irqRTC    = 20
	irqWDT0   = 21
	irqGPIO   = 23
	irqFFT    = 26
	irqDMAC   = 27 // six
	irqUARTHS = 33
	irqGPIOHS = 34 // 32
)

const (
	plPENDING = 0x001000
	plENABLE  = 0x002000
	plCONTEXT = 0x200000
)

func (c *Chip) plicReset() {
	c.PLIC = plicState{Level: c.PLIC.Level}
	c.plicUpdate()
}

// setIRQ is a source's level.
func (c *Chip) setIRQ(source int, level bool) {
	s := &c.PLIC
	if s.Level.has(source) == level {
		return
	}
	s.Level.set(source, level)
	c.plicUpdate()
}

// plicUpdate lets the gateways pass what is asked for, and gives the harts their interrupt
// inputs.
func (c *Chip) plicUpdate() {
	s := &c.PLIC
	for i := range s.Pending {
		s.Pending[i] |= s.Level[i] &^ s.Claimed[i]
	}
	for n := range c.harts {
		c.setIP(n, mipMEIP, s.best(2*n) != 0)
	}
}

// best is the pending source of the highest priority above a context's threshold, of
// several the lowest, or 0.
func (s *plicState) best(context int) (source int) {
	priority := s.THRESHOLD[context]
	for i := range s.Pending {
		for set := s.Pending[i] & s.ENABLE[context][i]; set != 0; set &= set - 1 {
			if n := 32*i + bits.TrailingZeros32(set); s.PRIORITY[n] > priority {
				source, priority = n, s.PRIORITY[n]
			}
		}
	}
	return source
}

// claim takes the best source.
func (c *Chip) claim(context int) uint32 {
	s := &c.PLIC
	n := s.best(context)
	if n != 0 {
		s.Pending.set(n, false)
		s.Claimed.set(n, true)
		c.plicUpdate()
	}
	return uint32(n)
}

// complete opens a source's gateway again, if the context may have claimed it.
func (c *Chip) complete(context int, source uint32) {
	s := &c.PLIC
	if source < sources && s.ENABLE[context].has(int(source)) {
		s.Claimed.set(int(source), false)
		c.plicUpdate()
	}
}

// plicDevice is the block's registers. Those of sources and contexts that the part has
// not read 0 and take nothing.
type plicDevice struct{ *Chip }

func (d plicDevice) loadWord(off uint32) (uint32, bus.Fault) {
	s := &d.PLIC
	switch {
	case off < plPENDING:
		if n := off / 4; n < sources {
			return uint32(s.PRIORITY[n]), bus.None
		}
	case off < plENABLE:
		if n := (off - plPENDING) / 4; n < 3 {
			return s.Pending[n], bus.None
		}
	case off < plCONTEXT:
		if set := s.enable(off); set != nil {
			return *set, bus.None
		}
	default:
		context := int(off-plCONTEXT) >> 12
		switch {
		case context >= contexts:
		case off&0xFFF == 0:
			return uint32(s.THRESHOLD[context]), bus.None
		case off&0xFFF == 4:
			return d.claim(context), bus.None
		}
	}
	return 0, bus.None
}

// enable is a word of a context's set, or nil.
func (s *plicState) enable(off uint32) *uint32 {
	context, word := (off-plENABLE)>>7, off>>2&31
	if context >= contexts || word >= 3 {
		return nil
	}
	return &s.ENABLE[context][word]
}

func (d plicDevice) storeWord(off, v uint32) bus.Fault {
	s := &d.PLIC
	switch {
	case off < plPENDING:
		if n := off / 4; n > 0 && n < sources {
			s.PRIORITY[n] = uint8(v & 7)
		}
	case off < plENABLE: // cannot be written
	case off < plCONTEXT:
		if set := s.enable(off); set != nil {
			*set = v
			s.ENABLE[(off-plENABLE)>>7][0] &^= 1 // there is no source 0
		}
	default:
		context := int(off-plCONTEXT) >> 12
		switch {
		case context >= contexts:
		case off&0xFFF == 0:
			s.THRESHOLD[context] = uint8(v & 7)
		case off&0xFFF == 4:
			d.complete(context, v)
		}
	}
	d.plicUpdate()
	return bus.None
}

// foreseeLoad: claiming has an effect.
func (d plicDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(words{d}, off, width, off < plCONTEXT)
}
