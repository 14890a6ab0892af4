package k210

import (
	"fmt"
	"math/bits"
	"strconv"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/pad"
)

// What an IO is electrically: see package pad. An IO changes in the
// cycle of the store that changes it.
//
// Outputs whose next edges are known, those of timers and UARTs, are computed when someone
// asks: only edges that someone watches are events. Their blocks call followEdges when
// they begin or change what they put out.

const pinCount = 48

// pinsState is the state of all IOs.
type pinsState struct {
	Level   uint64 // what the input buffers see, or would
	Input   uint64 // the same through the enables and inversions
	Outside [pinCount]board.Drive
	Fight   uint64 // IOs driven against each other
}

// outside is what the board connects, and what follows from the state. It is no part
// of a snapshot.
type outside struct {
	watch   func(p board.Pin, high bool, at clock.Time)
	watched uint64 // the IOs that watch must see in time
	told    uint64 // the cycle of the last change that it was told
	sources pad.Sources
	ios     [fnCount]uint64 // the IOs that are switched to each function

	microphones []i2sMicrophone
}

var (
	_ board.Selective  = (*Chip)(nil)
	_ board.Triggering = (*Chip)(nil)
)

// slotSynchroniser is when GPIOHS sees a change, slotEdges the next watched edge of an
// output that is known ahead; the latter depends on who looks.
const (
	slotSynchroniser = slotPins
	slotEdges        = slotPins + 1
)

// rails are those of the IOs: VIL 0.8 V and VIH 2.0 V of 3.3 V (DS, DC characteristics);
// at other supplies in proportion. [A]
func (c *Chip) rails() pad.Rails {
	supply := int64(c.opt.SupplyMV) * 1000
	return pad.Rails{Supply: supply, Low: supply * 8 / 33, High: supply * 20 / 33}
}

// alive tells whether the chip drives anything.
func (c *Chip) alive() bool { return c.Powered && c.RESET }

// driver is what the chip's own output stage does to an IO.
func (c *Chip) driver(io int) pad.Output {
	r := c.FPIOA.IO[io]
	fn := int(r & ioCH_SEL)
	enable := c.FPIOA.OE.has(fn) != enablesLow(fn)
	if !c.alive() || r&ioOE_EN == 0 || enable == (r&ioOE_INV != 0) {
		return pad.Released
	}
	data := c.FPIOA.Out.has(fn)
	if r&ioDO_SEL != 0 {
		data = enable
	}
	if data == (r&ioDO_INV != 0) {
		return pad.Low
	}
	return pad.High
}

// receives tells whether an IO's input is on.
func (c *Chip) receives(io int) bool {
	r := c.FPIOA.IO[io]
	return c.alive() && r&ioIE_EN != 0 && c.inputEnable(int(r&ioCH_SEL)) != (r&ioIE_INV != 0)
}

// voltage is what an IO carries at a time, which only a source that changes by itself
// asks for.
func (c *Chip) voltage(io int, at clock.Time) pad.Voltage {
	r, d := c.FPIOA.IO[io], c.FPIOA.Pins.Outside[io]
	p := pad.Pin{
		Driver:  c.driver(io),
		Up:      c.alive() && r&ioPU != 0,
		Down:    c.alive() && r&ioPD != 0,
		Outside: d.Kind,
		Applied: int64(d.MV) * 1000,
	}
	if s := c.sources.At(io); s != nil {
		p.Outside, p.Applied = board.DriveVoltage, s.MicroVolts(at)
	}
	return c.rails().Resolve(p)
}

// settle brings an IO's level up to date, as of a cycle that is now or not long ago,
// and tells whoever sees it change.
func (c *Chip) settle(io int, at uint64) {
	s, bit := &c.FPIOA.Pins, uint64(1)<<io
	var when clock.Time
	if c.sources != nil {
		when = c.TimeOf(at)
	}
	v := c.voltage(io, when)
	c.noteFight(io, v.Fight)
	if was := s.Level&bit != 0; c.rails().Level(v, was) != was {
		s.Level ^= bit
		c.observe(io, !was, at)
	}
	c.settleInput(io, at)
	if c.sources != nil {
		c.awaitCrossing()
	}
}

func (c *Chip) noteFight(io int, fight bool) {
	bit := uint64(1) << io
	if !fight {
		c.FPIOA.Pins.Fight &^= bit
		return
	}
	if c.FPIOA.Pins.Fight&bit == 0 {
		c.FPIOA.Pins.Fight |= bit
		c.warn("IO%d driven by the chip and from outside against each other", io)
	}
}

// observe shows an IO's change to the outside, never before an earlier change.
func (c *Chip) observe(io int, high bool, at uint64) {
	c.told = max(c.told, at)
	if c.watch != nil {
		c.watch(board.Pin(io), high, c.TimeOf(c.told))
	}
}

// settleInput brings up to date what the chip itself sees of an IO.
func (c *Chip) settleInput(io int, at uint64) {
	s, r := &c.FPIOA.Pins, c.FPIOA.IO[io]
	is := c.receives(io) && s.Level>>io&1 != 0
	is = is != (r&ioDI_INV != 0)
	if s.Input>>io&1 != 0 == is {
		return
	}
	s.Input ^= 1 << io
	c.refresh(int(r&ioCH_SEL), at)
	c.noteAmbiguity(int(r & ioCH_SEL))
}

