package k210

import (
	"rigor/harness/sim/bus"
)

// GPIO: eight pins and one interrupt for all of them (DesignWare DW_apb_gpio Databook,
// SDK gpio.h). Of a pin that is an output, DATA_INPUT reads what is put out, and it does
// not interrupt.
//
// Not modelled: the synchronisers, so that an edge is seen at once; debouncing and control by
// hardware fault.
type gpioState struct {
	DATA_OUTPUT, DIRECTION    uint32
	INTERRUPT_ENABLE, MASK    uint32
	LEVEL, POLARITY, BOTHEDGE uint32 // LEVEL: by edges; POLARITY: high or rising
	SYNC_LEVEL                uint32
	Edges                     uint32 // taken and not cleared
	In                        uint32
}

const (
	gpioPins = 8
	gpioMask = 1<<gpioPins - 1

	gpDATA_OUTPUT = 0x00
	gpDIRECTION   = 0x04
	gpSOURCE      = 0x08
	gpENABLE      = 0x30
	gpMASK        = 0x34
	gpLEVEL       = 0x38
	gpPOLARITY    = 0x3C
	gpSTATUS      = 0x40
	gpSTATUS_RAW  = 0x44
	gpDEBOUNCE    = 0x48
	gpCLEAR       = 0x4C
	gpDATA_INPUT  = 0x50
	gpSYNC_LEVEL  = 0x60
	gpBOTHEDGE    = 0x68
)

func (c *Chip) gpioReset() {
	c.GPIO = gpioState{In: c.GPIO.In}
	c.gpioOutputs()
	c.gpioUpdate()
}

func (c *Chip) gpioOutputs() {
	s := &c.GPIO
	for n := range gpioPins {
		c.setOut(fnGPIO0+n, s.DATA_OUTPUT>>n&1 != 0, s.DIRECTION>>n&1 != 0)
	}
}

// gpioInput takes an edge of a pin.
func (c *Chip) gpioInput(n int, high bool) {
	s, bit := &c.GPIO, uint32(1)<<n
	s.In &^= bit
	s.In |= oneIf(high) << n
	if s.BOTHEDGE&bit != 0 || high == (s.POLARITY&bit != 0) {
		s.Edges |= s.LEVEL & s.INTERRUPT_ENABLE &^ s.DIRECTION & bit
	}
	c.gpioUpdate()
}

// raw are the pins that interrupt but for their masks.
func (s *gpioState) raw() uint32 {
	byLevel := ^(s.In ^ s.POLARITY) &^ s.LEVEL & s.INTERRUPT_ENABLE &^ s.DIRECTION
	return (byLevel | s.Edges) & gpioMask
}

func (c *Chip) gpioUpdate() { c.setIRQ(irqGPIO, c.GPIO.raw()&^c.GPIO.MASK != 0) }

// gpioDevice is the block's registers.
type gpioDevice struct{ *Chip }

// register is one that is read as it was stored, or nil.
func (s *gpioState) register(off uint32) *uint32 {
	switch off {
	case gpDATA_OUTPUT:
		return &s.DATA_OUTPUT
	case gpDIRECTION:
		return &s.DIRECTION
	case gpENABLE:
		return &s.INTERRUPT_ENABLE
	case gpMASK:
		return &s.MASK
	case gpLEVEL:
		return &s.LEVEL
	case gpPOLARITY:
		return &s.POLARITY
	case gpSYNC_LEVEL:
		return &s.SYNC_LEVEL
	case gpBOTHEDGE:
		return &s.BOTHEDGE
	}
	return nil
}

func (d gpioDevice) loadWord(off uint32) (uint32, bus.Fault) {
	s := &d.GPIO
	if r := s.register(off); r != nil {
		return *r, bus.None
	}
	switch off {
	case gpSTATUS:
		return s.raw() &^ s.MASK, bus.None
	case gpSTATUS_RAW:
		return s.raw(), bus.None
	case gpDATA_INPUT:
		d.sampleSources()
		return s.In&^s.DIRECTION | s.DATA_OUTPUT&s.DIRECTION, bus.None
	case gpSOURCE, gpDEBOUNCE, gpCLEAR:
		return 0, bus.None
	}
	return 0, d.unknown("GPIO", off)
}

func (d gpioDevice) storeWord(off, v uint32) bus.Fault {
	s := &d.GPIO
	switch r := s.register(off); {
	case off == gpSYNC_LEVEL:
		*r = v & 1
	case r != nil:
		*r = v & gpioMask
	case off == gpCLEAR:
		s.Edges &^= v
	case off == gpSOURCE && v != 0:
		return d.lack("GPIO.SOURCE: control by hardware")
	case off == gpDEBOUNCE && v != 0:
		return d.lack("GPIO.INTERRUPT_DEBOUNCE")
	case off >= gpSTATUS && off <= gpDATA_INPUT, off == gpSOURCE: // cannot be written
	default:
		return d.unknown("GPIO", off)
	}
	d.gpioOutputs()
	d.gpioUpdate()
	return bus.None
}

// foreseeLoad: what a source will give is not foreseen.
func (d gpioDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(words{d}, off, width, off <= gpBOTHEDGE && len(d.sources) == 0)
}
