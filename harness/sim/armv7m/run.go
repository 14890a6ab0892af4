package armv7m

import "rigor/harness/sim/bus"

// Run executes until Cycle reaches until, which it may overshoot by one
// instruction, or something else ends it.
func (c *Core) Run(until uint64) Stop {
	c.stop = nil
	c.deadline = min(until, never)
	fresh := true // a breakpoint at the start was met by the Run before
	for c.stop == nil {
		c.selectTables()
		event := c.nextSysEvent()
		c.limit = min(c.deadline, event)
		switch {
		case c.Cycle >= event:
			c.sysEvent()
		case c.Cycle >= c.deadline:
			return c.atDeadline()
		case c.Held:
			c.Cycle = max(c.Cycle, min(c.StallUntil, c.limit))
			c.Held = c.stalls()
		case c.attention:
			c.noteException()
			c.service()
		case c.Sleep != Awake:
			c.Slept += c.limit - c.Cycle
			c.Cycle = c.limit
		case c.stalled():
			c.Cycle = min(c.StallUntil, c.limit)
		case len(c.breakpoints) > 0 && !fresh && c.breakpoints[c.R[15]]:
			return Stop{Reason: Breakpoint, PC: c.R[15]}
		default:
			c.execute()
			fresh = false
		}
	}
	return *c.stop
}

func (c *Core) atDeadline() Stop {
	reason := Deadline
	if c.Sleep != Awake {
		reason = Asleep
	}
	return Stop{Reason: reason, PC: c.R[15]}
}

// Step executes exactly one instruction, or takes one exception.
func (c *Core) Step() Stop {
	c.stop = nil
	c.deadline = never
	for before := c.Cycle; c.stop == nil && (c.Cycle == before || c.Held); {
		c.selectTables()
		event := c.nextSysEvent()
		c.limit = min(c.deadline, event)
		switch {
		case c.Cycle >= event:
			c.sysEvent()
			continue
		case c.Held:
			c.Cycle = max(c.Cycle, c.StallUntil)
			c.Held = false
		case c.attention:
			c.noteException()
			c.service()
			continue
		case c.Sleep != Awake:
			return Stop{Reason: Asleep, PC: c.R[15]}
		case c.stalled():
			c.Cycle = c.StallUntil
		}
		if b := c.fetch(); b != nil {
			c.leave = false
			c.single(b, 0)
			if !c.Held {
				break
			}
		}
	}
	if c.stop != nil {
		return *c.stop
	}
	return Stop{Reason: Deadline, PC: c.R[15]}
}

// SetDeadline ends the present Run no later than at a cycle; for the Bus, which
// learns of an earlier event while it is being called.
func (c *Core) SetDeadline(cycle uint64) {
	c.deadline = min(c.deadline, cycle)
	c.limit = min(c.limit, cycle)
}

// Stall makes the next fetch or load from memory that isn't Write wait until a
// cycle: flash is busy. Interrupts are taken while a fetch waits, but not while a
// load does.
func (c *Core) Stall(until uint64) {
	c.StallUntil = until
	c.selectTables()
	c.leave = true
}

// Share says whether another master may begin to use directly mapped memory at
// the deadline of Run, or at one that SetDeadline lowers it to. An instruction that
// may go on beyond it is then arbitrated.
func (c *Core) Share(on bool) {
	c.Shared = on
	c.leave = true
}

// Contend has every access to directly mapped memory arbitrated until a cycle:
// another master uses it.
func (c *Core) Contend(until uint64) {
	c.SharedUntil = max(c.SharedUntil, until)
	c.leave = true
}

// arbitrate lets the implementer delay an access to mapped memory.
func (c *Core) arbitrate(addr uint32, width uint8) {
	if c.cfg.Arbitrate == nil || !c.Shared && c.SharedUntil <= c.Cycle {
		return
	}
	if target, _, ok := bitBand(addr, width); ok {
		addr = target
	}
	if c.windowAt(addr) != nil {
		c.cfg.Arbitrate(addr)
	}
}

func (c *Core) stalls() bool { return c.StallUntil > c.Cycle }

// stalled says whether the next instruction cannot be fetched yet.
func (c *Core) stalled() bool {
	if !c.stalls() {
		return false
	}
	w := c.windowAt(c.R[15])
	return w != nil && !w.write
}

