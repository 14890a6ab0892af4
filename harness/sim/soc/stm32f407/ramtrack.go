package stm32f407

import "rigor/harness/sim/board"

// TrackRAM tells f of SRAM and CCM that is read before it is written. The backup SRAM, which
// is there to outlive a reset, is not told, nor is what the boot loader does.
func (c *Chip) TrackRAM(f func(addr, n uint32)) {
	if f == nil {
		c.track = nil
		c.core.SetTracker(nil)
		return
	}
	c.track = board.NewRAMTrack(sramSize+ccmSize, c.ramPlace, f)
	c.core.SetTracker(c.track)
}

// ramPlace is where an address is in SRAM, and behind it CCM.
func (c *Chip) ramPlace(addr uint32) (i int, ok bool) {
	switch {
	case addr-sramBase < sramSize:
		return int(addr - sramBase), true
	case addr-ccmBase < ccmSize:
		return int(addr-ccmBase) + sramSize, true
	}
	return int(addr), addr < sram1Size && c.SYSCFG.MEMRMP == remapSRAM
}
