// Package armv7m simulates an ARMv7E-M core with FPv4-SP: the Cortex-M4F of
// the STM32F4, with its NVIC, SysTick, MPU, DWT cycle counter and system
// control space.
//
// It follows the ARMv7-M Architecture Reference Manual (Arm DDI 0403E.e) for
// what instructions and exceptions do, and the Cortex-M4 Technical Reference
// Manual (Arm DDI 0439D) for what they cost. Encodings that are UNPREDICTABLE
// are refused like UNDEFINED ones, unless a comment where they are decoded or
// executed says what the model does instead.
//
// # Execution
//
// Instructions are decoded once, into blocks that end at an unconditional branch
// (block.go); blocks are chained by the branches between them, and dropped when
// their memory is written. One switch executes them (exec.go). The static
// cost of a block's instructions is summed up when it is decoded; execution adds
// what only it can know. A block is entered only if it ends before the next deadline,
// else its instructions are executed one by one: interrupts and the ends of Run
// are always at the very instruction boundary where they would be without blocks,
// and so are state and cycle count. TestBlocksEqualSteps holds the package to it.
//
// # Cycles
//
// cycles.go is the model of the core, with a source for each figure, flash.go that
// of flash with wait states, and fetch.go that of code in SRAM. Against the published kernels that were timed on a Cortex-M3 at 0 wait
// states (empty loop 3, ADDS, MULS, STR 19, LDR 20, dependent LDR 35, taken B 35,
// LDM of four 83, UDIV 51 to 195) its error is 0 cycles; the manual's table gives
// the same figures for the Cortex-M4. Not covered by them, and thus right only
// as far as the manual is precise: the refill behind branches to registers, loaded addresses and
// misaligned targets (1 to 3 cycles), the divides between a quotient of one bit
// and one of 32 (2 to 12), ISB, and the penalty of a load behind a store, which rests on
// one published measurement of an STM32F407. Comparisons of
// whole programs are in package stm32f407.
package armv7m

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/profile"
)

// Bus is everything that is not directly mapped memory or the core's own
// private peripheral bus.
//
// During a call the core's Cycle is exact, and the callee may call SetIRQ,
// SetDeadline, Stall and Map on the core.
type Bus interface {
	Load(addr uint32, width uint8) (uint32, bus.Fault)
	Store(addr uint32, width uint8, v uint32) bus.Fault
}

// Region is memory that the core reaches without the Bus. Stores to a region
// that is not Write go to the Bus (flash programming); a Data shared by two
// regions is an alias (boot remap).
type Region struct {
	Name  string
	Base  uint32
	Data  []byte
	Write bool
	// Flash is read as SetFlashTiming says. All such regions show the same
	// memory, from its start.
	Flash bool
	// NoExec memory is on no instruction bus: fetching from it is a bus fault.
	NoExec bool
	// Read, if not nil, is called as data is loaded from Flash memory, and with all of a
	// piece of code, of up to 32 instructions, before the first of it is executed after
	// Map or Restore.
	Read func(addr, n uint32)
}

// Config is what an implementer of the core chooses.
type Config struct {
	CPUID    uint32 // SCB.CPUID; 0x410FC241 is Cortex-M4 r0p1
	IRQs     int    // external interrupt lines, at most 240
	PrioBits int    // implemented bits of priority, 3 to 8
	Calib    uint32 // SYST_CALIB
	// RefDiv divides the core clock for SysTick's external reference
	// (8 on the STM32F4).
	RefDiv uint64
	Bus    Bus
	// Arbitrate, if not nil, is called before each data access to directly
	// mapped memory while that is shared (Share, Contend), and may do what a Bus
	// may, and move Cycle to where the access is made.
	Arbitrate func(addr uint32)
}

// Reason says why Run returned.
type Reason uint8

const (
	// Deadline: Cycle reached the limit, or the one SetDeadline lowered it to.
	Deadline Reason = iota
	// Asleep: WFI or WFE waits and nothing inside the core will end it before
	// the limit; Cycle is at the limit.
	Asleep
	// Lockup: a fault that HardFault cannot take (DDI 0403E B1.5.15).
	Lockup
	// ResetRequest: AIRCR.SYSRESETREQ was written.
	ResetRequest
	// NotModelled: an access or encoding that the part has and the model lacks.
	NotModelled
	// Breakpoint: a host breakpoint (SetBreakpoint) is at PC.
	Breakpoint
)

