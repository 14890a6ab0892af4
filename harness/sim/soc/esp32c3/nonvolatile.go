package esp32c3

import (
	"slices"

	"rigor/harness/sim/board"
)

// What tests do to the flash chip, and resets by name: board.Nonvolatile.

// FlashSize is the flash chip's, in bytes.
func (c *Chip) FlashSize() int { return c.nor.Cells().FlashSize() }

// ReadCells copies flash.
func (c *Chip) ReadCells(off uint32, p []byte) { c.nor.Cells().ReadCells(off, p) }

// SetCells puts bytes into flash.
func (c *Chip) SetCells(off uint32, p []byte) {
	c.nor.Cells().Put(off, p)
	c.flashChanged(off, uint32(len(p)))
}

// SetMarginal makes cells marginal.
func (c *Chip) SetMarginal(off uint32, mask []byte) { c.nor.Cells().SetMarginal(off, mask) }

// WatchFlash tells w of what happens to flash.
func (c *Chip) WatchFlash(w board.FlashWatcher) {
	c.nor.Cells().WatchFlash(w)
	c.mapMemory()
}

// FineFlash has reads of an area told to the word.
func (c *Chip) FineFlash(off, n uint32) { c.nor.Cells().FineFlash(off, n) }

// FailFlash has f asked as operations begin.
func (c *Chip) FailFlash(f func(board.FlashOp) board.FlashFault) { c.nor.Cells().FailFlash(f) }

var resets = []board.ResetKind{board.ResetPower, board.ResetPin, board.ResetWatchdog, board.ResetSoftware, board.ResetBrownOut}

// ResetKinds are the part's resets.
func (c *Chip) ResetKinds() []board.ResetKind { return slices.Clone(resets) }

// ResetBy resets the part. The watchdog is TIMG0's, and the software's way RTC_CNTL.OPTIONS0.SW_SYS_RST;
// the pin is CHIP_EN, which costs RAM.
func (c *Chip) ResetBy(kind board.ResetKind) {
	switch kind {
	case board.ResetPower:
		c.SetPower(false)
		c.SetPower(true)
	case board.ResetPin:
		c.SetReset(true)
		c.SetReset(false)
	case board.ResetWatchdog:
		c.reset(resetMWDT0)
	case board.ResetSoftware:
		c.reset(resetSoftware)
	case board.ResetBrownOut:
		c.reset(resetBrownOut)
	default:
		panic("BUG: the esp32c3 has no reset by " + string(kind))
	}
}
