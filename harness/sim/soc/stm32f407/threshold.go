package stm32f407

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/soc/pad"
)

// Edges that a source's voltage makes at a digital input, where it crosses the
// thresholds of DS8626 table 48: see package pad.

var _ board.Triggering = (*Chip)(nil)

// SetReach says when a pin's source reaches a voltage; see board.Triggering. Edges
// of BOOT0 are nobody's: a reset samples it.
func (c *Chip) SetReach(p board.Pin, r board.Reach) {
	if p != pinBOOT0 {
		c.sources.SetReach(int(p), r)
	}
	c.awaitCrossing()
}

// sampleMoving brings the levels of pins up to date whose sources nobody watched.
func (c *Chip) sampleMoving() {
	for _, s := range c.sources {
		if s.Reach != nil {
			c.settle(s.Pin)
		}
	}
}

// crossing is the event of slotSource.
func (c *Chip) crossing() {
	c.sampleMoving()
	c.awaitCrossing()
}

// awaitCrossing schedules the next look at the sources.
func (c *Chip) awaitCrossing() { c.sources.Await(&c.Agenda, slotSource, c.rails(), c.input) }

// input is what edges of a source would meet at a pin.
func (c *Chip) input(p int) pad.Input {
	return pad.Input{
		Heeded: c.heeded(p),
		High:   c.Pins.Level[p/16]>>(p%16)&1 != 0,
		Driven: c.driver(p) != pad.Released,
	}
}

// heeded reports whether anyone sees a pin's edges as they come. In analog mode
// the Schmitt trigger is off (RM0090 §8.3.12).
func (c *Chip) heeded(p int) bool {
	return c.Powered && c.mode(p) != modeAnalog && (c.Pins.Selected[p] != sigNone || p == pinRTCAF1 || c.pinSeen(p))
}