var reasons = [...]string{"deadline", "asleep", "lockup", "reset request", "not modelled", "breakpoint"}

func (r Reason) String() string { return reasons[r] }

// Stop is why and where Run returned. Addr and Width name the access of a
// NotModelled stop; What says in words what is not modelled.
type Stop struct {
	Reason Reason
	PC     uint32
	Addr   uint32
	Width  uint8
	Write  bool
	What   string
}

// State is all that an armv7m core remembers, as plain data: a copy is a
// snapshot. Decoded code is not state; Restore drops it.
type State struct {
	// R holds r0 to r12, the active stack pointer, lr, and in R[15] the
	// address of the next instruction to execute.
	R [16]uint32
	// S holds the floating-point registers s0 to s31.
	S     [32]uint32
	FPSCR uint32

	// Flags, each in the cheapest form to produce: NF and VF in bit 31, CF 0 or
	// 1, ZF zero when Z is set. XPSR puts them together.
	NF, ZF, CF, VF uint32
	QF             uint32 // 0 or 1
	GE             uint32 // 4 bits
	IT             uint8  // ITSTATE
	T              bool   // EPSR.T; clear, the next instruction is an INVSTATE fault
	IPSR           uint16 // number of the active exception; 0 is Thread mode

	OtherSP   uint32 // MSP while PSP is active, PSP while MSP is
	Control   uint32 // nPRIV, SPSEL, FPCA
	Primask   bool
	Faultmask bool
	Basepri   uint8

	// ExclusiveValid is the local monitor, which holds no address: the
	// reservation granule of a Cortex-M4 is all memory (DDI 0439D 3.10).
	ExclusiveValid bool
	Event          bool // the WFE event register
	Sleep          SleepKind

	// Cycle counts the processor clock since the core was made. Slept are
	// those of them spent asleep, which CYCCNT does not count.
	Cycle uint64
	Slept uint64
	Insns uint64 // instructions executed

	Pipe       pipe   // what the last instruction means for the next one's cost
	StallUntil uint64 // see Stall
	// Held is set while an instruction waits for that with a load; it is
	// executed anew afterwards.
	Held  bool
	Flash accelerator
	Fetch systemCode

	Shared      bool   // see Share
	SharedUntil uint64 // see Contend

	Sys System // NVIC, SCB, SysTick, MPU, DWT, FPU control: see system.go
}

// SleepKind says which instruction put the core to sleep.
type SleepKind uint8

const (
	Awake SleepKind = iota
	SleepWFI
	SleepWFE
	SleepOnExit
)

// Core is one simulated core. The zero value is of no use; call New.
type Core struct {
	State
	cfg Config

	windows []*window
	open    view     // all of them
	guarded [2]*view // what the MPU permits, unprivileged and privileged; made when needed
	view    *view    // the one in force
	worlds  uint64   // how many there were
	world   uint64   // the view's
	fast    tables

	watched bool    // some region has Read
	tracker Tracker // nil: nobody wants to know
	cached  []uint8 // by flash line: 1 + its slot in Flash.Insn

	blocks      map[uint64]*block
	hash        [hashSize]*block
	breakpoints map[uint32]bool
	trace       func(pc uint32)
	profile     *profile.Counter // nil: nobody wants to know
	stepping    bool             // trace or profile

	deadline uint64 // of the present Run
	// limit ends the execution of blocks: the least of deadline and the core's
	// own next event (SysTick).
	limit uint64
	// attention asks the run loop to call service before the next
	// instruction: an exception may be due. Whoever changes what is pending,
	// enabled, active or masked calls c.updatePending, which sets it.
	attention bool
	leave     bool  // asks exec to return at the next boundary
	mpuOn     bool  // MPU_CTRL.ENABLE
	stop      *Stop // set by an instruction to end Run after it
}

