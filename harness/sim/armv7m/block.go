package armv7m

// block is a run of decoded instructions that is entered at its start and left
// at its end or by a taken branch. Conditional branches that aren't taken stay
// in it.
type block struct {
	code  []insn // the last is always opEnd
	first insn   // the first instruction as decoded
	// links are the targets of the block's branches, in order; the last one
	// caches the target of an indirect branch.
	links []link
	addr  uint32
	it    uint8 // ITSTATE at the start
	// refill is what a taken branch to here costs in addition.
	refill uint64
	// worst is more than the block can take up to its last instruction; never
	// if the block must not be entered by a link.
	worst  uint64
	dead   bool   // memory has changed
	system bool   // it is fetched through the System bus
	world  uint64 // see view
}

type link struct {
	addr uint32
	to   *block // nil until first taken
}

const (
	maxBlock = 32      // instructions
	never    = 1 << 62 // later than any cycle, with room to add to
)

// hashSize is the number of entries of the table in front of the block map.
const hashSize = 1 << 12

func blockKey(addr uint32, it uint8) uint64 { return uint64(addr)<<8 | uint64(it) }

// find returns the block at addr, or nil if addr is not in mapped memory.
func (c *Core) find(addr uint32, it uint8) *block {
	slot := &c.hash[addr>>1%hashSize]
	if b := *slot; b != nil && b.addr == addr && b.it == it && !b.dead {
		return b
	}
	b := c.blocks[blockKey(addr, it)]
	if b == nil {
		if b = c.build(addr, it); b == nil {
			return nil
		}
	}
	*slot = b
	return b
}

// build decodes the block at addr and registers it with the memory it is in.
func (c *Core) build(addr uint32, it uint8) *block {
	w := c.windowAt(addr)
	if w == nil || !w.exec || neverExecute(addr) {
		return nil
	}
	b := c.assemble(addr, it, w.data[addr-w.base:], w)
	if b == nil {
		return nil
	}
	c.blocks[blockKey(addr, it)] = b
	w.mem.hold(addr-w.base, uint32(b.code[len(b.code)-1].off), b)
	if w.read != nil {
		w.read(addr, b.end()-addr)
	}
	if c.tracker != nil && w.write {
		c.tracker.Loaded(addr, b.end()-addr)
	}
	return b
}

// assemble decodes from the start of mem, which is at addr and in w, if that
// isn't nil; nil if mem holds no whole instruction.
func (c *Core) assemble(addr uint32, it uint8, mem []byte, w *window) *block {
	a := assembler{b: &block{addr: addr, it: it, system: onSystemBus(addr)}, it: it, word: noAddress}
	if w != nil && w.flash && c.Flash.Waits > 0 {
		a.lines, a.start = true, addr-w.base
	}
	for a.count < maxBlock && !a.done {
		pc := addr + uint32(a.off)
		if a.count > 0 && c.breakpoints[pc] {
			break
		}
		rest := mem[a.off:]
		if len(rest) < 2 {
			break
		}
		h1, h2 := halfword(rest), uint32(0)
		if isWide(h1) {
			if len(rest) < 4 {
				break
			}
			h2 = halfword(rest[2:])
		}
		in := decode(pc, h1, h2, a.it)
		if a.count == 0 {
			a.b.first = in
			a.b.refill = targetRefill(&in, pc)
		}
		a.add(pc, in)
	}
	if a.count == 0 {
		return nil
	}
	a.finish()
	if c.breakpoints[addr] {
		a.b.worst = never
	}
	return a.b
}

func halfword(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 }

// assembler puts a block together.
type assembler struct {
	b       *block
	count   int
	off     uint16
	pre     uint16
	dynamic uint64
	it      uint8
	pipe    pipe
	fpReady bool // opFP has been executed
	done    bool
	lines   bool   // code is in flash with wait states
	start   uint32 // of the block in that
	line    uint32 // the last instruction's
	word    uint32 // the same, of code on the System bus
}

// add appends one instruction with what goes around it: its condition, the
// preparation of the floating-point unit, PC as a base register, and the write
// of a result to SP or PC. R[15] is scratch between these entries, which are
// always executed together.
func (a *assembler) add(pc uint32, in insn) {
	in.off, in.idx = a.off, uint8(a.count)
	in.cost = staticCost(&in)
	conditional := in.it != 0 && in.op != opBKPT
	if adj := a.pipe.adjust(&in, pc); !conditional {
		in.cost = uint8(int(in.cost) + adj)
	}
	if a.lines {
		a.enterLines(&in)
	}
	if last := (pc + in.size() - 1) &^ 3; a.b.system && last != a.word {
		a.word = last
		a.emit(insn{op: opWord, imm: last}, &in)
	}
	entries := a.around(pc, in, conditional)
	if conditional {
		skipped := int32(in.cost) - skipCost
		a.emit(insn{op: opIf, n: in.it >> 4, a: uint8(len(entries)), imm: uint32(skipped)}, &in)
	}
	for _, e := range entries {
		a.emit(e, &in)
	}
	a.advance(pc, &in, conditional)
}

