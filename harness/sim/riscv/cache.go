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
	return cycles
}

// InvalidateCache empties a cache.
func (c *Core) InvalidateCache(i int) {
	c.Caches[i] = CacheState{}
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
