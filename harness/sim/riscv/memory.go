package riscv

import (
	"encoding/binary"
	"slices"

	"rigor/harness/sim/bus"
)

// window is a region as the core reaches it.
type window struct {
	Region
	marks []bool // mem.marks, for the store's fast path
	mem   *memory
	shut  []byte // Data, while that is out of reach: see Shut
}

// memory is the storage behind one or more windows, with the decoded code that
// depends on it.
type memory struct {
	marks []bool // pages that blocks were decoded from, or that hold a reservation, or what a core waits for, or that are clean
	held  map[uint64][]*block
	clean []bool // pages that were not stored to since Clean; nil: nobody wants to know
	soil  func(off uint64)
}

const (
	pageBits   = 8  // of the pages by which code is invalidated
	windowBits = 20 // of the table through which data accesses find their window
	windows    = 1 << (32 - windowBits)
)

// windowTable finds the window for an address by bits 31 to 20.
type windowTable [windows]*window

// noWindow fills the tables where there is no memory: nothing is in it.
var noWindow = &window{mem: &memory{}}

// size is how much it is, in reach or not.
func (w *window) size() uint64 { return uint64(len(w.Data) + len(w.shut)) }

func (w *window) holds(addr uint64) bool { return addr-w.Base < uint64(len(w.Data)) }

// quick says whether accesses need nothing but to be made: the fast path checks the
// address's alignment and the start of what it accesses.
func (w *window) quick() bool {
	return w.Wait == 0 && (w.Base|uint64(len(w.Data)))&7 == 0 && (w.Read == nil || w.DCache != 0)
}

func (t *windowTable) clear() {
	for i := range t {
		t[i] = noWindow
	}
}

// enter lists w under all of its addresses. Where regions share an entry the
// first one keeps it; the others are reached the slow way.
func (t *windowTable) enter(w *window) {
	last := (w.Base + uint64(len(w.Data)) - 1) >> windowBits
	for i := w.Base >> windowBits; i <= last; i++ {
		if t[i%windows] == noWindow {
			t[i%windows] = w
		}
	}
}

// tables are the window tables of the fast paths. Those of cached are behind a cache, and the rest is quick.
type tables struct{ loads, stores, cached windowTable }

func (t *tables) clear() {
	t.loads.clear()
	t.stores.clear()
	t.cached.clear()
}

// Map replaces the directly mapped memory and drops all decoded code. Regions
// must not overlap nor wrap.
func (c *Core) Map(regions []Region) {
	c.drop()
	c.windows, c.shut = nil, false
	c.open.clear()
	c.recent.reset()
	for _, r := range regions {
		if len(r.Data) == 0 {
			continue
		}
		m := c.memoryOf(&r)
		m.marks = append(m.marks, make([]bool, max(0, pagesOf(r.Data)-len(m.marks)))...)
		c.windows = append(c.windows, &window{Region: r, mem: m})
	}
	for _, k := range c.sharers {
		for _, w := range k.windows {
			w.marks = w.mem.marks
		}
		k.recent.clear()
	}
	for _, w := range c.windows {
		switch {
		case !w.quick():
		case w.DCache != 0:
			c.open.cached.enter(w)
			c.follow(w)
		default:
			c.open.loads.enter(w)
			if w.Write {
				c.open.stores.enter(w)
			}
		}
	}
	c.markReservation()
	c.selectTables()
	c.leave = true
}

// Shut takes all memory behind caches out of reach, as it is while what it is read from is needed for
// something else, or lets it be reached again. Code that was decoded from it is kept. After Map all is
// in reach.
func (c *Core) Shut(shut bool) {
	c.shut = shut
	for _, w := range c.windows {
		if (w.ICache != 0 || w.DCache != 0) && shut == (len(w.Data) != 0) {
			w.Data, w.shut = w.shut, w.Data
		}
	}
	c.endSpin()
	c.recent.clear()
	c.newWorld()
	c.markReservation()
	c.selectTables()
	c.leave = true
}

