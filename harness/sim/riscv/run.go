package riscv

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/profile"
)

// Core is one simulated core. The zero value is of no use; call New.
type Core struct {
	State
	cfg    Config
	mask   uint64 // of XLEN bits
	pcMask uint64 // of what a PC can be

	sharers []*Core // all that share memory, this one too
	windows []*window
	shut    bool    // those behind caches are out of reach
	open    tables  // all of the quick ones
	fast    *tables // those in use: see selectTables
	world   uint64

	predicts, iterates bool // as the Timing says

	pmp       []pmpEntry // the active ones
	pmpLocked bool
	pmpWorld  uint64
	worlds    uint64

	caches  []cache
	recent  recent
	near    *recent // recent, or nowhere: see selectTables
	tracker Tracker // nil: nobody wants to know

	blocks      map[place]*block
	hash        [hashSize]*block
	breakpoints map[uint64]bool
	trace       func(pc uint64)
	profile     *profile.Counter // nil: nobody wants to know
	stepping    bool             // trace or profile

	deadline uint64 // of the present Run
	// limit ends the execution of blocks: the least of deadline and when an
	// interrupt will be seen.
	limit     uint64
	attention bool  // an interrupt is to be taken, or ends WFI
	leave     bool  // asks exec to return at the next boundary
	stop      *Stop // set by an instruction to end Run after it

	spin     spin
	skipper  skipper
	nextLook uint64 // when to consider the loop that may be going on
	patience uint64 // cycles from one time to the next
	traps    uint64 // how many were taken
	misses   uint64 // of caches
	skipped  uint64 // instructions
}

// New makes a core in its reset state: call Map, then Reset.
func New(cfg Config) *Core {
	if cfg.Timing == (Timing{}) {
		cfg.Timing = ESP32C3Timing
	}
	c := &Core{cfg: cfg, blocks: map[place]*block{}, breakpoints: map[uint64]bool{}, patience: soonest}
	c.predicts, c.iterates = cfg.Timing.Mispredict != 0, cfg.Timing.Iterates
	c.mask = ^uint64(0) >> (64 - cfg.XLEN)
	c.pcMask = c.mask &^ 3
	if cfg.Ext&ExtC != 0 {
		c.pcMask = c.mask &^ 1
	}
	c.sharers = []*Core{c}
	for _, k := range cfg.Caches {
		c.caches = append(c.caches, newCache(k))
	}
	c.recent.reset()
	c.open.clear()
	c.Reset(0)
	return c
}

// Reset is a warm reset to an address: the reset state of volume II 3.4, and of all else that
// has none zero. Cycle, Slept and Insns go on, and so does what the interrupt inputs
// and Stall have been told.
func (c *Core) Reset(pc uint64) {
	old := c.State
	c.State = State{
		PC: pc & c.pcMask, Priv: MachineMode, Mip: old.Mip, Interrupt: old.Interrupt, InterruptAt: old.InterruptAt,
		Cycle: old.Cycle, Slept: old.Slept, Insns: old.Insns, StallUntil: old.StallUntil,
	}
	if c.cfg.Vectored31 {
		c.Mtvec = 1
	}
	if c.cfg.Ext&ExtU == 0 {
		c.Mstatus = mstatusMPP
	}
	c.refreshDerived()
}

func (c *Core) refreshDerived() {
	c.recent.clear()
	c.endSpin()
	c.markReservation()
	c.refreshPMP()
	c.updatePending()
	c.selectTables()
	c.leave = true
}

// Run executes until Cycle reaches until, which it may overshoot by one
// instruction, or something else ends it.
func (c *Core) Run(until uint64) Stop {
	c.stop = nil
	c.deadline = min(until, never)
	c.resumeSpin()
	fresh := true // a breakpoint at the start was met by the Run before
	for c.stop == nil {
		c.selectTables()
		due := c.attention && c.InterruptAt <= c.Cycle
		c.limit = c.deadline
		if c.attention && !due {
			c.limit = min(c.limit, c.InterruptAt)
		}
		switch {
		case c.Cycle >= c.deadline:
			return c.atDeadline()
		case due:
			c.noteException()
			c.service()
		case c.Sleep:
			c.Slept += c.limit - c.Cycle
			c.Cycle = c.limit
		case c.StallUntil > c.Cycle:
			c.Cycle = min(c.StallUntil, c.limit)
		case len(c.breakpoints) > 0 && !fresh && c.breakpoints[c.PC]:
			return Stop{Reason: Breakpoint, PC: c.PC}
		case c.spin.phase == spinning && c.Cycle+c.spin.cycles < c.limit:
			c.skipTurns()
		case c.spin.phase == looking:
			c.look()
			fresh = false
		case c.Cycle >= c.lookLimit():
			c.beginLook()
			fresh = false
		default:
			c.limit = min(c.limit, c.lookLimit())
			c.execute()
			fresh = false
		}
	}
	return *c.stop
}

