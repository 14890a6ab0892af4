package stm32f407

import (
	"encoding/binary"

	"rigor/harness/sim/armv7m"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/cells"
	"rigor/harness/sim/clock"
)

// Flash interface, RM0090 §3: keys, programming, erasing, option bytes.
//
// An operation takes its typical time (DS8626 §6.3.12, table 40); its
// effect on the cells comes at its end, or in part when power or a reset cuts
// it. Meanwhile fetches and loads from flash stall, those of cached lines too.
// What reads cost is the core's to know: armv7m's flash.go. Caches never hold old
// data: that a program must empty them after an erase (§3.6.4) goes unchecked.

// flash is the block's state. Options are the non-volatile option bytes in the
// layout of OPTCR.
type flash struct {
	ACR, SR, CR, OPTCR uint32
	Options            uint32
	Key, OptKey        uint8 // how much of a key sequence was written
	KeyDead, OptDead   bool  // a wrong key: locked until reset
	Op                 flashOp
}

// flashOp is the operation under way.
type flashOp struct {
	Kind       opKind
	Width      uint8  // of opProgram, in bytes
	Addr       uint32 // of opProgram
	Value      uint32 // of opProgram, or new OPTCR of opOptions
	Sector     uint32 // of opErase
	Start, End clock.Time
}

type opKind uint8

const (
	opNone opKind = iota
	opProgram
	opErase
	opMassErase
	opOptions
)

const (
	acrWrite   = 0x1F07
	acrLATENCY = 7
	acrPRFTEN  = 1 << 8
	acrICEN    = 1 << 9
	acrDCEN    = 1 << 10
	acrICRST   = 1 << 11
	acrDCRST   = 1 << 12

	srEOP    = 1 << 0
	srOPERR  = 1 << 1
	srWRPERR = 1 << 4
	srPGAERR = 1 << 5
	srPGPERR = 1 << 6
	srPGSERR = 1 << 7
	srFlags  = srEOP | srOPERR | srWRPERR | srPGAERR | srPGPERR | srPGSERR
	srBSY    = 1 << 16

	flashPG     = 1 << 0
	flashSER    = 1 << 1
	flashMER    = 1 << 2
	flashSTRT   = 1 << 16
	flashEOPIE  = 1 << 24
	flashERRIE  = 1 << 25
	flashLOCK   = 1 << 31
	flashWrite  = 0x0300037F
	psizeX64    = 3
	flashKey1   = 0x45670123
	flashKey2   = 0xCDEF89AB
	optKey1     = 0x08192A3B
	optKey2     = 0x4C5D6E7F
	optLOCK     = 1 << 0
	optSTRT     = 1 << 1
	optWDGSW    = 1 << 5
	optRDPPos   = 8
	optWRPPos   = 16
	optWrite    = 0x0FFFFFEC
	irqFLASH    = 4
	rdpOff      = 0xAA
	rdpForever  = 0xCC
	sectorCount = 12
)

// optionDefault is OPTCR as the factory leaves it, without OPTLOCK.
const optionDefault = 0x0FFFAAEC

// Typical times by PSIZE (x8, x16, x32), DS8626 §6.3.12, table 40.
const programTime = 16 * clock.Microsecond

var (
	erase16K  = [3]clock.Time{400 * clock.Millisecond, 300 * clock.Millisecond, 250 * clock.Millisecond}
	erase64K  = [3]clock.Time{1200 * clock.Millisecond, 700 * clock.Millisecond, 550 * clock.Millisecond}
	erase128K = [3]clock.Time{2000 * clock.Millisecond, 1300 * clock.Millisecond, 1000 * clock.Millisecond}
	eraseAll  = [3]clock.Time{16 * clock.Second, 11 * clock.Second, 8 * clock.Second}
)

// sectorSpan is offset and size of a sector (RM0090 §3.3, table 5).
func sectorSpan(n uint32) (off, size uint32) {
	switch {
	case n < 4:
		return n * 16 << 10, 16 << 10
	case n == 4:
		return 64 << 10, 64 << 10
	}
	return (n - 4) * 128 << 10, 128 << 10
}