// enterLines appends an entry for each flash line that the instruction is the
// first one to have bytes in.
func (a *assembler) enterLines(in *insn) {
	first := a.start + uint32(in.off)
	for _, line := range [...]uint32{lineOf(first), lineOf(first + in.size() - 1)} {
		if line != a.line {
			a.line = line
			a.emit(insn{op: opLine, imm: line}, in)
		}
	}
}

// around returns the entries that one instruction becomes.
func (a *assembler) around(pc uint32, in insn, conditional bool) []insn {
	var entries []insn
	if in.isFP() && !a.fpReady {
		entries = append(entries, insn{op: opFP})
		a.fpReady = !conditional
	}
	switch {
	case in.op == opTBB && in.n == 15, in.op == opTBH && in.n == 15, in.op == opBX && in.m == 15:
		entries = append(entries, insn{op: opMOVi, d: 15, imm: pc + 4})
	case in.n == 15 && (in.op == opLDRD || in.op == opVLDM || in.op == opVSTM):
		entries = append(entries, insn{op: opMOVi, d: 15, imm: (pc + 4) &^ 3})
	}
	if base, _, access := in.address(); access && a.b.system {
		entries = append(entries, insn{op: opHold, n: min(base, 15), imm: uint32(in.cost)})
	}
	if in.d < 13 || in.d == 14 || !in.writesSPorPC() {
		return append(entries, in)
	}
	to := opSetSP
	if in.d == 15 {
		to = pick(in.op < opLDRi, opBranch15, opLoad15)
		a.done = !conditional
	}
	in.d = 15
	return append(entries, in, insn{op: to})
}

// emit appends an entry of the instruction in.
func (a *assembler) emit(e insn, in *insn) {
	e.off, e.idx, e.it, e.pre, e.pipe = in.off, in.idx, in.it, a.pre, a.pipe
	if e.op >= opB && e.op <= opCBNZ && e.op != opUndefined {
		e.m = uint8(len(a.b.links))
		a.b.links = append(a.b.links, link{addr: e.imm})
	}
	a.pre += uint16(e.cost)
	a.b.code = append(a.b.code, e)
}

func (a *assembler) advance(pc uint32, in *insn, conditional bool) {
	a.count++
	a.off += 2
	if in.wide {
		a.off += 2
	}
	a.pipe = pipeAfter(in, pc, a.pipe)
	if conditional {
		a.pipe = pipe(0)
	}
	a.dynamic += worstDynamic(in)
	switch {
	case in.op == opIT:
		a.it = in.n
	case a.it != 0:
		a.it = nextIT(a.it)
	}
	switch in.op {
	case opMSR, opSVC: // may clear CONTROL.FPCA
		a.fpReady = false
	}
	if !conditional && in.ends() {
		a.done = true
	}
}

// ends says whether execution never goes on behind the instruction within its
// block.
func (in *insn) ends() bool {
	switch in.op {
	case opB, opBL, opBX, opBLX, opTBB, opTBH, opSVC, opBKPT, opUndefined, opUnpredictable, opUDF, opNOCP, opWFI, opWFE:
		return true
	case opLDM:
		return in.imm>>15 != 0
	}
	return false
}

func (in *insn) isFP() bool {
	return in.op >= opFirstFP || in.op <= opUnpredictable && in.a != 0
}

func (a *assembler) finish() {
	b := a.b
	b.code = append(b.code, insn{op: opEnd, off: a.off, idx: uint8(a.count), it: a.it, pre: a.pre, pipe: a.pipe})
	b.links = append(b.links, link{addr: noAddress})
	b.worst = uint64(a.pre) + a.dynamic + worstRefill
}

// noAddress is no instruction's address.
const noAddress = 1

// end is the address behind the block.
func (b *block) end() uint32 { return b.addr + uint32(b.code[len(b.code)-1].off) }

// next returns the index of the first entry of the instruction after entry i's.
func (b *block) next(i int) int {
	idx := b.code[i].idx
	for b.code[i].idx == idx {
		i++
	}
	return i
}

// drop forgets all decoded code.
func (c *Core) drop() {
	for _, b := range c.blocks {
		b.kill()
	}
	clear(c.blocks)
	c.hash = [hashSize]*block{}
	for _, w := range c.windows {
		w.mem.release()
	}
}

func (b *block) kill() { b.dead, b.worst, b.world = true, never, 0 }

// adjust returns the cycles that pairing with the instruction before adds to
// the block's first one. Conditional instructions don't pair.
func (b *block) adjust(p pipe) int {
	if p == 0 || b.it != 0 {
		return 0
	}
	return p.adjust(&b.first, b.addr)
}
