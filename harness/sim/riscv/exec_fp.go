package riscv

import "rigor/harness/sim/softfloat"

// boxS is what surrounds a single in a 64-bit register (volume I 12.2).
const boxS = 0xFFFFFFFF << 32

// nanS is the canonical NaN, which an improper box stands for.
const nanS = 0x7FC00000

// floatOn prepares a floating-point instruction: it is illegal while mstatus.FS is
// off.
func (c *Core) floatOn(b *block, i int) bool {
	if c.Mstatus&mstatusFS == 0 {
		return c.illegal(b, i)
	}
	c.Mstatus |= mstatusFS
	return true
}

func (c *Core) single32(n uint32) uint32 {
	v := c.F[n&31]
	if v&boxS != boxS {
		return nanS
	}
	return uint32(v)
}

func (c *Core) setSingle(n uint8, v uint32) { c.F[n&31] = boxS | uint64(v) }

// fpu is one instruction's operands and environment.
type fpu struct {
	softfloat.Env
	w      uint32
	double bool
}

// execFP executes what is not a load or store. A rounding mode that is reserved is
// illegal.
func (c *Core) execFP(b *block, i int) bool {
	in := &b.code[i]
	w := uint32(in.imm)
	rm := field(w, 14, 12)
	if rm == 7 {
		rm = c.FCSR >> 5
	}
	if rounds(w) && rm > 4 {
		return c.illegal(b, i)
	}
	f := fpu{softfloat.RISCVEnv(softfloat.Rounding(rm)), w, field(w, 26, 25) == fmtD}
	switch {
	case w&0x7F != majorOPFP:
		c.fused(&f, in)
	case f.double:
		c.operateD(&f, in)
	default:
		c.operateS(&f, in)
	}
	c.FCSR |= uint32(f.Flags) & 0x1F
	return true
}

// rounds says whether an instruction has a rounding mode.
func rounds(w uint32) bool {
	if w&0x7F != majorOPFP {
		return true
	}
	switch field(w, 31, 27) {
	case fpSGNJ, fpMINX, fpCMP, fpMVtoX, fpMVtoF:
		return false
	}
	return true
}

// fused is FMADD and its family: a product and a sum of which either may be negated.
func (c *Core) fused(f *fpu, in *insn) {
	negProduct := f.w&0x7F == majorNMSUB || f.w&0x7F == majorNMADD
	negSum := f.w&0x7F == majorMSUB || f.w&0x7F == majorNMADD
	rs3 := field(f.w, 31, 27)
	if f.double {
		a, b, s := c.F[in.n&31], c.F[in.m&31], c.F[rs3]
		c.F[in.d&31] = f.MulAdd64(a^truth(negProduct)<<63, b, s^truth(negSum)<<63)
		return
	}
	a, b, s := c.single32(uint32(in.n)), c.single32(uint32(in.m)), c.single32(rs3)
	c.setSingle(in.d, f.MulAdd32(a^uint32(truth(negProduct))<<31, b, s^uint32(truth(negSum))<<31))
}

func (c *Core) operateS(f *fpu, in *insn) {
	a, b := c.single32(uint32(in.n)), c.single32(uint32(in.m))
	f3, rs2 := field(f.w, 14, 12), field(f.w, 24, 20)
	switch field(f.w, 31, 27) {
	case fpADD:
		c.setSingle(in.d, f.Add32(a, b))
	case fpSUB:
		c.setSingle(in.d, f.Sub32(a, b))
	case fpMUL:
		c.setSingle(in.d, f.Mul32(a, b))
	case fpDIV:
		c.setSingle(in.d, f.Div32(a, b))
	case fpSQRT:
		c.setSingle(in.d, f.Sqrt32(a))
	case fpSGNJ:
		c.setSingle(in.d, a&^(1<<31)|uint32(sign(f3, uint64(a>>31), uint64(b>>31))<<31))
	case fpMINX:
		c.setSingle(in.d, uint32(pick(f3 == 1, f.Compare32(a, b, false), uint64(a), uint64(b), isNaNS(a), isNaNS(b), nanS, a>>31 != 0)))
	case fpCVTFF:
		c.setSingle(in.d, f.F64ToF32(c.F[in.n&31]))
	case fpCMP:
		c.setX(in.d, compared(f3, f.Compare32(a, b, f3 != 2)))
	case fpToX:
		c.setX(in.d, c.integer(f.F32ToFixed(a, integers[rs2&3], f.Rounding), rs2))
	case fpFromX:
		c.setSingle(in.d, f.FixedToF32(c.X[in.n&31], integers[rs2&3], f.Rounding))
	case fpMVtoX:
		if f3 == 1 {
			c.setX(in.d, class(uint64(a), 8, 23))
		} else {
			c.setX(in.d, uint64(int64(int32(c.F[in.n&31]))))
		}
	case fpMVtoF:
		c.setSingle(in.d, uint32(c.X[in.n&31]))
	}
}

