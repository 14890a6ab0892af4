package riscv

// This file finds out that a core waits for another: that it is in a loop that does nothing but read memory, and that
// no register counts in. A turn of it begins in the state that the turn before began in, so all turns are the same for as long as
// what they read is, the code included. They need not be executed, and those who share the memory need not give the core
// its turns: see Waiting.
//
// Other than those of skip.go these loops are found even if a Run is shorter than a turn, as it is where cores
// are run by turns.

// spin is the loop that a core is in, or may be.
type spin struct {
	phase  spinPhase
	head   head // the state at a place in the loop
	pc     uint64
	n      int // instructions since then
	budget int // and how many may yet be looked at
	reads  []reading
	traps  uint64
	misses uint64

	cycles, insns uint64 // of a turn
	rest          struct {
		x         [32]uint64
		pc, cycle uint64
	} // where the last Run ended
	watched bool // stores to what is read are announced
}

type spinPhase uint8

const (
	noSpin  spinPhase = iota
	looking           // it is being found out whether there is one
	spinning
)

// reading is what a turn reads, or fetches.
type reading struct {
	w     *window
	off   uint64
	width uint8
	value uint64
}

// Waiting says whether the core is in a loop that only reads memory, which another core has to
// change, or an interrupt of its own to end. It holds from the end of a Run on until then. The core need not be run meanwhile:
// before a core that shares the memory stores to what the loop reads it calls its Config.Order, by which
// those that wait are to be run up to its Cycle. The store makes an end of their waiting, and
// of the storing core's Run. Before memory is changed otherwise, by what Invalidate
// tells of, or an interrupt input is, they are to be run up to that moment, too.
func (c *Core) Waiting() bool {
	s := &c.spin
	switch {
	case s.phase != spinning || c.attention || c.StallUntil > c.Cycle:
		return false
	case s.watched:
		return true
	case !c.spins():
		c.endSpin()
		return false
	}
	s.watched = true
	for _, r := range s.reads {
		for page := r.off >> pageBits; page <= (r.off+uint64(r.width)-1)>>pageBits; page++ {
			r.w.marks[page] = true
		}
	}
	return true
}

// mayLook says whether loops can be told from what instructions do alone.
func (c *Core) mayLook() bool {
	return c.trace == nil && len(c.breakpoints) == 0 && c.world == openWorld && c.fast == &c.open
}

// beginLook starts looking at the loop that the core may be in.
func (c *Core) beginLook() {
	if len(c.sharers) == 1 || !c.mayLook() {
		c.consider()
		return
	}
	c.spin.budget = 3 * mostTurn
	c.spin.restart(c)
}

func (s *spin) restart(c *Core) {
	s.phase, s.head, s.pc, s.n = looking, c.head(), c.PC, 0
	s.reads = s.reads[:0]
	s.traps, s.misses = c.traps, c.misses
}

// endSpin forgets the loop.
func (c *Core) endSpin() {
	if c.spin.phase != noSpin {
		c.nextLook = c.Cycle + c.patience
	}
	c.spin.phase, c.spin.watched = noSpin, false
}

// look executes instructions until a turn has begun and ended in the same state, or it is certain that
// this is no such loop, or the Run is at its limit; the next one goes on.
func (c *Core) look() {
	s := &c.spin
	for c.Cycle < c.limit && s.phase == looking {
		if s.n++; s.n > mostTurn || s.budget == 0 || !c.executeRead() {
			c.endSpin()
			c.consider()
			return
		}
		s.budget--
		if c.PC == s.pc && c.X == s.head.x {
			c.closeTurn()
		}
	}
}

// closeTurn is called where registers are what they were at the head. If the rest is not, this may be because the
// loop has only begun.
func (c *Core) closeTurn() {
	s := &c.spin
	end := c.head()
	if !end.recurs(&s.head) || !s.holds() {
		s.restart(c)
		return
	}
	s.phase = spinning
	s.cycles, s.insns = end.cycle-s.head.cycle, end.insns-s.head.insns
	c.patience = soonest
}

