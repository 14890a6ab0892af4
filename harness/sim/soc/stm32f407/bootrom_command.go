package stm32f407

import (
	"encoding/binary"

	"rigor/harness/sim/board"
)

// Commands of AN3155 that this part has, in the order in which Get lists them.
const (
	cmdGet            = 0x00
	cmdGetVersion     = 0x01
	cmdGetID          = 0x02
	cmdRead           = 0x11
	cmdGo             = 0x21
	cmdWrite          = 0x31
	cmdErase          = 0x44
	cmdProtectWrite   = 0x63
	cmdUnprotectWrite = 0x73
	cmdProtectRead    = 0x82
	cmdUnprotectRead  = 0x92
)

var bootCommands = []byte{
	cmdGet, cmdGetVersion, cmdGetID, cmdRead, cmdGo, cmdWrite, cmdErase,
	cmdProtectWrite, cmdUnprotectWrite, cmdProtectRead, cmdUnprotectRead,
}

const (
	bootProtocol = 0x31   // the version that Get answers (AN3155 §3.1)
	bootPID      = 0x0413 // AN2606: product id
)

// bootByte takes one byte from the host.
func (c *Chip) bootByte(v byte, bad bool) {
	b := &c.Boot
	if int(b.Got) < len(b.In) {
		b.In[b.Got] = v
	}
	b.Got++
	b.Sum ^= v
	b.Bad = b.Bad || bad
	if b.Got < b.Want {
		return
	}
	switch b.Phase {
	case bootCommand:
		c.bootDispatch()
	case bootAddress:
		c.bootTakeAddress()
	case bootReadLength:
		c.bootRead()
	case bootWriteLength:
		b.Phase, b.Want = bootWriteData, int32(v)+3 // length, data, checksum
	case bootWriteData:
		c.bootWrite()
	case bootEraseCount:
		c.bootTakeEraseCount()
	case bootEraseSpecial:
		c.bootMassErase()
	case bootErasePages:
		c.bootErase()
	case bootProtectCount:
		b.Phase, b.Want = bootProtectList, int32(v)+3
	case bootProtectList:
		c.bootProtect()
	}
}

// bootDispatch takes a command and its complement (AN3155 §3). With read
// protection on, all but four commands are refused at once, and two of them
// twice before version 9.1.
func (c *Chip) bootDispatch() {
	b := &c.Boot
	b.Cmd = b.In[0]
	if b.Bad || b.In[0]^b.In[1] != 0xFF {
		c.bootRefuse()
		return
	}
	if c.rdpActive() && b.Cmd > cmdGetID && b.Cmd < cmdUnprotectRead {
		twice := c.opt.LoaderVersion < 0x91 && (b.Cmd == cmdRead || b.Cmd == cmdWrite)
		c.bootRefuse()
		if twice {
			c.bootSend(bootNACK)
		}
		return
	}
	switch b.Cmd {
	case cmdGet:
		c.bootExpect(bootCommand, 2)
		c.bootSend(bootACK, byte(len(bootCommands)), bootProtocol)
		c.bootSend(bootCommands...)
		c.bootSend(bootACK)
	case cmdGetVersion:
		c.bootExpect(bootCommand, 2)
		c.bootSend(bootACK, bootProtocol, 0, 0, bootACK)
	case cmdGetID:
		c.bootExpect(bootCommand, 2)
		c.bootSend(bootACK, 1, bootPID>>8, bootPID&0xFF, bootACK)
	case cmdRead, cmdGo, cmdWrite:
		c.bootAccept(bootAddress, 5)
	case cmdErase:
		c.bootAccept(bootEraseCount, 2)
	case cmdProtectWrite:
		c.bootAccept(bootProtectCount, 1)
	case cmdUnprotectWrite:
		c.bootSend(bootACK)
		c.bootOptions(c.FLASH.Options | 0xFFF<<optWRPPos)
	case cmdProtectRead:
		c.bootSend(bootACK)
		c.bootOptions(c.FLASH.Options&^(0xFF<<optRDPPos) | rdpLevel1<<optRDPPos)
	case cmdUnprotectRead:
		c.bootSend(bootACK)
		c.bootOptions(c.FLASH.Options&^(0xFF<<optRDPPos) | rdpOff<<optRDPPos)
	default:
		c.bootRefuse()
	}
}

// rdpLevel1 is what the loader writes to protect: any value but 0xAA and 0xCC
// (RM0090 §3.7.3).
const rdpLevel1 = 0x55

// bootTakeAddress is the second part of Read, Go and Write.
func (c *Chip) bootTakeAddress() {
	b := &c.Boot
	b.Addr = binary.BigEndian.Uint32(b.In[:4])
	if b.Bad || b.Sum != 0 || !c.bootAddressValid() {
		c.bootRefuse()
		return
	}
	switch b.Cmd {
	case cmdRead:
		c.bootAccept(bootReadLength, 2)
	case cmdWrite:
		c.bootAccept(bootWriteLength, 1)
	case cmdGo:
		b.Phase = bootJumping
		c.bootSend(bootACK)
	}
}

// bootArea is a range that a command may use.
type bootArea struct{ first, last uint32 }

