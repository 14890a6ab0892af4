package softfloat

import "math/bits"

// format is an IEEE 754 interchange format by its field widths.
type format struct{ expBits, fracBits uint }

var (
	half   = format{5, 10}
	single = format{8, 23}
	double = format{11, 52}
)

func (f format) maxExp() int      { return 1<<f.expBits - 1 } // the biased exponent of infinities and NaNs
func (f format) bias() int        { return 1<<(f.expBits-1) - 1 }
func (f format) infinity() uint64 { return uint64(f.maxExp()) << f.fracBits }
func (f format) quietBit() uint64 { return 1 << (f.fracBits - 1) }
func (f format) nan() uint64      { return f.infinity() | f.quietBit() } // Arm's default, RISC-V's canonical NaN

// align is how far a fraction is shifted left to stand below bit 62, the place of a significand's leading one.
func (f format) align() uint { return 62 - f.fracBits }

func (f format) signed(neg bool, magnitude uint64) uint64 {
	if neg {
		return magnitude | 1<<(f.expBits+f.fracBits)
	}
	return magnitude
}

type kind uint8

const (
	finite kind = iota
	infinite
	quietNaN
	signallingNaN
)

// number is an unpacked value. A finite one is hi:lo / 2^126 * 2^exp: the leading one stands at bit 126, so that a sum
// can't overflow; zero is all zeros. What is too small to keep is or-ed into the lowest bit ("jammed"), where it can
// only tell exact from inexact. Of a NaN, hi holds the fraction below bit 62.
type number struct {
	hi, lo uint64
	exp    int
	kind   kind
	neg    bool
}

// zeroExp is zero's exponent, below any other, so that zero is the operand an addition shifts away.
const zeroExp = -1 << 16

func (x *number) isNaN() bool  { return x.kind >= quietNaN }
func (x *number) isInf() bool  { return x.kind == infinite }
func (x *number) isZero() bool { return x.kind == finite && x.hi|x.lo == 0 }

// unpack takes a bit pattern apart (FPUnpack). Flush-to-zero doesn't apply to half precision.
func (e *Env) unpack(f format, v uint64) number {
	frac := v & (1<<f.fracBits - 1)
	exp := int(v>>f.fracBits) & f.maxExp()
	x := number{hi: frac << f.align(), exp: exp - f.bias(), neg: v>>(f.expBits+f.fracBits)&1 != 0}
	switch {
	case exp == 0 && frac == 0:
		x.exp = zeroExp
	case exp == 0 && e.FlushToZero && f != half:
		e.Flags |= InputDenormal
		x.hi, x.exp = 0, zeroExp
	case exp == 0:
		x.exp++
		x.normalize()
	case exp == f.maxExp() && !(e.AltHalf && f == half):
		x.kind = specialKind(f, frac)
	default:
		x.hi |= 1 << 62
	}
	return x
}

func specialKind(f format, frac uint64) kind {
	switch {
	case frac == 0:
		return infinite
	case frac&f.quietBit() != 0:
		return quietNaN
	}
	return signallingNaN
}

// normalize brings the leading one of a significand to bit 126.
func (x *number) normalize() {
	switch {
	case x.hi|x.lo == 0:
		x.exp = zeroExp
	case x.hi == 0:
		x.hi, x.lo = x.lo, 0
		x.exp -= 64
		x.normalize()
	case x.hi>>63 != 0:
		x.shiftRight(1)
		x.exp++
	default:
		n := bits.LeadingZeros64(x.hi) - 1
		x.hi, x.lo = x.hi<<n|x.lo>>(64-n), x.lo<<n
		x.exp -= n
	}
}

// shiftRight shifts the significand by n bits and jams what falls off.
func (x *number) shiftRight(n int) {
	switch {
	case n < 64:
		x.hi, x.lo = x.hi>>n, x.hi<<(64-n)|x.lo>>n|nonzero(x.lo<<(64-n))
	case n < 128:
		x.hi, x.lo = 0, x.hi>>(n-64)|nonzero(x.hi<<(128-n)|x.lo)
	default:
		x.hi, x.lo = 0, nonzero(x.hi|x.lo)
	}
}

func nonzero(v uint64) uint64 {
	if v != 0 {
		return 1
	}
	return 0
}

