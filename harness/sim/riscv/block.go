package riscv

import "encoding/binary"

// block is a run of decoded instructions that is entered at its start and left
// at its end or by a taken branch. Conditional branches that aren't taken stay
// in it.
type block struct {
	code []insn // the last is always opEnd
	// entry is the state of the pipeline in which the block is entered, on which its cycles depend:
	// code that is entered in several has as many blocks. pipes are those before each entry of code.
	entry Pipeline
	pipes []Pipeline
	// links are the targets of the block's branches, in order; before the last one, which
	// caches the target of an indirect branch, comes the end of the block.
	links []link
	addr  uint64
	// worst is more than the block can take up to its last instruction; never
	// if the block must not be entered by a link.
	worst uint64
	world uint64 // see selectTables
	dead  bool   // memory has changed
	// line is 1 + the number of the cache line that all of the block is in, but
	// for the end of an instruction that straddles two; 0 if it isn't cached.
	line   uint64
	tag    *uint64 // that of the line if it was the last one used of its set
	window *window // nil if the code is from the Bus
	core   *Core
}

type link struct {
	addr uint64
	pipe Pipeline
	to   *block // nil until first taken
	hint uint8  // see Predictor
}

// place is what a block is found by.
type place struct {
	addr uint64
	pipe Pipeline
}

const (
	maxBlock = 32      // instructions
	never    = 1 << 62 // later than any cycle, with room to add to
	// noAddress is no instruction's address.
	noAddress = 1
)

// hashSize is the number of entries of the table in front of the block map.
const hashSize = 1 << 12

// find returns the block at addr for a state of the pipeline, or nil if addr is not in mapped memory.
func (c *Core) find(addr uint64, pipe Pipeline) *block {
	slot := &c.hash[addr>>1%hashSize]
	if b := *slot; b != nil && b.addr == addr && b.entry == pipe && !b.dead && !b.shut() {
		return b
	}
	b := c.blocks[place{addr, pipe}]
	if b != nil && b.shut() {
		return nil
	}
	if b == nil {
		if b = c.build(addr, pipe); b == nil {
			return nil
		}
	}
	*slot = b
	return b
}

// build decodes the block at addr and registers it with the memory it is in.
func (c *Core) build(addr uint64, pipe Pipeline) *block {
	w := c.windowAt(addr)
	if w == nil || !w.Exec {
		return nil
	}
	b := c.assemble(addr, pipe, w.Data[addr-w.Base:], w)
	if b == nil {
		return nil
	}
	c.blocks[place{addr, pipe}] = b
	w.mem.hold(addr-w.Base, b.end()-addr, b)
	if w.Read != nil {
		w.Read(addr, b.end()-addr)
	}
	if c.tracker != nil && w.Write {
		c.tracker.Loaded(uint32(addr), uint32(b.end()-addr))
	}
	return b
}

// assemble decodes from the start of mem, which is at addr and in w, if that
// isn't nil; nil if mem holds no whole instruction.
func (c *Core) assemble(addr uint64, pipe Pipeline, mem []byte, w *window) *block {
	a := assembler{c: c, b: &block{addr: addr, entry: pipe, window: w, core: c}, pipe: pipe, end: ^uint64(0)}
	d := decoder{rv32: c.cfg.XLEN == 32, ext: c.cfg.Ext}
	if w != nil {
		d.rom = w.ROM
		if w.ICache != 0 {
			k := &c.caches[w.ICache-1]
			a.b.line = addr>>k.shift + 1
			a.b.tag = &c.Caches[w.ICache-1].Tag[k.first(a.b.line-1)]
			a.end = a.b.line << k.shift
		}
	}
	for len(a.b.code) < maxBlock && !a.done {
		pc := addr + uint64(a.off)
		if len(a.b.code) > 0 && (c.breakpoints[pc] || pc >= a.end) {
			break
		}
		raw, ok := instruction(mem[a.off:])
		if !ok {
			break
		}
		in := d.decode(pc, raw)
		if len(a.b.code) > 0 && pc+uint64(in.size) > a.end {
			break
		}
		a.add(pc, in)
	}
	if len(a.b.code) == 0 {
		return nil
	}
	a.finish()
	if c.breakpoints[addr] {
		a.b.worst = never
	}
	return a.b
}

