package k210

import (
	"math/bits"

	"rigor/harness/sim/bus"
)

// High-speed GPIO: 32 pins at the harts' own bus, each with an interrupt of its own
// (SiFive FE310-G000 Manual, GPIO; SDK gpiohs.h).
//
// An input takes three cycles of ACLK through the synchroniser and one more to INPUT_VAL and
// the pending bits, as in the source of SiFive's blocks (GPIO.scala); that the
// block runs by ACLK is [A]. An output changes in the cycle of the store.
//
// Pull-ups and drive strength belong to FPIOA on this part: PULLUP_EN and DRIVE are kept
// without effect. Functions of hardware instead of OUTPUT_VAL (IOF_EN) fault.
type gpiohsState struct {
	INPUT_EN, OUTPUT_EN, OUTPUT_VAL uint32
	PULLUP_EN, DRIVE                uint32
	IE, IP                          [gpiohsKinds]uint32 // RISE, FALL, HIGH, LOW
	IOF_SEL, OUTPUT_XOR             uint32

	Raw   uint32 // the inputs at the pads
	In    uint32 // and behind the synchroniser: INPUT_VAL
	Steps [gpiohsSync + 1]gpiohsStep
	N     uint8
	IRQ   uint32 // what PLIC was told
}

// gpiohsStep is what the inputs become at a cycle.
type gpiohsStep struct {
	Cycle uint64
	Value uint32
}

const gpiohsSync = 4 // cycles

// Kinds of interrupts, in the order of their registers.
const (
	kindRise = iota
	kindFall
	kindHigh
	kindLow
	gpiohsKinds
)

const (
	ghINPUT_VAL  = 0x00
	ghINPUT_EN   = 0x04
	ghOUTPUT_EN  = 0x08
	ghOUTPUT_VAL = 0x0C
	ghPULLUP_EN  = 0x10
	ghDRIVE      = 0x14
	ghRISE_IE    = 0x18 // then RISE_IP, FALL_IE and so on
	ghLOW_IP     = 0x34
	ghIOF_EN     = 0x38
	ghIOF_SEL    = 0x3C
	ghOUTPUT_XOR = 0x40
)

func (c *Chip) gpiohsReset() {
	s := &c.GPIOHS
	inputs := s.INPUT_EN
	*s = gpiohsState{Raw: s.Raw, IRQ: s.IRQ}
	c.enableInputs(inputs)
	c.gpiohsOutputs(^uint32(0))
	s.N, s.In = 0, s.Raw
	c.gpiohsUpdate()
}

// gpiohsOutputs puts out some pins.
func (c *Chip) gpiohsOutputs(pins uint32) {
	s := &c.GPIOHS
	out := s.OUTPUT_VAL ^ s.OUTPUT_XOR
	for ; pins != 0; pins &= pins - 1 {
		n := bits.TrailingZeros32(pins)
		c.setOut(fnGPIOHS0+n, out>>n&1 != 0, s.OUTPUT_EN>>n&1 != 0)
	}
}

// enableInputs follows a change of INPUT_EN.
func (c *Chip) enableInputs(changed uint32) {
	for ; changed != 0; changed &= changed - 1 {
		fn := fnGPIOHS0 + bits.TrailingZeros32(changed)
		for ios := c.ios[fn]; ios != 0; ios &= ios - 1 {
			c.settleInput(bits.TrailingZeros64(ios), c.Cycle())
		}
	}
}

// gpiohsInput takes an edge of a pin at a cycle into the synchroniser.
func (c *Chip) gpiohsInput(n int, high bool, at uint64) {
	s := &c.GPIOHS
	s.Raw &^= 1 << n
	s.Raw |= oneIf(high) << n
	step := gpiohsStep{at + gpiohsSync, s.Raw}
	if s.N > 0 && (s.Steps[s.N-1].Cycle >= step.Cycle || int(s.N) == len(s.Steps)) {
		s.Steps[s.N-1].Value = step.Value
	} else {
		s.Steps[s.N] = step
		s.N++
	}
	c.Schedule(slotSynchroniser, s.Steps[0].Cycle)
}