func (c *Core) operateD(f *fpu, in *insn) {
	a, b := c.F[in.n&31], c.F[in.m&31]
	f3, rs2 := field(f.w, 14, 12), field(f.w, 24, 20)
	switch field(f.w, 31, 27) {
	case fpADD:
		c.F[in.d&31] = f.Add64(a, b)
	case fpSUB:
		c.F[in.d&31] = f.Sub64(a, b)
	case fpMUL:
		c.F[in.d&31] = f.Mul64(a, b)
	case fpDIV:
		c.F[in.d&31] = f.Div64(a, b)
	case fpSQRT:
		c.F[in.d&31] = f.Sqrt64(a)
	case fpSGNJ:
		c.F[in.d&31] = a&^(1<<63) | sign(f3, a>>63, b>>63)<<63
	case fpMINX:
		c.F[in.d&31] = pick(f3 == 1, f.Compare64(a, b, false), a, b, isNaND(a), isNaND(b), nanD, a>>63 != 0)
	case fpCVTFF:
		c.F[in.d&31] = f.F32ToF64(c.single32(uint32(in.n)))
	case fpCMP:
		c.setX(in.d, compared(f3, f.Compare64(a, b, f3 != 2)))
	case fpToX:
		c.setX(in.d, c.integer(f.F64ToFixed(a, integers[rs2&3], f.Rounding), rs2))
	case fpFromX:
		c.F[in.d&31] = f.FixedToF64(c.X[in.n&31], integers[rs2&3], f.Rounding)
	case fpMVtoX:
		if f3 == 1 {
			c.setX(in.d, class(a, 11, 52))
		} else {
			c.setX(in.d, a)
		}
	case fpMVtoF:
		c.F[in.d&31] = c.X[in.n&31]
	}
}

const nanD = 0x7FF8000000000000

func isNaNS(v uint32) bool { return v<<1 > 0xFF<<24 }
func isNaND(v uint64) bool { return v<<1 > 0x7FF<<53 }

// integers are the types of conversions, by rs2.
var integers = [4]softfloat.Fixed{softfloat.Int32, softfloat.Uint32, softfloat.Int64, softfloat.Uint64}

// integer is the result of a conversion: words are sign-extended, unsigned ones too.
func (c *Core) integer(v uint64, kind uint32) uint64 {
	if kind < 2 {
		return uint64(int64(int32(v)))
	}
	return v
}

func (c *Core) setX(d uint8, v uint64) {
	c.X[d&31] = v
	c.X[0] = 0
}

// sign is the sign of FSGNJ, FSGNJN and FSGNJX.
func sign(f3 uint32, a, b uint64) uint64 {
	switch f3 {
	case 1:
		return b ^ 1
	case 2:
		return a ^ b
	}
	return b
}

// compared is FLE, FLT and FEQ.
func compared(f3 uint32, r softfloat.Relation) uint64 {
	switch f3 {
	case 0:
		return truth(r == softfloat.Less || r == softfloat.Equal)
	case 1:
		return truth(r == softfloat.Less)
	}
	return truth(r == softfloat.Equal)
}

// pick is FMIN and FMAX (volume I 11.6): the operand that is a number, and -0 is less
// than +0.
func pick(most bool, r softfloat.Relation, a, b uint64, aNaN, bNaN bool, canonical uint64, aNegative bool) uint64 {
	less := r == softfloat.Less || r == softfloat.Equal && aNegative
	switch {
	case aNaN && bNaN:
		return canonical
	case aNaN:
		return b
	case bNaN:
		return a
	case less != most:
		return a
	}
	return b
}

// class is FCLASS (volume I table 11.5).
func class(v uint64, expBits, fracBits uint) uint64 {
	negative := v>>(expBits+fracBits)&1 != 0
	exp, frac := v>>fracBits&(1<<expBits-1), v&(1<<fracBits-1)
	switch {
	case exp == 1<<expBits-1 && frac != 0:
		return 1 << (8 + frac>>(fracBits-1))
	case exp == 1<<expBits-1:
		return oneOf(negative, 0, 7)
	case exp == 0 && frac == 0:
		return oneOf(negative, 3, 4)
	case exp == 0:
		return oneOf(negative, 2, 5)
	}
	return oneOf(negative, 1, 6)
}

func oneOf(negative bool, whenNegative, whenPositive uint) uint64 {
	if negative {
		return 1 << whenNegative
	}
	return 1 << whenPositive
}
