package stm32f407

import (
	"fmt"
	"strconv"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/pad"
)

// General-purpose I/O, RM0090 §8, and what a pin is electrically (DS8626
// §6.3.16): see package pad.
//
// A pin changes in the cycle of the store that changes it, and IDR shows it in
// the next access: the synchroniser's AHB cycle lies within the store's.

const (
	ports    = 9 // A to I
	pinCount = ports*16 + 1
	pinBOOT0 = ports * 16 // not a port's pin
	pinBOOT1 = 1*16 + 2   // PB2
)

// gpio is one port's registers.
type gpio struct {
	MODER, OTYPER, OSPEEDR, PUPDR, ODR, LCKR uint32
	AFR                                      [2]uint32
	LockStep                                 uint8
}

// pins are the electrical state of all pins.
type pins struct {
	Level    [ports + 1]uint16 // what the Schmitt triggers see, or would
	Input    [ports + 1]uint16 // what IDR shows: 0 in analog mode
	Outside  [pinCount]board.Drive
	Fight    [ports + 1]uint16  // pins driven against each other
	Selected [ports * 16]signal // the alternate function that a pin is switched to
	AFLevel  [signalCount]bool  // what blocks put out
	AFDriven [signalCount]bool  // whether they do
	AFIn     [signalCount]bool  // what blocks see
	Late     uint16             // the timers, from TIM1, that may move pins unseen
}

const (
	modeInput  = 0
	modeOutput = 1
	modeAF     = 2
	modeAnalog = 3

	lockKey = 1 << 16
)

type gpioDevice struct {
	*Chip
	port int
}

func (d gpioDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	g := &d.GPIO[d.port]
	switch off {
	case 0x10:
		d.timCatchUp()
		d.sample(d.port)
		return uint64(d.Pins.Input[d.port]), bus.None
	case 0x14:
		return uint64(g.ODR), bus.None
	case 0x18: // write-only
		return 0, bus.None
	case 0x1C:
		if g.LockStep == 3 { // the read that ends the lock sequence, §8.4.8
			g.LockStep, g.LCKR = 0, g.LCKR|lockKey
		}
		return uint64(g.LCKR), bus.None
	}
	if r, _ := g.config(off); r != nil {
		return uint64(*r), bus.None
	}
	return 0, d.unknown(d.name(), off)
}

func (d gpioDevice) name() string { return "GPIO" + string(rune('A'+d.port)) }

func (d gpioDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	g, v := &d.GPIO[d.port], uint32(v64)
	switch off {
	case 0x10: // read-only
	case 0x14:
		d.setODR(d.port, v&0xFFFF)
	case 0x18: // setting wins, §8.4.7
		d.setODR(d.port, g.ODR&^(v>>16)|v&0xFFFF)
	case 0x1C:
		g.lock(v)
	default:
		r, width := g.config(off)
		if r == nil {
			return d.unknown(d.name(), off)
		}
		keep := g.locked(off, width)
		*r = *r&keep | v&^keep
		d.reconfigure(d.port)
	}
	return bus.None
}

// config is a configuration register and its bits per pin.
func (g *gpio) config(off uint32) (r *uint32, width int) {
	switch off {
	case 0x00:
		return &g.MODER, 2
	case 0x04:
		return &g.OTYPER, 1
	case 0x08:
		return &g.OSPEEDR, 2
	case 0x0C:
		return &g.PUPDR, 2
	case 0x20:
		return &g.AFR[0], 4
	case 0x24:
		return &g.AFR[1], 4
	}
	return nil, 0
}

// locked is the mask of a configuration register's bits that LCKR freezes.
func (g *gpio) locked(off uint32, width int) (keep uint32) {
	if width == 1 {
		keep = 0xFFFF0000
	}
	if g.LCKR&lockKey == 0 {
		return keep
	}
	for n := range 32 / width {
		pin := n
		if off == 0x24 {
			pin += 8
		}
		if pin < 16 && g.LCKR>>pin&1 != 0 {
			keep |= (1<<width - 1) << (n * width)
		}
	}
	return keep
}

// lock follows the sequence of §8.4.8: 1, 0, 1 with the same pins, then a read.
func (g *gpio) lock(v uint32) {
	if g.LCKR&lockKey != 0 {
		return
	}
	key := v&lockKey != 0
	same := v&0xFFFF == g.LCKR
	switch {
	case g.LockStep == 1 && !key && same:
		g.LockStep = 2
	case g.LockStep == 2 && key && same:
		g.LockStep = 3
	case key:
		g.LockStep = 1
	default:
		g.LockStep = 0
	}
	g.LCKR = v & 0xFFFF
}

