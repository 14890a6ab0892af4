package esp32c3

import "rigor/harness/sim/clock"

// now is the CPU cycle of what is happening: of the event being handled, or the
// core's.
func (c *Chip) now() uint64 {
	if c.inEvent {
		return c.at
	}
	return c.core.Cycle
}

// time is when the cycle begins. The cycle may lie before the last change of
// the CPU's clock only by the instruction that ran over it.
func (c *Chip) time(cycle uint64) clock.Time { return c.Timeline.Time(cycle) }

// nowTime is the world time of now.
func (c *Chip) nowTime() clock.Time { return c.time(c.now()) }

// cycleFrom is the first cycle at or after a world time.
func (c *Chip) cycleFrom(t clock.Time) uint64 { return c.Timeline.CycleFrom(t) }

// schedule sets a block's deadline; clock.Never clears it. What lies in the
// past is due now.
func (c *Chip) schedule(slot int, cycle uint64) {
	cycle = max(cycle, c.now())
	c.events.Set(slot, cycle)
	if c.inCore {
		c.core.SetDeadline(cycle)
	}
}

// scheduleAt sets a deadline in world time, which holds whatever becomes of the
// CPU's clock; clock.NeverTime clears it.
func (c *Chip) scheduleAt(slot int, t clock.Time) {
	c.Due[slot] = t
	if t == clock.NeverTime {
		c.schedule(slot, clock.Never)
		return
	}
	c.schedule(slot, c.cycleFrom(t))
}

// scheduleIn is scheduleAt a while from now.
func (c *Chip) scheduleIn(slot int, d clock.Time) { c.scheduleAt(slot, c.nowTime()+d) }

// sync handles what fell due before an access of the core, so that registers
// are exact to the cycle of the access.
func (c *Chip) sync() {
	if next, _ := c.events.Next(); next <= c.core.Cycle {
		c.dispatch()
	}
}

// dispatch handles every event that is due, in order of time.
func (c *Chip) dispatch() {
	for {
		at, slot := c.events.Next()
		if at > c.core.Cycle {
			return
		}
		c.events.Set(slot, clock.Never)
		c.Due[slot] = clock.NeverTime
		c.inEvent, c.at = true, at
		c.fire(slot)
		c.inEvent = false
	}
}

// fire hands an event to its block.
func (c *Chip) fire(slot int) {
	switch {
	case slot == slotReset:
		c.leaveReset()
	case slot < slotMWDT:
		c.timgEvent(slot - slotTIMG)
	case slot < slotCali:
		c.mwdtEvent(slot - slotMWDT)
	case slot < slotSYSTIMER:
		c.caliEvent(slot - slotCali)
	case slot < slotRTC:
		c.systimerEvent(slot - slotSYSTIMER)
	case slot < slotGPIO:
		c.rtcEvent(slot)
	case slot < slotUART:
		c.gpioEvent(slot, c.at)
	case slot < slotUSB:
		c.uartEvent(slot, c.at)
	case slot < slotLEDC:
		c.usbEvent(slot, c.at)
	case slot < slotADC:
		c.ledcEvent(slot, c.at)
	case slot < slotI2C:
		c.adcEvent(slot, c.at)
	case slot < slotSPI:
		c.i2cEvent(slot, c.at)
	case slot < slotROM:
		c.spiEvent(slot, c.at)
	case slot < slotMAC:
		c.romEvent(slot, c.at)
	default:
		c.macEvent(slot, c.at)
	}
}

// setClocks puts a change of the clock tree into effect: the CPU's rate
// changes, deadlines held in world time move, blocks derive theirs anew.
func (c *Chip) setClocks(t clocks) {
	if t == c.Clocks {
		return
	}
	if t.CPU != c.Timeline.Hz() {
		c.Timeline.SetHz(c.now(), t.CPU)
	}
	c.Clocks = t
	for slot, due := range c.Due {
		if due != clock.NeverTime {
			c.schedule(slot, c.cycleFrom(due))
		}
	}
	c.timgClockChanged()
	c.systimerClockChanged()
	c.gpioClockChanged()
	c.uartClockChanged()
	c.usbClockChanged()
	c.ledcClockChanged()
	c.adcClockChanged()
	c.i2cClockChanged()
	c.spiClockChanged()
	c.macClockChanged()
	if c.inCore {
		c.core.SetDeadline(c.core.Cycle) // Run's limit in cycles is another now
	}
}
