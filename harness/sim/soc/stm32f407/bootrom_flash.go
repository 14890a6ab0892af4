package stm32f407

import "encoding/binary"

// The loader's flash operations go through the flash interface's registers,
// byte by byte, since it sets the part up for supplies from 1.8 V (AN2606): x8
// times apply, write protection holds, and power may be cut at any moment. It
// reports no error of theirs; the host's read-back finds it.

// bootOp is a kind of flash operation.
type bootOp uint8

const (
	bootProgram    bootOp = iota // In[1:] to Addr
	bootSectors                  // sectors listed in In[2:]
	bootMass                     // the whole flash
	bootOptionByte               // OPTCR; Addr holds the value
)

const (
	flashKEYR    = flashRegs + 0x04
	flashOPTKEYR = flashRegs + 0x08
	flashSR      = flashRegs + 0x0C
	flashCR      = flashRegs + 0x10
	flashOPTCR   = flashRegs + 0x14
)

// bootOperate begins an operation of the given number of steps. When it is
// done the loader answers ACK and goes on to a command or a system reset.
func (c *Chip) bootOperate(op bootOp, steps int32, then bootPhase) {
	b := &c.Boot
	b.Phase, b.Op, b.Next, b.Last, b.Then = bootFlash, op, 0, steps, then
	if c.peek(flashCR)&flashLOCK != 0 {
		c.poke(flashKEYR, flashKey1)
		c.poke(flashKEYR, flashKey2)
	}
	c.bootFlashDone()
}

// bootOptions begins to replace the option bytes, which ends in a system reset.
func (c *Chip) bootOptions(v uint32) {
	c.Boot.Addr = v
	c.bootOperate(bootOptionByte, 1, bootResetting)
}

// bootFlashDone goes on with the operation: it is called at its beginning and
// whenever the flash interface has become free.
func (c *Chip) bootFlashDone() {
	b := &c.Boot
	if b.Phase != bootFlash {
		return
	}
	for b.Next < b.Last {
		c.bootStep(b.Next)
		b.Next++
		if c.flashBusy() {
			return
		}
	}
	c.poke(flashCR, flashLOCK)
	if b.Then == bootResetting {
		b.Phase = bootResetting
		c.bootSend(bootACK)
		return
	}
	c.bootAccept(bootCommand, 2)
}

// bootStep starts step i of the operation. Errors of an earlier one are
// cleared, as they would block it.
func (c *Chip) bootStep(i int32) {
	b := &c.Boot
	c.poke(flashSR, srFlags)
	switch b.Op {
	case bootProgram:
		c.poke(flashCR, flashPG)
		c.program(b.Addr+uint32(i), 1, uint32(b.In[1+i]))
	case bootSectors:
		sector := uint32(binary.BigEndian.Uint16(b.In[2+2*i:]))
		if sector < sectorCount {
			c.poke(flashCR, flashSER|sector<<3)
			c.poke(flashCR, flashSER|sector<<3|flashSTRT)
		}
	case bootMass:
		c.poke(flashCR, flashMER)
		c.poke(flashCR, flashMER|flashSTRT)
	case bootOptionByte:
		c.poke(flashOPTKEYR, optKey1)
		c.poke(flashOPTKEYR, optKey2)
		c.poke(flashOPTCR, b.Addr&optWrite)
		c.poke(flashOPTCR, b.Addr&optWrite|optSTRT)
	}
}
