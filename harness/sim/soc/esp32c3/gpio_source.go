package esp32c3

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/soc/pad"
)

// Edges that a source's voltage makes at a digital input, where it crosses the
// thresholds: see package pad.

// slotSource is the deadline of crossings. It depends on who looks.
const slotSource = slotGPIO + 1

// SetReach says when a pin's source reaches a voltage; see board.Triggering.
func (c *Chip) SetReach(p board.Pin, r board.Reach) {
	c.sources.SetReach(int(p), r)
	c.awaitCrossing()
}

// crossing is the event of slotSource.
func (c *Chip) crossing() {
	for _, s := range c.sources {
		if s.Reach != nil {
			c.settle(s.Pin)
		}
	}
	c.awaitCrossing()
}

// awaitCrossing schedules the next look at the sources.
func (c *Chip) awaitCrossing() { c.sources.Await(&c.Agenda, slotSource, c.rails(), c.input) }

// input is what edges of a source would meet at a pin.
func (c *Chip) input(p int) pad.Input {
	return pad.Input{
		Heeded: c.alive() && c.pinSeen(p),
		High:   c.GPIO.Pins.Level>>p&1 != 0,
		Driven: c.driver(p) != pad.Released,
	}
}