// sectorOf is the sector that holds an offset in flash.
func sectorOf(off uint32) uint32 {
	switch {
	case off < 64<<10:
		return off / (16 << 10)
	case off < 128<<10:
		return 4
	}
	return 4 + off/(128<<10)
}

func (c *Chip) resetFlash() {
	c.FLASH = flash{CR: flashLOCK, OPTCR: c.FLASH.Options | optLOCK, Options: c.FLASH.Options}
}

type flashDevice struct{ *Chip }

func (d flashDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	f := &d.FLASH
	switch off {
	case 0x00:
		return uint64(f.ACR), bus.None
	case 0x04, 0x08: // keys are write-only
		return 0, bus.None
	case 0x0C:
		return uint64(f.SR), bus.None
	case 0x10:
		return uint64(f.CR), bus.None
	case 0x14:
		return uint64(f.OPTCR), bus.None
	}
	return 0, d.unknown("FLASH", off)
}

func (d flashDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	v, f := uint32(v64), &d.FLASH
	switch off {
	case 0x00:
		d.writeACR(v)
	case 0x04:
		if unlock(v, flashKey1, flashKey2, &f.Key, &f.KeyDead) {
			f.CR &^= flashLOCK
		}
		if f.KeyDead {
			return bus.Error
		}
	case 0x08:
		if unlock(v, optKey1, optKey2, &f.OptKey, &f.OptDead) {
			f.OPTCR &^= optLOCK
		}
	case 0x0C:
		f.SR &^= v & srFlags
		d.updateFlashIRQ()
	case 0x10:
		return d.writeFlashCR(v)
	case 0x14:
		d.writeOPTCR(v)
	default:
		return d.unknown("FLASH", off)
	}
	return bus.None
}

// writeACR is §3.9.1. Caches are only reset while they are off.
func (c *Chip) writeACR(v uint32) {
	acr := v & acrWrite
	c.FLASH.ACR = acr
	c.core.SetFlashTiming(armv7m.FlashTiming{
		Waits:    uint8(acr & acrLATENCY),
		Prefetch: acr&acrPRFTEN != 0,
		ICache:   acr&acrICEN != 0,
		DCache:   acr&acrDCEN != 0,
	})
	c.core.ResetFlashCaches(acr&(acrICRST|acrICEN) == acrICRST, acr&(acrDCRST|acrDCEN) == acrDCRST)
	c.checkClocks()
}

// unlock follows a two-key sequence. A wrong key locks until the next reset
// (§3.6.1, §3.7.2); one for CR is a bus error too.
func unlock(v, key1, key2 uint32, n *uint8, dead *bool) bool {
	want := [...]uint32{key1, key2}
	if *dead || v != want[*n] {
		*dead = true
		return false
	}
	*n = (*n + 1) % 2
	return *n == 0
}

// writeFlashCR is §3.9.7.
func (c *Chip) writeFlashCR(v uint32) bus.Fault {
	f := &c.FLASH
	switch {
	case f.CR&flashLOCK != 0:
		c.warn("FLASH.CR written while it is locked")
		return bus.None
	case v>>8&3 == psizeX64:
		return c.lack("FLASH.CR.PSIZE x64 (needs VPP)")
	}
	f.CR = f.CR&flashSTRT | v&(flashWrite|flashLOCK)
	if v&flashSTRT != 0 && f.CR&flashSTRT == 0 {
		c.startErase()
	}
	return bus.None
}

// startErase begins the sector or mass erase that CR describes.
func (c *Chip) startErase() {
	f := &c.FLASH
	sector := f.CR >> 3 & 0xF
	switch {
	case f.CR&flashMER != 0 && f.Options>>optWRPPos&0xFFF != 0xFFF:
		c.flashError(srWRPERR)
	case f.CR&flashMER != 0:
		c.beginMassErase(f.CR >> 8 & 3)
	case f.CR&flashSER == 0 || sector >= sectorCount:
		c.warn("FLASH.CR.STRT set with nothing to erase")
	case c.writeProtected(sector):
		c.flashError(srWRPERR)
	default:
		c.beginErase(sector, f.CR>>8&3)
	}
}

