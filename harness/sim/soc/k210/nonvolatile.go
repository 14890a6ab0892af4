package k210

import (
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/sim/cells"
)

// What tests do to the flash chip, and resets by name: board.Nonvolatile.

// FlashSize is the flash chip's, in bytes.
func (c *Chip) FlashSize() int { return c.nor.Cells().FlashSize() }

// flashSettled are the cells after what is due. Without a program that looks nothing else
// ends an operation.
func (c *Chip) flashSettled() *cells.Memory {
	c.nor.Settle(c.Time())
	return c.nor.Cells()
}

// ReadCells copies flash.
func (c *Chip) ReadCells(off uint32, p []byte) { c.flashSettled().ReadCells(off, p) }

// SetCells puts bytes into flash.
func (c *Chip) SetCells(off uint32, p []byte) { c.flashSettled().Put(off, p) }

// SetMarginal makes cells marginal.
func (c *Chip) SetMarginal(off uint32, mask []byte) { c.flashSettled().SetMarginal(off, mask) }

// WatchFlash tells w of what happens to flash.
func (c *Chip) WatchFlash(w board.FlashWatcher) { c.flashSettled().WatchFlash(w) }

// FineFlash has reads of an area told to the word.
func (c *Chip) FineFlash(off, n uint32) { c.nor.Cells().FineFlash(off, n) }

// FailFlash has f asked as operations begin.
func (c *Chip) FailFlash(f func(board.FlashOp) board.FlashFault) { c.nor.Cells().FailFlash(f) }

var resets = []board.ResetKind{board.ResetPower, board.ResetPin, board.ResetWatchdog, board.ResetSoftware}

// ResetKinds are the part's resets.
func (c *Chip) ResetKinds() []board.ResetKind { return slices.Clone(resets) }

// ResetBy resets the part. The watchdog is resetWDT00. No document says that the part watches its supply.
func (c *Chip) ResetBy(kind board.ResetKind) {
	switch kind {
	case board.ResetPower:
		c.SetPower(false)
		c.SetPower(true)
	case board.ResetPin:
		c.SetReset(true)
		c.SetReset(false)
	case board.ResetWatchdog:
		c.reset(resetWDT0)
	case board.ResetSoftware:
		c.reset(resetSoft)
	default:
		panic("BUG: the k210 has no reset by " + string(kind))
	}
}