// lookLimit ends execution when the next loop is to be considered.
func (c *Core) lookLimit() uint64 {
	if c.cfg.NoSkip || c.spin.phase == spinning {
		return never
	}
	return c.nextLook
}

func (c *Core) atDeadline() Stop {
	reason := Deadline
	if c.Sleep {
		reason = Asleep
	}
	c.restSpin()
	return Stop{Reason: reason, PC: c.PC}
}

// Step executes exactly one instruction, or takes one trap.
func (c *Core) Step() Stop {
	c.stop = nil
	c.deadline = never
	c.endSpin()
	c.selectTables()
	c.limit = never
	if c.attention && c.InterruptAt > c.Cycle && c.Sleep {
		c.Slept += c.InterruptAt - c.Cycle
		c.Cycle = c.InterruptAt
	}
	switch {
	case c.attention && c.InterruptAt <= c.Cycle:
		c.noteException()
		c.service()
		return Stop{Reason: Deadline, PC: c.PC}
	case c.Sleep:
		return Stop{Reason: Asleep, PC: c.PC}
	case c.StallUntil > c.Cycle:
		c.Cycle = c.StallUntil
	}
	if b := c.fetch(); b != nil {
		c.leave = false
		c.single(b, 0)
	}
	if c.stop != nil {
		return *c.stop
	}
	return Stop{Reason: Deadline, PC: c.PC}
}

// SetDeadline ends the present Run no later than at a cycle; for the Bus, which
// learns of an earlier event while it is being called.
func (c *Core) SetDeadline(cycle uint64) {
	c.deadline = min(c.deadline, cycle)
	c.limit = min(c.limit, cycle)
}

// Stall makes the next instruction wait until a cycle. Interrupts are taken
// meanwhile.
func (c *Core) Stall(until uint64) {
	c.StallUntil = until
	c.endSpin()
	c.leave = true
}

// execute runs from the present PC until exec returns: instruction by
// instruction while each needs something done before or after it, then those of a block that certainly
// begin before the limit, then whole blocks.
func (c *Core) execute() {
	b := c.fetch()
	if b == nil {
		return
	}
	c.leave = false
	for i := 0; i >= 0; {
		if i == 0 && b.line != 0 && b.line != c.FetchLine || c.stepping || !c.enters(b) {
			i = c.single(b, i)
			continue
		}
		n, near := len(b.code), c.Cycle+b.worst >= c.limit
		if near {
			n = b.before(i, c.limit-c.Cycle)
		}
		c.Cycle += uint64(b.code[i].stall)
		if !c.exec(b, i, n) || !near {
			return
		}
		i = c.entry(b)
	}
}

// before returns the entry behind those from i on that begin within some cycles, at least i + 1.
func (b *block) before(i int, cycles uint64) int {
	first, extra := &b.code[i], uint64(b.code[i].extra)
	end := cycles + uint64(first.pre) - uint64(first.stall)
	for i++; ; i++ {
		in := &b.code[i]
		if in.op == opEnd || uint64(in.pre)-uint64(in.stall)+extra >= end {
			return i
		}
		extra += uint64(in.extra)
	}
}

// single executes the instruction at entry i of b. It returns the entry of the
// next one, or -1 if execution is not to go on in b.
func (c *Core) single(b *block, i int) (next int) {
	if c.world != openWorld && !c.permits(c.PC, uint64(b.code[i].size), pmpX, c.Priv) {
		c.raise(causeFetchAccess, c.refused())
		return -1
	}
	if c.stepping {
		c.tell()
	}
	stall := uint64(b.code[i].stall)
	if b.line != 0 && b.line != c.FetchLine && i == 0 {
		stall += c.fetchLine(b)
	}
	c.Cycle += stall
	if !c.exec(b, i, i+1) {
		return -1
	}
	return c.entry(b)
}

// tell lets those know of the next instruction who want to.
func (c *Core) tell() {
	if c.trace != nil {
		c.trace(c.PC)
	}
	if c.profile != nil {
		c.profile.Step(c.PC, c.progress())
	}
}

func (c *Core) noteOmitted(turns, insns, cycles uint64) {
	c.profile.Repeat(c.progress(), turns, profile.Count{Cycles: cycles, Instructions: insns})
}

func (c *Core) noteException() {
	if c.profile != nil {
		c.profile.Exception(c.progress())
	}
}

// refused is the address of that part of the instruction at PC that may not be fetched (volume II 3.1.16).
func (c *Core) refused() uint64 {
	if c.permits(c.PC, 2, pmpX, c.Priv) {
		return c.PC + 2
	}
	return c.PC
}

// mustReturn says whether the run loop has something to do.
func (c *Core) mustReturn(b *block) bool {
	return c.leave || c.attention || c.stop != nil || b.dead
}

// entry returns the entry of b that is to be executed next, or -1 if there is none, or the run loop has something to do.
func (c *Core) entry(b *block) int {
	if c.Cycle >= c.limit || c.mustReturn(b) {
		return -1
	}
	for i := range b.code {
		if in := &b.code[i]; c.PC == b.addr+uint64(in.off) && c.Pipe == b.pipes[i] && in.op != opEnd {
			return i
		}
	}
	return -1
}