func (c *Chip) setODR(port int, v uint32) {
	changed := c.GPIO[port].ODR ^ v
	c.GPIO[port].ODR = v
	for n := 0; changed != 0; n, changed = n+1, changed>>1 {
		if changed&1 != 0 {
			c.settle(port*16 + n)
		}
	}
}

// reconfigure follows a change of a port's configuration.
func (c *Chip) reconfigure(port int) {
	c.timCatchUp()
	for n := range 16 {
		p := port*16 + n
		old, sig := c.Pins.Selected[p], c.selected(port, n)
		c.Pins.Selected[p] = sig
		c.settle(p)
		if old != sig {
			c.refreshInput(old)
		}
		c.refreshInput(sig)
	}
	c.timRewatch()
}

// selected is the signal that a pin in alternate-function mode is switched to.
func (c *Chip) selected(port, n int) signal {
	g := &c.GPIO[port]
	if g.MODER>>(2*n)&3 != modeAF {
		return sigNone
	}
	return afSignal[port*16+n][g.AFR[n/8]>>(4*(n%8))&0xF]
}

// driver is what the chip's own output stage does to a pin.
func (c *Chip) driver(p int) pad.Output {
	if !c.Powered || p == pinBOOT0 {
		return pad.Released
	}
	port, n := p/16, p%16
	g := &c.GPIO[port]
	level := g.ODR>>n&1 != 0
	switch g.MODER >> (2 * n) & 3 {
	case modeInput, modeAnalog:
		return pad.Released
	case modeAF:
		sig := c.Pins.Selected[p]
		if !c.Pins.AFDriven[sig] {
			return pad.Released
		}
		level = c.Pins.AFLevel[sig]
	}
	switch {
	case !level:
		return pad.Low
	case g.OTYPER>>n&1 != 0: // open drain
		return pad.Released
	}
	return pad.High
}

// rails are those of the pins, DS8626 §6.3.16, table 48: VIL 0.3 VDD, VIH 0.7 VDD.
func (c *Chip) rails() pad.Rails {
	supply := c.supply()
	return pad.Rails{Supply: supply, Low: supply * 3 / 10, High: supply * 7 / 10}
}

// supply is VDD in microvolts.
func (c *Chip) supply() int64 { return int64(c.opt.SupplyMV) * 1000 }

// voltage is what a pin carries now.
func (c *Chip) voltage(p int) pad.Voltage {
	d := c.Pins.Outside[p]
	pin := pad.Pin{Driver: c.driver(p), Outside: d.Kind, Applied: int64(d.MV) * 1000}
	if s := c.sources.At(p); s != nil {
		pin.Outside, pin.Applied = board.DriveVoltage, s.MicroVolts(c.Time())
	}
	if pin.Driver == pad.Released {
		pin.Up, pin.Down = c.pulls(p)
		if uv, on := c.dacDrives(p); on {
			pin.Driver, pin.Held = pad.Analog, uv
		}
	}
	return c.rails().Resolve(pin)
}

// pulls are the chip's weak resistors on a pin. They are off in analog mode (§8.3.12).
func (c *Chip) pulls(p int) (up, down bool) {
	if !c.Powered || p == pinBOOT0 || c.mode(p) == modeAnalog {
		return false, false
	}
	pupdr := c.GPIO[p/16].PUPDR >> (2 * (p % 16)) & 3
	return pupdr == 1, pupdr == 2
}

func (c *Chip) mode(p int) uint32 { return c.GPIO[p/16].MODER >> (2 * (p % 16)) & 3 }

// settle brings a pin's level up to date and tells whoever sees it change.
func (c *Chip) settle(p int) {
	level, bit := &c.Pins.Level[p/16], uint16(1)<<(p%16)
	v := c.voltage(p)
	c.noteFight(p, v.Fight)
	if was := *level&bit != 0; c.rails().Level(v, was) != was {
		*level ^= bit
		c.observe(p, !was)
	}
	c.settleInput(p)
	if c.sources.At(p) != nil {
		c.awaitCrossing()
	}
}

func (c *Chip) noteFight(p int, fight bool) {
	port, bit := p/16, uint16(1)<<(p%16)
	if !fight {
		c.Pins.Fight[port] &^= bit
		return
	}
	if c.Pins.Fight[port]&bit == 0 {
		c.Pins.Fight[port] |= bit
		c.warn("%s driven by the chip and from outside against each other", c.PinName(board.Pin(p)))
	}
}