func (a bootArea) has(addr uint32) bool { return addr >= a.first && addr <= a.last }

// bootAreas are flash, the SRAM that is not the loader's, system memory, OTP
// and the option bytes. CCM is out of its reach.
func (c *Chip) bootAreas() []bootArea {
	return []bootArea{
		{flashBase, flashBase + flashSize - 1},
		{sramBase + c.bootOwnRAM(), sramBase + sramSize - 1},
		{sysmemBase, otpBase - 1},
		{otpBase, 0x1FFF7A2F},
		{optBase, optBase + 15},
	}
}

// bootAddressValid: any of them may be read, all but system memory written,
// flash and SRAM jumped to.
func (c *Chip) bootAddressValid() bool {
	b := &c.Boot
	for i, a := range c.bootAreas() {
		if !a.has(b.Addr) {
			continue
		}
		switch b.Cmd {
		case cmdGo:
			return i < 2
		case cmdWrite:
			return b.Addr%4 == 0 && (i < 2 || i == 3 || b.Addr == optBase)
		}
		return true
	}
	return false
}

// bootRead is the last part of Read Memory (AN3155 §3.4).
func (c *Chip) bootRead() {
	b := &c.Boot
	n := uint32(b.In[0]) + 1
	if b.Bad || b.In[0]^b.In[1] != 0xFF || !c.bootFits(n) {
		c.bootRefuse()
		return
	}
	var data [256]byte
	for i := range n {
		v, ok := c.readByte(b.Addr + i)
		if !ok {
			c.halt(board.NotModelled, b.Addr+i, "the boot loader reads its own machine code, which is")
			return
		}
		data[i] = v
	}
	c.bootAccept(bootCommand, 2)
	c.bootSend(data[:n]...)
}

// bootFits: a block stays in the area where it begins.
func (c *Chip) bootFits(n uint32) bool {
	for _, a := range c.bootAreas() {
		if a.has(c.Boot.Addr) {
			return a.has(c.Boot.Addr + n - 1)
		}
	}
	return false
}

// bootWrite is the last part of Write Memory (AN3155 §3.6): flash and OTP are
// programmed, SRAM is copied to, the option bytes are replaced.
func (c *Chip) bootWrite() {
	b := &c.Boot
	n := b.Want - 2
	if b.Bad || b.Sum != 0 || n%4 != 0 || !c.bootFits(uint32(n)) {
		c.bootRefuse()
		return
	}
	data := b.In[1 : 1+n]
	switch {
	case b.Addr >= sramBase:
		if err := c.LoadRAM(b.Addr, data); err != nil {
			panic("BUG: " + err.Error())
		}
		c.bootAccept(bootCommand, 2)
	case b.Addr == optBase:
		c.bootOptions(c.bootOptionWord(data))
	default:
		c.bootOperate(bootProgram, n, bootCommand)
	}
}

// bootOptionWord makes OPTCR's fields of the option bytes as they lie in memory
// (RM0090 §3.7.1): USER and RDP in the first half-word, nWRP at offset 8.
func (c *Chip) bootOptionWord(data []byte) uint32 {
	v := c.FLASH.Options&0xFFF<<optWRPPos | uint32(data[0])&0xEC | uint32(data[1])<<optRDPPos
	if len(data) >= 12 {
		wrp := uint32(binary.LittleEndian.Uint16(data[8:])) & 0xFFF
		v = v&^(0xFFF<<optWRPPos) | wrp<<optWRPPos
	}
	return v
}

// bootTakeEraseCount is the first part of Extended Erase (AN3155 §3.8): a count
// of sectors less one, or from 0xFFF0 a special erase.
func (c *Chip) bootTakeEraseCount() {
	b := &c.Boot
	n := int32(binary.BigEndian.Uint16(b.In[:2]))
	b.Last = n + 1
	if n >= 0xFFF0 {
		b.Phase, b.Want = bootEraseSpecial, 3
		return
	}
	b.Phase, b.Want = bootErasePages, 2+2*(n+1)+1
}

// bootMassErase: the bank erases are for parts of two banks.
func (c *Chip) bootMassErase() {
	b := &c.Boot
	if b.Bad || b.Sum != 0 || b.Last != 0x10000 {
		c.bootRefuse()
		return
	}
	c.bootOperate(bootMass, 1, bootCommand)
}

// bootErase erases the sectors listed, in their order. More than the loader
// has room for are dropped; the part has twelve.
func (c *Chip) bootErase() {
	b := &c.Boot
	if b.Bad || b.Sum != 0 {
		c.bootRefuse()
		return
	}
	c.bootOperate(bootSectors, min(b.Last, int32(len(b.In)-2)/2), bootCommand)
}

// bootProtect is the last part of Write Protect (AN3155 §3.9): exactly the
// sectors listed are protected from then on.
func (c *Chip) bootProtect() {
	b := &c.Boot
	if b.Bad || b.Sum != 0 {
		c.bootRefuse()
		return
	}
	wrp := uint32(0xFFF)
	for _, sector := range b.In[1 : b.Want-1] {
		wrp &^= 1 << (sector & 31)
	}
	c.bootOptions(c.FLASH.Options&^(0xFFF<<optWRPPos) | wrp<<optWRPPos)
}