// gpiohsSynchronised is when the oldest change has come through.
func (c *Chip) gpiohsSynchronised() {
	s := &c.GPIOHS
	if s.N == 0 {
		return // reset meanwhile
	}
	was := s.In
	s.In = s.Steps[0].Value
	s.N--
	copy(s.Steps[:], s.Steps[1:])
	s.IP[kindRise] |= s.In &^ was
	s.IP[kindFall] |= was &^ s.In
	if s.N > 0 {
		c.Schedule(slotSynchroniser, s.Steps[0].Cycle)
	}
	c.gpiohsUpdate()
}

// gpiohsUpdate brings what follows the inputs' levels, and the interrupts, up to date.
func (c *Chip) gpiohsUpdate() {
	s := &c.GPIOHS
	s.IP[kindHigh] |= s.In
	s.IP[kindLow] |= ^s.In
	irq := uint32(0)
	for kind := range s.IE {
		irq |= s.IE[kind] & s.IP[kind]
	}
	changed := irq ^ s.IRQ
	s.IRQ = irq
	for ; changed != 0; changed &= changed - 1 {
		n := bits.TrailingZeros32(changed)
		c.setIRQ(irqGPIOHS+n, irq>>n&1 != 0)
	}
}

// gpiohsDevice is the block's registers.
type gpiohsDevice struct{ *Chip }

// register is one that is read as it was stored, or nil.
func (s *gpiohsState) register(off uint32) *uint32 {
	switch {
	case off == ghINPUT_EN:
		return &s.INPUT_EN
	case off == ghOUTPUT_EN:
		return &s.OUTPUT_EN
	case off == ghOUTPUT_VAL:
		return &s.OUTPUT_VAL
	case off == ghPULLUP_EN:
		return &s.PULLUP_EN
	case off == ghDRIVE:
		return &s.DRIVE
	case off >= ghRISE_IE && off <= ghLOW_IP && off&4 == ghRISE_IE&4:
		return s.interrupt(&s.IE, off)
	case off == ghIOF_SEL:
		return &s.IOF_SEL
	case off == ghOUTPUT_XOR:
		return &s.OUTPUT_XOR
	}
	return nil
}

// interrupt is the word of one of the kinds, by its register.
func (s *gpiohsState) interrupt(set *[gpiohsKinds]uint32, off uint32) *uint32 {
	return &set[(off-ghRISE_IE)/8]
}

func (d gpiohsDevice) loadWord(off uint32) (uint32, bus.Fault) {
	s := &d.GPIOHS
	if r := s.register(off); r != nil {
		return *r, bus.None
	}
	switch {
	case off == ghINPUT_VAL:
		d.sampleSources()
		return s.In, bus.None
	case off > ghRISE_IE && off <= ghLOW_IP:
		return *s.interrupt(&s.IP, off), bus.None
	case off == ghIOF_EN:
		return 0, bus.None
	}
	return 0, d.unknown("GPIOHS", off)
}

func (d gpiohsDevice) storeWord(off, v uint32) bus.Fault {
	s := &d.GPIOHS
	r := s.register(off)
	switch {
	case r != nil:
		changed := *r ^ v
		*r = v
		d.stored(off, changed)
	case off == ghINPUT_VAL: // cannot be written
	case off > ghRISE_IE && off <= ghLOW_IP: // write 1 to clear
		*s.interrupt(&s.IP, off) &^= v
		d.gpiohsUpdate()
	case off == ghIOF_EN:
		if v != 0 {
			return d.lack("GPIOHS.IOF_EN")
		}
	default:
		return d.unknown("GPIOHS", off)
	}
	return bus.None
}

// stored follows a change of a register.
func (d gpiohsDevice) stored(off, changed uint32) {
	switch off {
	case ghINPUT_EN:
		d.enableInputs(changed)
	case ghOUTPUT_EN, ghOUTPUT_VAL, ghOUTPUT_XOR:
		d.gpiohsOutputs(changed)
	case ghPULLUP_EN, ghDRIVE:
		d.warn("%s stored: on this part pulls and drive strength are FPIOA's", RegisterName(0x38001000+off))
	default:
		d.gpiohsUpdate()
	}
}

// foreseeLoad: what a source will give is not foreseen.
func (d gpiohsDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(words{d}, off, width, off <= ghOUTPUT_XOR && len(d.sources) == 0)
}