func (c *Chip) writeProtected(sector uint32) bool {
	return c.FLASH.Options>>(optWRPPos+sector)&1 == 0
}

// beginErase starts a sector's erase with the parallelism of PSIZE.
func (c *Chip) beginErase(sector, psize uint32) {
	times := &erase128K
	switch {
	case sector < 4:
		times = &erase16K
	case sector == 4:
		times = &erase64K
	}
	c.FLASH.CR |= flashSTRT
	c.beginOp(flashOp{Kind: opErase, Sector: sector}, times[psize])
}

func (c *Chip) beginMassErase(psize uint32) {
	c.FLASH.CR |= flashSTRT
	c.beginOp(flashOp{Kind: opMassErase}, eraseAll[psize])
}

// program is a store to flash or OTP by the core (§3.6.4).
func (c *Chip) program(addr uint32, width uint8, v uint32) bus.Fault {
	f := &c.FLASH
	size := uint8(1) << (f.CR >> 8 & 3)
	switch {
	case f.CR&flashPG == 0:
		c.flashError(srPGSERR)
	case addr&15+uint32(width) > 16:
		c.flashError(srPGAERR)
	case width != size:
		c.flashError(srPGPERR)
	case c.cellsProtected(addr):
		c.flashError(srWRPERR)
	default:
		c.beginProgram(addr, width, v)
	}
	return bus.None
}

// beginProgram starts the programming of 1, 2 or 4 bytes.
func (c *Chip) beginProgram(addr uint32, width uint8, v uint32) {
	c.beginOp(flashOp{Kind: opProgram, Addr: addr, Width: width, Value: v}, programTime)
}

// cellsProtected is write protection of a sector, or the lock byte of an OTP
// block.
func (c *Chip) cellsProtected(addr uint32) bool {
	if addr < otpBase {
		return c.writeProtected(sectorOf(addr - flashBase))
	}
	off := addr - otpBase
	return off < 512 && c.mem.OTP[512+off/32] == 0
}

// flashError sets an error flag, and OPERR where that is enabled (§3.9.5).
func (c *Chip) flashError(flag uint32) {
	f := &c.FLASH
	f.SR |= flag
	if f.CR&flashERRIE != 0 {
		f.SR |= srOPERR
	}
	c.updateFlashIRQ()
}

func (c *Chip) updateFlashIRQ() {
	f := &c.FLASH
	c.irq(irqFLASH, f.CR&flashEOPIE != 0 && f.SR&srEOP != 0 || f.CR&flashERRIE != 0 && f.SR&srOPERR != 0)
}

// beginOp starts an operation now, or when the present one ends, unless who watches
// flash has it refused.
func (c *Chip) beginOp(op flashOp, d clock.Time) {
	op.Start = c.Time()
	if c.flashBusy() {
		op.Start = c.FLASH.Op.End
		c.finishOp()
	}
	op.End = op.Start + d
	if !c.orderOp(&op) {
		c.refuseOp()
		return
	}
	c.FLASH.Op = op
	c.FLASH.SR |= srBSY
	c.ScheduleAt(slotFlash, op.End)
	c.stallFetches()
}

func (c *Chip) flashBusy() bool { return c.FLASH.Op.Kind != opNone }

// FlashBusy tells whether a flash operation is under way, and until when.
func (c *Chip) FlashBusy() (until clock.Time, busy bool) { return c.FLASH.Op.End, c.flashBusy() }

func (c *Chip) stallFetches() { c.core.Stall(c.CycleFrom(c.FLASH.Op.End)) }

// flashDone is the end of an operation. EOP is only set where its interrupt is
// enabled (§3.9.5).
func (c *Chip) flashDone() {
	c.finishOp()
	f := &c.FLASH
	f.SR &^= srBSY
	f.CR &^= flashSTRT
	f.OPTCR &^= optSTRT
	if f.CR&flashEOPIE != 0 {
		f.SR |= srEOP
	}
	c.updateFlashIRQ()
	if c.Booting {
		c.bootFlashDone()
	}
}

