// Package softfloat is IEEE 754-2008 arithmetic on bit patterns, as the floating-point units we simulate do it:
// the same result and the same exception flags in every rounding mode, on every host.
//
// Two rule books are followed. Where they differ, a field of Env says which one holds:
//
//   - Arm FPv4-SP (ARMv7-M Architecture Reference Manual, DDI0403E, A2.5):
//     tininess before rounding, NaN propagation or default NaN, flush-to-zero, alternative half precision.
//     ArmEnv makes the Env of an FPSCR value.
//   - RISC-V F and D (RISC-V Instruction Set Manual, Volume I, 20191213, chapters 11 and 12):
//     tininess after rounding, the canonical NaN always, conversions of NaN to the largest integer. RISCVEnv makes it.
//
// Values are uint16, uint32 and uint64 bit patterns. Every operation is a method of Env, allocates nothing, and adds
// what it raised to Env.Flags, which only the caller clears. An Env is plain data.
//
// For readers of the Arm manual:
//
//	FPAdd, FPSub, FPMul, FPDiv, FPSqrt    Add32, Sub32, Mul32, Div32, Sqrt32 (and …64)
//	FPMulAdd(addend, op1, op2)            MulAdd32(op1, op2, addend): the addend comes last here
//	FPCompare(op1, op2, quiet_nan_exc)    Compare32(op1, op2, signalling); a Relation's value is the NZCV result
//	FPToFixed(op, M, fbits, unsigned, z)  F32ToFixed(op, Fixed{M, fbits, !unsigned}, rounding): ToZero where z is set
//	FixedToFP(op, 32, fbits, unsigned, n) FixedToF32(op, Fixed{M, fbits, !unsigned}, rounding): NearestEven where n is set
//	FPHalfToSingle, FPSingleToHalf        F16ToF32, F32ToF16
//	FPSingleToDouble, FPDoubleToSingle    F32ToF64, F64ToF32
//	FPProcessException                    Env.Flags; Flags.FPSCR gives the FPSCR bits
//
// FPAbs and FPNeg only touch the sign bit and are left to the caller, as are VFNMA and friends, which negate operands.
// An integer is a Fixed without fraction bits: F32ToFixed(op, Int32, ToZero).
//
// One implementation serves all widths: operands are unpacked to a sign, an exponent and a 128-bit significand, and the result
// is rounded once. Single precision first tries the host's own arithmetic where that provably gives the same
// bits and flags (fast.go).
//
// Left out: trapped exceptions, half-precision arithmetic, remainder, minimum and maximum.
package softfloat
