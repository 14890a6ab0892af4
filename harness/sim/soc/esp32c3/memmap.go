package esp32c3

import (
	"encoding/binary"
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/riscv"
)

// The memory map, TRM System and Memory.
const (
	iromBase  = 0x42000000 // flash through the cache, instruction bus
	dromBase  = 0x3C000000 // and data bus
	cacheSpan = 8 << 20

	iram0Base = 0x4037C000 // SRAM 0, which the cache may use
	iram0Size = 16 << 10
	iramBase  = 0x40380000 // SRAM 1 on the instruction bus
	dramBase  = 0x3FC80000 // and on the data bus
	dramSize  = 384 << 10
	rtcBase   = 0x50000000 // RTC fast memory
	rtcSize   = 8 << 10
)

// memories are the cells of the part but those of the flash chip.
type memories struct {
	SRAM0 []byte
	SRAM1 []byte
	RTC   []byte
}

func newMemories() memories {
	return memories{
		SRAM0: make([]byte, iram0Size),
		SRAM1: make([]byte, dramSize),
		RTC:   make([]byte, rtcSize),
	}
}

// ramAt is a part of the memories by address, or nil.
func (c *Chip) ramAt(addr, n uint32) []byte {
	for _, r := range []struct {
		base uint32
		data []byte
	}{{dramBase, c.mem.SRAM1}, {iramBase, c.mem.SRAM1}, {iram0Base, c.mem.SRAM0}, {rtcBase, c.mem.RTC}} {
		if off := addr - r.base; off < uint32(len(r.data)) && uint64(off)+uint64(n) <= uint64(len(r.data)) {
			return r.data[off : off+n]
		}
	}
	return nil
}

// LoadFlash puts an image into flash as a programmer at the factory would, at
// no cost in time. Addresses are those of the flash chip; the rest of it is left
// as it is.
func (c *Chip) LoadFlash(addr uint32, data []byte) error {
	if err := c.nor.Program(addr, data); err != nil {
		return fmt.Errorf("load flash: %w", err)
	}
	c.flashChanged(addr, uint32(len(data)))
	return nil
}

// LoadRAM puts data into SRAM or RTC memory as a debugger would.
func (c *Chip) LoadRAM(addr uint32, data []byte) error {
	m := c.ramAt(addr, uint32(len(data)))
	if m == nil {
		return fmt.Errorf("load ram: 0x%08x and %d bytes lie outside of SRAM and RTC memory", addr, len(data))
	}
	copy(m, data)
	c.ramChanged(addr, uint32(len(data)))
	return nil
}

// ramChanged tells the core that memory was written behind its back.
func (c *Chip) ramChanged(addr, n uint32) {
	c.core.Invalidate(uint64(addr), uint64(n))
	c.track.Stored(addr, n)
}

// ReadMemory copies SRAM, RTC memory, ROM or mapped flash as a debugger sees
// them.
func (c *Chip) ReadMemory(addr uint32, n int) ([]byte, error) {
	b := make([]byte, n)
	for i := range b {
		v, ok := c.peekByte(addr + uint32(i))
		if !ok {
			return nil, fmt.Errorf("read memory: nothing at 0x%08x", addr+uint32(i))
		}
		b[i] = v
	}
	return b, nil
}

// peekByte reads a byte of memory without any effect.
func (c *Chip) peekByte(addr uint32) (byte, bool) {
	for _, r := range c.regions() {
		if off := uint64(addr) - r.Base; off < uint64(len(r.Data)) {
			return r.Data[off], true
		}
	}
	return 0, false
}

// regions are what the core reaches directly.
func (c *Chip) regions() []riscv.Region {
	if !c.cacheEnabled() {
		return c.ramRegions()
	}
	return append(c.ramRegions(), c.flashRegions()...)
}

// ramRegions are those that are not behind the cache.
func (c *Chip) ramRegions() []riscv.Region {
	all := []riscv.Region{
		{Name: "DRAM", Base: dramBase, Data: c.mem.SRAM1, Write: true},
		{Name: "IRAM", Base: iramBase, Data: c.mem.SRAM1, Write: true, Exec: true},
		{Name: "IRAM0", Base: iram0Base, Data: c.mem.SRAM0, Write: true, Exec: true},
		{Name: "RTC memory", Base: rtcBase, Data: c.mem.RTC, Write: true, Exec: true},
	}
	return append(all, c.romRegions()...)
}

// mapMemory tells the core what it reaches directly: after a reset and when the
// cache or its MMU is set.
func (c *Chip) mapMemory() {
	c.core.Map(append(c.ramRegions(), c.flashRegions()...))
	c.core.Shut(!c.cacheEnabled())
}

// cpuBus is the bus as the core sees it: all but directly mapped memory.
type cpuBus struct{ *Chip }

func (b cpuBus) Load(addr64 uint64, width uint8) (uint64, bus.Fault) {
	c, addr := b.Chip, uint32(addr64)
	c.sync()
	c.waitForBus(addr)
	c.sync()
	c.lacking = ""
	v, f := c.load(addr, width)
	if c.opt.Trace != nil {
		c.opt.Trace(Access{Cycle: c.core.Cycle, PC: uint32(c.core.PC), Addr: addr, Value: v, Width: width, Fault: f})
	}
	return uint64(v), f
}

func (b cpuBus) Store(addr64 uint64, width uint8, v64 uint64) bus.Fault {
	c, addr, v := b.Chip, uint32(addr64), uint32(v64)
	c.sync()
	c.waitForBus(addr)
	c.sync()
	c.lacking = ""
	f := c.store(addr, width, v)
	if c.opt.Trace != nil {
		c.opt.Trace(Access{Cycle: c.core.Cycle, PC: uint32(c.core.PC), Addr: addr, Value: v, Width: width, Write: true, Fault: f})
	}
	return f
}

func (c *Chip) load(addr uint32, width uint8) (uint32, bus.Fault) {
	if b := c.block(addr); b != nil {
		return c.loadBlock(b, addr, width)
	}
	if addr-romDataBase < romDataEnd-romDataBase {
		return 0, c.lack(fmt.Sprintf("the ROM's data at 0x%08x", addr))
	}
	return 0, c.decodeError(addr, false)
}

func (c *Chip) store(addr uint32, width uint8, v uint32) bus.Fault {
	if b := c.block(addr); b != nil {
		return c.storeBlock(b, addr, width, v)
	}
	return c.decodeError(addr, true)
}

// poisonRAM is what RAM holds after power-on: nothing a program may count on.
func (c *Chip) poisonRAM() {
	state := c.opt.Seed + c.Colds
	for _, m := range [][]byte{c.mem.SRAM0, c.mem.SRAM1, c.mem.RTC} {
		for i := 0; i < len(m); i += 8 {
			binary.LittleEndian.PutUint64(m[i:], splitmix(&state))
		}
	}
	c.ramChanged(iram0Base, iram0Size)
	c.ramChanged(dramBase, dramSize)
	c.ramChanged(iramBase, dramSize)
	c.ramChanged(rtcBase, rtcSize)
	c.track.Reset()
}
