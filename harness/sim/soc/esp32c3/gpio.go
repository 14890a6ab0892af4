package esp32c3

import (
	"math/bits"

	"rigor/harness/sim/bus"
)

// The GPIO block (TRM IO MUX and GPIO Matrix): the pins' output, enable and input
// registers, their interrupts, and the selectors of the GPIO matrix, which
// gpio_matrix.go evaluates. gpio_pad.go is what a pin is electrically,
// gpio_sync.go its synchroniser and filter, iomux.go the IO MUX.
//
// Not modelled: waking up from sleep, whose bits are kept, and sigma-delta
// outputs, which fault.

const (
	pinCount = 22 // GPIO0 to GPIO21
	pinMask  = 1<<26 - 1

	gpioFUNC_IN  = 0x154
	gpioFUNC_OUT = 0x554
	gpioPIN      = 0x74

	sourceGPIO    = 16
	sourceGPIONMI = 17
)

// Fields of GPIO_PINn.
const (
	pinPAD_DRIVER = 1 << 2 // open drain
	pinSYNC2      = 0      // position of a field of two bits
	pinSYNC1      = 3
	pinINT_TYPE   = 7  // three bits
	pinINT_ENA    = 13 // CPU interrupt; the next is the non-maskable one
)

// Interrupt types.
const (
	intRising  = 1
	intFalling = 2
	intAny     = 3
	intLow     = 4
	intHigh    = 5
)

// Fields of GPIO_FUNCn_IN_SEL_CFG and GPIO_FUNCn_OUT_SEL_CFG.
const (
	inINV = 1 << 5
	inSEL = 1 << 6 // through the matrix, not from the IO MUX

	outINV    = 1 << 8
	outOEN    = 1 << 9 // enabled by GPIO_ENABLE, not by the peripheral
	outOENINV = 1 << 10
)

// gpioState is the block's and the IO MUX's registers, and the pins.
type gpioState struct {
	OUT, ENABLE, STATUS uint32
	STRAP               uint32
	BT_SELECT           uint32
	SDIO_SELECT         uint32
	CLOCK_GATE, DATE    uint32
	PIN                 [26]uint32
	IN_SEL              [128]uint32
	OUT_SEL             [26]uint32

	PIN_CTRL, MUX_DATE uint32
	MUX                [pinCount]uint32

	OENUser, OUTUser uint32 // the CPU's own registers, see gpio_csr.go

	Pins pins
}

// gpioReset puts registers into their reset state. Signals of other blocks are
// theirs.
func (c *Chip) gpioReset() {
	g := &c.GPIO
	*g = gpioState{STRAP: g.STRAP, Pins: g.Pins, CLOCK_GATE: 1, DATE: 0x02006130, PIN_CTRL: 0x7FF, MUX_DATE: 0x02006050}
	for i := range g.OUT_SEL {
		g.OUT_SEL[i] = sigGPIO
	}
	for p := range g.MUX {
		g.MUX[p] = muxReset(p)
		c.reselect(p)
	}
	g.Pins.Fan = [pinCount][2]uint64{}
	g.Pins.Sync = [pinCount]padSync{}
	for i := range cpuGPIOs {
		c.sigOut(sigCPUGPIO+i, false)
		c.sigOE(sigCPUGPIO+i, false)
	}
	c.settleAll()
}

type gpioDevice struct{ *Chip }

func (d gpioDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	g := &d.GPIO
	switch off {
	case 0x08, 0x0C, 0x24, 0x28, 0x48, 0x4C: // write-only
		return 0, bus.None
	case 0x3C:
		d.catchUpPins()
		return uint64(g.Pins.Input), bus.None
	case 0x5C:
		return uint64(g.STATUS & d.intEnabled(0)), bus.None
	case 0x60:
		return uint64(g.STATUS & d.intEnabled(1)), bus.None
	case 0x64: // SDIO has no interrupts here
		return 0, bus.None
	case 0x14C:
		d.catchUpPins()
		return uint64(d.intLevels()), bus.None
	}
	if r := g.register(off); r != nil {
		return uint64(*r), bus.None
	}
	return 0, d.unknown("GPIO", off)
}

func (d gpioDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	g, v := &d.GPIO, uint32(v64)
	switch off {
	case 0x38, 0x3C, 0x5C, 0x60, 0x64, 0x14C: // read-only
	case 0x04:
		d.setOUT(v)
	case 0x08:
		d.setOUT(g.OUT | v)
	case 0x0C:
		d.setOUT(g.OUT &^ v)
	case 0x20:
		d.setENABLE(v)
	case 0x24:
		d.setENABLE(g.ENABLE | v)
	case 0x28:
		d.setENABLE(g.ENABLE &^ v)
	case 0x44:
		d.setSTATUS(v)
	case 0x48:
		d.setSTATUS(g.STATUS | v)
	case 0x4C:
		d.setSTATUS(g.STATUS &^ v)
	default:
		return d.configure(off, v)
	}
	return bus.None
}