// noteAmbiguity warns of IOs that give one function different levels.
func (c *Chip) noteAmbiguity(fn int) {
	ios := c.ios[fn]
	if ios&(ios-1) == 0 || fn >= fnRESV0 && fn < fnI2C0_SCLK {
		return
	}
	var low, high uint64
	for rest := ios; rest != 0; rest &= rest - 1 {
		io := bits.TrailingZeros64(rest)
		if !c.receives(io) {
			continue
		}
		if c.FPIOA.Pins.Input>>io&1 != 0 {
			high |= 1 << io
		} else {
			low |= 1 << io
		}
	}
	if low != 0 && high != 0 {
		c.warn("IO%d and IO%d are both inputs of function %d and differ: what it sees is not documented, the model takes their or",
			bits.TrailingZeros64(low), bits.TrailingZeros64(high), fn)
	}
}

// settleAll follows a change that concerns every IO: power or a reset.
func (c *Chip) settleAll() {
	for io := range pinCount {
		c.settle(io, c.Cycle())
	}
	for fn := range fnCount {
		c.refresh(fn, c.Cycle())
	}
	c.followEdges()
}

// pinsRestored follows a snapshot.
func (c *Chip) pinsRestored() {
	c.told = 0
	c.connect()
	c.followEdges()
	c.awaitCrossing()
}

// PinByName finds "IO0" to "IO47".
func (c *Chip) PinByName(name string) (board.Pin, error) {
	if len(name) > 2 && name[:2] == "IO" {
		n, err := strconv.Atoi(name[2:])
		if p := board.Pin(n); err == nil && n >= 0 && n < pinCount && c.PinName(p) == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("k210 has no pin %q: want IO0 to IO%d", name, pinCount-1)
}

// PinName is the data sheet's name of a pin, without its underscore.
func (c *Chip) PinName(p board.Pin) string { return fmt.Sprintf("IO%d", p) }

// Drive applies a level from the outside; see board.Chip.
func (c *Chip) Drive(p board.Pin, d board.Drive, at clock.Time) {
	c.catchUpPins()
	c.FPIOA.Pins.Outside[p] = d
	c.settle(int(p), min(c.Timeline.CycleAt(at), c.Cycle()))
}

// SetAnalog connects a source that changes by itself; see board.Chip.
func (c *Chip) SetAnalog(p board.Pin, f func(at clock.Time) int64) {
	c.sources.Connect(int(p), f)
	c.settle(int(p), c.Cycle())
	c.awaitCrossing()
}

// SetReach says when a pin's source reaches a voltage; see board.Triggering.
func (c *Chip) SetReach(p board.Pin, r board.Reach) {
	c.sources.SetReach(int(p), r)
	c.awaitCrossing()
}

// Level is a pin's level as a digital input on it would see it.
func (c *Chip) Level(p board.Pin) bool {
	c.catchUpPins()
	return c.FPIOA.Pins.Level>>p&1 != 0
}

// MicroVolts is a pin's voltage now. A floating pin keeps the rail that it was at.
func (c *Chip) MicroVolts(p board.Pin) int64 {
	c.catchUpPins()
	v := c.voltage(int(p), c.Time())
	if v.Floating && c.Level(p) {
		return c.rails().Supply
	}
	return v.MicroVolts
}

// Watch sets the observer of all pins; see board.Chip.
func (c *Chip) Watch(f func(p board.Pin, high bool, at clock.Time)) {
	c.catchUpPins()
	c.watch, c.watched = f, 0
	if f != nil {
		c.watched = 1<<pinCount - 1
	}
	c.rewatch()
}

// WatchOnly restricts Watch to some pins: those whose edges must come, each at
// its exact time. Edges of other pins may come late, or not at all.
func (c *Chip) WatchOnly(pins ...board.Pin) {
	c.catchUpPins()
	c.watched = 0
	for _, p := range pins {
		c.watched |= 1 << p
	}
	c.rewatch()
}

// rewatch follows a change of who looks.
func (c *Chip) rewatch() {
	c.followEdges()
	c.awaitCrossing()
}

// functionSeen tells whether someone watches an IO that shows a function.
func (c *Chip) functionSeen(fn int) bool { return c.watch != nil && c.ios[fn]&c.watched != 0 }

// pinsEvent handles the deadlines of pins.
func (c *Chip) pinsEvent(slot int) {
	if slot == slotSynchroniser {
		c.gpiohsSynchronised()
		return
	}
	c.catchUpOutputs()
	c.followEdges()
}

// followEdges schedules the next edge of the outputs that are known ahead, if anyone sees it.
func (c *Chip) followEdges() {
	c.Schedule(slotEdges, min(c.uarthsEdge(), c.uartEdge(), c.timerEdge()))
}

// catchUpOutputs brings the outputs that are known ahead to where they are now.
func (c *Chip) catchUpOutputs() {
	c.uarthsCatchUp()
	c.uartCatchUp()
	c.timerCatchUp()
}

// catchUpPins brings pins that change unseen up to the present, before someone reads them
// or something about them changes.
func (c *Chip) catchUpPins() {
	c.catchUpOutputs()
	c.sampleSources()
}

// sampleSources brings pins to what their sources give now.
func (c *Chip) sampleSources() {
	for _, s := range c.sources {
		c.settle(s.Pin, c.Cycle())
	}
}

// movesUnseen tells whether pins may change without an event.
func (c *Chip) movesUnseen() bool { return len(c.sources) > 0 || c.timersRun() || c.uartsSend() }

// crossing is the event of slotSource.
func (c *Chip) crossing() {
	c.sampleSources()
	c.awaitCrossing()
}

// awaitCrossing schedules the next look at the sources.
func (c *Chip) awaitCrossing() { c.sources.Await(&c.Agenda, slotSource, c.rails(), c.input) }

// input is what edges of a source would meet at an IO.
func (c *Chip) input(io int) pad.Input {
	return pad.Input{
		Heeded: c.alive() && (c.receives(io) || c.watch != nil && c.watched>>io&1 != 0),
		High:   c.FPIOA.Pins.Level>>io&1 != 0,
		Driven: c.driver(io) != pad.Released,
	}
}
