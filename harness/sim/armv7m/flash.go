package armv7m

// This file is what it costs to read flash that is slower than the core: the
// interface of the STM32F4's flash with its ART accelerator, after RM0090 §3.5.
//
// A read brings a line of 128 bits and takes a cycle and the wait states.
// Instructions come out of the line in use, the prefetch buffer, the
// instruction cache, or a read; data out of the data cache or a read. One port
// serves all reads. The rules, by their source:
//
//	[R] RM0090 §3.5.2: the sizes of the caches, which replace the line least
//	    recently used; a line goes into the instruction cache on a miss, when
//	    it is neither in use nor prefetched nor cached; hits cost nothing; D-Code
//	    goes before I-Code.
//	[A] our assumptions, where the manual is silent: a read under way is
//	    never aborted; a prefetch begins as soon as a line that is not the
//	    last one's is requested and the port is free, and only if the next
//	    line is not cached; a prefetch that comes too late counts as a miss, so
//	    that its line is cached; without its cache every load of data is a read;
//	    a load requests its line a cycle after its own instruction was.
//
// The core requests a line when it executes the first instruction that begins or
// ends in it. A real one fetches up to three words ahead, which hides
// some of the waits, and in vain behind branches that are taken, which adds some.

// FlashTiming says how the regions marked Flash are read.
type FlashTiming struct {
	// Waits are the cycles that a read takes beyond its first; with 0, nothing
	// of this is of any consequence, and the caches keep what they have.
	Waits    uint8
	Prefetch bool
	ICache   bool
	DCache   bool
}

const (
	lineBits    = 4 // of an address within a flash line
	insnLines   = 64
	dataLines   = 8
	noLine      = 0 // lines count from 1
	loadStage   = 1 // cycles from an instruction's request to that of its load
	vectorFetch = 8 // cycles of stacking that hide the fetch of a vector
)

// accelerator is the state of the flash interface. Times are those of Cycle.
type accelerator struct {
	FlashTiming
	Line    uint32 // in use by instructions
	Ahead   uint32 // in the prefetch buffer, or on the way there
	AheadAt uint64 // when it is there
	Free    uint64 // when the port is

	Insn     [insnLines]uint32 // lines in the instruction cache
	InsnUsed [insnLines]uint64 // when they were used last, and 1; 0 is never
	Data     [dataLines]uint32
	DataUsed [dataLines]uint64
}

// SetFlashTiming changes how flash is read, with the next instruction.
func (c *Core) SetFlashTiming(t FlashTiming) {
	f := &c.Flash
	if f.FlashTiming == t {
		return
	}
	recode := (f.Waits == 0) != (t.Waits == 0)
	f.FlashTiming = t
	if recode { // blocks know whether lines matter
		f.Line, f.Ahead = noLine, noLine
		c.drop()
	}
	c.refreshFlash()
	c.selectTables()
	c.leave = true
}

// ResetFlashCaches empties the caches asked for.
func (c *Core) ResetFlashCaches(insn, data bool) {
	f := &c.Flash
	if insn {
		f.Insn, f.InsnUsed = [insnLines]uint32{}, [insnLines]uint64{}
	}
	if data {
		f.Data, f.DataUsed = [dataLines]uint32{}, [dataLines]uint64{}
	}
	c.refreshFlash()
}

// refreshFlash derives from the state which lines are cached.
func (c *Core) refreshFlash() {
	clear(c.cached)
	if !c.Flash.ICache {
		return
	}
	for i, line := range c.Flash.Insn {
		if int(line) < len(c.cached) && line != noLine {
			c.cached[line] = uint8(i + 1)
		}
	}
}

// lineOf is the line of an offset in flash.
func lineOf(off uint32) uint32 { return off>>lineBits + 1 }

// fetchLine requests a line other than the one in use for instructions. It
// returns the cycles to wait.
func (c *Core) fetchLine(line uint32, now uint64) (wait uint64) {
	f := &c.Flash
	f.Line = line
	switch slot := c.cached[line]; {
	case slot != 0:
		f.InsnUsed[slot-1] = now + 1
	case f.Ahead == line && f.AheadAt <= now:
	case f.Ahead == line:
		wait = f.AheadAt - now
		c.keep(line, now)
	default:
		wait = f.read(now)
		c.keep(line, now)
	}
	if next := line + 1; f.Prefetch && f.Ahead != next && int(next) < len(c.cached) && c.cached[next] == 0 {
		f.Ahead = next
		f.AheadAt = now + wait + 1
		f.AheadAt += f.read(f.AheadAt)
	}
	return wait
}

// read occupies the port and returns the cycles to wait.
func (f *accelerator) read(now uint64) (wait uint64) {
	start := max(now, f.Free)
	f.Free = start + uint64(f.Waits) + 1
	return start + uint64(f.Waits) - now
}

// keep puts a line into the instruction cache.
func (c *Core) keep(line uint32, now uint64) {
	f := &c.Flash
	if !f.ICache {
		return
	}
	slot := oldest(f.InsnUsed[:])
	c.cached[f.Insn[slot]] = 0
	c.cached[line] = uint8(slot + 1)
	f.Insn[slot], f.InsnUsed[slot] = line, now+1
}

func oldest(used []uint64) (slot int) {
	for i, at := range used {
		if at < used[slot] {
			slot = i
		}
	}
	return slot
}

// loadLine requests a line for data. It returns the cycles to wait.
func (f *accelerator) loadLine(line uint32, now uint64) (wait uint64) {
	if f.Waits == 0 {
		return 0
	}
	if f.DCache {
		for i := range f.Data {
			if f.Data[i] == line {
				f.DataUsed[i] = now + 1
				return 0
			}
		}
		slot := oldest(f.DataUsed[:])
		f.Data[slot], f.DataUsed[slot] = line, now+1
	}
	waits := uint64(f.Waits)
	if f.Free != f.AheadAt+1 || f.AheadAt < now+waits {
		return f.read(now)
	}
	f.Free = f.AheadAt - waits // a prefetch that hasn't begun gives way
	wait = f.read(now)
	f.AheadAt = f.Free + waits
	f.Free = f.AheadAt + 1
	return wait
}

// fetchVector requests the line of an exception vector, which stacking hides.
func (c *Core) fetchVector(addr uint32) {
	if w := c.windowAt(addr); w != nil && w.flash && c.Flash.Waits > 0 {
		if line := lineOf(addr - w.base); line != c.Flash.Line {
			c.fetchLine(line, c.Cycle-min(c.Cycle, vectorFetch))
		}
	}
}

// dataWait is what a load at addr waits for flash.
func (c *Core) dataWait(w *window, addr uint32) uint64 {
	if !w.flash {
		return 0
	}
	return c.Flash.loadLine(lineOf(addr-w.base), c.Cycle+loadStage)
}

// loadFlash executes a single load from flash that has wait states or is watched, if
// nothing else stands in the way.
func (c *Core) loadFlash(in *insn, addr uint32) bool {
	if c.fast.flash == nil {
		return false
	}
	form, width, signed := in.loadShape()
	w := c.fast.flash[addr>>windowBits]
	off := uint64(addr - w.base)
	if form > formLiteral || !w.flash || addr&uint32(width-1) != 0 || off+uint64(width) > uint64(len(w.data)) {
		return false
	}
	if w.read != nil {
		w.read(addr, uint32(width))
	}
	c.Cycle += c.Flash.loadLine(lineOf(uint32(off)), c.Cycle+uint64(in.pre)+loadStage)
	c.R[in.d&15] = extend(loadBytes(w.data[off:], width), width, signed)
	return true
}
