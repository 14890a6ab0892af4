package k210

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/riscv"
)

// The harts have one clock and take turns: the one that is behind runs until it is a
// quantum ahead. Each sees what the other stores no more than that much late, or early.
// Before a hart accesses a block, or executes an atomic instruction, the
// other one catches up (sync), and what was due by then is done: accesses to blocks,
// events and atomics happen in the order of their cycles. Programs whose harts talk by these
// run as they would without turns.
//
// A hart that sleeps has no turn, nor has one in a loop that waits for the other to store something (riscv.Core.Waiting).
// It lags until the other one needs it, or stores what it waits for, or
// has done all that there is to do before the next event.
//
// A turn ends with Run, too. What harts do by plain stores alone therefore depends, by as
// many cycles, on when somebody looks from outside; the same looks always give the same.

// quantum is in cycles: short beside what programs take to exchange something by way of memory, and long
// enough to keep the simulation's speed (BenchmarkTwoHarts).
const quantum = 64

// hartConfig is a core of the part (DS §3.1: RV64IMAFDC, privileged architecture 1.9.1).
func (c *Chip) hartConfig(n int) riscv.Config {
	return riscv.Config{
		XLEN:   64,
		Ext:    riscv.ExtM | riscv.ExtA | riscv.ExtF | riscv.ExtD | riscv.ExtC | riscv.ExtU,
		HartID: uint64(n),
		Timing: riscv.K210Timing,
		// Of the privileged architecture (SDK encoding.h).
		Privileged191: true,
		Bus:           cpuBus{c},
		CSR:           csrs{c},
		Order:         c.sync,
		Caches:        c.caches(),
	}
}

// csrs are registers of supervisor mode that start-up code for machine mode writes: vendors' clears the
// delegation of traps, U-Boot lets supervisor mode read the counters.
type csrs struct{ *Chip }

const (
	csrMEDELEG     = 0x302
	csrMIDELEG     = 0x303
	csrMSCOUNTEREN = 0x321
)

func (r csrs) ReadCSR(n uint16) (v uint64, ok bool) {
	if n == csrMSCOUNTEREN {
		return r.MSCOUNTEREN[r.hart], true
	}
	return 0, n == csrMEDELEG || n == csrMIDELEG
}

func (r csrs) WriteCSR(n uint16, v uint64) (ok bool) {
	switch n {
	case csrMSCOUNTEREN:
		r.MSCOUNTEREN[r.hart] = v & 7
	case csrMEDELEG, csrMIDELEG:
		if v != 0 {
			r.halt(board.NotModelled, r.harts[r.hart].PC, "supervisor mode (medeleg, mideleg) not modelled")
		}
	default:
		return false
	}
	return true
}

// owner is the chip to its agenda.
type owner struct{ *Chip }

func (o owner) Cycle() uint64 {
	if o.hart >= 0 {
		return max(o.harts[o.hart].Cycle, o.Seen)
	}
	return o.Clock
}

func (o owner) Shorten(cycle uint64) {
	o.goal = min(o.goal, cycle)
	if o.hart >= 0 {
		o.harts[0].SetDeadline(cycle)
		o.harts[1].SetDeadline(cycle)
	}
}

// interrupt has the harts stop after the present instruction.
func (c *Chip) interrupt() { owner{c}.Shorten(c.Cycle()) }

// advance moves the harts, or time alone, to the cycle.
func (c *Chip) advance(limit uint64) {
	c.goal = limit
	for c.Running && c.Clock < c.goal && c.stopped.Kind == board.Running {
		c.turn()
		if r := c.ResetDue; r != 0 {
			c.reset(r)
			return
		}
		c.Clock = min(c.harts[0].Cycle, c.harts[1].Cycle)
	}
	if !c.Running {
		c.idle(limit)
	}
}

// idle lets time pass without the harts.
func (c *Chip) idle(limit uint64) {
	for _, h := range c.harts {
		if h.Cycle < limit {
			h.Slept += limit - h.Cycle
			h.Cycle = limit
		}
	}
	c.Clock = limit
}