// fetch returns the block at PC, or nil if an exception was raised or the
// simulation stopped instead.
func (c *Core) fetch() *block {
	pc := c.PC
	if b := c.find(pc, c.Pipe); b != nil {
		return b
	}
	return c.fetchFromBus(pc)
}

// fetchFromBus makes a block of one instruction that isn't in mapped memory, or
// straddles its end. It isn't kept.
func (c *Core) fetchFromBus(pc uint64) *block {
	h, ok := c.fetchHalf(pc)
	if !ok {
		return nil
	}
	mem := []byte{byte(h), byte(h >> 8)}
	if isWide(h) {
		h2, ok := c.fetchHalf(pc + 2)
		if !ok {
			return nil
		}
		mem = append(mem, byte(h2), byte(h2>>8))
	}
	b := c.assemble(pc, c.Pipe, mem, nil)
	b.worst = never
	return b
}

func (c *Core) fetchHalf(addr uint64) (h uint32, ok bool) {
	if c.world != openWorld && !c.permits(addr, 2, pmpX, c.Priv) {
		c.raise(causeFetchAccess, addr)
		return 0, false
	}
	v, f := uint64(0), bus.Error
	if w := c.windowAt(addr); w == nil || w.Exec {
		v, f = c.physLoad(addr, 2)
	}
	switch f {
	case bus.Error:
		c.raise(causeFetchAccess, addr)
	case bus.Unmodelled:
		c.stop = &Stop{Reason: NotModelled, PC: c.PC, Addr: addr, Width: 2, What: "instruction fetch"}
	}
	return uint32(v), f == bus.None
}

// Skipped returns how many of Insns were not executed, for they were in turns of loops that
// do nothing but wait.
func (c *Core) Skipped() uint64 { return c.skipped }

// Snapshot returns all that the core remembers; memory is not part of it. What the core has found out about loops is
// forgotten, as by Restore: what cores that share memory see of each other's stores may depend on it (Waiting), so that
// the core itself and one that the snapshot is put into do the same from here on.
func (c *Core) Snapshot() State {
	c.forgetLoops()
	return c.State
}

// Restore puts back a snapshot and drops decoded code, for memory may differ
// by now.
func (c *Core) Restore(s State) {
	c.State = s
	c.drop()
	c.refreshDerived()
	c.forgetLoops()
}

func (c *Core) forgetLoops() {
	c.endSpin()
	c.nextLook, c.patience = 0, soonest
}

// SetTrace has f called with the address of each instruction before it is
// executed; nil, as at first, costs nothing.
func (c *Core) SetTrace(f func(pc uint64)) {
	c.trace = f
	c.stepping = c.trace != nil || c.profile != nil
	c.endSpin()
	c.leave = true
}

// SetProfile has p count where the cycles go, slowly; nil ends it. Loops are skipped as without.
func (c *Core) SetProfile(p *profile.Counter) {
	c.profile = p
	c.stepping = c.trace != nil || c.profile != nil
	c.leave = true
	if p != nil {
		p.Attach(c.PC, c.progress)
	}
}

func (c *Core) progress() profile.State {
	return profile.State{Cycle: c.Cycle, Slept: c.Slept, Insns: c.Insns}
}

// omit passes turns of a loop of so many instructions and cycles, the last of which has just been executed.
func (c *Core) omit(turns, insns, cycles uint64) {
	if c.profile != nil {
		c.noteOmitted(turns, insns, cycles)
	}
	c.Cycle += turns * cycles
	c.Insns += turns * insns
	c.skipped += turns * insns
}

// Tracker is told of all accesses to memory that is Write, by the lowest 32 bits of the
// address, and of pieces of code in it, of up to 32 instructions, before they are executed.
type Tracker interface {
	Loaded(addr, n uint32)
	Stored(addr, n uint32)
}

// SetTracker has t told of accesses to memory, slowly; nil ends it.
func (c *Core) SetTracker(t Tracker) {
	c.tracker = t
	c.drop()
	c.selectTables()
	c.leave = true
}

// SetBreakpoint makes Run stop before the instruction at addr, or no longer.
func (c *Core) SetBreakpoint(addr uint64, on bool) {
	if on {
		c.breakpoints[addr] = true
	} else {
		delete(c.breakpoints, addr)
	}
	c.drop()
	c.leave = true
}

// Unimplemented lists what the model lacks.
func Unimplemented() []string {
	return []string{
		"debug mode, and triggers (tselect, tdata, tcontrol) that act: a chip may keep their registers",
		"performance counter events but for cycles and instructions",
		"fetches ahead of execution, and what a misaligned branch target costs the ESP32-C3",
		"supervisor mode and address translation",
		"the end of a reservation by other accesses or by time (Rocket: 32 cycles)",
		"of the K210's pipeline, what K210Timing says",
	}
}
