package riscv

// This file skips loops that do nothing but wait: those that count, that poll memory which
// only an interrupt handler changes, and that poll devices (see Foreseer). What
// results is what executing them would have, to the last bit of State and memory.
//
// Now and then the run loop records one turn of whatever loop it may be in, by executing it.
// Then it executes the turn once more in the abstract, for all turns at once up to some cycle:
// a value is a range of what it can be in any of them. That proves, or does not, that
// every branch goes the same way in all of these turns. They differ then
// only in
//
//   - Cycle and Insns, which advance by the same in each period of turns: caches, the pipeline
//     and what accesses cost begin each period as they began the one before,
//   - registers and memory that each turn adds a constant to (an affine),
//   - registers and memory that each turn writes before it reads them (a stale), and what
//     a device remembers: turns that are really executed after those that are skipped set
//     them right. It takes two, for what a device has latched in a turn may be read in
//     the next.
//
// Anything else, and all that could have an effect outside of registers and memory, makes
// the loop one that is executed.

const (
	mostTurn    = 80      // instructions of a loop that is considered
	mostPeriod  = 8       // turns after which Cycle modulo 8 recurs
	soonest     = 1 << 8  // cycles between two considerations, when the last one was worth it
	latest      = 1 << 16 // and when many were not
	shared      = 1 << 14 // the same where others wait for it to be seen that this core waits
	worthPeriod = 8       // periods skipped that are worth it
	executed    = 2       // turns after those that are skipped
)

// skipper is a loop under consideration.
type skipper struct {
	c     *Core
	path  []step // the last turn
	turns int    // in a period
	heads []head // the state at the start of each turn, of the last turns
	slots []slot // registers, then what the loop stores to
	now   []abstract
	until uint64 // of what is foreseen
}

// step is an instruction of a turn, as it was executed.
type step struct {
	in       insn
	pc, next uint64
	addr     uint64 // that it loads from or stores to
	result   uint64 // what it wrote to its destination
}

// head is what recurs from one period to the next.
type head struct {
	x         [32]uint64
	cycle     uint64
	insns     uint64
	pipe      Pipeline
	predictor Predictor
	fetchLine uint64
	caches    [2]CacheState
}

// slot is a register or a place in memory that a turn may change.
type slot struct {
	mem   *memory // nil for a register
	data  []byte
	off   uint64 // in data
	width uint8
	fresh bool // this pass is the first to know of it, and hasn't used it yet
	kind  slotKind
	value int64 // at the head
	delta int64 // of an affine one, a turn
}

type slotKind uint8

const (
	constant slotKind = iota
	affine
	stale
)

// abstract is what a value can be in the turns considered.
type abstract struct {
	least, most int64
	exact       bool // it is the same in all turns
	stale       bool // it is not known, for no turn may read it
	from        int  // 1 + the slot that it is a sum with
	off         int64
}

// consider skips turns of the loop that the core is in, if it is in one. Cycle
// stays below the limit.
func (c *Core) consider() {
	periods := uint64(0)
	if c.mayLook() {
		s := &c.skipper
		s.c = c
		if s.record() {
			periods = s.skip()
		}
	}
	if periods < worthPeriod {
		c.patience = min(2*c.patience, c.longest())
	} else {
		c.patience = soonest
	}
	c.nextLook = c.Cycle + c.patience
}

// longest is the most that loops are not considered for.
func (c *Core) longest() uint64 {
	if len(c.sharers) > 1 {
		return shared
	}
	return latest
}

// record executes turns until the last period of them began like it ended. It is false if that
// takes too long, or if the run loop has something else to do.
func (s *skipper) record() bool {
	if !s.turn(false) || !s.rotate() || !s.turn(false) {
		return false
	}
	s.heads = append(s.heads[:0], s.c.head())
	for n := 1; n <= mostPeriod; n++ {
		if !s.turn(true) {
			return false
		}
		s.heads = append(s.heads, s.c.head())
		first, last := &s.heads[0], &s.heads[n]
		if last.recurs(first) && (last.cycle-first.cycle)%8 == 0 {
			s.turns = n
			return true
		}
	}
	return false
}

