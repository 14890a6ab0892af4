package esp32c3

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// resetCause says what resets the part, in the numbers of
// RTC_CNTL.RESET_STATE (TRM Reset and Clock, reset source); 0 is nothing.
type resetCause uint8

const (
	resetPowerOn  resetCause = 0x01 // and CHIP_EN
	resetSoftware resetCause = 0x03 // RTC_CNTL.OPTIONS0.SW_SYS_RST
	resetMWDT0    resetCause = 0x07
	resetMWDT1    resetCause = 0x08
	resetRWDT     resetCause = 0x09
	resetCPUMWDT0 resetCause = 0x0B
	resetCPUSoft  resetCause = 0x0C // RTC_CNTL.OPTIONS0.SW_PROCPU_RST
	resetCPURWDT  resetCause = 0x0D
	resetBrownOut resetCause = 0x0F // of the digital part and RTC, as it is set up by a reset
	resetSysRWDT  resetCause = 0x10
	resetCPUMWDT1 resetCause = 0x11
	resetSuperWDT resetCause = 0x12
	resetUSB      resetCause = 0x15 // DTR and RTS of USB Serial/JTAG
)

// resetLevel is how much of the part a reset reaches.
type resetLevel uint8

const (
	levelCPU    resetLevel = iota // the core
	levelCore                     // and the digital part but RTC
	levelSystem                   // and RTC
	levelChip                     // and the analog part
)

func (r resetCause) level() resetLevel {
	switch r {
	case resetPowerOn:
		return levelChip
	case resetSysRWDT, resetSuperWDT, resetBrownOut:
		return levelSystem
	case resetCPUMWDT0, resetCPUMWDT1, resetCPUSoft, resetCPURWDT:
		return levelCPU
	}
	return levelCore
}

// Until the ROM's code runs [A]: the crystal's start behind CHIP_EN, and what the
// reset controller takes otherwise. The data sheet has only the least times
// that a board must wait (CHIP_EN low for 50 us; straps are held 3 ms).
const (
	chipResetTime = 1 * clock.Millisecond
	coreResetTime = 20 * clock.Microsecond
)

// SetPower switches the supply. Power-on finds RAM in a state that Options.Seed
// decides, and flash as it was left, perhaps in the middle of an operation.
func (c *Chip) SetPower(on bool) {
	if on == c.Powered {
		return
	}
	c.Powered = on
	c.spiPower(on)
	c.chipReset()
}

// SetReset pulls CHIP_EN low, or lets it go. Held low it powers all of the part
// down but the flash chip.
func (c *Chip) SetReset(asserted bool) {
	if asserted == !c.EN {
		return
	}
	c.EN = !asserted
	c.chipReset()
}

// chipReset follows the supply and CHIP_EN.
func (c *Chip) chipReset() {
	c.resetParts(resetPowerOn)
	if c.Powered && c.EN {
		c.Colds++
		c.poisonRAM()
		c.resetRNG()
		c.ScheduleIn(slotReset, chipResetTime)
	}
}

// resetSoon is a reset that a block asks for: at once, or when the core's present
// instruction has ended.
func (c *Chip) resetSoon(r resetCause) {
	if !c.inCore {
		c.reset(r)
		return
	}
	c.ResetDue = r
	c.core.SetDeadline(c.core.Cycle)
}

// reset is a reset from within.
func (c *Chip) reset(r resetCause) {
	c.resetParts(r)
	c.ScheduleIn(slotReset, coreResetTime)
}

// resetParts puts what the reset reaches into the reset state. SRAM and RTC
// memory keep what they hold.
func (c *Chip) resetParts(r resetCause) {
	c.Running, c.ResetDue = false, 0
	c.Cause = r
	c.stopped = board.Stop{}
	c.track.Reset()
	c.ScheduleAt(slotReset, clock.NeverTime)
	if r.level() >= levelSystem {
		c.rtcReset()
	}
	c.assistReset(r)
	c.Triggers = triggerState{}
	if r.level() >= levelCore {
		c.resetBlocks()
	}
	c.romReset()
}

// resetBlocks resets every block of the digital part.
func (c *Chip) resetBlocks() {
	c.systemReset()
	c.matrixReset()
	c.cacheReset()
	c.efuseReset()
	c.apbCtrlReset()
	for n := range 2 {
		c.timgReset(n)
		c.uartReset(n)
	}
	c.systimerReset()
	c.gpioReset()
	c.usbReset()
	c.ledcReset()
	c.adcReset()
	c.i2cReset()
	c.spiReset()
	c.macReset()
	c.sensitiveReset()
	c.Radio = [4]uint32{}
	c.mapMemory()
}

// resetBlock is a reset by SYSTEM.PERIP_RST_EN.
func (c *Chip) resetBlock(b *block) {
	switch d := b.dev.(type) {
	case uartDevice:
		c.uartReset(d.n)
	case spiDevice:
		if d.n == 1 { // one bit for both
			c.spiReset()
		}
	case i2cDevice:
		c.i2cReset()
	case ledcDevice:
		c.ledcReset()
	case timgDevice:
		c.timgReset(d.n)
	case systimerDevice:
		c.systimerReset()
	case adcDevice:
		c.adcReset()
	case usbDevice:
		c.usbReset()
	case efuseDevice:
		c.efuseReset()
	}
}

// leaveReset samples the straps, which keep their values until the next system
// reset, and starts the ROM.
func (c *Chip) leaveReset() {
	if c.Cause.level() >= levelSystem {
		c.latchStraps()
	}
	c.rtcSetCause(c.Cause)
	c.watchBoot(c.flashBoot())
	c.romStart()
}

// Bits of GPIO.STRAP that choose how to boot.
const (
	strapGPIO8 = 1 << 2
	strapGPIO9 = 1 << 3
)

// flashBoot tells whether the straps ask for a boot from flash.
func (c *Chip) flashBoot() bool { return c.GPIO.STRAP&strapGPIO9 != 0 }

// startCore has the core execute from an address; the ROM's models call it when
// they hand over.
func (c *Chip) startCore(pc uint32) {
	c.core.Reset(uint64(pc))
	c.core.SetInterrupt(c.Matrix.present())
	c.mapMemory()
	c.Running = true
}

func oneIf(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
