package armv7m

import (
	"encoding/binary"

	"rigor/harness/sim/bus"
)

// window is a region as the core reaches it.
type window struct {
	name  string
	base  uint32
	data  []byte
	write bool
	exec  bool
	flash bool
	read  func(addr, n uint32)
	marks []bool // mem.marks, for the store's fast path
	mem   *memory
}

// memory is the storage behind one or more windows, with the decoded code that
// depends on it.
type memory struct {
	pages int
	marks []bool // pages that blocks were decoded from
	held  map[uint32][]*block
}

const (
	pageBits   = 8  // of the pages by which code is invalidated
	windowBits = 20 // of the table through which data accesses find their window
)

// windowTable finds the window for an address by its upper bits.
type windowTable [1 << (32 - windowBits)]*window

// noWindow fills the tables where there is no memory: nothing is in it.
var noWindow = &window{mem: &memory{}}

func (w *window) holds(addr uint32) bool { return uint64(addr-w.base) < uint64(len(w.data)) }

func (t *windowTable) clear() {
	for i := range t {
		t[i] = noWindow
	}
}

// enter lists w under all of its addresses. Where regions share an entry the
// first one keeps it; the others are reached the slow way.
func (t *windowTable) enter(w *window) {
	last := (w.base + uint32(len(w.data)) - 1) >> windowBits
	for i := w.base >> windowBits; i <= last; i++ {
		if t[i] == noWindow {
			t[i] = w
		}
	}
}

// Map replaces the directly mapped memory and drops all decoded code. Regions
// must not overlap; each is at most 2 GB and doesn't wrap.
func (c *Core) Map(regions []Region) {
	c.drop()
	c.windows, c.watched = nil, false
	c.open.clear()
	c.forgetSpans()
	lines := uint32(0)
	for _, r := range regions {
		if len(r.Data) > 0 {
			c.windows = append(c.windows, &window{name: r.Name, base: r.Base, data: r.Data, write: r.Write, exec: !r.NoExec, flash: r.Flash, read: r.Read})
			c.watched = c.watched || r.Read != nil
		}
		if r.Flash && len(r.Data) > 0 {
			lines = max(lines, lineOf(uint32(len(r.Data))-1)+1)
		}
	}
	memories := map[*byte]*memory{}
	for _, w := range c.windows {
		w.mem = memories[&w.data[0]]
		if w.mem == nil {
			w.mem = &memory{held: map[uint32][]*block{}}
			memories[&w.data[0]] = w.mem
		}
		w.mem.pages = max(w.mem.pages, (len(w.data)-1)>>pageBits+1)
	}
	for _, w := range c.windows {
		if w.mem.marks == nil {
			w.mem.marks = make([]bool, w.mem.pages)
		}
		w.marks = w.mem.marks
		c.open.loads.enter(w)
		if !w.flash {
			c.open.quick.enter(w)
		}
		if w.write {
			c.open.stores.enter(w)
		}
	}
	if int(lines) != len(c.cached) {
		c.cached = make([]uint8, lines)
	}
	c.refreshFlash()
	c.selectTables()
	c.leave = true
}

// hold registers b as decoded from size bytes at off.
func (m *memory) hold(off, size uint32, b *block) {
	for page := off >> pageBits; page <= (off+max(size, 1)-1)>>pageBits; page++ {
		m.marks[page] = true
		m.held[page] = append(m.held[page], b)
	}
}

// spoil drops the blocks decoded from the pages of size bytes at off.
func (c *Core) spoil(m *memory, off, size uint32) {
	for page := off >> pageBits; page <= (off+size-1)>>pageBits; page++ {
		if !m.marks[page] {
			continue
		}
		for _, b := range m.held[page] {
			b.kill()
			if key := blockKey(b.addr, b.it); c.blocks[key] == b {
				delete(c.blocks, key)
			}
		}
		delete(m.held, page)
		m.marks[page] = false
		c.leave = true
	}
}

func (m *memory) release() {
	clear(m.marks)
	clear(m.held)
}

// Invalidate says that size bytes of memory at addr have changed behind the
// core's back.
func (c *Core) Invalidate(addr, size uint32) {
	for _, w := range c.windows {
		first, last := max(addr, w.base), min(uint64(addr)+uint64(size), uint64(w.base)+uint64(len(w.data)))
		if uint64(first) < last {
			c.spoil(w.mem, first-w.base, uint32(last-uint64(first)))
		}
	}
}

// windowAt returns the window that addr is in, or nil.
func (c *Core) windowAt(addr uint32) *window {
	if w := c.open.loads[addr>>windowBits]; w.holds(addr) {
		return w
	}
	for _, w := range c.windows {
		if w.holds(addr) {
			return w
		}
	}
	return nil
}

// word, half and byte are the fast path of loads: aligned, and in memory that
// needs no check.
func (c *Core) word(addr uint32) (v uint32, ok bool) {
	w := c.fast.loads[addr>>windowBits]
	if off := uint64(addr - w.base); addr&3 == 0 && off+4 <= uint64(len(w.data)) {
		return binary.LittleEndian.Uint32(w.data[off:]), true
	}
	return 0, false
}

