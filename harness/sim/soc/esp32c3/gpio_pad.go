package esp32c3

import (
	"fmt"
	"strconv"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/pad"
)

// What a pin is electrically (ESP32-C3 Series Datasheet, DC characteristics): see
// package pad. A pin changes in the cycle of the store that changes it.

// pins are the electrical state of all pins.
type pins struct {
	Level   uint32                // what the Schmitt triggers see, or would
	Pad     uint32                // the same through the input enables
	Input   uint32                // the same through filters and synchronisers: GPIO_IN
	Outside [pinCount]board.Drive // what is applied
	Fight   uint32                // pins driven against each other
	Cycle   uint64                // of the last change of a pin
	Straps  uint32                // as they were latched

	Shows  [pinCount]int16 // the output signal that a pin is switched to
	Direct uint32          // pins switched to a function beside the matrix
	Fan    [pinCount][2]uint64
	SigOut [sigCount]bool // what peripherals put out
	SigOE  [sigCount]bool // whether they do, of signals with an enable
	SigIn  [sigCount]bool // what peripherals see
	Sync   [pinCount]padSync
	Late   bool // LEDC may move pins unseen
}

// outside is what the board connects. It is no part of snapshots.
type outside struct {
	watch   func(p board.Pin, high bool, at clock.Time)
	watched map[board.Pin]bool // what watch must see in time; nil: all pins
	sources pad.Sources
}

var (
	_ board.Selective  = (*Chip)(nil)
	_ board.Triggering = (*Chip)(nil)
)

// The pins of the USB pads.
const (
	pinDM = 18
	pinDP = 19
)

// alive tells whether the chip drives anything: CHIP_EN switches it off.
func (c *Chip) alive() bool { return c.Powered && c.EN }

// driver is what the chip's own output stage does to a pin. Those of the USB pads
// are off while USB has them.
func (c *Chip) driver(p int) pad.Output {
	level, on := c.padOutput(p)
	switch {
	case !c.alive() || !on:
		return pad.Released
	case (p == pinDM || p == pinDP) && c.usbPad():
		c.warn("%s is an output while USB_DEVICE.CONF0.USB_PAD_ENABLE keeps it", c.PinName(board.Pin(p)))
		return pad.Released
	case !level:
		return pad.Low
	case c.GPIO.PIN[p]&pinPAD_DRIVER != 0: // open drain
		return pad.Released
	}
	return pad.High
}

// rails are those of the pins: VIL 0.25 VDD, VIH 0.75 VDD.
func (c *Chip) rails() pad.Rails {
	supply := int64(c.opt.SupplyMV) * 1000
	return pad.Rails{Supply: supply, Low: supply / 4, High: supply * 3 / 4}
}

// voltage is what a pin carries now.
func (c *Chip) voltage(p int) pad.Voltage {
	d := c.GPIO.Pins.Outside[p]
	up, down := c.pulls(p)
	pin := pad.Pin{Driver: c.driver(p), Up: up, Down: down, Outside: d.Kind, Applied: int64(d.MV) * 1000}
	if s := c.sources.At(p); s != nil {
		pin.Outside, pin.Applied = board.DriveVoltage, s.MicroVolts(c.Time())
	}
	return c.rails().Resolve(pin)
}

// pulls are the chip's weak resistors (45 kilohms) on a pin: the IO MUX's, and on D+ USB's.
func (c *Chip) pulls(p int) (up, down bool) {
	if !c.Powered {
		return false, false
	}
	r := c.GPIO.MUX[p]
	return r&muxFUN_WPU != 0 || p == pinDP && c.usbPullUp(), r&muxFUN_WPD != 0
}

// settle brings a pin's level up to date and tells whoever sees it change.
func (c *Chip) settle(p int) {
	s, bit := &c.GPIO.Pins, uint32(1)<<p
	v := c.voltage(p)
	c.noteFight(p, v.Fight)
	if was := s.Level&bit != 0; c.rails().Level(v, was) != was {
		s.Level ^= bit
		c.observe(p, !was)
	}
	c.settleInput(p)
	if c.sources.At(p) != nil {
		c.awaitCrossing()
	}
}

func (c *Chip) noteFight(p int, fight bool) {
	bit := uint32(1) << p
	if !fight {
		c.GPIO.Pins.Fight &^= bit
		return
	}
	if c.GPIO.Pins.Fight&bit == 0 {
		c.GPIO.Pins.Fight |= bit
		c.warn("%s driven by the chip and from outside against each other", c.PinName(board.Pin(p)))
	}
}

// observe shows a pin's change to the outside, never before an earlier change.
func (c *Chip) observe(p int, high bool) {
	s := &c.GPIO.Pins
	s.Cycle = max(s.Cycle, c.Cycle())
	if c.watch != nil {
		c.watch(board.Pin(p), high, c.TimeOf(s.Cycle))
	}
}

// padInput is a pin's level behind its input enable.
func (c *Chip) padInput(p int) bool { return c.GPIO.Pins.Pad>>p&1 != 0 }

