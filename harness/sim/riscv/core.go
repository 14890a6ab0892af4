// Package riscv simulates a RISC-V core that executes in order: the RV32IMC
// core of the ESP32-C3, and with other settings the RV64GC ones of the K210.
//
// It follows the RISC-V Instruction Set Manual, volume I (unprivileged,
// 20191213) and volume II (privileged, 20211203), and where these leave a choice,
// the ESP32-C3 Technical Reference Manual (version 1.1), chapter 1.
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
// Registers are 64 bits wide. A 32-bit core keeps its values sign-extended, and
// its instructions are decoded as those that RV64 has for words.
//
// Loops that poll something are skipped, exactly (skip.go).
//
// # Cycles
//
// cycles.go is the model of the pipeline, with a source for each figure, pipeline.go what of it is known when code
// is decoded, predictor.go the prediction of branches, cache.go the model of the caches.
//
// # Several cores
//
// Cores may share memory (share.go). They are run by turns: what is exact between them is up to who runs them.
//
// # Checks
//
// Vectors made by others (conform_test.go), random programs that QEMU executes too (make qemu-diff, qemu_test.go), and
// execution in blocks against that by instruction (differ_test.go).
package riscv

import "rigor/harness/sim/bus"

// Bus is everything that is not directly mapped memory.
//
// During a call the core's Cycle and PC are exact, and the callee may add to it what the
// access takes beyond an access to memory, and may call SetInterrupt, SetIP,
// SetDeadline, Stall, Invalidate, InvalidateCache and Map on the core.
type Bus interface {
	// Load returns width bytes (1, 2, 4 or 8), zero-extended.
	Load(addr uint64, width uint8) (uint64, bus.Fault)
	Store(addr uint64, width uint8, v uint64) bus.Fault
}

// Foreseer is a Bus that knows what polling would find, so that loops that do
// nothing else can be skipped without a difference to executing them.
//
// What it answers must hold as long as nothing but the loop itself happens: up
// to the end of the present Run there are no events (deadlines end it), and the
// loop makes no accesses but those that the answers are about, any number of times
// and in any order. An access that is foreseen adds to Cycle what depends on
// nothing but the address and Cycle modulo 8.
//
// A register that changes only at events is foreseen by its present value. For a
// counter the bounds are its values now and at the cycle until; for what is read of it through
// a latch, that which is latched now and the counter at until.
type Foreseer interface {
	Bus
	// ForeseeLoad bounds what a load may return until a cycle, inclusive and
	// zero-extended. It is false where the load does more than to return a value, or where nothing is known.
	ForeseeLoad(addr uint64, width uint8, until uint64) (least, most uint64, ok bool)
	// ForeseeStore says whether storing v once has the effect of storing it
	// often, the last time when it is stored once, and whether ForeseeLoad allows for it.
	ForeseeStore(addr uint64, width uint8, v uint64) bool
}

// CSRs are control and status registers that the implementer adds. A number
// that isn't known makes the access an illegal instruction. Privilege and
// writes to read-only numbers have been checked. During a call Cycle is exact.
type CSRs interface {
	ReadCSR(n uint16) (v uint64, ok bool)
	WriteCSR(n uint16, v uint64) (ok bool)
}

// Region is memory that the core reaches without the Bus. Stores to a region
// that is not Write go to the Bus, which for memory like ROM or flash behind
// a cache answers with an error; a Data shared by two regions is an alias.
type Region struct {
	Name  string
	Base  uint64
	Data  []byte
	Write bool
	// Exec memory can be fetched from.
	Exec bool
	// ROM memory has calls of the host in it: see Config.ROM.
	ROM bool
	// ICache and DCache are 1 + the number of the cache through which code
	// and data are reached; 0 is none.
	ICache, DCache int
	// Read, if not nil, is called with the line of the cache as data is loaded from it for
	// the first time after Map or Restore, at least then, or with the data if there is no cache, and
	// with a piece of code that has been decoded. The Region is not Write.
	Read func(addr, n uint64)
	// Wait is the cycles that each access adds to what an access to memory takes,
	// and each word of code that is fetched.
	Wait uint8
}

// Extensions is a set of extensions and modes, in the places that they have in
// the misa register (volume II 3.1.1).
type Extensions uint32

const (
	ExtA Extensions = 1 << 0
	ExtC Extensions = 1 << 2
	ExtD Extensions = 1 << 3
	ExtF Extensions = 1 << 5
	ExtM Extensions = 1 << 12
	ExtU Extensions = 1 << 20 // user mode
)