// rotate executes up to where the turn's last backward jump leads: the loop's head as its author
// sees it, where least is alive of what a turn has read.
func (s *skipper) rotate() bool {
	head := s.c.PC
	for i := range s.path {
		if st := &s.path[i]; st.in.op >= opBEQ && st.in.op <= opJ && st.next <= st.pc {
			head = st.next
		}
	}
	for i := 0; s.c.PC != head; i++ {
		if i == len(s.path) || s.busy() || !s.execute(i, true) {
			return false
		}
	}
	return true
}

// busy says whether the run loop has something else to do.
func (s *skipper) busy() bool {
	c := s.c
	return c.Cycle >= c.limit || c.attention || c.Sleep || c.stop != nil || c.StallUntil > c.Cycle
}

func (c *Core) head() head {
	return head{c.X, c.Cycle, c.Insns, c.Pipe, c.Predictor, c.FetchLine, c.Caches}
}

func (h *head) recurs(first *head) bool {
	return h.pipe == first.pipe && h.predictor == first.predictor && h.fetchLine == first.fetchLine && h.caches == first.caches
}

// turn executes one turn and records it, or wants it to go the way recorded.
func (s *skipper) turn(again bool) bool {
	c := s.c
	start := c.PC
	if !again {
		s.path = s.path[:0]
	}
	for n := range mostTurn {
		if s.busy() || again && (n >= len(s.path) || s.path[n].pc != c.PC) || !s.execute(n, again) {
			return false
		}
		if c.PC == start {
			return !again || n == len(s.path)-1
		}
	}
	return false
}

// execute executes an instruction that is skippable and records it.
func (s *skipper) execute(n int, again bool) bool {
	c := s.c
	b := c.fetch()
	if b == nil || !b.code[0].skippable() {
		return false
	}
	st := step{in: b.code[0], pc: c.PC, addr: (c.X[b.code[0].n&31] + b.code[0].imm) & c.mask}
	traps, misses := c.traps, c.misses
	c.leave = false
	c.single(b, 0)
	if c.traps != traps || c.misses != misses || b.dead {
		return false
	}
	st.next, st.result = c.PC, c.X[st.in.d&31]
	if again {
		s.path[n] = st
	} else {
		s.path = append(s.path, st)
	}
	return true
}

// skippable says whether an instruction has no effect but on integer registers and through
// loads and stores.
func (in *insn) skippable() bool {
	switch {
	case in.op == opCSR: // that reads only
		return in.a&3 != 1 && in.n == 0
	case in.op >= opNOP && in.op <= opJALR:
		return true
	}
	return false
}

// skip advances the core by as many periods as it can and executes the turns after them. It
// returns how many periods it has skipped.
func (s *skipper) skip() uint64 {
	c := s.c
	first, last := &s.heads[0], &s.heads[s.turns]
	cycles, insns := last.cycle-first.cycle, last.insns-first.insns
	if c.Cycle+(executed+1)*cycles >= c.limit {
		return 0
	}
	periods, fails := uint64(0), (c.limit-1-c.Cycle)/cycles-executed+1
	for k := fails - 1; periods+1 < fails; k = (periods + fails) / 2 {
		if s.proves(k+executed, cycles) {
			periods = k
		} else {
			fails = k
		}
	}
	if periods == 0 || !s.proves(periods+executed, cycles) {
		return 0
	}
	c.omit(periods, insns, cycles)
	s.advance(int64(periods) * int64(s.turns))
	for range executed {
		s.turn(true)
	}
	return periods
}

// advance adds to what the turns that are skipped add to.
func (s *skipper) advance(turns int64) {
	for i := range s.slots {
		p := &s.slots[i]
		if p.kind != affine {
			continue
		}
		v := uint64(p.value + turns*p.delta)
		if i < 32 {
			s.c.X[i] = v
			continue
		}
		storeBytes(p.data[p.off:], p.width, v)
	}
}

// proves says whether all turns of a number of periods go the same way. It leaves the
// slots as they are then.
func (s *skipper) proves(periods, cycles uint64) bool {
	s.until = s.c.Cycle + periods*cycles
	s.slots = s.slots[:0]
	for i, v := range s.c.X {
		p := slot{value: int64(v)}
		if before := s.heads[s.turns-1].x[i]; before != v {
			p.kind, p.delta = affine, int64(v-before)
		}
		s.slots = append(s.slots, p)
	}
	for range 2*len(s.path) + 64 { // each time a slot is found to be less than was assumed
		if !s.follow(int64(periods) * int64(s.turns)) {
			return false
		}
		if !s.demote() {
			return true
		}
	}
	return false
}

