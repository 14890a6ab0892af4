package riscv

import "math/bits"

// maxLines is how many lines a cache can have.
const maxLines = 512

// CacheState is which lines a cache holds: 1 + the number of the line in memory,
// set by set, those last used first.
type CacheState struct{ Tag [maxLines]uint64 }

// cache is a CacheConfig in the form that lookup needs.
type cache struct {
	CacheConfig
	shift uint // of a line
	sets  uint64
	ways  uint64
}

func newCache(cfg CacheConfig) cache {
	return cache{cfg, uint(bits.TrailingZeros(uint(cfg.Line))), uint64(cfg.Size / cfg.Line / cfg.Ways), uint64(cfg.Ways)}
}

// first is where in CacheState the set of a line begins.
func (k *cache) first(line uint64) uint64 { return line & (k.sets - 1) * k.ways }

// lookup accesses a cache and returns the cycles that it takes beyond a hit.
func (c *Core) lookup(i int, addr uint64, write bool) (cycles uint64) {
	k := &c.caches[i]
	line := addr >> k.shift
	set := c.Caches[i].Tag[k.first(line):][:k.ways]
	if set[0] == line+1 {
		return 0
	}
	way := 1
	for way < len(set) && set[way] != line+1 {
		way++
	}
	if way == len(set) {
		c.misses++
		cycles = k.Miss(addr, write)
		way--
	}
	copy(set[1:way+1], set[:way])
	set[0] = line + 1
	c.recent.forget(i, line)
	return cycles
}

// recent is the lines of one data cache that were the last used of their sets. An access to one of them changes
// nothing in the cache and takes no time, so it needs nothing but to be made.
type recent struct {
	cache int    // 1 + its number; 0 is none
	lines []line // by set
	shift uint   // of an address
	mask  uint64 // of a line's number: the set
	last  uint64 // of an address: the byte in the line
}

// line is where a line of a window is.
type line struct {
	number uint64 // 1 + that in memory; 0 if there is none
	data   []byte
	mark   *bool // stores need more if it is set
}

// nowhere has no lines, ever.
var nowhere = &recent{lines: make([]line, 1)}

// protected marks lines that can't be stored to.
var protected = true

// follow makes the data cache of a window the one whose lines are looked for first, if it is the first.
func (c *Core) follow(w *window) {
	if c.recent.cache != 0 {
		return
	}
	k := &c.caches[w.DCache-1]
	c.recent = recent{w.DCache, make([]line, k.sets), k.shift, k.sets - 1, 1<<k.shift - 1}
}

// enter remembers the line that addr, in w, is in, as that last used in its set.
func (q *recent) enter(w *window, addr uint64) {
	first := addr&^q.last - w.Base
	if w.DCache != q.cache || !w.quick() || first > uint64(len(w.Data)) || uint64(len(w.Data))-first <= q.last {
		return
	}
	l := line{addr>>q.shift + 1, w.Data[first : first+q.last+1], &protected}
	if w.Write {
		l.mark = &w.marks[first>>pageBits]
	}
	q.lines[addr>>q.shift&q.mask] = l
}

// forget is called when line, or its lack, is no longer what was last used of its set.
func (q *recent) forget(cache int, line uint64) {
	if cache == q.cache-1 {
		q.lines[line&q.mask].number = 0
	}
}

func (q *recent) clear() { clear(q.lines) }

// reset makes q follow no cache.
func (q *recent) reset() { *q = recent{lines: make([]line, 1)} }

// find returns the line that addr is in, or nil.
func (q *recent) find(addr uint64) *line {
	if l := &q.lines[addr>>q.shift&q.mask]; l.number == addr>>q.shift+1 {
		return l
	}
	return nil
}

// InvalidateCache empties a cache.
func (c *Core) InvalidateCache(i int) {
	c.Caches[i] = CacheState{}
	c.endSpin()
	c.recent.clear()
	c.FetchLine = 0
	c.leave = true
}

// emptyCode is what FENCE.I does: code that was stored to has been dropped by then.
func (c *Core) emptyCode() {
	for i := range c.caches {
		if c.caches[i].Code {
			c.InvalidateCache(i)
		}
	}
}

// InvalidateCacheRange drops the lines of size bytes at addr from a cache.
func (c *Core) InvalidateCacheRange(i int, addr, size uint64) {
	k := &c.caches[i]
	first, last := addr>>k.shift, (addr+max(size, 1)-1)>>k.shift
	for set := range k.sets {
		tags := c.Caches[i].Tag[set*k.ways:][:k.ways]
		kept := 0
		for _, t := range tags {
			if t != 0 && (t-1 < first || t-1 > last) {
				tags[kept] = t
				kept++
			}
		}
		clear(tags[kept:])
	}
	c.recent.clear()
	c.endSpin()
	c.FetchLine = 0
	c.leave = true
}

// noTag is the tag of blocks of which one look at the cache doesn't tell.
var noTag uint64

// fetchLine fetches the line that an instruction is in, and the next one if it
// straddles both. One that was the last fetched from is still in the fetch buffer.
func (c *Core) fetchLine(b *block) (cycles uint64) {
	i := b.window.ICache - 1
	k := &c.caches[i]
	cycles = c.lookup(i, b.addr, false)
	c.FetchLine = b.line
	if end := b.addr + uint64(b.code[0].size) - 1; end>>k.shift != b.addr>>k.shift {
		c.Cycle += cycles
		more := c.lookup(i, end, false)
		c.Cycle -= cycles
		cycles += more
		c.FetchLine = end>>k.shift + 1
	}
	return cycles
}