// Config is what an implementer of the core chooses.
type Config struct {
	XLEN int // 32 or 64
	Ext  Extensions
	PMP  int // entries of physical memory protection, at most 16
	// Misaligned loads and stores are made by hardware, else they trap.
	Misaligned bool
	// HartID, Vendor, Arch and Imp are mhartid, mvendorid, marchid and mimpid.
	HartID, Vendor, Arch, Imp uint64

	Bus Bus
	CSR CSRs // nil if there are no others

	// ROM is called when in a Region with ROM a word made by ROMCall is
	// executed, with PC at it. It reads and writes State, adds to Cycle and sets PC
	// itself, normally to X[1]. To wait it leaves PC alone and either calls
	// Stall or adds to Cycle.
	ROM func(index uint32)

	// Order is called before LR, SC and AMO, so that other cores that share memory can be brought to Cycle
	// first. It may do what a Bus may. FENCE doesn't call it: what cores do takes effect in the order
	// in which they are run, at once. nil is nothing to do.
	Order func()

	// Vectored31 makes the interrupts and registers those of the ESP32-C3: mtvec is
	// always vectored and aligned to 256 bytes, the interrupt matrix presents one
	// of 31 interrupts (SetInterrupt), there is no mie, mip, mcycle, minstret nor
	// mcounteren, but the performance counter mpcer, mpcmr, mpccr.
	Vectored31 bool

	// Privileged191 makes the machine-mode registers those of version 1.9.1 of the privileged architecture, as far as
	// they differ: mtvec has no vectors, mstatus no TW nor UXL, mtval is mbadaddr, which only
	// addresses are written to, mcounteren is mucounteren, and traps save the interrupt enable of the mode they
	// come from.
	Privileged191 bool

	Caches []CacheConfig // at most 2

	Timing Timing // zero is ESP32C3Timing

	// NoSkip has loops executed that only wait, rather than skipped. It makes no
	// difference but to how long Run takes.
	NoSkip bool
}

// ROMCall is the instruction word that calls Config.ROM with an index below
// 2^20: one of the opcode custom-0, which no standard instruction has.
func ROMCall(index uint32) uint32 { return index<<12 | 0x0B }

// CacheConfig is a cache with LRU replacement. It holds no data, which are always
// those of the memory behind: only its hits and misses are modelled.
type CacheConfig struct {
	Size, Ways, Line int // bytes, and lines a set; all powers of two, at most 512 lines
	// Code is emptied by FENCE.I.
	Code bool
	// Miss is called before a line is filled and returns the cycles it takes.
	// It may do what a Bus may.
	Miss func(addr uint64, write bool) (cycles uint64)
}

// Reason says why Run returned.
type Reason uint8

const (
	// Deadline: Cycle reached the limit, or the one SetDeadline lowered it to.
	Deadline Reason = iota
	// Asleep: WFI waits and nothing inside the core will end it before
	// the limit; Cycle is at the limit.
	Asleep
	// NotModelled: an access or encoding that the part has and the model lacks.
	NotModelled
	// Breakpoint: a host breakpoint (SetBreakpoint) is at PC.
	Breakpoint
)

var reasons = [...]string{"deadline", "asleep", "not modelled", "breakpoint"}

func (r Reason) String() string { return reasons[r] }

// Stop is why and where Run returned. Addr and Width name the access of a
// NotModelled stop; What says in words what is not modelled.
type Stop struct {
	Reason Reason
	PC     uint64
	Addr   uint64
	Width  uint8
	Write  bool
	What   string
}

// Privilege modes (volume II 1.2).
const (
	UserMode    = 0
	MachineMode = 3
)

// State is all that a core remembers, as plain data: a copy is a snapshot.
// Decoded code is not state; Restore drops it.
type State struct {
	// X holds the integer registers. X[0] is always 0; those of a 32-bit core
	// are sign-extended.
	X [32]uint64
	// PC is the address of the next instruction to execute, zero-extended.
	PC uint64
	// F holds the floating-point registers, singles NaN-boxed.
	F    [32]uint64
	FCSR uint32

	Priv uint8 // UserMode or MachineMode

	// Reserved is whether LR holds a reservation, made by one at the address Reservation.
	Reserved    bool
	Reservation uint64

	// The machine-mode registers, as they are read. A 32-bit core's are not
	// sign-extended.
	Mstatus, Mtvec, Mscratch, Mepc, Mcause, Mtval uint64
	Mie, Mip, Mcounteren                          uint64
	PMPCfg                                        [16]uint8
	PMPAddr                                       [16]uint64

	Perf PerfCounter // of the ESP32-C3

	Interrupt   uint8  // what the interrupt matrix presents: see SetInterrupt
	InterruptAt uint64 // when the core sees it
	Sleep       bool   // WFI waits

	// Cycle counts the processor clock since the core was made. Slept are
	// those of them spent asleep.
	Cycle uint64
	Slept uint64
	Insns uint64 // instructions executed

	// CycleBase and InsnBase are what mcycle and minstret add to them.
	CycleBase, InsnBase uint64

	Pipe       Pipeline
	Predictor  Predictor
	StallUntil uint64 // see Stall
	FetchLine  uint64 // 1 + the number of the cache line that was last fetched from
	Caches     [2]CacheState
}
