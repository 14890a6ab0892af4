package softfloat

import (
	"math"
	"math/bits"
)

// Add64 returns a + b.
func (e *Env) Add64(a, b uint64) uint64 { return e.add(double, a, b, false) }

// Sub64 returns a - b.
func (e *Env) Sub64(a, b uint64) uint64 { return e.add(double, a, b, true) }

// Mul64 returns a * b.
func (e *Env) Mul64(a, b uint64) uint64 { return e.mul(double, a, b) }

// Div64 returns a / b.
func (e *Env) Div64(a, b uint64) uint64 { return e.div(double, a, b) }

// Sqrt64 returns the square root of a.
func (e *Env) Sqrt64(a uint64) uint64 { return e.sqrt(double, a) }

// MulAdd64 returns a*b + c, rounded once.
func (e *Env) MulAdd64(a, b, c uint64) uint64 { return e.mulAdd(double, a, b, c) }

func (e *Env) add(f format, av, bv uint64, subtract bool) uint64 {
	a, b := e.unpack(f, av), e.unpack(f, bv)
	if a.isNaN() || b.isNaN() {
		return e.propagate(f, a, b)
	}
	b.neg = b.neg != subtract
	return e.sum(f, a, b)
}

// sum adds and rounds two numbers that aren't NaNs.
func (e *Env) sum(f format, a, b number) uint64 {
	switch {
	case a.isInf() && b.isInf() && a.neg != b.neg:
		return e.invalid(f)
	case a.isInf():
		return f.signed(a.neg, f.infinity())
	case b.isInf():
		return f.signed(b.neg, f.infinity())
	}
	s := exactSum(a, b)
	if s.isZero() && a.neg != b.neg {
		s.neg = e.Rounding == Down
	}
	return e.round(f, e.Rounding, s)
}

// exactSum adds two finite numbers. It loses nothing that matters: bits fall off only where the exponents are so
// far apart that the result keeps its leading one within a place.
func exactSum(a, b number) number {
	if a.exp < b.exp || a.exp == b.exp && (a.hi < b.hi || a.hi == b.hi && a.lo < b.lo) {
		a, b = b, a
	}
	b.shiftRight(a.exp - b.exp)
	var carry uint64
	if a.neg == b.neg {
		a.lo, carry = bits.Add64(a.lo, b.lo, 0)
		a.hi += b.hi + carry
	} else {
		a.lo, carry = bits.Sub64(a.lo, b.lo, 0)
		a.hi -= b.hi + carry
	}
	a.normalize()
	return a
}

func (e *Env) mul(f format, av, bv uint64) uint64 {
	a, b := e.unpack(f, av), e.unpack(f, bv)
	if a.isNaN() || b.isNaN() {
		return e.propagate(f, a, b)
	}
	p, ok := product(a, b)
	switch {
	case !ok:
		return e.invalid(f)
	case p.isInf():
		return f.signed(p.neg, f.infinity())
	}
	return e.round(f, e.Rounding, p)
}

// product multiplies two numbers that aren't NaNs, exactly; infinity times zero isn't ok.
func product(a, b number) (p number, ok bool) {
	p.neg = a.neg != b.neg
	if a.isInf() || b.isInf() {
		p.kind = infinite
		return p, !a.isZero() && !b.isZero()
	}
	p.hi, p.lo = bits.Mul64(a.hi, b.hi) // both are below 2^63 and use hi only
	p.exp = a.exp + b.exp + 2
	p.normalize()
	return p, true
}

func (e *Env) mulAdd(f format, av, bv, cv uint64) uint64 {
	c, a, b := e.unpack(f, cv), e.unpack(f, av), e.unpack(f, bv)
	if a.isNaN() || b.isNaN() {
		return e.propagate(f, c, a, b)
	}
	p, ok := product(a, b)
	switch {
	case !ok && c.kind != signallingNaN: // a quiet NaN doesn't hide infinity times zero
		return e.invalid(f)
	case c.isNaN():
		return e.propagate(f, c)
	}
	return e.sum(f, p, c)
}

func (e *Env) div(f format, av, bv uint64) uint64 {
	a, b := e.unpack(f, av), e.unpack(f, bv)
	neg := a.neg != b.neg
	switch {
	case a.isNaN() || b.isNaN():
		return e.propagate(f, a, b)
	case a.isInf() && b.isInf() || a.isZero() && b.isZero():
		return e.invalid(f)
	case a.isInf():
		return f.signed(neg, f.infinity())
	case b.isZero():
		e.Flags |= DivideByZero
		return f.signed(neg, f.infinity())
	case b.isInf() || a.isZero():
		return f.signed(neg, 0)
	}
	q := number{exp: a.exp - b.exp - 1, neg: neg}
	var rest uint64
	q.hi, rest = bits.Div64(a.hi>>1, a.hi<<63, b.hi)
	q.lo = nonzero(rest)
	q.normalize()
	return e.round(f, e.Rounding, q)
}

func (e *Env) sqrt(f format, av uint64) uint64 {
	a := e.unpack(f, av)
	switch {
	case a.isNaN():
		return e.propagate(f, a)
	case a.isZero():
		return f.signed(a.neg, 0)
	case a.neg:
		return e.invalid(f)
	case a.isInf():
		return f.infinity()
	}
	if a.exp&1 != 0 {
		a.hi, a.exp = a.hi<<1, a.exp-1
	}
	root := number{exp: a.exp / 2}
	root.hi, root.lo = sqrt126(a.hi)
	return e.round(f, e.Rounding, root)
}

// sqrt126 returns the integer square root of n * 2^62 and whether there is a rest; n is at least 2^62.
// The host's square root is good to 52 bits, one step of Newton's to all 63 but the last.
func sqrt126(n uint64) (root, rest uint64) {
	hi, lo := n>>2, n<<62
	root = uint64(math.Sqrt(float64(n)) * (1 << 31))
	q, _ := bits.Div64(hi, lo, root)
	root = root/2 + q/2 + root&q&1
	for squareExceeds(root, hi, lo) {
		root--
	}
	for !squareExceeds(root+1, hi, lo) {
		root++
	}
	h, l := bits.Mul64(root, root)
	return root, nonzero(h ^ hi | l ^ lo)
}

func squareExceeds(v, hi, lo uint64) bool {
	h, l := bits.Mul64(v, v)
	return h > hi || h == hi && l > lo
}
