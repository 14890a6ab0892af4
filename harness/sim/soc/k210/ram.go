package k210

import "encoding/binary"

// Snapshots share the pages of RAM that did not change between them, and are taken and put
// back by the pages that did: of 8 MB a program stores to little.

const ramPageSize = 4 << 10

// ramPage is never changed once it is shared.
type ramPage [ramPageSize]byte

// ramCopies are what the last snapshot made of each page, or was put back of it; nil: stored
// to since.
type ramCopies [ramSize / ramPageSize]*ramPage

// copyRAM makes copies of the pages that have none.
func (c *Chip) copyRAM() ramCopies {
	for i, p := range c.copies {
		if p == nil {
			p = new(ramPage)
			copy(p[:], c.ram[i*ramPageSize:])
			c.keepCopy(i, p)
		}
	}
	return c.copies
}

// restoreRAM puts copies back. The harts have to drop their code.
func (c *Chip) restoreRAM(from *ramCopies) {
	for i, p := range from {
		if c.copies[i] != p {
			copy(c.ram[i*ramPageSize:], p[:])
			c.keepCopy(i, p)
		}
	}
}

// keepCopy notes that a page is as a copy until it is stored to.
func (c *Chip) keepCopy(i int, p *ramPage) {
	c.copies[i] = p
	c.harts[0].Clean(ramBase+uint64(i)*ramPageSize, c.soil) // hart 1 shares it
}

func (c *Chip) soil(off uint64) { c.copies[off/ramPageSize] = nil }

// poisonRAM is what RAM holds at the next power-on: nothing a program may count on. It
// does from the moment that the power is gone.
func (c *Chip) poisonRAM() {
	state := c.opt.Seed + c.Colds + 1
	for i := 0; i < len(c.ram); i += 8 {
		binary.LittleEndian.PutUint64(c.ram[i:], splitmix(&state))
	}
	c.ramChanged(ramBase, ramSize)
}