// executeRead executes an instruction that changes nothing but registers, and remembers what it
// reads. It is false if it is another.
func (c *Core) executeRead() bool {
	if c.attention || c.Sleep || c.stop != nil || c.StallUntil > c.Cycle || !c.mayLook() {
		return false
	}
	s, b := &c.spin, c.find(c.PC, c.Pipe)
	if b == nil || !b.code[0].onlyReads() || !s.note(b.window, c.PC, b.code[0].size) {
		return false
	}
	if in := &b.code[0]; in.op >= opLB && in.op <= opLWU {
		addr := (c.X[in.n&31] + in.imm) & c.mask
		if !s.note(c.windowAt(addr), addr, accessWidths[in.op-opLB]) {
			return false
		}
	}
	c.leave = false
	c.single(b, 0)
	return c.traps == s.traps && c.misses == s.misses && !b.dead && !c.leave
}

// onlyReads says whether an instruction does nothing but to compute or load a register, by what does not change by itself.
func (in *insn) onlyReads() bool {
	if in.op == opCSR {
		return in.skippable() && in.imm == csrMHARTID
	}
	return in.skippable() && (in.op < opSB || in.op > opSD)
}

// note remembers a place that is read. It is false if it isn't memory.
func (s *spin) note(w *window, addr uint64, width uint8) bool {
	if w == nil || uint64(len(w.Data))-(addr-w.Base) < uint64(width) {
		return false
	}
	r := reading{w: w, off: addr - w.Base, width: width}
	r.value = r.now()
	s.reads = append(s.reads, r)
	return true
}

func (r *reading) now() (v uint64) {
	for i, b := range r.w.Data[r.off : r.off+uint64(r.width)] {
		v |= uint64(b) << (8 * i)
	}
	return v
}

// holds says whether what the turn has read is still there.
func (s *spin) holds() bool {
	for i := range s.reads {
		if r := &s.reads[i]; r.now() != r.value {
			return false
		}
	}
	return true
}

// restSpin is the end of a Run, resumeSpin the start of the next one.
func (c *Core) restSpin() {
	if s := &c.spin; s.phase != noSpin {
		s.rest.pc, s.rest.x, s.rest.cycle = c.PC, c.X, c.Cycle
	}
}

func (c *Core) resumeSpin() {
	if c.spin.phase != noSpin && !c.spins() {
		c.endSpin()
	}
}

// spins says whether the core still is, or may be, in the loop that it was in when its last Run ended: nobody
// has changed anything.
func (c *Core) spins() bool {
	s := &c.spin
	return c.PC == s.rest.pc && c.X == s.rest.x && (s.phase == spinning || c.Cycle == s.rest.cycle) &&
		(s.watched || s.holds())
}

// skipTurns passes the turns that end before the limit: wherever in the turn it is, the core is there
// again, in the same state.
func (c *Core) skipTurns() {
	s := &c.spin
	c.omit((c.limit-1-c.Cycle)/s.cycles, s.insns, s.cycles)
}

// announce is called before a store to size bytes at off. Others that wait for it have to see
// what was there up to now, and no longer than that.
func (c *Core) announce(order func(), m *memory, off, size uint64) {
	if !c.awaited(m, off, size) {
		return
	}
	if order != nil {
		order()
	}
	c.endSpins(m, off, size)
	c.SetDeadline(c.Cycle)
}

// awaited says whether a core waits for a change of some of size bytes at off.
func (c *Core) awaited(m *memory, off, size uint64) bool {
	for _, k := range c.sharers {
		if k.spin.watches(m, off, size) {
			return true
		}
	}
	return false
}

func (c *Core) endSpins(m *memory, off, size uint64) {
	for _, k := range c.sharers {
		if k.spin.watches(m, off, size) {
			k.endSpin()
		}
	}
}

func (s *spin) watches(m *memory, off, size uint64) bool {
	if !s.watched {
		return false
	}
	for i := range s.reads {
		if r := &s.reads[i]; r.w.mem == m && r.off < off+size && off < r.off+uint64(r.width) {
			return true
		}
	}
	return false
}
