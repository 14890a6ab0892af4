package esp32c3

import "rigor/harness/sim/clock"

// The way of an input from the pad to GPIO_IN and the matrix (TRM IO MUX and
// GPIO Matrix, §5.4.2 and IO_MUX_GPIOn_FILTER_EN): a filter that swallows pulses
// shorter than two cycles of APB, then two stages of synchroniser, each of which
// GPIO_PINn lets through (0), or clocks by the falling (1) or the rising edge (2
// and 3) of APB. Without all of these, as after reset, there is no delay.
//
// APB is taken to rise at multiples of its period from the world's beginning.

// padSync are the changes under way to one pin's input, in order of time.
type padSync struct {
	N       uint8
	Changes [4]padChange
}

// padChange is a level that arrives at At unless the pad changes again before
// Firm.
type padChange struct {
	At, Firm clock.Time
	High     bool
}

// synchronise sends a change of a pin's pad on its way.
func (c *Chip) synchronise(p int, high bool) {
	q, now := &c.GPIO.Pins.Sync[p], c.Time()
	at := now
	if c.GPIO.MUX[p]&muxFILTER_EN != 0 {
		at = c.nextAPB(now-1, 2) + 2*c.apbPeriod()
	}
	if q.N > 0 && q.Changes[q.N-1].Firm > now { // a pulse that the filter swallows
		q.N--
		c.awaitInputs()
		return
	}
	firm := at
	at = c.nextAPB(at, c.GPIO.PIN[p]>>pinSYNC1&3)
	at = c.nextAPB(at, c.GPIO.PIN[p]>>pinSYNC2&3)
	if at == now && q.N == 0 {
		c.setInput(p, high)
		return
	}
	if q.N > 0 && q.Changes[q.N-1].At >= at || int(q.N) == len(q.Changes) { // sampled by the same edge
		q.N--
	}
	q.Changes[q.N] = padChange{at, firm, high}
	q.N++
	c.awaitInputs()
}

// nextAPB is when a stage of the synchroniser next samples after a time.
func (c *Chip) nextAPB(t clock.Time, mode uint32) clock.Time {
	period := c.apbPeriod()
	switch mode {
	case 0:
		return t
	case 1:
		half := period / 2
		return (t+half)/period*period + period - half
	}
	return t/period*period + period
}

// apbPeriod is the duration of a cycle of APB.
func (c *Chip) apbPeriod() clock.Time { return clock.Second / clock.Time(c.Clocks.APB) }

// awaitInputs schedules the next arrival.
func (c *Chip) awaitInputs() {
	at := clock.NeverTime
	for p := range c.GPIO.Pins.Sync {
		if q := &c.GPIO.Pins.Sync[p]; q.N > 0 {
			at = min(at, q.Changes[0].At)
		}
	}
	c.ScheduleAt(slotGPIO, at)
}

// inputsArrive is the event of slotGPIO.
func (c *Chip) inputsArrive() {
	now := c.Time()
	for p := range c.GPIO.Pins.Sync {
		q := &c.GPIO.Pins.Sync[p]
		for q.N > 0 && q.Changes[0].At <= now {
			high := q.Changes[0].High
			copy(q.Changes[:], q.Changes[1:])
			q.N--
			c.setInput(p, high)
		}
	}
	c.awaitInputs()
}

// setInput changes what GPIO_IN, interrupts and the matrix see of a pin.
func (c *Chip) setInput(p int, high bool) {
	s := &c.GPIO.Pins
	if s.Input>>p&1 != 0 == high {
		return
	}
	s.Input ^= 1 << p
	c.intEdge(p, high)
	for half, signals := range s.Fan[p] {
		for i := 0; signals != 0; i, signals = i+1, signals>>1 {
			if signals&1 != 0 {
				c.refreshSignal(64*half + i)
			}
		}
	}
}

// gpioEvent handles the deadlines of slotGPIO: inputs that arrive, and sources
// that cross a threshold.
func (c *Chip) gpioEvent(slot int, _ uint64) {
	if slot == slotGPIO {
		c.inputsArrive()
		return
	}
	c.crossing()
}

// gpioClockChanged follows a change of clocks: crossings are awaited by cycle.
func (c *Chip) gpioClockChanged() { c.awaitCrossing() }