// execute runs from the present PC until exec returns: instruction by
// instruction while each needs something done before or after it, or may be the
// last before the limit, then by whole blocks.
func (c *Core) execute() {
	b := c.fetch()
	if b == nil {
		return
	}
	c.leave = false
	i, n := 0, len(b.code)
	for i == 0 && c.Pipe != 0 || c.Cycle+b.worst >= c.limit || c.stepping || !c.enters(b) {
		next, ok := c.single(b, i)
		if !ok {
			return
		}
		i = next
	}
	if c.Shared {
		c.selectTables()
	}
	c.exec(b, i, n)
}

// single executes the instruction that begins at entry i of b. It returns the
// entry of the next one, if execution is to go on there.
func (c *Core) single(b *block, i int) (next int, ok bool) {
	if addr := c.R[15]; c.mpuOn && !c.mayFetch(addr, b.addr+uint32(b.code[b.next(i)].off)) {
		c.raise(faultMPUInstr, addr)
		return 0, false
	}
	if c.stepping {
		c.tell()
	}
	if c.Shared {
		c.fast = withheld
	}
	adjust, held, before := 0, 0, c.Pipe
	if i == 0 {
		adjust = b.adjust(c.Pipe)
		if b.system && c.holds(&b.first) {
			held = adjust
		}
	}
	next = b.next(i)
	if !c.exec(b, i, next) {
		return 0, false
	}
	c.Cycle += uint64(adjust)
	c.Fetch.Busy += uint64(held)
	if p := c.Pipe.behind(before); i == 0 && p != c.Pipe {
		c.Pipe = p // which b doesn't know of: it may not go on
		return 0, false
	}
	return next, c.Cycle < c.limit && !c.mustReturn(b) && c.at(b, next)
}

// tell lets those know of the next instruction who want to.
func (c *Core) tell() {
	if c.trace != nil {
		c.trace(c.R[15])
	}
	if c.profile != nil {
		c.profile.Step(uint64(c.R[15]), c.progress())
	}
}

func (c *Core) noteException() {
	if c.profile != nil {
		c.profile.Exception(c.progress())
	}
}

// mustReturn says whether the run loop has something to do.
func (c *Core) mustReturn(b *block) bool {
	return c.leave || c.attention || c.stop != nil || b.dead
}

// at says whether the next instruction is that of entry i of b.
func (c *Core) at(b *block, i int) bool {
	in := &b.code[i]
	return in.op != opEnd && c.R[15] == b.addr+uint32(in.off) && c.IT == in.it && c.Sleep == Awake
}

// mayFetch asks the MPU about fetches from first up to end. No region or
// subregion is smaller than 32 bytes.
func (c *Core) mayFetch(first, end uint32) bool {
	for addr := first &^ 31; addr != (end+31)&^31; addr += 32 {
		if !c.mpuAllows(addr, fetch) {
			return false
		}
	}
	return true
}

// fetch returns the block at PC, or nil if a fault was raised or the
// simulation stopped instead.
func (c *Core) fetch() *block {
	pc := c.R[15]
	switch {
	case !c.T:
		c.raise(faultInvState, pc)
		return nil
	case neverExecute(pc):
		c.raise(faultMPUInstr, pc)
		return nil
	}
	if b := c.find(pc, c.IT); b != nil {
		return b
	}
	return c.fetchFromBus(pc)
}

// fetchFromBus makes a block of one instruction that isn't in mapped memory, or
// straddles its end. It isn't kept.
func (c *Core) fetchFromBus(pc uint32) *block {
	h1, ok := c.fetchHalf(pc)
	if !ok {
		return nil
	}
	mem := []byte{byte(h1), byte(h1 >> 8)}
	if isWide(h1) {
		h2, ok := c.fetchHalf(pc + 2)
		if !ok {
			return nil
		}
		mem = append(mem, byte(h2), byte(h2>>8))
	}
	b := c.assemble(pc, c.IT, mem, nil)
	b.worst = never
	return b
}

func (c *Core) fetchHalf(addr uint32) (h uint32, ok bool) {
	h, f := c.physLoad(addr, 2)
	if w := c.windowAt(addr); w != nil && !w.exec {
		f = bus.Error
	}
	switch f {
	case bus.Error:
		c.raise(faultInstrBus, addr)
	case bus.Unmodelled:
		c.stop = &Stop{Reason: NotModelled, PC: c.R[15], Addr: addr, Width: 2, What: "instruction fetch"}
	}
	return h, f == bus.None
}