func (c *Core) half(addr uint32) (v uint32, ok bool) {
	w := c.fast.loads[addr>>windowBits]
	if off := uint64(addr - w.base); addr&1 == 0 && off+2 <= uint64(len(w.data)) {
		return uint32(binary.LittleEndian.Uint16(w.data[off:])), true
	}
	return 0, false
}

func (c *Core) byte(addr uint32) (v uint32, ok bool) {
	w := c.fast.loads[addr>>windowBits]
	if off := uint64(addr - w.base); off < uint64(len(w.data)) {
		return uint32(w.data[off]), true
	}
	return 0, false
}

// setWord, setHalf and setByte are the fast path of stores; code decoded from
// the page needs the slow one.
func (c *Core) setWord(addr, v uint32) bool {
	w := c.fast.stores[addr>>windowBits]
	off := uint64(addr - w.base)
	if addr&3 == 0 && off+4 <= uint64(len(w.data)) && !w.marks[off>>pageBits] {
		binary.LittleEndian.PutUint32(w.data[off:], v)
		return true
	}
	return false
}

func (c *Core) setHalf(addr, v uint32) bool {
	w := c.fast.stores[addr>>windowBits]
	off := uint64(addr - w.base)
	if addr&1 == 0 && off+2 <= uint64(len(w.data)) && !w.marks[off>>pageBits] {
		binary.LittleEndian.PutUint16(w.data[off:], uint16(v))
		return true
	}
	return false
}

func (c *Core) setByte(addr, v uint32) bool {
	w := c.fast.stores[addr>>windowBits]
	off := uint64(addr - w.base)
	if off < uint64(len(w.data)) && !w.marks[off>>pageBits] {
		w.data[off] = byte(v)
		return true
	}
	return false
}

// physLoad loads from wherever the address leads, without regard to the MPU.
// The access is aligned.
func (c *Core) physLoad(addr uint32, width uint8) (uint32, bus.Fault) {
	if w := c.windowAt(addr); w != nil && uint64(addr-w.base)+uint64(width) <= uint64(len(w.data)) {
		if w.read != nil {
			w.read(addr, uint32(width))
		}
		if c.tracker != nil && w.write {
			c.tracker.Loaded(addr, uint32(width))
		}
		return loadBytes(w.data[addr-w.base:], width), bus.None
	}
	if target, bit, ok := bitBand(addr, width); ok {
		v, f := c.physLoad(target, width)
		return v >> bit & 1, f
	}
	if isPPB(addr) {
		return c.ppbLoad(addr, width)
	}
	return c.cfg.Bus.Load(addr, width)
}

func (c *Core) physStore(addr uint32, width uint8, v uint32) bus.Fault {
	if w := c.windowAt(addr); w != nil && w.write && uint64(addr-w.base)+uint64(width) <= uint64(len(w.data)) {
		off := addr - w.base
		c.spoil(w.mem, off, uint32(width))
		storeBytes(w.data[off:], width, v)
		if c.tracker != nil {
			c.tracker.Stored(addr, uint32(width))
		}
		return bus.None
	}
	if target, bit, ok := bitBand(addr, width); ok {
		old, f := c.physLoad(target, width)
		if f != bus.None {
			return f
		}
		return c.physStore(target, width, old&^(1<<bit)|v&1<<bit)
	}
	if isPPB(addr) {
		c.leave = true
		return c.ppbStore(addr, width, v)
	}
	return c.cfg.Bus.Store(addr, width, v)
}

// read32 and write32 are the plain data accesses of exception entry and return.
func (c *Core) read32(addr uint32) (uint32, bus.Fault) { return c.physLoad(addr, 4) }

func (c *Core) write32(addr, v uint32) bus.Fault { return c.physStore(addr, 4, v) }

func loadBytes(b []byte, width uint8) uint32 {
	switch width {
	case 1:
		return uint32(b[0])
	case 2:
		return uint32(binary.LittleEndian.Uint16(b))
	}
	return binary.LittleEndian.Uint32(b)
}

func storeBytes(b []byte, width uint8, v uint32) {
	switch width {
	case 1:
		b[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	default:
		binary.LittleEndian.PutUint32(b, v)
	}
}

// bitBand translates an address in one of the two bit-band aliases (DDI 0439D
// 3.7): each word of an alias is one bit of the megabyte below. The access to
// the target has the width of that to the alias.
func bitBand(addr uint32, width uint8) (target uint32, bit uint32, ok bool) {
	if addr>>25 != 0x22000000>>25 && addr>>25 != 0x42000000>>25 {
		return 0, 0, false
	}
	n := addr & 0x1FFFFFF >> 2
	align := uint32(width) - 1
	return addr&0xF0000000 | n>>3&^align, n&7 | n>>3&align<<3, true
}

// isPPB says whether an address is on the private peripheral bus, as far as it
// is the core's: the block at 0xE0042000 (DBGMCU of an STM32) is not.
func isPPB(addr uint32) bool {
	return addr>>20 == 0xE00 && (addr < 0xE0042000 || addr >= 0xE0042400)
}

// neverExecute says whether the default memory map forbids to execute from an
// address (DDI 0403E B3.1).
func neverExecute(addr uint32) bool {
	return addr>>29 == 2 || addr >= 0xA0000000
}
