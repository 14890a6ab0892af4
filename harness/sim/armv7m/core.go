// Package armv7m simulates an ARMv7E-M core with FPv4-SP: the Cortex-M4F of
// the STM32F4, with its NVIC, SysTick, MPU, DWT cycle counter and system
// control space.
//
// It follows the ARMv7-M Architecture Reference Manual (Arm DDI 0403E.e) for
// what instructions and exceptions do, and the Cortex-M4 Technical Reference
// Manual (Arm DDI 0439D, table 3-1) for what they cost.
package armv7m

import "rigor/harness/sim/bus"

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
	FPSCR uint32 // all but its NZCV, which FN to FV hold, is here

	// Flags, each in the cheapest form to produce: NF and VF in bit 31, CF 0 or
	// 1, ZF zero when Z is set. XPSR puts them together.
	NF, ZF, CF, VF uint32
	QF             uint32 // 0 or 1
	GE             uint32 // 4 bits
	IT             uint8  // ITSTATE
	IPSR           uint16 // number of the active exception; 0 is Thread mode

	OtherSP   uint32 // MSP while PSP is active, PSP while MSP is
	Control   uint32 // nPRIV, SPSEL, FPCA
	Primask   bool
	Faultmask bool
	Basepri   uint8

	ExclusiveAddr  uint32 // local monitor's granule
	ExclusiveValid bool
	Event          bool // the WFE event register
	Sleep          SleepKind

	// Cycle counts the processor clock since the core was made. Slept are
	// those of them spent asleep, which CYCCNT does not count.
	Cycle uint64
	Slept uint64
	Insns uint64 // instructions executed

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
	cfg     Config
	regions []Region

	// limit ends the present Run: the least of the caller's deadline, the core's
	// own next event (SysTick) and what SetDeadline asked for.
	limit uint64
	// attention asks the run loop to call service before the next
	// instruction: an exception may be due. Whoever changes what is pending,
	// enabled, active or masked calls c.updatePending, which sets it.
	attention bool
	stop      *Stop // set by an instruction to end Run after it
}
