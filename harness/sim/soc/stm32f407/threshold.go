package stm32f407

import (
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Edges that a source's voltage makes at a digital input, where it crosses the
// thresholds of DS8626 table 48. They come in the first cycle of HCLK behind the
// crossing; what is over within that cycle is not seen.

var _ board.Triggering = (*Chip)(nil)

// lookAhead bounds how far a crossing is looked for at a time: noise has to be
// looked at value by value.
const lookAhead = 100 * clock.Microsecond

// SetReach says when a pin's source reaches a voltage; see board.Triggering.
func (c *Chip) SetReach(p board.Pin, r board.Reach) {
	c.reach[p] = r
	c.moving = slices.DeleteFunc(c.moving, func(q int) bool { return q == int(p) })
	if r != nil && p != pinBOOT0 {
		c.moving = append(c.moving, int(p))
	}
	c.awaitCrossing()
}

// sampleMoving brings the levels of pins up to date whose sources nobody watched.
func (c *Chip) sampleMoving() {
	for _, p := range c.moving {
		c.settle(p)
	}
}

// crossing is the event of slotSource.
func (c *Chip) crossing() {
	c.sampleMoving()
	c.awaitCrossing()
}

// awaitCrossing schedules the next look at the sources: at the first crossing
// that anyone sees, or where none is near to look further.
func (c *Chip) awaitCrossing() {
	at := clock.NeverTime
	for _, p := range c.moving {
		if c.heeded(p) {
			at = min(at, c.crosses(p))
		}
	}
	if at == clock.NeverTime {
		c.Schedule(slotSource, clock.Never)
		return
	}
	c.Schedule(slotSource, max(c.CycleFrom(at), c.Cycle()+1))
}

// crosses is when a pin's source next reaches the threshold that changes the
// pin's level, or the end of the look ahead.
func (c *Chip) crosses(p int) clock.Time {
	high := c.Pins.Level[p/16]>>(p%16)&1 != 0
	threshold := c.supply() * 7 / 10
	if high {
		threshold = c.supply() * 3 / 10
	}
	from := c.Time()
	if at, ok := c.reach[p](from, from+lookAhead, threshold, !high); ok && c.driver(p) == released {
		return at
	}
	return from + lookAhead
}

// heeded reports whether anyone sees a pin's edges as they come. In analog mode
// the Schmitt trigger is off (RM0090 §8.3.12).
func (c *Chip) heeded(p int) bool {
	return c.Powered && c.mode(p) != modeAnalog && (c.Pins.Selected[p] != sigNone || p == pinRTCAF1 || c.pinSeen(p))
}