// round packs a finite number, rounded (FPRound).
func (e *Env) round(f format, r Rounding, x number) uint64 {
	if x.isZero() {
		return f.signed(x.neg, 0)
	}
	biased := x.exp + f.bias()
	if biased <= 0 && e.FlushToZero && f != half {
		e.Flags |= Underflow // and not inexact: DDI0403E A2.5, flush-to-zero mode
		return f.signed(x.neg, 0)
	}
	sig := x.hi | nonzero(x.lo)
	tiny := biased <= 0 && e.tiny(f, r, biased, sig, x.neg)
	if biased <= 0 {
		sig, biased = jam(sig, 1-biased), 1
	}
	sig, inexact := roundOff(sig, f.align(), r, x.neg)
	// The leading one of a normal number adds itself to the exponent field, and so does a carry.
	// Exponents stay below 4096 even after a multiplication of doubles: no overflow in 64 bits.
	packed := uint64(biased-1)<<f.fracBits + sig
	if packed >= e.limit(f) {
		return e.overflow(f, r, x.neg)
	}
	if inexact {
		e.Flags |= Inexact
	}
	if inexact && tiny {
		e.Flags |= Underflow
	}
	return f.signed(x.neg, packed)
}

// tiny tells whether a result below the normal range counts as such: always when judged before rounding; otherwise unless
// it would reach the range when rounded with an unbounded exponent.
func (e *Env) tiny(f format, r Rounding, biased int, sig uint64, neg bool) bool {
	if e.TininessBefore || biased < 0 {
		return true
	}
	sig, _ = roundOff(sig, f.align(), r, neg)
	return sig>>(f.fracBits+1) == 0
}

// limit is the first magnitude that is too large for the format.
func (e *Env) limit(f format) uint64 {
	if e.AltHalf && f == half {
		return 1 << 15
	}
	return f.infinity()
}

func (e *Env) overflow(f format, r Rounding, neg bool) uint64 {
	if e.AltHalf && f == half {
		e.Flags |= Invalid
		return f.signed(neg, e.limit(f)-1)
	}
	e.Flags |= Overflow | Inexact
	if r == ToZero || r == Up && neg || r == Down && !neg {
		return f.signed(neg, f.infinity()-1)
	}
	return f.signed(neg, f.infinity())
}

// roundOff drops the n lowest bits (64 at most) of a magnitude, rounding.
func roundOff(sig uint64, n uint, r Rounding, neg bool) (kept uint64, inexact bool) {
	const tie = 1 << 63
	kept, rest := sig>>n, sig<<(64-n)
	var up bool
	switch r {
	case NearestEven:
		up = rest > tie || rest == tie && kept&1 != 0
	case NearestAway:
		up = rest >= tie
	case Up:
		up = rest != 0 && !neg
	case Down:
		up = rest != 0 && neg
	}
	if up {
		kept++
	}
	return kept, rest != 0
}

// jam shifts v right by n bits, or-ing what falls off into the lowest bit.
func jam(v uint64, n int) uint64 {
	if n >= 64 {
		return nonzero(v)
	}
	return v>>n | nonzero(v<<(64-n))
}

// propagate returns the NaN that operands yield, at least one of which is a NaN (FPProcessNaNs): the
// first signalling one, else the first quiet one.
func (e *Env) propagate(f format, operands ...number) uint64 {
	for _, k := range [...]kind{signallingNaN, quietNaN} {
		for i := range operands {
			if operands[i].kind == k {
				return e.quieted(f, &operands[i])
			}
		}
	}
	panic("BUG: softfloat: propagate without a NaN operand")
}

// quieted returns a NaN of any format in the format f, keeping the upper bits of its fraction (FPProcessNaN, FPConvertNaN).
func (e *Env) quieted(f format, x *number) uint64 {
	if x.kind == signallingNaN {
		e.Flags |= Invalid
	}
	if e.DefaultNaN {
		return f.nan()
	}
	return f.signed(x.neg, f.nan()|x.hi>>f.align())
}

// invalid is the result of an operation without a meaningful one.
func (e *Env) invalid(f format) uint64 {
	e.Flags |= Invalid
	return f.nan()
}
