package k210

import "rigor/harness/sim/board"

// TrackRAM tells f of RAM that is read before it is written, by harts or DMA. What the ROM
// loads is written.
func (c *Chip) TrackRAM(f func(addr, n uint32)) {
	if f == nil {
		c.track = nil
		for _, h := range c.harts {
			h.SetTracker(nil)
		}
		return
	}
	c.track = board.NewRAMTrack(ramSize, ramPlace, f)
	for _, h := range c.harts {
		h.SetTracker(c.track)
	}
}

// ramPlace is where an address is in RAM, through the caches or past them.
func ramPlace(addr uint32) (i int, ok bool) {
	if addr-ramBase < ramSize {
		return int(addr - ramBase), true
	}
	return int(addr - mirrorBase), addr-mirrorBase < ramSize
}
