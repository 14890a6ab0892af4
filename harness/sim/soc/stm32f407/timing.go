package stm32f407

// owner is the chip to its agenda.
type owner struct{ *Chip }

func (o owner) Cycle() uint64 { return o.core.Cycle }

func (o owner) Shorten(cycle uint64) {
	if o.inCore {
		o.core.SetDeadline(cycle)
	}
}

// sync handles what fell due before an access of the core, so that registers
// are exact to the cycle of the access.
func (c *Chip) sync() {
	if next, _ := c.Events.Next(); next <= c.core.Cycle {
		c.Dispatch(c.core.Cycle)
	}
}

// Fire hands an event to its block.
func (o owner) Fire(slot int, at uint64) {
	c := o.Chip
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
		c.bootEvent(slot, at)
	case slot < slotTIM:
		c.usartEvent(slot, at)
	case slot < slotDMA:
		c.timEvent(slot, at)
	case slot < slotADC:
		c.dmaEvent(slot)
	case slot == slotIWDG:
		c.iwdgEvent()
	case slot == slotWWDG:
		c.wwdgEvent()
	case slot == slotRTC:
		c.rtcEvent()
	case slot >= slotSPI && slot < slotSPI+3:
		c.spiEvent(slot, at)
	case slot == slotSource:
		c.crossing()
	case slot >= slotTap:
		c.tapEvent(slot, at)
	case slot >= slotI2C:
		c.i2cEvent(slot, at)
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
		c.SetHz(t.HCLK)
	}
	c.RCC.Tree = t
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
