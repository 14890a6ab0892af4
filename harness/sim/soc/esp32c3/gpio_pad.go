package esp32c3

import (
	"fmt"
	"strconv"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// What a pin is electrically (ESP32-C3 Series Datasheet, DC characteristics): a
// level decided by the chip's driver, what the outside does, and the pulls, in
// this order.
//
// A pin changes in the cycle of the store that changes it.

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
	watched map[board.Pin]bool                  // what watch must see in time; nil: all pins
	analog  [pinCount]func(at clock.Time) int64 // sources that change by themselves, microvolts
	reach   [pinCount]board.Reach               // when they reach a voltage
	moving  []int                               // the pins that have it
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

// output is what a driver does to a pin.
type output uint8

const (
	released output = iota
	low
	high
)

// alive tells whether the chip drives anything: CHIP_EN switches it off.
func (c *Chip) alive() bool { return c.Powered && c.EN }

// driver is what the chip's own output stage does to a pin. Those of the USB pads
// are off while USB has them.
func (c *Chip) driver(p int) output {
	level, on := c.padOutput(p)
	switch {
	case !c.alive() || !on:
		return released
	case (p == pinDM || p == pinDP) && c.usbPad():
		c.warn("%s is an output while USB_DEVICE.CONF0.USB_PAD_ENABLE keeps it", c.PinName(board.Pin(p)))
		return released
	case !level:
		return low
	case c.GPIO.PIN[p]&pinPAD_DRIVER != 0: // open drain
		return released
	}
	return high
}

// Thresholds of the inputs: VIL 0.25 VDD, VIH 0.75 VDD.
func (c *Chip) below(uv int64) bool { return uv <= c.supply()/4 }
func (c *Chip) above(uv int64) bool { return uv >= c.supply()*3/4 }

// supply is VDD in microvolts.
func (c *Chip) supply() int64 { return int64(c.opt.SupplyMV) * 1000 }

// voltage is what a pin carries at a time, in microvolts; floating is true when
// nothing holds it, and fight when chip and outside drive it against each
// other. The chip's own output then wins, but for a short.
func (c *Chip) voltage(p int, at clock.Time) (uv int64, floating, fight bool) {
	ext, applied := c.applied(p, at)
	driver := c.driver(p)
	switch ext {
	case board.ShortLow:
		return 0, false, driver == high
	case board.ShortHigh:
		return c.supply(), false, driver == low
	}
	switch driver {
	case low:
		return 0, false, ext == board.DriveHigh || ext == board.DriveVoltage && c.above(applied)
	case high:
		return c.supply(), false, ext == board.DriveLow || ext == board.DriveVoltage && c.below(applied)
	}
	switch ext {
	case board.DriveLow:
		return 0, false, false
	case board.DriveHigh:
		return c.supply(), false, false
	case board.DriveVoltage:
		return applied, false, false
	}
	return c.pulled(p, ext)
}

// pulled is the voltage of a pin that nothing drives. The chip's own resistors
// (45 kilohms) win over none, and yield to those of the outside.
func (c *Chip) pulled(p int, ext board.DriveKind) (uv int64, floating, fight bool) {
	up, down := c.pulls(p)
	switch {
	case ext == board.PullDown:
		return 0, false, false
	case ext == board.PullUp:
		return c.supply(), false, false
	case up && down:
		return c.supply() / 2, false, false
	case down:
		return 0, false, false
	case up:
		return c.supply(), false, false
	}
	return 0, true, false
}

// pulls are the chip's weak resistors on a pin: the IO MUX's, and on D+ USB's.
func (c *Chip) pulls(p int) (up, down bool) {
	if !c.Powered {
		return false, false
	}
	r := c.GPIO.MUX[p]
	return r&muxFUN_WPU != 0 || p == pinDP && c.usbPullUp(), r&muxFUN_WPD != 0
}

// applied is what the outside does to a pin at a time: how, and of a voltage the
// microvolts.
func (c *Chip) applied(p int, at clock.Time) (board.DriveKind, int64) {
	if f := c.analog[p]; f != nil {
		return board.DriveVoltage, f(at)
	}
	d := c.GPIO.Pins.Outside[p]
	return d.Kind, int64(d.MV) * 1000
}

// instant is the present moment for voltage: the world time of the present
// cycle, which only a source that changes by itself asks for.
func (c *Chip) instant(p int) clock.Time {
	if c.analog[p] == nil {
		return 0
	}
	return c.Time()
}

// settle brings a pin's level up to date and tells whoever sees it change. A
// floating pin, and one between the thresholds, keeps its level.
func (c *Chip) settle(p int) {
	s, bit := &c.GPIO.Pins, uint32(1)<<p
	uv, floating, fight := c.voltage(p, c.instant(p))
	c.noteFight(p, fight)
	was := s.Level&bit != 0
	is := was
	if !floating {
		is = c.above(uv) || was && !c.below(uv)
	}
	if is != was {
		s.Level ^= bit
		c.observe(p, is)
	}
	c.settleInput(p)
	if c.reach[p] != nil {
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
	c.analog[p] = f
	c.SetReach(p, nil)
	c.settle(int(p))
}

// Level is a pin's level as a digital input on it would see it.
func (c *Chip) Level(p board.Pin) bool {
	c.catchUpPins()
	return c.GPIO.Pins.Level>>p&1 != 0
}

// MicroVolts is a pin's voltage now. A floating pin keeps the rail that it was at.
func (c *Chip) MicroVolts(p board.Pin) int64 {
	c.catchUpPins()
	uv, floating, _ := c.voltage(int(p), c.instant(int(p)))
	if floating && c.Level(p) {
		return c.supply()
	}
	return uv
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
	for p := range c.analog {
		if c.analog[p] != nil {
			c.settle(p)
		}
	}
}

// movesUnseen tells whether pins may change without an event.
func (c *Chip) movesUnseen() bool {
	for p := range c.analog {
		if c.analog[p] != nil {
			return true
		}
	}
	return c.GPIO.Pins.Late
}

// rewatch follows a change of who looks.
func (c *Chip) rewatch() {
	c.ledcRewatch()
	c.awaitCrossing()
}
