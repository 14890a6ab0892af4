package k210

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// resetCause says what resets the part, as the bit that SYSCTL.RESET_STATUS shows.
type resetCause uint32

const (
	resetPin  resetCause = rsPIN // and power-on
	resetWDT0 resetCause = rsWDT0
	resetWDT1 resetCause = rsWDT1
	resetSoft resetCause = rsSOFT
)

// Until the ROM's code runs: the crystal's start behind the pin, and what a reset
// from within takes. [A]
const (
	pinResetTime   = 1 * clock.Millisecond
	innerResetTime = 20 * clock.Microsecond
)

// SetPower switches the supply. Power-on finds RAM in a state that Options.Seed
// decides, and flash as it was left, perhaps in the middle of an operation.
func (c *Chip) SetPower(on bool) {
	if on == c.Powered {
		return
	}
	c.Powered = on
	c.spiPower(on)
	if on {
		c.Colds++
	} else {
		c.poisonRAM()
	}
	c.pinReset()
}

// SetReset pulls the reset pin low, or lets it go. RAM keeps what it holds.
func (c *Chip) SetReset(asserted bool) {
	if asserted == !c.RESET {
		return
	}
	c.RESET = !asserted
	c.pinReset()
}

// pinReset follows the supply and the reset pin.
func (c *Chip) pinReset() {
	c.resetParts(resetPin)
	if c.Powered && c.RESET {
		c.ScheduleIn(slotReset, pinResetTime)
	}
}

// resetSoon is a reset that a block asks for: at once, or when the present
// instruction has ended.
func (c *Chip) resetSoon(r resetCause) {
	if c.hart < 0 {
		c.reset(r)
		return
	}
	c.ResetDue = r
	c.interrupt()
}

// reset is a reset from within.
func (c *Chip) reset(r resetCause) {
	c.resetParts(r)
	c.ScheduleIn(slotReset, innerResetTime)
}

// resetParts puts all of the part into the reset state but its memories, and the real-time
// clock, which only loses its supply (DS §3.15).
func (c *Chip) resetParts(r resetCause) {
	c.Clock = max(c.Clock, c.harts[0].Cycle, c.harts[1].Cycle)
	c.idle(c.Clock)
	c.Running, c.ResetDue = false, 0
	c.stopped = board.Stop{}
	c.track.Reset()
	c.ScheduleAt(slotReset, clock.NeverTime)
	c.sysctlReset(uint32(r))
	c.clintReset()
	c.plicReset()
	c.resetPeripherals(^uint32(0))
	c.uarthsReset()
	c.gpiohsReset()
	c.otpReset()
	c.romReset()
	c.setClocks()
}

// resetPeripherals resets the blocks of some bits of SYSCTL.PERI_RESET.
func (c *Chip) resetPeripherals(set uint32) {
	for bit, reset := range [...]func(){
		1:  c.dmacReset,
		4:  c.fftReset,
		5:  c.gpioReset,
		6:  func() { c.spiReset(0) },
		7:  func() { c.spiReset(1) },
		9:  func() { c.spiReset(3) },
		10: func() { c.i2sReset(0) },
		11: func() { c.i2sReset(1) },
		12: func() { c.i2sReset(2) },
		16: func() { c.uartReset(0) },
		17: func() { c.uartReset(1) },
		18: func() { c.uartReset(2) },
		19: c.aesReset,
		20: c.fpioaReset,
		21: func() { c.timerReset(0) },
		22: func() { c.timerReset(1) },
		23: func() { c.timerReset(2) },
		24: func() { c.wdtReset(0) },
		25: func() { c.wdtReset(1) },
		26: c.shaReset,
		29: c.rtcReset,
	} {
		if set>>bit&1 != 0 && reset != nil {
			reset()
		}
	}
}

// Fire hands a deadline to its block.
func (o owner) Fire(slot int, at uint64) {
	c := o.Chip
	switch {
	case slot == slotReset:
		c.romStart()
	case slot < slotCLINT:
		c.pllLocked(slot - slotPLL)
	case slot < slotROM:
		c.clintUpdate()
	case slot < slotPins:
		c.romEvent(slot)
	case slot < slotUARTHS:
		c.pinsEvent(slot)
	case slot < slotUART:
		c.uarthsEvent(slot)
	case slot < slotTIMER:
		c.uartEvent(slot)
	case slot < slotWDT:
		c.timerEvent(slot)
	case slot < slotRTC:
		c.wdtEvent(slot - slotWDT)
	case slot < slotDMAC:
		c.rtcEvent()
	case slot < slotFFT:
		c.dmacEvent(slot - slotDMAC)
	case slot < slotI2S:
		c.fftEvent()
	case slot < slotSPI:
		c.i2sEvent(slot)
	case slot < slotSHA:
		c.spiEvent(slot - slotSPI)
	case slot < slotAES:
		c.shaEvent()
	case slot < slotSource:
		c.aesEvent()
	default:
		c.crossing()
	}
}