func pagesOf(data []byte) int { return (len(data)-1)>>pageBits + 1 }

// hold registers b as decoded from size bytes at off.
func (m *memory) hold(off, size uint64, b *block) {
	for page := off >> pageBits; page <= (off+max(size, 1)-1)>>pageBits; page++ {
		m.marks[page] = true
		m.held[page] = append(m.held[page], b)
	}
}

// spoil drops the blocks decoded from the pages of size bytes at off, which a core stores to, or, if that is
// nil, something else. It breaks the reservations of the others.
func (c *Core) spoil(m *memory, off, size uint64, by *Core) {
	for page := off >> pageBits; page <= (off+size-1)>>pageBits; page++ {
		c.soil(m, page)
		if !m.marks[page] {
			continue
		}
		c.breakReservations(m, off, size, by)
		c.endSpins(m, off, size)
		for _, b := range m.held[page] {
			b.drop()
		}
		delete(m.held, page)
		c.remark(m, page)
	}
}

// remark marks a page again if there is a reason to.
func (c *Core) remark(m *memory, page uint64) {
	m.marks[page] = len(m.held[page]) > 0 || m.clean != nil && m.clean[page] ||
		c.reservedPage(m, page) || c.awaited(m, page<<pageBits, 1<<pageBits)
}

// release forgets the blocks that are dead.
func (c *Core) release(m *memory) {
	for page, held := range m.held {
		m.held[page] = slices.DeleteFunc(held, func(b *block) bool { return b.dead })
		if len(m.held[page]) == 0 {
			delete(m.held, page)
			c.remark(m, page)
		}
	}
}

// Invalidate says that size bytes of memory at addr have changed behind the
// back of all cores that share it. Caches, which hold no data, stay as they are.
func (c *Core) Invalidate(addr, size uint64) {
	for _, w := range c.windows {
		first, last := max(addr, w.Base), min(addr+size, w.Base+w.size())
		if first < last {
			c.spoil(w.mem, first-w.Base, last-first, nil)
		}
	}
}

// windowAt returns the window that addr is in, or nil.
func (c *Core) windowAt(addr uint64) *window {
	if w := c.open.loads[addr>>windowBits%windows]; w.holds(addr) {
		return w
	}
	if w := c.open.cached[addr>>windowBits%windows]; w.holds(addr) {
		return w
	}
	for _, w := range c.windows {
		if w.holds(addr) {
			return w
		}
	}
	return nil
}

// double, word, half and byte are the fast path of loads: aligned, and in memory
// that needs nothing else.
func (c *Core) double(addr uint64) (v uint64, ok bool) {
	w := c.fast.loads[addr>>windowBits%windows]
	if off := addr - w.Base; addr&7 == 0 && off < uint64(len(w.Data)) {
		return binary.LittleEndian.Uint64(w.Data[off:]), true
	}
	return 0, false
}

func (c *Core) word(addr uint64) (v uint32, ok bool) {
	w := c.fast.loads[addr>>windowBits%windows]
	if off := addr - w.Base; addr&3 == 0 && off < uint64(len(w.Data)) {
		return binary.LittleEndian.Uint32(w.Data[off:]), true
	}
	return 0, false
}

func (c *Core) half(addr uint64) (v uint16, ok bool) {
	w := c.fast.loads[addr>>windowBits%windows]
	if off := addr - w.Base; addr&1 == 0 && off < uint64(len(w.Data)) {
		return binary.LittleEndian.Uint16(w.Data[off:]), true
	}
	return 0, false
}

func (c *Core) byte(addr uint64) (v byte, ok bool) {
	w := c.fast.loads[addr>>windowBits%windows]
	if off := addr - w.Base; off < uint64(len(w.Data)) {
		return w.Data[off], true
	}
	return 0, false
}