// finishOp gives the cells what the operation was for.
func (c *Chip) finishOp() {
	op := c.FLASH.Op
	c.FLASH.Op = flashOp{}
	switch {
	case op.Kind == opOptions:
		c.finishOptions(op)
		return
	case op.onOTP():
		for i, b := range c.otp(op) {
			c.otp(op)[i] = b & op.byte(i)
		}
		return
	case op.Kind == opProgram:
		var v [4]byte
		binary.LittleEndian.PutUint32(v[:], op.Value)
		c.cells.Program(op.Addr-flashBase, v[:op.Width])
	case op.Kind == opErase, op.Kind == opMassErase:
		c.cells.Erase(op.span())
	}
	c.cellsChanged(op.span())
	c.cells.End(op.End, false)
}

// span is the part of flash that an operation changes.
func (op *flashOp) span() cells.Span {
	switch op.Kind {
	case opProgram:
		return cells.Span{Off: op.Addr - flashBase, Size: uint32(op.Width)}
	case opErase:
		off, size := sectorSpan(op.Sector)
		return cells.Span{Off: off, Size: size}
	}
	return cells.Span{Size: flashSize}
}

func (op *flashOp) onOTP() bool { return op.Kind == opProgram && op.Addr >= otpBase }

// otp are the bytes that an operation on OTP changes.
func (c *Chip) otp(op flashOp) []byte {
	off := op.Addr - otpBase
	return c.mem.OTP[off:min(int(off)+int(op.Width), len(c.mem.OTP))]
}

// byte is one of those to be programmed.
func (op *flashOp) byte(i int) byte { return byte(op.Value >> (8 * i)) }

// cellsChanged drops what the core decoded from cells of flash.
func (c *Chip) cellsChanged(s cells.Span) { c.core.Invalidate(flashBase+s.Off, s.Size) }

// cutFlash is what loss of power or a reset leaves of an operation: each bit
// that it was to change has changed with the chance that is the part of the
// time that went by. RM0090 §3.6 only says that the content is not
// guaranteed.
func (c *Chip) cutFlash() {
	op := c.FLASH.Op
	c.FLASH.Op = flashOp{}
	c.ScheduleAt(slotFlash, clock.NeverTime)
	c.core.Stall(0)
	passed := c.Time() - op.Start
	if op.Kind == opNone || passed <= 0 {
		return
	}
	bits := partial{state: c.opt.Seed ^ uint64(op.Start), of256: uint64(passed * 256 / (op.End - op.Start))}
	program := func(i int, was byte) byte { return was &^ (was &^ op.byte(i) & bits.next()) }
	erase := func(_ int, was byte) byte { return was | bits.next() }
	switch {
	case op.Kind == opOptions:
		c.warn("option bytes cut while they were programmed: the old ones stay")
		if c.liftsProtection(op.Value) {
			c.cells.End(c.Time(), true)
		}
		return
	case op.onOTP():
		for i, b := range c.otp(op) {
			c.otp(op)[i] = program(i, b)
		}
		return
	case op.Kind == opProgram:
		c.cells.Cut(op.span(), false, program)
	case op.Kind == opErase, op.Kind == opMassErase:
		c.cells.Cut(op.span(), true, erase)
	}
	c.cellsChanged(op.span())
	c.cells.End(c.Time(), true)
}

// partial makes bytes in which each bit is set with a chance of of256/256.
type partial struct{ state, of256 uint64 }

func (p *partial) next() (b byte) {
	// From the chance's lowest bit up, an "or" or "and" with a random byte halves
	// the distance to 1 or to 0.
	r := splitmix(&p.state)
	for i := range 8 {
		if p.of256>>i&1 != 0 {
			b |= byte(r)
		} else {
			b &= byte(r)
		}
		r >>= 8
	}
	return b
}

// splitmix is the SplitMix64 generator.
func splitmix(state *uint64) uint64 {
	*state += 0x9E3779B97F4A7C15
	z := *state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
