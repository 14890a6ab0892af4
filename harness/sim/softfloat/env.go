package softfloat

// Rounding is a rounding direction; the values are those of RISC-V's frm field.
type Rounding uint8

const (
	NearestEven Rounding = iota // RNE; Arm RN
	ToZero                      // RTZ; Arm RZ
	Down                        // RDN; Arm RM
	Up                          // RUP; Arm RP
	NearestAway                 // RMM; not an Arm mode
)

// Flags is a set of exceptions; the first five bits are laid out as RISC-V's fflags.
type Flags uint8

const (
	Inexact Flags = 1 << iota
	Underflow
	Overflow
	DivideByZero
	Invalid
	InputDenormal // Arm only: an operand was flushed to zero
)

// FPSCR returns the flags as the cumulative exception bits of Arm's FPSCR (DDI0403E A2.5.3):
// IOC 0, DZC 1, OFC 2, UFC 3, IXC 4, IDC 7.
func (f Flags) FPSCR() uint32 {
	b := uint32(f)
	return b>>4&1 | b>>2&2 | b&4 | b<<2&8 | b<<4&0x10 | b<<2&0x80
}

// Env is the floating-point environment: the modes that steer an operation and the flags it adds to.
// The zero value rounds to nearest even and follows IEEE 754 with tininess detected after rounding.
type Env struct {
	Rounding       Rounding
	FlushToZero    bool // denormal single and double operands and results become zero (Arm FZ)
	DefaultNaN     bool // every NaN result is the default NaN (Arm DN; RISC-V always)
	TininessBefore bool // underflow is judged before rounding (Arm), not after (RISC-V)
	AltHalf        bool // half precision has no infinities or NaNs (Arm AHP)
	NaNToMax       bool // NaN converts to the largest integer (RISC-V), not to zero (Arm)
	Flags          Flags
}

// ArmEnv returns the environment that an FPSCR value asks for, with no flags set.
func ArmEnv(fpscr uint32) Env {
	modes := [4]Rounding{NearestEven, Up, Down, ToZero}
	return Env{
		Rounding:       modes[fpscr>>22&3],
		FlushToZero:    fpscr>>24&1 != 0,
		DefaultNaN:     fpscr>>25&1 != 0,
		AltHalf:        fpscr>>26&1 != 0,
		TininessBefore: true,
	}
}

// RISCVEnv returns the environment of a RISC-V instruction with the (already resolved) rounding mode r.
func RISCVEnv(r Rounding) Env { return Env{Rounding: r, DefaultNaN: true, NaNToMax: true} }