// setDouble, setWord, setHalf and setByte are the fast path of stores; code
// decoded from the page needs the slow one.
func (c *Core) setDouble(addr, v uint64) bool {
	w := c.fast.stores[addr>>windowBits%windows]
	off := addr - w.Base
	if addr&7 == 0 && off < uint64(len(w.Data)) && !w.marks[off>>pageBits] {
		binary.LittleEndian.PutUint64(w.Data[off:], v)
		return true
	}
	return false
}

func (c *Core) setWord(addr uint64, v uint32) bool {
	w := c.fast.stores[addr>>windowBits%windows]
	off := addr - w.Base
	if addr&3 == 0 && off < uint64(len(w.Data)) && !w.marks[off>>pageBits] {
		binary.LittleEndian.PutUint32(w.Data[off:], v)
		return true
	}
	return false
}

func (c *Core) setHalf(addr uint64, v uint16) bool {
	w := c.fast.stores[addr>>windowBits%windows]
	off := addr - w.Base
	if addr&1 == 0 && off < uint64(len(w.Data)) && !w.marks[off>>pageBits] {
		binary.LittleEndian.PutUint16(w.Data[off:], v)
		return true
	}
	return false
}

func (c *Core) setByte(addr uint64, v byte) bool {
	w := c.fast.stores[addr>>windowBits%windows]
	off := addr - w.Base
	if off < uint64(len(w.Data)) && !w.marks[off>>pageBits] {
		w.Data[off] = v
		return true
	}
	return false
}

// physLoad loads from wherever the address leads, without regard to PMP.
func (c *Core) physLoad(addr uint64, width uint8) (uint64, bus.Fault) {
	w := c.windowAt(addr)
	if w == nil || addr-w.Base+uint64(width) > uint64(len(w.Data)) {
		return c.cfg.Bus.Load(addr, width)
	}
	c.access(w, addr, false)
	if w.Read != nil {
		c.tellRead(w, addr, uint64(width))
	}
	if c.tracker != nil && w.Write {
		c.tracker.Loaded(uint32(addr), uint32(width))
	}
	return loadBytes(w.Data[addr-w.Base:], width), bus.None
}

func (c *Core) physStore(addr uint64, width uint8, v uint64) bus.Fault {
	return c.storeAfter(c.cfg.Order, addr, width, v)
}

// storeAfter stores after order has been called, if others wait for what is stored to.
func (c *Core) storeAfter(order func(), addr uint64, width uint8, v uint64) bus.Fault {
	w := c.windowAt(addr)
	if w == nil || !w.Write || addr-w.Base+uint64(width) > uint64(len(w.Data)) {
		return c.cfg.Bus.Store(addr, width, v)
	}
	off := addr - w.Base
	c.announce(order, w.mem, off, uint64(width))
	c.access(w, addr, true)
	c.spoil(w.mem, off, uint64(width), c)
	storeBytes(w.Data[off:], width, v)
	if c.tracker != nil {
		c.tracker.Stored(uint32(addr), uint32(width))
	}
	return bus.None
}

// access charges a data access to a window.
func (c *Core) access(w *window, addr uint64, write bool) {
	c.Cycle += uint64(w.Wait)
	if w.DCache != 0 {
		c.Cycle += c.lookup(w.DCache-1, addr, write)
		c.recent.enter(w, addr)
	}
}

// tellRead tells of a load. The fast path will not tell of others from the same line.
func (c *Core) tellRead(w *window, addr, n uint64) {
	if w.DCache != 0 {
		last := uint64(c.caches[w.DCache-1].Line - 1)
		end := min((addr+n+last)&^last, w.Base+uint64(len(w.Data)))
		addr = max(addr&^last, w.Base)
		n = end - addr
	}
	w.Read(addr, n)
}

func loadBytes(b []byte, width uint8) uint64 {
	switch width {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

func storeBytes(b []byte, width uint8, v uint64) {
	switch width {
	case 1:
		b[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(v))
	default:
		binary.LittleEndian.PutUint64(b, v)
	}
}
