package stm32f407

import (
	"bytes"
	"encoding/binary"
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/sim/cells"
)

// What tests do to flash, and its resets by name: board.Nonvolatile.

// FlashSize is that of main flash, in bytes.
func (c *Chip) FlashSize() int { return c.cells.FlashSize() }

// ReadCells copies flash.
func (c *Chip) ReadCells(off uint32, p []byte) { c.cells.ReadCells(off, p) }

// SetCells puts bytes into flash.
func (c *Chip) SetCells(off uint32, p []byte) {
	c.cells.Put(off, p)
	c.cellsChanged(cells.Span{Off: off, Size: uint32(len(p))})
}

// SetMarginal makes cells marginal.
func (c *Chip) SetMarginal(off uint32, mask []byte) { c.cells.SetMarginal(off, mask) }

// WatchFlash tells w of what happens to flash.
func (c *Chip) WatchFlash(w board.FlashWatcher) {
	c.cells.WatchFlash(w)
	c.mapMemory()
}

// FineFlash has reads of an area told to the word.
func (c *Chip) FineFlash(off, n uint32) { c.cells.FineFlash(off, n) }

// FailFlash has f asked as operations begin.
func (c *Chip) FailFlash(f func(board.FlashOp) board.FlashFault) { c.cells.FailFlash(f) }

// reader is who is told of reads of flash at an address; nil if nobody watches.
func (c *Chip) reader(base uint32) func(addr, n uint32) {
	if !c.cells.Watched() {
		return nil
	}
	return func(addr, n uint32) { c.cells.Read(addr-base, n) }
}

// wakeFlash is flash at power-on.
func (c *Chip) wakeFlash() {
	c.cellsChanged(c.cells.Waver(cells.Span{Size: flashSize}, c.opt.Seed^c.Colds<<32))
	c.cells.Rearm()
	c.mapMemory()
}

// orderOp asks who watches flash whether an operation may begin, and gives it the fault
// that it is to have.
func (c *Chip) orderOp(op *flashOp) bool {
	erases := op.Kind == opErase || op.Kind == opMassErase || op.Kind == opOptions && c.liftsProtection(op.Value)
	if !c.cells.Hooked() || !erases && op.Kind != opProgram || op.onOTP() {
		return true
	}
	s := op.span()
	o := board.FlashOp{Erase: erases, Off: s.Off, Len: s.Size, Start: op.Start, End: op.End}
	var v [4]byte
	if !erases {
		binary.LittleEndian.PutUint32(v[:], op.Value)
		o.Data = bytes.Clone(v[:op.Width])
	}
	f := c.cells.Begin(o)
	if !erases {
		copy(v[:], cells.Only(f, o.Data))
		op.Value = binary.LittleEndian.Uint32(v[:])
	}
	return f.Kind != board.FlashRefused
}

// refuseOp is how an operation on protected cells ends.
func (c *Chip) refuseOp() {
	c.FLASH.CR &^= flashSTRT
	c.FLASH.OPTCR &^= optSTRT
	c.flashError(srWRPERR)
}

var resets = []board.ResetKind{board.ResetPower, board.ResetPin, board.ResetWatchdog, board.ResetSoftware, board.ResetBrownOut}

// ResetKinds are the part's resets.
func (c *Chip) ResetKinds() []board.ResetKind { return slices.Clone(resets) }

// ResetBy resets the part. A brown-out is held as long as a power-on (RM0090 §5.2.2).
func (c *Chip) ResetBy(kind board.ResetKind) {
	switch kind {
	case board.ResetPower:
		c.SetPower(false)
		c.SetPower(true)
	case board.ResetPin:
		c.SetReset(true)
		c.SetReset(false)
	case board.ResetWatchdog:
		c.systemReset(csrIWDGRSTF)
	case board.ResetSoftware:
		c.systemReset(csrSFTRSTF)
	case board.ResetBrownOut:
		c.cutFlash()
		c.resetParts(csrBORRSTF | csrPINRSTF)
		c.release(powerOnReset)
	default:
		panic("BUG: the stm32f407 has no reset by " + string(kind))
	}
}
