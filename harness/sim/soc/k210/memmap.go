package k210

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/riscv"
)

// The memory map (SDK platform.h, DS §3.4).
const (
	ramBase    = 0x80000000 // SRAM through the caches: two banks, 4 MB and 2 MB; AI RAM behind them, 2 MB
	ramSize    = 8 << 20
	aiRAM      = 6 << 20    // offset of AI RAM
	mirrorBase = 0x40000000 // and past the caches
	romBase    = 0x88000000
	romSize    = 128 << 10
	xipBase    = 0x58000000
	xipSize    = 128 << 20
)

// regions are what the harts reach directly.
func (c *Chip) regions() []riscv.Region {
	return []riscv.Region{
		{Name: "SRAM", Base: ramBase, Data: c.ram, Write: true, Exec: true, ICache: 1, DCache: 2},
		{Name: "SRAM uncached", Base: mirrorBase, Data: c.ram, Write: true, Exec: true, Wait: uncachedWait},
	}
}

// mapMemory tells the harts what they reach directly. It never changes.
func (c *Chip) mapMemory() {
	for _, h := range c.harts {
		h.Map(c.regions())
	}
}

// ramAt is a part of RAM by address, or nil.
func (c *Chip) ramAt(addr, n uint32) []byte {
	for _, base := range [...]uint32{ramBase, mirrorBase} {
		if off := addr - base; off < ramSize && uint64(off)+uint64(n) <= ramSize {
			return c.ram[off : off+n]
		}
	}
	return nil
}

// LoadRAM puts data into RAM as a debugger would.
func (c *Chip) LoadRAM(addr uint32, data []byte) error {
	m := c.ramAt(addr, uint32(len(data)))
	if m == nil {
		return fmt.Errorf("load ram: 0x%08x and %d bytes lie outside of RAM", addr, len(data))
	}
	copy(m, data)
	c.ramChanged(addr, uint32(len(data)))
	return nil
}

// Start has both harts execute from an address as a debugger would, with the clocks as
// the boot ROM leaves them.
func (c *Chip) Start(pc uint32) {
	c.romHandOver()
	c.startHarts(uint64(pc))
}

// LoadFlash puts an image into flash as a programmer at the factory would, at
// no cost in time. Addresses are those of the flash chip; the rest of it is left
// as it is.
func (c *Chip) LoadFlash(addr uint32, data []byte) error {
	if err := c.nor.Program(addr, data); err != nil {
		return fmt.Errorf("load flash: %w", err)
	}
	return nil
}

// ramChanged tells the harts that memory was written behind their backs.
func (c *Chip) ramChanged(addr, n uint32) {
	c.harts[0].Invalidate(uint64(addr), uint64(n)) // hart 1 shares it
	c.track.Stored(addr, n)
}

// ReadMemory copies RAM as a debugger sees it.
func (c *Chip) ReadMemory(addr uint32, n int) ([]byte, error) {
	m := c.ramAt(addr, uint32(n))
	if m == nil {
		return nil, fmt.Errorf("read memory: 0x%08x and %d bytes lie outside of RAM", addr, n)
	}
	return append([]byte(nil), m...), nil
}

func (c *Chip) load(addr uint64, width uint8) (uint64, bus.Fault) {
	if b := c.block(addr); b != nil {
		return c.loadBlock(b, uint32(addr), width)
	}
	return 0, c.decodeError(addr, "load from")
}

func (c *Chip) store(addr uint64, width uint8, v uint64) bus.Fault {
	if b := c.block(addr); b != nil {
		return c.storeBlock(b, uint32(addr), width, v)
	}
	return c.decodeError(addr, "store to")
}

// decodeError answers an access where there is nothing.
func (c *Chip) decodeError(addr uint64, what string) bus.Fault {
	switch {
	case addr-romBase < romSize:
		return c.lack(fmt.Sprintf("%s the boot ROM at 0x%08x", what, addr))
	case addr-xipBase < xipSize:
		return c.lack(fmt.Sprintf("%s SPI3's window of the flash chip at 0x%08x", what, addr))
	}
	return bus.Error
}

// splitmix is Vigna's SplitMix64.
func splitmix(state *uint64) uint64 {
	*state += 0x9E3779B97F4A7C15
	z := *state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
