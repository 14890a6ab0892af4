package softfloat

import "math"

// Single precision by the host's arithmetic, which is IEEE 754 too, rounds to nearest even and keeps no flags.
// A result r is taken only where no operand is a denormal that is to be flushed, and r is
//
//   - normal, but not the smallest normal number, so that there was neither overflow nor underflow and no operand
//     was an infinity or a NaN; and exact, or rounded to nearest even as asked for; or
//   - zero, exact, and of a sign that doesn't depend on the rounding.
//
// Exactness is cheap to tell, as a double holds the product of two singles exactly. Everything else goes the long
// way. The explicit conversions keep the Go compiler from fusing a multiplication with an addition.

// accept reports whether the host's result can stand, and adds the inexact flag if it can.
func (e *Env) accept(r uint32, exact bool) bool {
	if r<<1 == 0 {
		return exact && e.Rounding != Down
	}
	if r>>23&0xFF-2 >= 0xFF-2 || !exact && e.Rounding != NearestEven {
		return false
	}
	if !exact {
		e.Flags |= Inexact
	}
	return true
}

func denormal(a uint32) bool { return a&0x7F800000 == 0 && a<<1 != 0 }

// Add32 returns a + b.
func (e *Env) Add32(a, b uint32) uint32 { return e.addHost(a, b, false) }

// Sub32 returns a - b.
func (e *Env) Sub32(a, b uint32) uint32 { return e.addHost(a, b, true) }

func (e *Env) addHost(a, b uint32, subtract bool) uint32 {
	if !e.FlushToZero || !denormal(a) && !denormal(b) {
		x, y := math.Float32frombits(a), math.Float32frombits(b)
		if subtract {
			y = -y
		}
		r := x + y
		// The difference of a sum and its larger operand is exact (Dekker's Fast2Sum), and so it is the other operand
		// only if the sum is exact. An exact sum passes both tests, so the larger one needn't be known.
		exact := r-x == y && r-y == x
		if v := math.Float32bits(r); e.accept(v, exact) {
			return v
		}
	}
	return uint32(e.add(single, uint64(a), uint64(b), subtract))
}

// Mul32 returns a * b.
func (e *Env) Mul32(a, b uint32) uint32 {
	if !e.FlushToZero || !denormal(a) && !denormal(b) {
		p := widen(a) * widen(b)
		r := float32(p)
		if v := math.Float32bits(r); e.accept(v, float64(r) == p) {
			return v
		}
	}
	return uint32(e.mul(single, uint64(a), uint64(b)))
}

// Div32 returns a / b.
func (e *Env) Div32(a, b uint32) uint32 {
	if !e.FlushToZero || !denormal(a) && !denormal(b) {
		r := math.Float32frombits(a) / math.Float32frombits(b)
		exact := float64(r)*widen(b) == widen(a)
		if v := math.Float32bits(r); e.accept(v, exact) {
			return v
		}
	}
	return uint32(e.div(single, uint64(a), uint64(b)))
}

// Sqrt32 returns the square root of a.
func (e *Env) Sqrt32(a uint32) uint32 {
	if !e.FlushToZero || !denormal(a) {
		// A root rounded to 53 bits rounds on to 24 as the true one does: 53 >= 2*24 + 2 (Figueroa, "When is double rounding innocuous?").
		r := float32(math.Sqrt(widen(a)))
		if v := math.Float32bits(r); e.accept(v, float64(r)*float64(r) == widen(a)) {
			return v
		}
	}
	return uint32(e.sqrt(single, uint64(a)))
}

// MulAdd32 returns a*b + c, rounded once. Arm's FPMulAdd has the addend first.
func (e *Env) MulAdd32(a, b, c uint32) uint32 {
	if !e.FlushToZero || !denormal(a) && !denormal(b) && !denormal(c) {
		p, z := float64(widen(a)*widen(b)), widen(c)
		s := p + z
		r := float32(s)
		exact := s-p == z && s-z == p
		// A sum that was rounded to 53 bits and now stands just between two singles may have been on either side.
		onTie := !exact && math.Float64bits(s)<<(64-29) == 1<<63
		if v := math.Float32bits(r); !onTie && e.accept(v, exact && float64(r) == s) {
			return v
		}
	}
	return uint32(e.mulAdd(single, uint64(a), uint64(b), uint64(c)))
}

// Compare32 compares. A signalling NaN is invalid, a quiet one if signalling is set: Arm VCMPE, RISC-V FLT and FLE.
func (e *Env) Compare32(a, b uint32, signalling bool) Relation {
	if !e.FlushToZero || !denormal(a) && !denormal(b) {
		switch x, y := math.Float32frombits(a), math.Float32frombits(b); {
		case x < y:
			return Less
		case x > y:
			return Greater
		case x == y:
			return Equal
		}
	}
	return e.compare(single, uint64(a), uint64(b), signalling)
}

// F32ToFixed converts with the rounding r, whatever Env says, and saturates. The result is sign- or zero-extended.
func (e *Env) F32ToFixed(a uint32, to Fixed, r Rounding) uint64 {
	if x := math.Float32frombits(a); to == Int32 && x > -1<<31 && x < 1<<31 && !denormal(a) {
		i := int32(x) // rounds to zero
		exact := float32(i) == x
		if !exact && r == ToZero {
			e.Flags |= Inexact
		}
		if exact || r == ToZero {
			return uint64(i)
		}
	}
	return e.toFixed(single, uint64(a), to, r)
}

// FixedToF32 converts the lower bits of v (as many as the format has) with the rounding r, whatever Env says.
func (e *Env) FixedToF32(v uint64, from Fixed, r Rounding) uint32 {
	if x := int32(v); from == Int32 && -1<<24 <= x && x <= 1<<24 {
		return math.Float32bits(float32(x)) // exact
	}
	return uint32(e.round(single, r, from.number(v)))
}

func widen(a uint32) float64 { return float64(math.Float32frombits(a)) }