// demote corrects what was assumed of the slots by what they are at the end of a
// turn. It says whether there was something to correct.
func (s *skipper) demote() (changed bool) {
	for i := range s.slots {
		p, v := &s.slots[i], &s.now[i]
		switch {
		case p.kind == stale:
		case p.kind == constant && v.exact && v.least == p.value:
		case v.from == i+1 && !v.stale && p.kind == affine && v.off == p.delta:
		case v.from == i+1 && !v.stale && p.kind == constant:
			p.kind, p.delta, changed = affine, v.off, true
		default:
			p.kind, changed = stale, true
		}
	}
	return changed
}

// start is what slot i can be at the start of any of the turns.
func (s *skipper) start(i int, turns int64) abstract {
	p := &s.slots[i]
	switch p.kind {
	case constant:
		return abstract{least: p.value, most: p.value, exact: true, from: i + 1}
	case stale:
		return abstract{stale: true}
	}
	const far = 1 << 60
	if p.delta > far/turns || p.delta < -far/turns || p.value > far || p.value < -far {
		return s.unknown()
	}
	end := p.value + (turns-1)*p.delta
	v := abstract{least: min(p.value, end), most: max(p.value, end), from: i + 1}
	return s.fit(v, s.c.cfg.XLEN == 32)
}

// unknown is any value.
func (s *skipper) unknown() abstract { return s.fit(abstract{least: -1 << 63, most: 1<<63 - 1}, true) }

// fit makes a value that may have left its range unknown; of a word if the instruction is one
// for words, or the core has no others.
func (s *skipper) fit(v abstract, word bool) abstract {
	if word && (v.least < -1<<31 || v.most >= 1<<31) {
		v = abstract{least: -1 << 31, most: 1<<31 - 1}
		if s.c.cfg.XLEN == 64 {
			v.least, v.most = -1<<63, 1<<63-1
		}
	}
	return v
}

// follow executes a turn in the abstract. It is false if not all turns are certain to go this way
// and to have no effects elsewhere.
func (s *skipper) follow(turns int64) bool {
	s.now = s.now[:0]
	for i := range s.slots {
		s.now = append(s.now, s.start(i, turns))
	}
	for i := range s.path {
		st := &s.path[i]
		v, ok := s.step(st, turns)
		if !ok {
			return false
		}
		if d := st.in.d & 31; d != 0 && st.in.writes() {
			s.now[d] = v
		}
	}
	return true
}

// writes says whether a skippable instruction writes its destination.
func (in *insn) writes() bool {
	return in.op >= opLI && in.op <= opLWU || in.op == opJAL || in.op == opJALR || in.op == opCSR
}

// step is one instruction in the abstract.
func (s *skipper) step(st *step, turns int64) (v abstract, ok bool) {
	in := &st.in
	a, b := s.now[in.n&31], s.now[in.m&31]
	exact := abstract{least: int64(st.result), most: int64(st.result), exact: true}
	switch op := in.op; {
	case op == opNOP, op == opLI, op == opJ, op == opJAL:
		return exact, true
	case op == opJR, op == opJALR:
		return exact, a.exact
	case op == opCSR:
		return s.counter(in)
	case a.stale:
		return v, false
	case op >= opLB && op <= opLWU:
		return s.load(st, turns, a)
	case op >= opSB && op <= opSD:
		return v, !b.stale && s.store(st, turns, a, b)
	case op >= opADD && op <= opREMUW, op >= opBEQ && op <= opBGEU:
		if b.stale {
			return v, false
		}
	default:
		b = abstract{least: int64(in.imm), most: int64(in.imm), exact: true}
	}
	if in.isBranch() {
		taken, decided := decide(in.op, a, b)
		size := uint64(in.size)
		return v, a.exact && b.exact || decided && taken == (st.next != (st.pc+size)&s.c.pcMask)
	}
	v = s.compute(in.op, a, b)
	if a.exact && b.exact {
		exact.from, exact.off = v.from, v.off
		return exact, true
	}
	return v, true
}