// configure stores a register that is more than a bit a pin.
func (d gpioDevice) configure(off, v uint32) bus.Fault {
	g := &d.GPIO
	switch r := g.register(off); {
	case r == nil:
		return d.unknown("GPIO", off)
	case off >= gpioFUNC_OUT && off < gpioFUNC_OUT+4*26:
		return d.selectOutput(int(off-gpioFUNC_OUT)/4, v&0x7FF)
	case off >= gpioFUNC_IN && off < gpioFUNC_IN+4*128:
		d.selectInput(int(off-gpioFUNC_IN)/4, v&0x7F)
	case off >= gpioPIN && off < gpioPIN+4*26:
		d.setPIN(int(off-gpioPIN)/4, v&0x3FF9F)
	default:
		*r = v
	}
	return bus.None
}

// foreseeLoad: inputs that something moves unseen are not foreseen.
func (d gpioDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, off == 0x3C && !d.movesUnseen() || d.GPIO.register(off) != nil)
}

// register is the register at an offset that is read as it was stored, or nil.
func (g *gpioState) register(off uint32) *uint32 {
	switch off {
	case 0x00:
		return &g.BT_SELECT
	case 0x04:
		return &g.OUT
	case 0x1C:
		return &g.SDIO_SELECT
	case 0x20:
		return &g.ENABLE
	case 0x38:
		return &g.STRAP
	case 0x44:
		return &g.STATUS
	case 0x62C:
		return &g.CLOCK_GATE
	case 0x6FC:
		return &g.DATE
	}
	for _, a := range []struct {
		base uint32
		regs []uint32
	}{{gpioPIN, g.PIN[:]}, {gpioFUNC_IN, g.IN_SEL[:]}, {gpioFUNC_OUT, g.OUT_SEL[:]}} {
		if i := (off - a.base) / 4; off >= a.base && i < uint32(len(a.regs)) {
			return &a.regs[i]
		}
	}
	return nil
}

func (c *Chip) setOUT(v uint32) {
	changed := c.GPIO.OUT ^ v&pinMask
	c.GPIO.OUT = v & pinMask
	c.settlePins(changed)
}

func (c *Chip) setENABLE(v uint32) {
	changed := c.GPIO.ENABLE ^ v&pinMask
	c.GPIO.ENABLE = v & pinMask
	c.settlePins(changed)
}

func (c *Chip) setPIN(p int, v uint32) {
	c.catchUpPins()
	c.GPIO.PIN[p] = v
	if p < pinCount {
		c.settle(p)
	}
	c.updateGPIO()
	c.rewatch()
}

func (c *Chip) setSTATUS(v uint32) {
	c.GPIO.STATUS = v & pinMask
	c.updateGPIO()
}

// intEnabled are the pins whose INT_ENA has a bit.
func (c *Chip) intEnabled(bit int) (mask uint32) {
	for p, r := range c.GPIO.PIN {
		mask |= r >> (pinINT_ENA + bit) & 1 << p
	}
	return mask
}

// intType is what of a pin makes it interrupt.
func (c *Chip) intType(p int) uint32 { return c.GPIO.PIN[p] >> pinINT_TYPE & 7 }

// intLevels are the pins that interrupt by the level they have.
func (c *Chip) intLevels() (mask uint32) {
	for p := range pinCount {
		high := c.GPIO.Pins.Input>>p&1 != 0
		if t := c.intType(p); t == intHigh && high || t == intLow && !high {
			mask |= 1 << p
		}
	}
	return mask
}

// intEdge takes a change of a pin's input.
func (c *Chip) intEdge(p int, high bool) {
	switch t := c.intType(p); {
	case t == 0:
		return
	case t == intAny, t == intRising && high, t == intFalling && !high:
		c.GPIO.STATUS |= 1 << p
	}
	c.updateGPIO()
}

// updateGPIO brings STATUS and the interrupts up to date. A level's flag comes
// back as long as the level stays.
func (c *Chip) updateGPIO() {
	c.GPIO.STATUS |= c.intLevels()
	c.source(sourceGPIO, c.GPIO.STATUS&c.intEnabled(0) != 0)
	c.source(sourceGPIONMI, c.GPIO.STATUS&c.intEnabled(1) != 0)
}

// settlePins brings the levels of some pins up to date.
func (c *Chip) settlePins(mask uint32) {
	for mask &= 1<<pinCount - 1; mask != 0; mask &= mask - 1 {
		c.settle(bits.TrailingZeros32(mask))
	}
}
