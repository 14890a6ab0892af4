package esp32c3

import "rigor/harness/sim/clock"

// Who looks at LEDC. A timer's deadline is the next event that someone can see;
// the rest is caught up with when someone asks. PWM on a pin that nobody watches
// costs nothing. Deadlines depend on who looks: they are no part of digests.

// ledcEvent handles a timer's deadline.
func (c *Chip) ledcEvent(int, uint64) {
	c.ledcSync()
	c.ledcApply()
}

// ledcRewatch follows a change of who looks.
func (c *Chip) ledcRewatch() {
	if c.GPIO.Pins.Late {
		c.ledcSync()
		c.ledcApply()
	}
}

// ledcApply starts timers that may run, and brings outputs, interrupt and deadlines
// up to date.
func (c *Chip) ledcApply() {
	l := &c.LEDC
	if l.Hz == 0 {
		l.Hz = c.ledcRate()
	}
	late, position := false, int64(0)
	if l.Hz != 0 {
		position = c.ledcPosition()
	}
	for i := range l.Timers {
		t := &l.Timers[i]
		if !t.Runs && l.Hz != 0 && t.valid() && t.CONF&(ledcRST|ledcPAUSE) == 0 {
			t.Runs, t.Epoch = true, position-t.Held
		}
		late = late || t.Runs
	}
	c.GPIO.Pins.Late = late
	c.ledcOutputs(position)
	c.source(sourceLEDC, l.INT_RAW&l.INT_ENA != 0)
	for i := range l.Timers {
		c.Schedule(slotLEDC+i, c.ledcDeadline(i, position))
	}
}

// ledcDeadline is the cycle of a timer's next event that someone can see.
func (c *Chip) ledcDeadline(timer int, position int64) uint64 {
	l := &c.LEDC
	t := &l.Timers[timer]
	if !t.Runs {
		return clock.Never
	}
	const never = 1 << 30
	tick, top := uint32(never), uint32(1)<<t.Res
	want := l.INT_ENA &^ l.INT_RAW
	if want>>(ledcIntOVF+timer)&1 != 0 {
		tick = top
	}
	n := t.count(position)
	for i := range l.Channels {
		ch := &l.Channels[i]
		seen := c.signalSeen(sigLEDC + i)
		ends, counts := want>>(ledcIntEnd+i)&1 != 0, want>>(ledcIntOVFs+i)&1 != 0
		if ch.Update && int(ch.CONF0&3) == timer && (seen || ends || counts) {
			tick = min(tick, top)
		}
		if int(ch.Timer) != timer {
			continue
		}
		if ch.Steps > 0 && (seen || ends) || ch.CountOn && counts {
			tick = min(tick, top)
		}
		if seen && ch.On {
			tick = min(tick, ch.change(n, top))
		}
	}
	if tick == never {
		return clock.Never
	}
	return c.ledcCycle(t.Epoch + int64(tick)*t.Div)
}

// change is the next count after n at which a channel's output changes; that of
// the overflow stands for all that comes later.
func (ch *ledcChannel) change(n, top uint32) uint32 {
	start, end := ch.Hpoint, ch.end()
	switch {
	case ch.Duty == 0, start == 0 && ch.Duty>>4 >= top:
		return 1 << 30 // constant
	case n < start && start < top:
		return start
	case n < end && end < top:
		return end
	}
	return top
}
