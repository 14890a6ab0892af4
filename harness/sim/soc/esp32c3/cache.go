package esp32c3

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/riscv"
)

// Flash cache and its MMU: TRM System and Memory, External Memory. Flash appears in pages
// of 64 KB at the same offsets of an instruction and a data window, through one
// cache of 16 KB, 8 ways and lines of 32 bytes. The table has the page of flash
// behind each page of the windows; bit 8 marks an entry invalid.
//
// The cache holds no data here, so nothing old is ever read. Its hits and misses
// are the core's (riscv), what a miss costs is wait.go's. Preload, autoload and lock
// have no effect on what is cached. What the part does about an access to an
// invalid page or a closed bus is assumed: the access faults, and EXTMEM says why.
type cacheState struct {
	Regs [0x104 / 4]uint32
	MMU  [mmuEntries]uint32
}

const (
	cacheSize = 16 << 10
	cacheWays = 8
	cacheLine = 32

	mmuEntries = 128
	mmuPage    = 64 << 10
	mmuInvalid = 1 << 8
	mmuPageNo  = 0xFF

	sourceCacheIA  = 36 // what CACHE_ILG_INT tells of
	sourceCacheACS = 61 // what CORE0_ACS_CACHE_INT tells of
)

// Registers of EXTMEM.
const (
	extCTRL      = 0x00 // bit 0: ICACHE_ENABLE
	extCTRL1     = 0x04 // bit 0: SHUT_IBUS, bit 1: SHUT_DBUS
	extLOCK_CTRL = 0x1C
	extSYNC_CTRL = 0x28 // bit 0: INVALIDATE_ENA, bit 1: SYNC_DONE
	extSYNC_ADDR = 0x2C
	extSYNC_SIZE = 0x30
	extPRELOAD   = 0x34
	extAUTOLOAD  = 0x40
	extILG_ENA   = 0x78
	extILG_CLR   = 0x7C
	extILG_ST    = 0x80
	extACS_ENA   = 0x84
	extACS_CLR   = 0x88
	extACS_ST    = 0x8C
	extMMU_FAULT = 0xA0
	extMMU_VADDR = 0xA4
	extSTATE     = 0xB0
	extFREEZE    = 0xCC
	extDATE      = 0x3FC

	ilgMMUEntry   = 1 << 5
	acsIBusClosed = 1 << 0
	acsDBusClosed = 1 << 3
	acsDBusWrite  = 1 << 5
)

func (s *cacheState) reg(off uint32) *uint32 { return &s.Regs[off/4] }

func (c *Chip) cacheReset() {
	c.EXTMEM = cacheState{}
	resetValues("EXTMEM", c.EXTMEM.Regs[:])
	for i := range c.EXTMEM.MMU {
		c.EXTMEM.MMU[i] = mmuInvalid
	}
	c.core.InvalidateCache(0)
	c.cacheInterrupts()
}

// resetValues fills a block's registers as they are after a reset.
func resetValues(block string, regs []uint32) {
	for i := range peripherals {
		if peripherals[i].Name != block {
			continue
		}
		for _, r := range peripherals[i].Registers {
			if n := int(r.Offset / 4); n < len(regs) {
				regs[n] = r.Reset
			}
		}
	}
}

// coreCaches is the cache as the core needs it.
func (c *Chip) coreCaches() []riscv.CacheConfig {
	return []riscv.CacheConfig{{Size: cacheSize, Ways: cacheWays, Line: cacheLine, Miss: c.cacheMiss}}
}

// flashRegions are the windows as the MMU maps them: a region for each run of
// pages that follow each other in flash too. Addresses beyond the flash chip's
// size come round to its start. They are out of reach while the cache is off.
func (c *Chip) flashRegions() (all []riscv.Region) {
	flash := c.nor.Data()
	pages := uint32(len(flash) / mmuPage)
	for first := 0; first < mmuEntries; {
		n := c.pagesRun(first, pages)
		if n == 0 {
			first++
			continue
		}
		at := c.EXTMEM.MMU[first] & mmuPageNo % pages * mmuPage
		data := flash[at : at+uint32(n)*mmuPage]
		all = append(all, c.window("IROM", iromBase, first, at, data)...)
		all = append(all, c.window("DROM", dromBase, first, at, data)...)
		first += n
	}
	return all
}

// window is a run of pages, which begins somewhere in flash, on one of the buses, if that is
// open.
func (c *Chip) window(name string, base uint32, page int, flash uint32, data []byte) []riscv.Region {
	exec := base == iromBase
	shut := uint32(2)
	if exec {
		shut = 1
	}
	if c.EXTMEM.Regs[extCTRL1/4]&shut != 0 {
		return nil
	}
	at := base + uint32(page)*mmuPage
	r := riscv.Region{Name: fmt.Sprintf("%s 0x%08x", name, at), Base: uint64(at), Data: data, Exec: exec, ICache: 1, DCache: 1}
	if c.nor.Cells().Watched() {
		r.Read = func(addr, n uint64) { c.nor.Cells().Read(flash+uint32(addr)-at, uint32(n)) }
	}
	return []riscv.Region{r}
}

// pagesRun is how many pages from one on are valid and follow each other in flash.
func (c *Chip) pagesRun(first int, pages uint32) (n int) {
	for first+n < mmuEntries {
		e := c.EXTMEM.MMU[first+n]
		if e&mmuInvalid != 0 || n > 0 && e&mmuPageNo%pages != c.EXTMEM.MMU[first]&mmuPageNo%pages+uint32(n) {
			break
		}
		n++
	}
	return n
}

