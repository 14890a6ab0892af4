package stm32f407

// TrackRAM has f called with SRAM or CCM that a program or DMA reads and that neither has
// written since the last reset, once for each byte; nil ends it. The backup SRAM, which
// is there to outlive a reset, is not told, nor is what the boot loader does. Restore counts
// as a reset.
func (c *Chip) TrackRAM(f func(addr, n uint32)) {
	if f == nil {
		c.track = nil
		c.core.SetTracker(nil)
		return
	}
	c.track = &ramTrack{f: f, chip: c}
	c.core.SetTracker(c.track)
}

// ramTrack knows which bytes of SRAM, and behind them of CCM, need not be told any more.
type ramTrack struct {
	f    func(addr, n uint32)
	chip *Chip
	done [sramSize + ccmSize]bool
}

// place is where an address is in done.
func (t *ramTrack) place(addr uint32) (i uint32, ok bool) {
	switch {
	case addr-sramBase < sramSize:
		return addr - sramBase, true
	case addr-ccmBase < ccmSize:
		return addr - ccmBase + sramSize, true
	case addr < sram1Size && t.chip.SYSCFG.MEMRMP == remapSRAM:
		return addr, true
	}
	return 0, false
}

// Loaded tells of the bytes that are fresh, those side by side at once.
func (t *ramTrack) Loaded(addr, n uint32) {
	for end := addr + n; addr < end; addr++ {
		first := addr
		for addr < end && t.mark(addr) {
			addr++
		}
		if addr > first {
			t.f(first, addr-first)
		}
	}
}

// Stored takes note of bytes that are written.
func (t *ramTrack) Stored(addr, n uint32) {
	for i := range n {
		t.mark(addr + i)
	}
}

// mark tells whether a byte is fresh, neither read nor written before, which it is no longer.
func (t *ramTrack) mark(addr uint32) (fresh bool) {
	i, ok := t.place(addr)
	if !ok || t.done[i] {
		return false
	}
	t.done[i] = true
	return true
}

// reset makes all bytes fresh.
func (t *ramTrack) reset() {
	if t != nil {
		clear(t.done[:])
	}
}