// turn runs the hart that is behind, but one that sleeps only when the other has
// reached the goal.
func (c *Chip) turn() {
	n := 0
	if c.harts[1].Cycle < c.harts[0].Cycle {
		n = 1
	}
	h, other := c.harts[n], c.harts[1-n]
	switch {
	case asleep(other) || other.Cycle >= c.goal:
		c.run(n, c.goal)
	case asleep(h):
		c.run(1-n, c.goal)
	default:
		c.run(n, min(c.goal, other.Cycle+quantum))
	}
}

// asleep tells whether a hart waits for an interrupt that has not come, or the other one's store.
func asleep(h *riscv.Core) bool { return h.Sleep && h.Mip&h.Mie == 0 || h.Waiting() }

// run gives a hart a turn.
func (c *Chip) run(n int, until uint64) {
	outer := c.hart
	c.hart, c.lacking = n, ""
	stop := c.harts[n].Run(until)
	c.hart = outer
	if stop.Reason == riscv.NotModelled {
		c.halt(board.NotModelled, stop.PC, c.missing(stop)+" not modelled")
	}
}

// sync comes before a hart's access: the other one catches up, and what falls due
// is done, so that registers are exact to the cycle of the access.
func (c *Chip) sync() {
	now := c.harts[c.hart].Cycle
	for {
		next, _ := c.Events.Next()
		c.catchUp(min(next, now))
		if next > now {
			break
		}
		c.Dispatch(next)
	}
	c.Seen = max(c.Seen, now)
}

// catchUp runs the other hart until it is no longer behind a cycle.
func (c *Chip) catchUp(cycle uint64) {
	other := 1 - c.hart
	if c.nested || c.harts[other].Cycle >= cycle {
		return
	}
	c.nested = true
	c.run(other, cycle)
	c.nested = false
}

// setIP sets or clears an interrupt input of a hart. One that sleeps wakes now, wherever it
// has been left.
func (c *Chip) setIP(n int, mask uint64, level bool) {
	h := c.harts[n]
	if level == (h.Mip&mask != 0) {
		return
	}
	if now := c.Cycle(); h.Sleep && h.Cycle < now {
		h.Slept += now - h.Cycle
		h.Cycle = now
	}
	h.SetIP(mask, level)
	if c.hart >= 0 && c.hart != n {
		c.harts[c.hart].SetDeadline(c.Cycle())
	}
}

// startHarts has both execute from an address; the ROM's model calls it when it hands
// over. Floating point is on: the part's ROM has used it or not, but programs of
// TinyGo count on it.
func (c *Chip) startHarts(pc uint64) {
	c.MSCOUNTEREN = [2]uint64{}
	for _, h := range c.harts {
		h.Reset(pc)
		h.Mstatus |= mstatusFS
	}
	c.Running = true
}

const mstatusFS = 3 << 13

// cpuBus is the bus as the harts see it: all but directly mapped memory.
type cpuBus struct{ *Chip }

func (b cpuBus) Load(addr uint64, width uint8) (uint64, bus.Fault) {
	c := b.Chip
	c.waitForBus(addr)
	c.sync()
	c.lacking = ""
	v, f := c.load(addr, width)
	c.trace(Access{Addr: uint32(addr), Value: v, Width: width, Fault: f})
	return v, f
}

func (b cpuBus) Store(addr uint64, width uint8, v uint64) bus.Fault {
	c := b.Chip
	c.waitForBus(addr)
	c.sync()
	c.lacking = ""
	f := c.store(addr, width, v)
	c.trace(Access{Addr: uint32(addr), Value: v, Width: width, Write: true, Fault: f})
	return f
}

func (c *Chip) trace(a Access) {
	if c.opt.Trace != nil {
		h := c.harts[c.hart]
		a.Cycle, a.Hart, a.PC = h.Cycle, c.hart, h.PC
		c.opt.Trace(a)
	}
}
