package esp32c3

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
		c.gpioEvent(slot, at)
	case slot < slotUSB:
		c.uartEvent(slot, at)
	case slot < slotLEDC:
		c.usbEvent(slot, at)
	case slot < slotADC:
		c.ledcEvent(slot, at)
	case slot < slotI2C:
		c.adcEvent(slot, at)
	case slot < slotSPI:
		c.i2cEvent(slot, at)
	case slot < slotROM:
		c.spiEvent(slot, at)
	case slot < slotMAC:
		c.romEvent(slot, at)
	default:
		c.macEvent(slot, at)
	}
}

// setClocks puts a change of the clock tree into effect: the CPU's rate
// changes, deadlines held in world time move, blocks derive theirs anew.
func (c *Chip) setClocks(t clocks) {
	if t == c.Clocks {
		return
	}
	if t.CPU != c.Timeline.Hz() {
		c.SetHz(t.CPU)
	}
	c.Clocks = t
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
