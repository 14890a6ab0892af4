package softfloat

// Fixed is an integer or fixed-point format: its width in bits (1 to 64), how many of them are behind the point, and
// whether it is signed. Arm's VCVT has 16 or 32 bits with 0 to 32 behind the point.
type Fixed struct {
	Bits, Frac uint8
	Signed     bool
}

// The integers.
var (
	Int16  = Fixed{Bits: 16, Signed: true}
	Uint16 = Fixed{Bits: 16}
	Int32  = Fixed{Bits: 32, Signed: true}
	Uint32 = Fixed{Bits: 32}
	Int64  = Fixed{Bits: 64, Signed: true}
	Uint64 = Fixed{Bits: 64}
)

// F64ToFixed converts with the rounding r, whatever Env says, and saturates. The result is sign- or zero-extended.
func (e *Env) F64ToFixed(a uint64, to Fixed, r Rounding) uint64 { return e.toFixed(double, a, to, r) }

// FixedToF64 converts the lower bits of v (as many as the format has) with the rounding r, whatever Env says.
func (e *Env) FixedToF64(v uint64, from Fixed, r Rounding) uint64 {
	return e.round(double, r, from.number(v))
}

// F32ToF64 widens.
func (e *Env) F32ToF64(a uint32) uint64 { return e.convert(single, double, uint64(a)) }

// F64ToF32 narrows.
func (e *Env) F64ToF32(a uint64) uint32 { return uint32(e.convert(double, single, a)) }

// F16ToF32 widens; Env.AltHalf says how a is read.
func (e *Env) F16ToF32(a uint16) uint32 { return uint32(e.convert(half, single, uint64(a))) }

// F32ToF16 narrows; Env.AltHalf says to which half-precision format.
func (e *Env) F32ToF16(a uint32) uint16 { return uint16(e.convert(single, half, uint64(a))) }

func (e *Env) convert(from, to format, v uint64) uint64 {
	x := e.unpack(from, v)
	alt := e.AltHalf && to == half
	switch {
	case x.isNaN() && alt: // there is no NaN to convert to
		e.Flags |= Invalid
		return to.signed(x.neg, 0)
	case x.isNaN():
		return e.quieted(to, &x)
	case x.isInf() && alt:
		return e.overflow(to, e.Rounding, x.neg)
	case x.isInf():
		return to.signed(x.neg, to.infinity())
	}
	return e.round(to, e.Rounding, x)
}

func (q Fixed) number(v uint64) number {
	unused := 64 - q.Bits
	v <<= unused
	neg := q.Signed && v>>63 != 0
	v >>= unused
	if neg {
		v = -v & (^uint64(0) >> unused)
	}
	x := number{hi: v, exp: 62 - int(q.Frac), neg: neg}
	x.normalize()
	return x
}

// limits returns the largest magnitudes of positive and negative values.
func (q Fixed) limits() (positive, negative uint64) {
	all := ^uint64(0) >> (64 - q.Bits)
	if q.Signed {
		return all >> 1, all>>1 + 1
	}
	return all, 0
}

func (e *Env) toFixed(f format, v uint64, to Fixed, r Rounding) uint64 {
	x := e.unpack(f, v)
	limit, negative := to.limits()
	if x.isNaN() {
		e.Flags |= Invalid
		if e.NaNToMax {
			return limit
		}
		return 0
	}
	if x.neg {
		limit = negative
	}
	magnitude, inexact, ok := x.integer(int(to.Frac), r)
	if !ok || magnitude > limit {
		e.Flags |= Invalid
		magnitude, inexact = limit, false
	}
	if inexact {
		e.Flags |= Inexact
	}
	if x.neg {
		return -magnitude
	}
	return magnitude
}

// integer rounds the magnitude of x * 2^scale; it isn't ok if that has more than 64 bits.
func (x *number) integer(scale int, r Rounding) (v uint64, inexact, ok bool) {
	exp := x.exp + scale
	switch {
	case x.isInf() || exp > 63:
		return 0, false, false
	case exp == 63:
		return x.hi << 1, false, true // a double has 53 bits: nothing below
	case exp < -2:
		v, inexact = roundOff(jam(x.hi, -2-exp), 64, r, x.neg)
	default:
		v, inexact = roundOff(x.hi, uint(62-exp), r, x.neg)
	}
	return v, inexact, true
}
