package esp32c3

import "rigor/harness/sim/board"

// TrackRAM tells f of SRAM and RTC memory that is read before it is written, by the ROM's
// functions, too.
func (c *Chip) TrackRAM(f func(addr, n uint32)) {
	if f == nil {
		c.track = nil
		c.core.SetTracker(nil)
		return
	}
	c.track = board.NewRAMTrack(iram0Size+dramSize+rtcSize, ramPlace, f)
	c.core.SetTracker(c.track)
}

// ramPlace is where an address is in SRAM 0, behind it SRAM 1, and behind that RTC memory.
func ramPlace(addr uint32) (i int, ok bool) {
	switch {
	case addr-iram0Base < iram0Size:
		return int(addr - iram0Base), true
	case addr-iramBase < dramSize:
		return int(addr-iramBase) + iram0Size, true
	case addr-dramBase < dramSize:
		return int(addr-dramBase) + iram0Size, true
	}
	return int(addr-rtcBase) + iram0Size + dramSize, addr-rtcBase < rtcSize
}