// instruction returns the bits of the instruction that mem begins with.
func instruction(mem []byte) (w uint32, ok bool) {
	if len(mem) < 2 {
		return 0, false
	}
	if w = uint32(binary.LittleEndian.Uint16(mem)); !isWide(w) {
		return w, true
	}
	if len(mem) < 4 {
		return 0, false
	}
	return binary.LittleEndian.Uint32(mem), true
}

// assembler puts a block together.
type assembler struct {
	c     *Core
	b     *block
	off   uint16
	pre   uint16
	extra uint16 // the most that execution adds
	pipe  Pipeline
	end   uint64 // of the cache line
	done  bool
}

func (a *assembler) add(pc uint64, in insn) {
	t := &a.c.cfg.Timing
	uses := in.uses()
	if in.size == 4 && pc&2 != 0 {
		uses |= 1 << secondWord
	}
	in.stall = a.pipe.wait(uses)
	a.pre += uint16(in.stall)
	in.pre, in.off = a.pre, a.off
	in.cost = t.takenCost(&in)
	wait := a.wait(pc, in.size)
	cost := t.staticCost(&in)
	a.pre += wait + uint16(cost)
	in.extra = t.extra(&in)
	a.extra += uint16(in.extra)
	in.cost += uint8(wait)
	if in.isBranch() {
		in.a = uint8(len(a.b.links))
		to := (pc + in.imm) & a.c.pcMask
		a.b.links = append(a.b.links, link{addr: to, pipe: t.jumped(to)})
		in.imm = a.c.extend(pc + uint64(in.size))
	}
	a.b.pipes = append(a.b.pipes, a.pipe)
	a.pipe = a.pipe.after(uint8(min(uint16(in.stall)+wait+uint16(cost), 255))).with(t.late(&in))
	a.off += uint16(in.size)
	a.done = in.ends()
	a.b.code = append(a.b.code, in)
}

// wait is what fetching from slow memory takes: each word is fetched with the
// instruction that has its start.
func (a *assembler) wait(pc uint64, size uint8) uint16 {
	if a.b.window == nil || a.b.window.Wait == 0 {
		return 0
	}
	words := (pc+uint64(size)+3)/4 - (pc+3)/4
	return uint16(words) * uint16(a.b.window.Wait)
}

func (a *assembler) finish() {
	b := a.b
	b.code = append(b.code, insn{op: opEnd, off: a.off, pre: a.pre, a: uint8(len(b.links))})
	b.pipes = append(b.pipes, a.pipe)
	b.links = append(b.links, link{addr: (b.addr + uint64(a.off)) & a.c.pcMask, pipe: a.pipe}, link{addr: noAddress})
	if b.end() > a.end {
		b.tag = &noTag
	}
	b.worst = uint64(a.pre) + uint64(a.extra) + a.c.cfg.Timing.worst()
}

// end is the address behind the block.
func (b *block) end() uint64 { return b.addr + uint64(b.code[len(b.code)-1].off) }

// drop forgets all decoded code.
func (c *Core) drop() {
	c.endSpin()
	for _, b := range c.blocks {
		b.kill()
		c.hash[b.addr>>1%hashSize] = nil
	}
	clear(c.blocks)
	for _, w := range c.windows {
		c.release(w.mem)
	}
}

// shut says whether the block's memory is out of reach.
func (b *block) shut() bool { return b.window != nil && len(b.window.shut) != 0 }

func (b *block) kill() { b.dead, b.worst, b.world = true, never, 0 }

// drop makes the core forget a block, and leave it if it is the one that is being executed.
func (b *block) drop() {
	b.kill()
	if at := (place{b.addr, b.entry}); b.core.blocks[at] == b {
		delete(b.core.blocks, at)
	}
	b.core.leave = true
}
