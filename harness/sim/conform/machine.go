package conform

import "strconv"

// Machine is a core and its RAM as vectors see them. An adapter implements it for a core.
//
// RAM is 64 KB: at 0x20000000 for ARMv7E-M, at 0x80000000 for RISC-V. Code is in it too, and a WriteMem over code that has run
// must take effect.
type Machine interface {
	// Reset brings the core to the vectors' start state and leaves RAM alone.
	//
	// ARMv7E-M: privileged Thread mode on MSP, CONTROL 4 (FPCA), PRIMASK, BASEPRI, FAULTMASK and PSP 0, CPACR 0xF00000, CCR
	// STKALIGN only, FPCCR ASPEN and LSPEN, the exclusive monitor open. RISC-V: machine mode, mstatus 0x6000 (FS dirty), mscratch 0,
	// no reservation.
	Reset()

	// Arch says which vectors the machine can run.
	Arch() Arch

	// SetState sets all registers of s, State returns them.
	SetState(s *State)
	State() State

	// WriteMem and ReadMem access RAM; they are never called for an address outside of it.
	WriteMem(addr uint64, p []byte)
	ReadMem(addr uint64, p []byte)

	// RunUntil executes instructions until the next one is at pc. It is an error if one faults or if limit
	// instructions don't get there.
	RunUntil(pc uint64, limit int) error
}

// State is the registers of a core, 32-bit ones zero-extended.
type State struct {
	X      [32]uint64 // Arm: r0 to r12, sp, lr; RISC-V: x0 to x31
	PC     uint64
	Status uint64 // Arm: xPSR with T set; RISC-V: 0
	F      [32]uint64
	FCSR   uint64 // Arm: FPSCR
}

// Decoder tells what a core takes an encoding for. A Machine that implements it can run decode oracles.
type Decoder interface {
	// Valid reports whether code, one instruction in memory order, is one that the core has, and whether the
	// manual calls it unpredictable.
	Valid(code []byte) (ok, unpredictable bool)
}

// Arch is an instruction set that there are vectors for.
type Arch string

const (
	ARMv7EM Arch = "armv7e-m" // with FPv4-SP
	RV32IMC Arch = "rv32imc"
	RV64GC  Arch = "rv64gc"
)

// ramSize is how much RAM the vectors need.
const ramSize = 64 << 10

func (a Arch) ramBase() uint64 {
	if a == ARMv7EM {
		return 0x20000000
	}
	return 0x80000000
}

var armNames = [...]string{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr"}

// registers is how many integer registers an architecture's vectors have.
func (a Arch) registers() int {
	if a == ARMv7EM {
		return len(armNames)
	}
	return 32
}

// digits is how many hexadecimal digits an integer register has.
func (a Arch) digits() int {
	if a == RV64GC {
		return 16
	}
	return 8
}

func (a Arch) registerName(i int) string {
	if a == ARMv7EM {
		return armNames[i]
	}
	return "x" + strconv.Itoa(i)
}

// floatNames returns the prefix of floating-point registers' names and the name of their status register.
func (a Arch) floatNames() (register, status string) {
	if a == ARMv7EM {
		return "s", "fpscr"
	}
	return "f", "fcsr"
}
