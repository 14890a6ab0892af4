package esp32c3

import "math"

// complex is a complex number of C; Go's own division follows other rules.
type complex[T float32 | float64] struct{ re, im T }

func isNaN[T float32 | float64](v T) bool    { return v != v }
func isInf[T float32 | float64](v T) bool    { return v-v != 0 && v == v }
func isFinite[T float32 | float64](v T) bool { return v-v == 0 }

// withSign is a number with the sign of another.
func withSign[T float32 | float64](v, sign T) T { return T(math.Copysign(float64(v), float64(sign))) }

// box makes an infinity 1 and all else 0, keeping signs.
func (z complex[T]) box() complex[T] {
	one := func(v T) T {
		if isInf(v) {
			return withSign(1, v)
		}
		return withSign(0, v)
	}
	return complex[T]{one(z.re), one(z.im)}
}

// noNaN makes NaN 0, keeping signs.
func (z complex[T]) noNaN() complex[T] {
	zero := func(v T) T {
		if isNaN(v) {
			return withSign(0, v)
		}
		return v
	}
	return complex[T]{zero(z.re), zero(z.im)}
}

func (z complex[T]) hasInf() bool { return isInf(z.re) || isInf(z.im) }
func (z complex[T]) finite() bool { return isFinite(z.re) && isFinite(z.im) }
func (z complex[T]) lost() bool   { return isNaN(z.re) && isNaN(z.im) }

// product is C99 annex G.5.1, whose infinities are recovered from NaN.
func product[T float32 | float64](a, b complex[T]) complex[T] {
	ac, bd, ad, bc := T(a.re*b.re), T(a.im*b.im), T(a.re*b.im), T(a.im*b.re)
	z := complex[T]{ac - bd, ad + bc}
	if !z.lost() {
		return z
	}
	again := false
	if a.hasInf() {
		a, b, again = a.box(), b.noNaN(), true
	}
	if b.hasInf() {
		a, b, again = a.noNaN(), b.box(), true
	}
	if !again && (isInf(ac) || isInf(bd) || isInf(ad) || isInf(bc)) {
		a, b, again = a.noNaN(), b.noNaN(), true
	}
	if !again {
		return z
	}
	inf := T(math.Inf(1))
	return complex[T]{inf * (T(a.re*b.re) - T(a.im*b.im)), inf * (T(a.re*b.im) + T(a.im*b.re))}
}

// ratio is Smith's algorithm, as libgcc had it before GCC 12, with annex G's
// recovery of infinities and zeros.
func ratio[T float32 | float64](a, b complex[T]) complex[T] {
	var z complex[T]
	if math.Abs(float64(b.re)) < math.Abs(float64(b.im)) {
		r := b.re / b.im
		denom := T(b.re*r) + b.im
		z = complex[T]{(T(a.re*r) + a.im) / denom, (T(a.im*r) - a.re) / denom}
	} else {
		r := b.im / b.re
		denom := T(b.im*r) + b.re
		z = complex[T]{(T(a.im*r) + a.re) / denom, (a.im - T(a.re*r)) / denom}
	}
	inf := T(math.Inf(1))
	scaled := func(by T, a, b complex[T]) complex[T] {
		return complex[T]{by * (T(a.re*b.re) + T(a.im*b.im)), by * (T(a.im*b.re) - T(a.re*b.im))}
	}
	switch {
	case !z.lost():
	case b.re == 0 && b.im == 0 && (!isNaN(a.re) || !isNaN(a.im)):
		return complex[T]{withSign(inf, b.re) * a.re, withSign(inf, b.re) * a.im}
	case a.hasInf() && b.finite():
		return scaled(inf, a.box(), b)
	case b.hasInf() && a.finite():
		return scaled(0, a, b.box())
	}
	return z
}
