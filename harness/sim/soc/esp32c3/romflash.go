package esp32c3

import (
	"encoding/binary"

	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

// The ROM's functions on the flash chip. They take the time of SPI1's
// transactions and of the chip, and wait for the chip before and after, as the
// ROM's do.

// flashOpKind is an operation that goes on in steps.
type flashOpKind uint8

const (
	opWait flashOpKind = iota
	opSector
	opBlock
	opChip
	opArea // sectors and blocks
	opWrite
	opRead
	opUnlock
	opEnable
	opStatus
)

// Results, rom/esp_rom_spiflash.h.
const (
	flashOK  = 0
	flashErr = 1
)

const (
	romWriteBytes = 32 // the ROM programs so many at a time
	romReadStep   = 1024
	romFlashMost  = 16 << 20 // what 24 bits of address reach
)

// flashOp begins an operation: t0 is its kind, t1 the address in flash, t2 that in
// memory, t3 how many bytes are left, t4 the cycle (its lowest 32 bits) at which it
// goes on. Functions of a unit take its number.
func flashOp(kind flashOpKind, unit uint32) func(c *Chip) {
	return func(c *Chip) {
		addr, ptr, left := c.arg(0), c.arg(1), c.arg(2)
		switch kind {
		case opSector, opBlock:
			addr, left = addr*unit, unit
		case opArea:
			left = c.arg(1)
		case opChip:
			addr, left = 0, 1
		case opStatus:
			addr, left = c.arg(1), 1
		case opUnlock, opEnable:
			left = 1
		case opWait:
			left = 0
		}
		if kind < opUnlock && kind != opWait && kind != opChip && !c.romFlashRange(addr, left) {
			c.romReturn(flashErr)
			return
		}
		s := &c.core.State
		s.X[5], s.X[6], s.X[7], s.X[28], s.X[29] = uint64(kind), signed(addr), signed(ptr), signed(left), signed(uint32(s.Cycle))
		s.PC = romBase + romFlashing
	}
}

// romFlashRange checks against the chip's size as the ROM was told it.
func (c *Chip) romFlashRange(addr, n uint32) bool {
	size := min(c.romGet32(romFlashChip+4), romFlashMost)
	return addr <= size && n <= size-addr
}

// romFlashStep waits for the chip, or does the next part of the operation.
func (c *Chip) romFlashStep() {
	s := &c.core.State
	if left := int32(uint32(s.X[29]) - uint32(s.Cycle)); left > 0 {
		c.romWait(s.Cycle + uint64(left))
		return
	}
	if until, busy := c.nor.Busy(c.Time()); busy {
		c.romWait(c.CycleFrom(until))
		return
	}
	kind, addr, ptr, left := flashOpKind(s.X[5]), uint32(s.X[6]), uint32(s.X[7]), uint32(s.X[28])
	if left == 0 {
		c.romReturn(flashOK)
		return
	}
	var n uint32
	var d clock.Time
	switch kind {
	case opRead:
		n = min(left, romReadStep)
		c.romPut(ptr, c.romFlash(addr, n))
		d = c.romReadTime(n)
	case opWrite:
		n = min(left, romWriteBytes, nor.PageSize-addr%nor.PageSize)
		d = c.flashProgram(addr, c.romBytes(ptr, n))
	case opEnable:
		n, d = left, c.flashSend(nor.Transaction{Cmd: nor.WriteEnable})
	case opStatus:
		n, d = left, c.romWriteStatus(addr)
	case opUnlock:
		n, d = left, c.flashUnlock()
	default:
		n, d = c.flashErase(kind, addr, left)
	}
	s.X[6], s.X[7], s.X[28] = signed(addr+n), signed(ptr+n), signed(left-min(n, left))
	s.X[29] = signed(uint32(c.CycleFrom(c.Time() + d)))
}

// flashSend sends a transaction by SPI1 and says how long that takes.
func (c *Chip) flashSend(t nor.Transaction) clock.Time {
	c.flashExec(&t)
	return clock.Time(t.Clocks()+spiOverhead)*c.spiPeriod(&c.SPI.SPI1) + romReadCost
}

// flashProgram enables writing and programs bytes of one page.
func (c *Chip) flashProgram(addr uint32, data []byte) clock.Time {
	return c.flashSend(nor.Transaction{Cmd: nor.WriteEnable}) +
		c.flashSend(nor.Transaction{Cmd: nor.PageProgram, Addr: addr, AddrBits: 24, Out: data})
}

// flashErase enables writing and erases what the kind says; an area by blocks
// where they fit.
func (c *Chip) flashErase(kind flashOpKind, addr, left uint32) (n uint32, d clock.Time) {
	t := nor.Transaction{Cmd: nor.SectorErase, Addr: addr, AddrBits: 24}
	n = nor.SectorSize
	switch {
	case kind == opChip:
		t, n = nor.Transaction{Cmd: nor.ChipErase}, 1
	case kind == opBlock, kind == opArea && addr%nor.BlockSize == 0 && left >= nor.BlockSize:
		t.Cmd, n = nor.BlockErase, nor.BlockSize
	}
	return n, c.flashSend(nor.Transaction{Cmd: nor.WriteEnable}) + c.flashSend(t)
}

// flashUnlock clears the block protection, if there is any, and keeps QE.
func (c *Chip) flashUnlock() clock.Time {
	sr1, sr2 := c.flashStatus(nor.ReadStatus1), c.flashStatus(nor.ReadStatus2)
	if sr1&0x7C == 0 && sr2&0x40 == 0 {
		return 2 * romReadCost
	}
	return c.flashSend(nor.Transaction{Cmd: nor.WriteEnable}) +
		c.flashSend(nor.Transaction{Cmd: nor.WriteStatus1, Out: []byte{0, sr2 & 2}})
}

func (c *Chip) flashStatus(cmd byte) byte {
	t := nor.Transaction{Cmd: cmd, In: make([]byte, 1)}
	c.flashExec(&t)
	return t.In[0]
}

// romStatus stores a status register at the address of the second argument.
func (c *Chip) romStatus(cmd byte, shift int) uint32 {
	v := uint32(c.flashStatus(cmd)) << shift
	*c.SPI.SPI1.at(spiRD_STATUS) = v
	c.romPut32(c.arg(1), v)
	return flashOK
}

// romWriteStatus sends one byte, or two if SPI1.CTRL says so. The caller has
// enabled writing.
func (c *Chip) romWriteStatus(v uint32) clock.Time {
	*c.SPI.SPI1.at(spiRD_STATUS) = v
	t, _ := c.spiTransaction(spiWRSR)
	return c.flashSend(t)
}

// romUpdateID keeps the chip's id, the maker highest.
func romUpdateID(c *Chip) uint32 {
	t := nor.Transaction{Cmd: nor.JEDECID, In: make([]byte, 3)}
	c.flashExec(&t)
	c.romPut32(romFlashChip, uint32(t.In[0])<<16|uint32(t.In[1])<<8|uint32(t.In[2]))
	return flashOK
}

// romConfigParam keeps its arguments: id, sizes of chip, block, sector and page,
// status mask.
func romConfigParam(c *Chip) uint32 {
	if c.arg(0) != 0 {
		c.romPut32(romFlashChip, c.arg(0))
	}
	for i := 1; i < 6; i++ {
		c.romPut32(romFlashChip+4*uint32(i), c.arg(i))
	}
	return flashOK
}

// romFlashDefaults is what the ROM believes of the flash chip until it is told:
// 4 MB in blocks, sectors and pages of the usual sizes, and no dummy cycles more than
// the usual (esp_rom_spiflash_legacy_data_t).
func (c *Chip) romFlashDefaults() {
	p := make([]byte, 0, romFlashDataSize)
	for _, v := range []uint32{0, 4 << 20, nor.BlockSize, nor.SectorSize, nor.PageSize, 0xFFFF} {
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	c.romPut(romFlashChip, p[:romFlashDataSize])
	c.romPut32(romFlashData, romFlashChip)
}

const romFlashDataSize = 32

// romAttach connects SPI1 to the flash chip: reads on one line, at the module's
// clock [A].
func (c *Chip) romAttach() { c.bootSPI(modeSlow, 1) }

const modeSlow = 5