// decide evaluates the condition of a branch or comparison.
func decide(o op, a, b abstract) (holds, decided bool) {
	switch o {
	case opBLTU, opBGEU, opSLTU, opSLTIU:
		// Where both ends have the same sign, the order is that of signed values.
		if a.least < 0 != (a.most < 0) || b.least < 0 != (b.most < 0) {
			return false, false
		}
		if a.least < 0 != (b.least < 0) {
			return b.least < 0 == (o != opBGEU), true
		}
	}
	switch o {
	case opBEQ, opBNE:
		apart := a.most < b.least || b.most < a.least
		same := a.least == a.most && b.least == b.most && a.least == b.least
		return apart == (o == opBNE), apart || same
	case opBGE, opBGEU:
		return a.least >= b.most, a.least >= b.most || a.most < b.least
	}
	return a.most < b.least, a.most < b.least || a.least >= b.most
}

// compute is the arithmetic that keeps something of ranges; of all else nothing is
// known.
func (s *skipper) compute(o op, a, b abstract) abstract {
	word := s.c.cfg.XLEN == 32
	switch o {
	case opMV:
		return a
	case opADDIW, opADDW:
		return s.fit(sum(a, b), true)
	case opADDI, opADD:
		return s.fit(sum(a, b), word)
	case opSUBW:
		return s.fit(difference(a, b), true)
	case opSUB:
		return s.fit(difference(a, b), word)
	case opSLT, opSLTI, opSLTU, opSLTIU:
		v := abstract{most: 1}
		if holds, decided := decide(o, a, b); decided {
			v.least = int64(truth(holds))
			v.most = v.least
		}
		return v
	case opANDI, opAND, opORI, opOR, opXORI, opXOR:
		return bitwise(o, a, b)
	case opSRLI, opSRAI, opSRLIW, opSRAIW:
		if n := uint(b.least) & 63; a.least >= 0 && (word || o == opSRLI || o == opSRAI || a.most < 1<<31) {
			return abstract{least: a.least >> n, most: a.most >> n}
		}
	case opSLLI, opSLLIW:
		if n := uint(b.least) & 63; a.least >= 0 && a.most < 1<<31 && n < 32 {
			return s.fit(abstract{least: a.least << n, most: a.most << n}, word || o == opSLLIW)
		}
	}
	return s.unknown()
}

// sum and difference are right as long as they don't overflow 64 bits; then,
// nothing is known.
func sum(a, b abstract) abstract {
	v := abstract{least: a.least + b.least, most: a.most + b.most}
	switch {
	case overflows(a.least, b.least, v.least) || overflows(a.most, b.most, v.most):
		return abstract{least: -1 << 63, most: 1<<63 - 1}
	case a.from != 0 && b.exact && !a.exact:
		v.from, v.off = a.from, a.off+b.least
	case b.from != 0 && a.exact && !b.exact:
		v.from, v.off = b.from, b.off+a.least
	case a.from != 0 && b.exact:
		v.from, v.off = a.from, a.off+b.least
	}
	return v
}

func difference(a, b abstract) abstract {
	if b.least == -1<<63 {
		return abstract{least: -1 << 63, most: 1<<63 - 1}
	}
	return sum(a, abstract{least: -b.most, most: -b.least, exact: b.exact})
}

func overflows(a, b, sum int64) bool { return (a^sum)&(b^sum) < 0 }

// bitwise: the bits above the highest one in which a range's ends differ are the
// same in all of it.
func bitwise(o op, a, b abstract) abstract {
	spread := uint64(a.least^a.most) | uint64(b.least^b.most)
	for n := uint(1); n < 64; n *= 2 {
		spread |= spread >> n
	}
	var v uint64
	low := int64(spread)
	switch o {
	case opANDI, opAND:
		v = uint64(a.least & b.least)
		if b.exact && b.least >= 0 {
			low &= b.least
		}
	case opORI, opOR:
		v = uint64(a.least | b.least)
	default:
		v = uint64(a.least ^ b.least)
	}
	if int64(spread) < 0 {
		return abstract{least: -1 << 63, most: 1<<63 - 1}
	}
	base := int64(v &^ spread)
	return abstract{least: base, most: base + low}
}
