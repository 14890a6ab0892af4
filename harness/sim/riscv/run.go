package riscv

// New makes a core in its reset state: call Map, then Reset.
func New(cfg Config) *Core {
	c := &Core{cfg: cfg}
	c.Reset(0)
	return c
}

// Core is one simulated core. The zero value is of no use; call New.
type Core struct {
	State
	cfg Config
}

// PerfCounter is the performance counter of the ESP32-C3.
type PerfCounter struct {
	Mpcer, Mpcmr uint32
	Base         uint32
}

// CacheState is which lines a cache holds: 1 + the number of the line in memory,
// set by set, the ones last used first.
type CacheState struct{ Tag [512]uint64 }

// Map replaces the directly mapped memory and drops all decoded code. Regions
// must not overlap.
func (c *Core) Map(regions []Region) {}

// Reset is a warm reset to an address. Cycle, Slept and Insns go on.
func (c *Core) Reset(pc uint64) {
	c.State = State{PC: pc, Priv: Machine, Cycle: c.Cycle, Slept: c.Slept, Insns: c.Insns}
}

// Run executes until Cycle reaches until, which it may overshoot by one
// instruction, or something else ends it.
func (c *Core) Run(until uint64) Stop { return Stop{Reason: NotModelled, PC: c.PC, What: "execution"} }

// Step executes exactly one instruction, or takes one trap.
func (c *Core) Step() Stop { return Stop{Reason: NotModelled, PC: c.PC, What: "execution"} }

// SetDeadline ends the present Run no later than at a cycle; for the Bus, which
// learns of an earlier event while it is being called.
func (c *Core) SetDeadline(cycle uint64) {}

// Stall makes the next instruction wait until a cycle. Interrupts are taken
// meanwhile.
func (c *Core) Stall(until uint64) {}

// Invalidate says that size bytes of memory at addr have changed behind the
// core's back.
func (c *Core) Invalidate(addr, size uint64) {}

// InvalidateCache empties a cache.
func (c *Core) InvalidateCache(i int) {}

// InvalidateCacheRange drops the lines of size bytes at addr from a cache.
func (c *Core) InvalidateCacheRange(i int, addr, size uint64) {}

// SetInterrupt says which interrupt the matrix of the ESP32-C3 presents, 1 to
// 31, or 0 for none; a level.
func (c *Core) SetInterrupt(cause int) { c.Interrupt = uint8(cause) }

// SetIP sets or clears bits of mip, which are levels from outside.
func (c *Core) SetIP(mask uint64, level bool) {}

// Snapshot returns all that the core remembers; memory is not part of it.
func (c *Core) Snapshot() State { return c.State }

// Restore puts back a snapshot and drops decoded code, for memory may differ
// by now.
func (c *Core) Restore(s State) { c.State = s }

// SetTrace has f called with the address of each instruction before it is
// executed; nil, as at first, costs nothing.
func (c *Core) SetTrace(f func(pc uint64)) {}

// SetBreakpoint makes Run stop before the instruction at addr, or no longer.
func (c *Core) SetBreakpoint(addr uint64, on bool) {}

// Unimplemented lists what the model lacks.
func Unimplemented() []string { return nil }
