package esp32c3

import (
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Edges that a source's voltage makes at a digital input, where it crosses the
// thresholds. They come in the first cycle of the CPU's clock behind the
// crossing; what is over within that cycle is not seen.

// slotSource is the deadline of crossings. It depends on who looks.
const slotSource = slotGPIO + 1

// lookAhead bounds how far a crossing is looked for at a time: noise has to be
// looked at value by value.
const lookAhead = 100 * clock.Microsecond

// SetReach says when a pin's source reaches a voltage; see board.Triggering.
func (c *Chip) SetReach(p board.Pin, r board.Reach) {
	c.reach[p] = r
	c.moving = slices.DeleteFunc(c.moving, func(q int) bool { return q == int(p) })
	if r != nil {
		c.moving = append(c.moving, int(p))
	}
	c.awaitCrossing()
}

// crossing is the event of slotSource.
func (c *Chip) crossing() {
	for _, p := range c.moving {
		c.settle(p)
	}
	c.awaitCrossing()
}

// awaitCrossing schedules the next look at the sources: at the first crossing
// that anyone sees, or where none is near to look further.
func (c *Chip) awaitCrossing() {
	at := clock.NeverTime
	for _, p := range c.moving {
		if c.alive() && c.pinSeen(p) {
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
	isHigh := c.GPIO.Pins.Level>>p&1 != 0
	threshold := c.supply() * 3 / 4
	if isHigh {
		threshold = c.supply() / 4
	}
	from := c.Time()
	if at, ok := c.reach[p](from, from+lookAhead, threshold, !isHigh); ok && c.driver(p) == released {
		return at
	}
	return from + lookAhead
}
