package riscv

import "math/bits"

// product is the multiplications and divisions that take more than an operator
// (volume I 7).
func product(o op, a, b uint64) uint64 {
	switch o {
	case opMULHU:
		hi, _ := bits.Mul64(a, b)
		return hi
	case opMULH:
		hi, _ := bits.Mul64(a, b)
		return hi - uint64(int64(a)>>63)&b - uint64(int64(b)>>63)&a
	case opMULHSU:
		hi, _ := bits.Mul64(a, b)
		return hi - uint64(int64(a)>>63)&b
	case opMULHSUW:
		return uint64(int64(a) * int64(uint32(b)) >> 32)
	case opDIV, opREM:
		return divide(int64(a), int64(b), o == opREM)
	case opDIVU, opREMU:
		return divideUnsigned(a, b, o == opREMU)
	case opDIVW, opREMW:
		return uint64(int64(int32(divide(int64(int32(a)), int64(int32(b)), o == opREMW))))
	}
	return uint64(int64(int32(divideUnsigned(uint64(uint32(a)), uint64(uint32(b)), o == opREMUW))))
}

// divide: by 0 the quotient is -1 and the remainder the dividend. Go's overflow is
// RISC-V's.
func divide(a, b int64, remainder bool) uint64 {
	switch {
	case b == 0 && remainder:
		return uint64(a)
	case b == 0:
		return ^uint64(0)
	case remainder:
		return uint64(a % b)
	}
	return uint64(a / b)
}

func divideUnsigned(a, b uint64, remainder bool) uint64 {
	switch {
	case b == 0 && remainder:
		return a
	case b == 0:
		return ^uint64(0)
	case remainder:
		return a % b
	}
	return a / b
}
