package stm32f407

import (
	"encoding/binary"

	"rigor/harness/sim/armv7m"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Reset and power, RM0090 §7.1 and §2.4, DS8626 §6.3.5: a power-on holds the
// part in reset for 1.5 ms (typical); every other reset lasts 20 us at least,
// for the part pulls its own reset pin that long.
const (
	powerOnReset = 1500 * clock.Microsecond
	resetPulse   = 20 * clock.Microsecond
)

// SetPower switches the supply. Power-on finds RAM in a state that Options.Seed
// decides, and flash as it was left, perhaps in the middle of an operation.
func (c *Chip) SetPower(on bool) {
	switch {
	case on == c.Powered:
	case on:
		c.Powered = true
		c.Colds++
		c.poisonRAM()
		c.wakeFlash()
		c.RNG.State = c.opt.Seed ^ c.Colds<<32
		c.resetParts(csrPORRSTF | csrBORRSTF | csrPINRSTF)
		c.release(powerOnReset)
	default:
		c.cutFlash()
		c.resetParts(0)
		c.Powered = false
		c.RCC.CSR, c.RCC.BDCR = 0, 0
		c.PWR.CSR = 0
		c.ScheduleAt(slotLSE, clock.NeverTime)
		c.resetRTC()
		c.settleAll()
	}
}

// SetReset pulls the reset pin, or lets it go.
func (c *Chip) SetReset(asserted bool) {
	if asserted == c.NRST {
		return
	}
	c.NRST = asserted
	switch {
	case !c.Powered:
	case asserted:
		c.cutFlash()
		c.resetParts(csrPINRSTF)
	default:
		c.release(resetPulse)
	}
}

// systemReset is a reset from within. It pulls the reset pin, so the pin's flag
// is set as well.
func (c *Chip) systemReset(flag uint32) {
	c.cutFlash()
	c.resetParts(flag | csrPINRSTF)
	c.release(resetPulse)
}

// resetSoon is a system reset that a block asks for: at once, or when the core's
// present instruction has ended.
func (c *Chip) resetSoon(flag uint32) {
	if !c.inCore {
		c.systemReset(flag)
		return
	}
	c.ResetDue |= flag
	c.core.SetDeadline(c.core.Cycle)
}

// release lets the part start in a while, unless the reset pin is held.
func (c *Chip) release(after clock.Time) {
	if !c.NRST && c.Powered {
		c.ScheduleAt(slotReset, max(c.Time()+after, c.pendingStart()))
	}
}

// pendingStart is when the power-on delay ends, or 0.
func (c *Chip) pendingStart() clock.Time {
	if t := c.Due[slotReset]; t != clock.NeverTime {
		return t
	}
	return 0
}

// resetParts puts everything but memories and what outlives a reset into the
// reset state.
func (c *Chip) resetParts(flags uint32) {
	start, lse := c.pendingStart(), c.Due[slotLSE]
	c.Running, c.Booting, c.ResetDue = false, false, 0
	c.stopped = board.Stop{}
	c.track.Reset()
	c.Clear()
	c.ScheduleAt(slotLSE, lse)
	c.resetBlocks()
	c.RCC.CSR |= flags
	if start > c.Time() && c.Powered && !c.NRST {
		c.ScheduleAt(slotReset, start)
	}
}

// resetBlocks resets every block.
func (c *Chip) resetBlocks() {
	c.Boot = bootROM{}
	c.resetFlash()
	c.resetRCC()
	c.PWR.CR = pwrVOS
	c.resetSYSCFG()
	c.DBGMCU = dbgmcu{}
	c.resetRNG()
	for sig := range c.Pins.AFIn {
		c.Pins.AFIn[sig] = afIdle(signal(sig))
		c.Pins.AFDriven[sig] = false
	}
	for n := 1; n <= 6; n++ {
		c.usartReset(n)
	}
	for n := 1; n <= 14; n++ {
		c.timReset(n)
	}
	c.Requests = requestLines{}
	c.dmaReset(0)
	c.dmaReset(1)
	for n := 1; n <= 3; n++ {
		c.spiReset(n)
		c.i2cReset(n)
	}
	c.resetCRC()
	c.resetIWDG()
	c.resetWWDG()
	c.adcReset()
	c.dacReset()
	for port := range ports {
		c.resetPort(port)
	}
	c.settle(pinBOOT0)
	c.EXTI = exti{Level: uint32(c.Pins.Input[0])}
	c.rtcClockChanged()
	c.rtcSystemReset()
	c.updateEXTI()
	c.updateRCCIRQ()
	c.updateFlashIRQ()
}

// resetByRCC resets the blocks whose reset bits were set.
func (c *Chip) resetByRCC(rccBus int, bits uint32) {
	if rccBus == apb2 && bits&apb2ADCRST != 0 {
		c.adcReset()
	}
	for i := range c.blocks {
		b := &c.blocks[i]
		if int(b.bus) == rccBus && b.bit >= 0 && bits>>b.bit&1 != 0 {
			c.resetBlock(b)
		}
	}
}

func (c *Chip) resetBlock(b *block) {
	switch d := b.dev.(type) {
	case gpioDevice:
		c.resetPort(d.port)
		return
	case pwrDevice:
		c.PWR.CR = pwrVOS
		return
	case syscfgDevice:
		c.resetSYSCFG()
		c.rerouteEXTI()
		return
	case rngDevice:
		c.resetRNG()
		return
	case spi:
		c.spiReset(d.n)
		d.drive()
		return
	case i2c:
		c.i2cReset(d.n)
		return
	case crcDevice:
		c.resetCRC()
		return
	case wwdgDevice:
		c.resetWWDG()
		return
	case dmaDevice:
		c.dmaReset(d.n)
		return
	case dacDevice:
		c.dacReset()
		c.reconfigure(0)
		return
	}
	if n, ok := usartNumber[b.name]; ok {
		c.usartReset(n)
	}
	if n, ok := timNumber[b.name]; ok {
		c.timReset(n)
	}
}

// leaveReset samples the boot pins and starts the core or the boot loader
// (RM0090 §2.4, table 2). Level 2 read protection always starts flash.
func (c *Chip) leaveReset() {
	boot0, boot1 := c.Level(pinBOOT0), c.Level(pinBOOT1)
	switch {
	case !boot0 || c.rdp() == rdpForever:
		c.BootMode = remapFlash
	case !boot1:
		c.BootMode = remapSystem
	default:
		c.BootMode = remapSRAM
	}
	c.resetSYSCFG()
	if c.FLASH.Options&optWDGSW == 0 {
		c.iwdgStart() // §21.3.1
	}
	if c.BootMode == remapSystem {
		if c.IWDG.On {
			c.halt(board.NotModelled, 0, "the boot loader's care for IWDG, started by the option byte WDG_SW, not modelled")
			return
		}
		c.Booting = true
		c.bootStart()
		return
	}
	c.core.Reset()
	c.Running = true
}

// bootJump ends the boot loader: the core starts at an entry and a stack
// (AN3155, Go). Memory at 0 stays as the boot pins mapped it.
func (c *Chip) bootJump(sp, pc uint32) {
	var vectors [8]byte
	binary.LittleEndian.PutUint32(vectors[:], sp)
	binary.LittleEndian.PutUint32(vectors[4:], pc)
	c.core.Map([]armv7m.Region{{Name: "entry", Data: vectors[:]}})
	c.core.Reset()
	c.mapMemory()
	c.Booting, c.Running = false, true
}

// poisonRAM is what RAM holds after power-on: nothing a program may count on.
func (c *Chip) poisonRAM() {
	state := c.opt.Seed + c.Colds
	for _, m := range [][]byte{c.mem.SRAM, c.mem.CCM, c.mem.BKP} {
		for i := 0; i < len(m); i += 8 {
			binary.LittleEndian.PutUint64(m[i:], splitmix(&state))
		}
	}
	c.core.Invalidate(sramBase, sramSize)
	c.core.Invalidate(ccmBase, ccmSize)
}
