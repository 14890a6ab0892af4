package stm32f407

// Option bytes, RM0090 §3.7. At protection level 1 the boot loader and code in
// RAM cannot read flash, and going back to level 0 erases it; level 2 is for
// ever.

// rdpActive tells whether read protection is on (level 1 or 2).
func (c *Chip) rdpActive() bool { return c.rdp() != rdpOff }

func (c *Chip) rdp() uint8 { return uint8(c.FLASH.Options >> optRDPPos) }

// writeOPTCR is §3.9.9.
func (c *Chip) writeOPTCR(v uint32) {
	f := &c.FLASH
	if f.OPTCR&optLOCK != 0 {
		c.warn("FLASH.OPTCR written while it is locked")
		return
	}
	f.OPTCR = f.OPTCR&optSTRT | v&(optWrite|optLOCK)
	if v&optSTRT != 0 && f.OPTCR&optSTRT == 0 {
		c.beginOptions(f.OPTCR&optWrite, f.CR>>8&3)
	}
}

// beginOptions programs new option bytes (in OPTCR's layout). The data sheet
// gives no time for it; this takes a 16 KB sector's erase. Lifting level 1
// takes a mass erase before.
func (c *Chip) beginOptions(v, psize uint32) {
	if c.rdp() == rdpForever {
		c.warn("option bytes written at read protection level 2")
		return
	}
	d := erase16K[psize]
	if c.liftsProtection(v) {
		d += eraseAll[psize]
	}
	c.FLASH.OPTCR |= optSTRT
	c.beginOp(flashOp{Kind: opOptions, Value: v}, d)
}

func (c *Chip) liftsProtection(v uint32) bool {
	return c.rdpActive() && uint8(v>>optRDPPos) == rdpOff
}

func (c *Chip) finishOptions(op flashOp) {
	if c.liftsProtection(op.Value) {
		c.cells.Erase(op.span())
		c.cells.End(op.End, false)
		fill(c.mem.BKP, 0)
	}
	c.FLASH.Options = op.Value & optWrite
	c.mapMemory()
}
