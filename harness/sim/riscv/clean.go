package riscv

// cleanBits is of the pieces of memory that are clean or not.
const cleanBits = 12

// Clean has soil called, with the offset, when something is stored for the first time, or Invalidate
// called, in the 4 KB of memory at an address, for whoever keeps copies of memory. The memory
// is one Region, or those that share its Data, and there is one soil for all of it.
func (c *Core) Clean(addr uint64, soil func(off uint64)) {
	w := c.windowAt(addr)
	m := w.mem
	if m.clean == nil {
		m.clean = make([]bool, len(m.marks))
	}
	m.soil = soil
	first := (addr - w.Base) >> cleanBits << (cleanBits - pageBits)
	for page := first; page < min(first+1<<(cleanBits-pageBits), uint64(len(m.clean))); page++ {
		m.clean[page], m.marks[page] = true, true
	}
}

// soil is called when something in a page has been stored.
func (c *Core) soil(m *memory, page uint64) {
	if m.clean == nil || !m.clean[page] {
		return
	}
	m.soil(page << pageBits >> cleanBits << cleanBits)
	first := page >> (cleanBits - pageBits) << (cleanBits - pageBits)
	for p := first; p < min(first+1<<(cleanBits-pageBits), uint64(len(m.clean))); p++ {
		m.clean[p] = false
		c.remark(m, p)
	}
}