// settleInput brings up to date what the chip itself sees of a pin: direct
// functions at once, the matrix behind filter and synchroniser.
func (c *Chip) settleInput(p int) {
	s := &c.GPIO.Pins
	is := c.Powered && s.Level>>p&1 != 0 && c.GPIO.MUX[p]&muxFUN_IE != 0
	if c.padInput(p) == is {
		return
	}
	s.Pad ^= 1 << p
	for i := range directs {
		if d := &directs[i]; d.pin == p && d.in >= 0 {
			c.refreshSignal(d.in)
		}
	}
	c.synchronise(p, is)
}

// settleAll follows a change that concerns every pin: power or a reset.
func (c *Chip) settleAll() {
	for p := range pinCount {
		c.settle(p)
	}
	c.refreshSignals()
	c.updateGPIO()
	c.rewatch()
}

// latchStraps samples the boot straps as CHIP_EN rises: GPIO2, GPIO8 and GPIO9 are
// bits 0, 2 and 3 of GPIO_STRAP (the ROM prints them as boot:0x..).
func (c *Chip) latchStraps() uint32 {
	c.catchUpPins()
	l := c.GPIO.Pins.Level
	c.GPIO.STRAP = l>>2&1 | l>>8&1<<2 | l>>9&1<<3
	c.GPIO.Pins.Straps = c.GPIO.STRAP
	return c.GPIO.STRAP
}

// PinByName finds "GPIO0" to "GPIO21".
func (c *Chip) PinByName(name string) (board.Pin, error) {
	if len(name) > 4 && name[:4] == "GPIO" {
		n, err := strconv.Atoi(name[4:])
		if p := board.Pin(n); err == nil && n >= 0 && n < pinCount && c.PinName(p) == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("esp32c3 has no pin %q: want GPIO0 to GPIO%d", name, pinCount-1)
}

// PinName is the data sheet's name of a pin.
func (c *Chip) PinName(p board.Pin) string { return fmt.Sprintf("GPIO%d", p) }

// Drive applies a level from the outside; see board.Chip.
func (c *Chip) Drive(p board.Pin, d board.Drive, at clock.Time) {
	c.As(at, func() {
		c.catchUpPins()
		c.GPIO.Pins.Outside[p] = d
		c.settle(int(p))
	})
}

// SetAnalog connects a source that changes by itself; see board.Chip.
func (c *Chip) SetAnalog(p board.Pin, f func(at clock.Time) int64) {
	c.sources.Connect(int(p), f)
	c.settle(int(p))
	c.awaitCrossing()
}

// Level is a pin's level as a digital input on it would see it.
func (c *Chip) Level(p board.Pin) bool {
	c.catchUpPins()
	return c.GPIO.Pins.Level>>p&1 != 0
}

// MicroVolts is a pin's voltage now. A floating pin keeps the rail that it was at.
func (c *Chip) MicroVolts(p board.Pin) int64 {
	c.catchUpPins()
	v := c.voltage(int(p))
	if v.Floating && c.Level(p) {
		return c.rails().Supply
	}
	return v.MicroVolts
}

// Watch sets the observer of all pins; see board.Chip.
func (c *Chip) Watch(f func(p board.Pin, high bool, at clock.Time)) {
	c.catchUpPins()
	c.watch = f
	c.rewatch()
}

// WatchOnly restricts Watch to some pins: those whose edges must come, each at
// its exact time. Edges of other pins may come late, or not at all.
func (c *Chip) WatchOnly(pins ...board.Pin) {
	c.catchUpPins()
	c.watched = map[board.Pin]bool{}
	for _, p := range pins {
		c.watched[p] = true
	}
	c.rewatch()
}

// pinSeen reports whether a pin's changes reach the outside, an interrupt or a
// peripheral.
func (c *Chip) pinSeen(p int) bool {
	if c.watch != nil && (c.watched == nil || c.watched[board.Pin(p)]) || c.intType(p) != 0 {
		return true
	}
	for i := range directs {
		if d := &directs[i]; d.pin == p && d.in >= 0 && c.muxFunction(p) == d.fun {
			return true
		}
	}
	return c.GPIO.Pins.Fan[p] != [2]uint64{}
}

// signalSeen reports whether anyone sees the changes of an output signal.
func (c *Chip) signalSeen(sig int) bool {
	for p := range pinCount {
		if int(c.GPIO.Pins.Shows[p]) == sig && c.pinSeen(p) {
			return true
		}
	}
	return false
}

// catchUpPins brings pins that LEDC or sources move unseen up to the present,
// before someone reads them or something about them changes.
func (c *Chip) catchUpPins() {
	if c.GPIO.Pins.Late {
		c.ledcSync()
	}
	for _, s := range c.sources {
		c.settle(s.Pin)
	}
}

// movesUnseen tells whether pins may change without an event.
func (c *Chip) movesUnseen() bool { return len(c.sources) > 0 || c.GPIO.Pins.Late }

// rewatch follows a change of who looks.
func (c *Chip) rewatch() {
	c.ledcRewatch()
	c.awaitCrossing()
}