// New makes a core in its reset state, but for SP and PC, which come from the
// vector table: call Map, then Reset.
func New(cfg Config) *Core {
	c := &Core{cfg: cfg, blocks: map[uint64]*block{}, breakpoints: map[uint32]bool{}}
	c.open.clear()
	c.open.world = c.newWorld()
	c.T = true
	c.resetSystem()
	return c
}

// Reset is a warm reset (DDI 0403E B1.5.5): the architectural reset state, with
// SP and PC from the vector table at address 0. Cycle, Slept and Insns go on.
// Registers that are UNKNOWN after a reset are zero.
func (c *Core) Reset() {
	c.SetFlashTiming(FlashTiming{})
	old := c.State
	c.State = State{Cycle: old.Cycle, Slept: old.Slept, Insns: old.Insns, StallUntil: old.StallUntil, Sys: old.Sys}
	c.resetSystem()
	sp, _ := c.read32(0)
	pc, _ := c.read32(4)
	c.R[13], c.R[14], c.R[15] = sp&^3, 0xFFFFFFFF, pc&^1
	c.T = pc&1 != 0
	c.refreshDerived()
}

// Bits of XPSR (DDI 0403E B1.4.2) that control.go doesn't name.
const (
	psrT  = 1 << 24
	psrIT = 0x0600FC00
)

// XPSR returns the program status registers combined.
func (c *Core) XPSR() uint32 {
	v := c.NF&signBit | c.CF<<29 | c.VF>>31<<28 | c.QF<<27 | c.GE<<16 | uint32(c.IPSR)
	if c.ZF == 0 {
		v |= 1 << 30
	}
	if c.T {
		v |= psrT
	}
	return v | uint32(c.IT)&3<<25 | uint32(c.IT)&0xFC<<8
}

// SetXPSR sets all of the program status registers. It doesn't switch stacks.
func (c *Core) SetXPSR(v uint32) {
	c.setFlags(v)
	c.QF = v >> 27 & 1
	c.GE = v >> 16 & 0xF
	c.T = v&psrT != 0
	c.IT = uint8(v>>25&3 | v>>8&0xFC)
	c.IPSR = uint16(v & psrException)
}

// setFlags sets N, Z, C and V from the upper bits of v. The others must not get
// into the state: inside of a block, the ITSTATE among them is out of date.
func (c *Core) setFlags(v uint32) {
	c.NF = v & signBit
	c.ZF = ^v & (1 << 30)
	c.CF = v >> 29 & 1
	c.VF = v << 3 & signBit
}

// branchTo is where exception entry and return go on.
func (c *Core) branchTo(addr uint32) {
	c.R[15] = addr
	c.Pipe = 0
}

// Snapshot returns all that the core remembers; memory is not part of it.
func (c *Core) Snapshot() State { return c.State }

// Restore puts back a snapshot and drops decoded code, for memory may differ
// by now.
func (c *Core) Restore(s State) {
	c.State = s
	c.drop()
	c.refreshDerived()
}

// SetTrace has f called with the address of each instruction before it is
// executed; nil, as at first, costs nothing.
func (c *Core) SetTrace(f func(pc uint32)) {
	c.trace = f
	c.stepping = c.trace != nil || c.profile != nil
	c.leave = true
}

// SetProfile has p count where the cycles go, slowly; nil ends it.
func (c *Core) SetProfile(p *profile.Counter) {
	c.profile = p
	c.stepping = c.trace != nil || c.profile != nil
	c.leave = true
	if p != nil {
		p.Attach(uint64(c.R[15]), c.progress)
	}
}

func (c *Core) progress() profile.State {
	return profile.State{Cycle: c.Cycle, Slept: c.Slept, Insns: c.Insns}
}

// Tracker is told of all accesses to memory that is Write, and of pieces of code in it,
// of up to 32 instructions, before they are executed.
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
func (c *Core) SetBreakpoint(addr uint32, on bool) {
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
	return append([]string{
		"fetches ahead of execution, which hide some of flash's wait states and waste some behind branches",
		"loads pipelining only within one memory block, and not where a 32-bit one straddles words",
		"contention of fetches with loads from flash at 0 wait states",
		"LDM and STM abandoned or continued by an interrupt (EPSR.ICI); divides abandoned by one",
		"imprecise bus faults of buffered stores: all are precise",
	}, unimplementedSystem...)
}
