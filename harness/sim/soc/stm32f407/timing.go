package stm32f407

import "rigor/harness/sim/clock"

// now is the HCLK cycle of what is happening: of the event being handled, or
// the core's.
func (c *Chip) now() uint64 {
	if c.inEvent {
		return c.at
	}
	return c.core.Cycle
}

// time is when the cycle begins. The cycle may lie before the last change of
// HCLK only by the instruction that ran over it.
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

// scheduleAt sets a deadline in world time, which holds whatever becomes of
// HCLK; clock.NeverTime clears it.
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
	case slot <= slotSwitch:
		c.rccEvent(slot)
	case slot == slotFlash:
		c.flashDone()
	case slot == slotRNG:
		c.rngReady()
	case slot <= slotBoot3:
		c.bootEvent(slot, c.at)
	case slot < slotTIM:
		c.usartEvent(slot, c.at)
	case slot < slotDMA:
		c.timEvent(slot, c.at)
	case slot < slotADC:
		c.dmaEvent(slot)
	case slot == slotIWDG:
		c.iwdgEvent()
	case slot == slotWWDG:
		c.wwdgEvent()
	case slot == slotRTC:
		c.rtcEvent()
	case slot >= slotSPI && slot < slotSPI+3:
		c.spiEvent(slot, c.at)
	case slot == slotSource:
		c.crossing()
	case slot >= slotTap:
		c.tapEvent(slot, c.at)
	case slot >= slotI2C:
		c.i2cEvent(slot, c.at)
	case slot < slotDAC:
		c.adcEvent(slot)
	case slot < slotDAC+2:
		c.dacEvent(slot)
	}
}

// setClocks puts a change of the clock tree into effect: blocks catch up at
// the old rates, HCLK changes, deadlines held in world time move, blocks
// derive theirs anew.
func (c *Chip) setClocks(t clockTree) {
	c.usartClockWillChange()
	c.timClockWillChange()
	c.wwdgClockWillChange()
	c.spiClockWillChange()
	c.i2cClockWillChange()
	if t.HCLK != c.Timeline.Hz() {
		c.Timeline.SetHz(c.now(), t.HCLK)
	}
	c.RCC.Tree = t
	for slot, due := range c.Due {
		if due != clock.NeverTime {
			c.schedule(slot, c.cycleFrom(due))
		}
	}
	c.usartClockChanged()
	c.timClockChanged()
	c.wwdgClockChanged()
	c.spiClockChanged()
	c.i2cClockChanged()
	c.adcClockChanged()
	c.rngClockChanged()
	c.awaitCrossing()
	if c.flashBusy() {
		c.stallFetches()
	}
	if c.inCore {
		c.core.SetDeadline(c.core.Cycle) // Run's limit in cycles is another now
	}
}

// pclkDiv is how many HCLK cycles one cycle of PCLK1 or PCLK2 takes.
func (c *Chip) pclkDiv(apb int) uint64 { return c.RCC.Tree.PDiv[apb-1] }

// timerDiv is how many HCLK cycles one timer clock takes: timers of a divided
// APB run at twice its clock (RM0090 §7.2, figure 21).
func (c *Chip) timerDiv(apb int) uint64 {
	if d := c.pclkDiv(apb); d > 1 {
		return d / 2
	}
	return 1
}