// mmuSet writes an entry of the MMU's table.
func (c *Chip) mmuSet(entry int, v uint32) {
	v &= mmuInvalid | mmuPageNo
	if c.EXTMEM.MMU[entry] != v {
		c.EXTMEM.MMU[entry] = v
		c.mapMemory()
	}
}

// mmuInit makes all entries of the MMU's table invalid.
func (c *Chip) mmuInit() {
	for i := range c.EXTMEM.MMU {
		c.EXTMEM.MMU[i] = mmuInvalid
	}
	c.mapMemory()
}

// cacheEnable opens or closes the windows to flash.
func (c *Chip) cacheEnable(on bool) {
	c.EXTMEM.Regs[extCTRL/4] = oneIf(on)
	c.core.Shut(!on)
}

func (c *Chip) cacheEnabled() bool { return c.EXTMEM.Regs[extCTRL/4]&1 != 0 }

// cacheInvalidate drops lines by address in one of the windows.
func (c *Chip) cacheInvalidate(addr, size uint32) {
	off := addr & (cacheSpan - 1)
	c.core.InvalidateCacheRange(0, uint64(iromBase+off), uint64(size))
	c.core.InvalidateCacheRange(0, uint64(dromBase+off), uint64(size))
}

// cacheInvalidateAll empties the cache.
func (c *Chip) cacheInvalidateAll() { c.core.InvalidateCache(0) }

// flashChanged tells the core that cells of the flash chip have other values.
func (c *Chip) flashChanged(at, n uint32) {
	if n == 0 {
		return
	}
	pages := uint32(len(c.nor.Data()) / mmuPage)
	for i, e := range c.EXTMEM.MMU {
		page := e & mmuPageNo % pages * mmuPage
		if e&mmuInvalid != 0 || page+mmuPage <= at || page >= at+n {
			continue
		}
		c.core.Invalidate(uint64(iromBase+i*mmuPage), mmuPage)
		c.core.Invalidate(uint64(dromBase+i*mmuPage), mmuPage)
	}
}

// decodeError answers an access that neither memory nor a block takes.
func (c *Chip) decodeError(addr uint32, write bool) bus.Fault {
	s := &c.EXTMEM
	off := addr & (cacheSpan - 1)
	switch {
	case addr-iromBase >= cacheSpan && addr-dromBase >= cacheSpan:
		return bus.Error
	case write:
		*s.reg(extACS_ST) |= acsDBusWrite
	case *s.reg(extCTRL)&1 == 0 || *s.reg(extCTRL1)&2 != 0:
		*s.reg(extACS_ST) |= acsDBusClosed
	case s.MMU[off/mmuPage]&mmuInvalid != 0:
		*s.reg(extILG_ST) |= ilgMMUEntry
		*s.reg(extMMU_FAULT) = s.MMU[off/mmuPage]
		*s.reg(extMMU_VADDR) = addr
	}
	c.cacheInterrupts()
	return bus.Error
}

func (c *Chip) cacheInterrupts() {
	s := &c.EXTMEM
	c.source(sourceCacheIA, *s.reg(extILG_ST)&*s.reg(extILG_ENA) != 0)
	c.source(sourceCacheACS, *s.reg(extACS_ST)&*s.reg(extACS_ENA) != 0)
}

type cacheDevice struct{ *Chip }

// extmemHas tells whether EXTMEM keeps the register: not those that count
// accesses.
func extmemHas(off uint32) bool {
	return peripherals.Register("EXTMEM", off) != nil && (off < 0x64 || off >= 0x78) && off < 0x104
}

func (d cacheDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	switch {
	case off == extDATE:
		return 0x02007160, bus.None
	case off == extILG_CLR, off == extACS_CLR:
		return 0, bus.None
	case !extmemHas(off):
		return 0, d.unknown("EXTMEM", off)
	}
	return uint64(*d.EXTMEM.reg(off)), bus.None
}

func (d cacheDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	s, v := &d.EXTMEM, uint32(v64)
	if !extmemHas(off) {
		return d.unknown("EXTMEM", off)
	}
	switch off {
	case extCTRL, extCTRL1:
		*s.reg(off) = v & 3
		d.mapMemory()
	case extSYNC_CTRL:
		if v&1 != 0 {
			d.cacheInvalidate(*s.reg(extSYNC_ADDR), *s.reg(extSYNC_SIZE)*cacheLine)
		}
		*s.reg(off) = 1 << 1 // done
	case extLOCK_CTRL:
		*s.reg(off) = v&3 | 1<<2
	case extPRELOAD:
		*s.reg(off) = v&^3 | 1<<1
	case extAUTOLOAD:
		*s.reg(off) = v | 1<<3
	case extFREEZE:
		*s.reg(off) = v&3 | v&1<<2 // frozen at once
	case extILG_CLR:
		*s.reg(extILG_ST) &^= v
	case extACS_CLR:
		*s.reg(extACS_ST) &^= v
	case extILG_ST, extACS_ST, extMMU_FAULT, extMMU_VADDR, extSTATE: // read-only
	default:
		*s.reg(off) = v
	}
	d.cacheInterrupts()
	return bus.None
}

type mmuDevice struct{ *Chip }

func (d mmuDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	return uint64(d.EXTMEM.MMU[off/4]), bus.None
}

func (d mmuDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	d.mmuSet(int(off/4), uint32(v))
	return bus.None
}

func (d cacheDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, extmemHas(off))
}