// observe shows a pin's change to the outside, never before an earlier change.
func (c *Chip) observe(p int, high bool) {
	c.PinCycle = max(c.PinCycle, c.Cycle())
	if c.watch != nil {
		c.watch(board.Pin(p), high, c.TimeOf(c.PinCycle))
	}
}

// settleInput brings up to date what the chip itself sees of a pin.
func (c *Chip) settleInput(p int) {
	if p == pinBOOT0 {
		return
	}
	port, n := p/16, p%16
	is := c.Powered && c.Pins.Level[port]>>n&1 != 0 && c.mode(p) != modeAnalog
	if c.Pins.Input[port]>>n&1 != 0 == is {
		return
	}
	c.Pins.Input[port] ^= 1 << n
	c.extiPin(port, n, is)
	if p == pinRTCAF1 {
		c.rtcInput(is)
	}
	c.refreshInput(c.Pins.Selected[p])
	if c.Booting {
		c.bootPin(board.Pin(p), is, c.Cycle())
	}
}

// settleAll follows a change that concerns every pin: power or a reset.
func (c *Chip) settleAll() {
	for port := range ports {
		c.reconfigure(port)
	}
	c.settle(pinBOOT0)
}

func (c *Chip) resetPort(port int) {
	c.GPIO[port] = gpio{}
	switch port {
	case 0: // JTAG on PA13 to PA15, §8.4.1 to §8.4.4
		c.GPIO[0] = gpio{MODER: 0xA8000000, OSPEEDR: 0x0C000000, PUPDR: 0x64000000}
	case 1: // and on PB3, PB4
		c.GPIO[1] = gpio{MODER: 0x00000280, OSPEEDR: 0x000000C0, PUPDR: 0x00000100}
	}
	c.reconfigure(port)
}

// PinByName finds "PA0" to "PI11" and "BOOT0".
func (c *Chip) PinByName(name string) (board.Pin, error) {
	if name == "BOOT0" {
		return pinBOOT0, nil
	}
	if len(name) >= 3 && name[0] == 'P' && name[1] >= 'A' && name[1] <= 'I' {
		n, err := strconv.Atoi(name[2:])
		p := board.Pin(int(name[1]-'A')*16 + n)
		if err == nil && n >= 0 && p < 8*16+12 && n < 16 && c.PinName(p) == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("stm32f407 has no pin %q: want PA0 to PI11 or BOOT0", name)
}

// PinName is the data sheet's name of a pin.
func (c *Chip) PinName(p board.Pin) string {
	if p == pinBOOT0 {
		return "BOOT0"
	}
	return fmt.Sprintf("P%c%d", 'A'+p/16, p%16)
}

// Drive applies a level from the outside; see board.Chip.
func (c *Chip) Drive(p board.Pin, d board.Drive, at clock.Time) {
	c.As(at, func() {
		c.timCatchUp()
		c.Pins.Outside[p] = d
		c.settle(int(p))
	})
}

// SetAnalog connects a source that changes by itself; see board.Chip.
func (c *Chip) SetAnalog(p board.Pin, f func(at clock.Time) int64) {
	c.sources.Connect(int(p), f)
	c.settle(int(p))
	c.awaitCrossing()
}

// sample brings up to date the levels of a port's pins that hang on sources
// which change by themselves.
func (c *Chip) sample(port int) {
	for _, s := range c.sources {
		if s.Pin/16 == port {
			c.settle(s.Pin)
		}
	}
}

// Level is a pin's level as a digital input on it would see it.
func (c *Chip) Level(p board.Pin) bool {
	c.timCatchUp()
	if c.sources.At(int(p)) != nil {
		c.settle(int(p))
	}
	return c.Pins.Level[p/16]>>(p%16)&1 != 0
}

// MicroVolts is a pin's voltage now. A floating pin keeps the rail that it was at.
func (c *Chip) MicroVolts(p board.Pin) int64 {
	c.timCatchUp()
	v := c.voltage(int(p))
	if v.Floating && c.Level(p) {
		return c.supply()
	}
	return v.MicroVolts
}

// Watch sets the observer of all pins; see board.Chip.
func (c *Chip) Watch(f func(p board.Pin, high bool, at clock.Time)) {
	c.timCatchUp()
	c.watch = f
	c.timRewatch()
}
