package esp32c3

import (
	"bytes"
	"math"
	"math/bits"
)

// The functions of libgcc that the ROM has, for a core without a multiplier of 64
// bits and without floating point (GCC internals, "The GCC low-level runtime
// library"). Sums, products, quotients and conversions are those of IEEE 754 in round
// to nearest; a NaN that is computed is the canonical one, as libgcc's RISC-V
// settings have it. The cycles are what GCC 12's libgcc takes on this model's core on average
// for operands drawn at random; the ROM's was built by another version.
var romMath = map[string]romFunc{
	"__ashldi3":     long(11, func(a, b uint64) uint64 { return a << (b & 63) }),
	"__ashrdi3":     long(11, func(a, b uint64) uint64 { return uint64(int64(a) >> (b & 63)) }),
	"__lshrdi3":     long(12, func(a, b uint64) uint64 { return a >> (b & 63) }),
	"__muldi3":      long(406, func(a, b uint64) uint64 { return a * b }),
	"__negdi2":      long(7, func(a, _ uint64) uint64 { return -a }),
	"__bswapdi2":    long(27, func(a, _ uint64) uint64 { return bits.ReverseBytes64(a) }),
	"__divdi3":      long(135, func(a, b uint64) uint64 { return uint64(quotient(int64(a), int64(b))) }),
	"__moddi3":      long(130, func(a, b uint64) uint64 { return a - uint64(quotient(int64(a), int64(b)))*b }),
	"__udivdi3":     long(102, uquotient),
	"__umoddi3":     long(107, func(a, b uint64) uint64 { return a - uquotient(a, b)*b }),
	"__cmpdi2":      word(15, func(c *Chip) uint32 { return order(int64(c.long(0)), int64(c.long(2))) }),
	"__ucmpdi2":     word(15, func(c *Chip) uint32 { return order(c.long(0), c.long(2)) }),
	"__absvdi2":     checked(17, func(c *Chip) (uint64, bool) { v := int64(c.long(0)); return uint64(max(v, -v)), v != math.MinInt64 }),
	"__negvdi2":     checked(16, func(c *Chip) (uint64, bool) { v := int64(c.long(0)); return uint64(-v), v != math.MinInt64 }),
	"__addvdi3":     checked(16, func(c *Chip) (uint64, bool) { return addChecked(c.long(0), c.long(2)) }),
	"__subvdi3":     checked(12, func(c *Chip) (uint64, bool) { return subChecked(c.long(0), c.long(2)) }),
	"__mulvdi3":     checked(20, func(c *Chip) (uint64, bool) { return mulChecked(c.long(0), c.long(2)) }),
	"__clzdi2":      word(24, func(c *Chip) uint32 { return uint32(bits.LeadingZeros64(c.long(0))) }),
	"__ctzdi2":      word(21, func(c *Chip) uint32 { return uint32(bits.TrailingZeros64(c.long(0))) }),
	"__ffsdi2":      word(20, func(c *Chip) uint32 { return uint32((bits.TrailingZeros64(c.long(0)) + 1) % 65) }),
	"__clrsbdi2":    word(30, func(c *Chip) uint32 { return signBits(int64(c.long(0))) }),
	"__popcountdi2": word(34, func(c *Chip) uint32 { return uint32(bits.OnesCount64(c.long(0))) }),

	"__mulsi3":      word(260, func(c *Chip) uint32 { return c.arg(0) * c.arg(1) }),
	"__divsi3":      word(44, func(c *Chip) uint32 { return uint32(quotient(int64(int32(c.arg(0))), int64(int32(c.arg(1))))) }),
	"__modsi3":      word(47, romModulo),
	"__udivsi3":     word(30, func(c *Chip) uint32 { return uint32(uquotient(uint64(c.arg(0)), uint64(c.arg(1)))) }),
	"__umodsi3":     word(34, func(c *Chip) uint32 { return c.arg(0) - uint32(uquotient(uint64(c.arg(0)), uint64(c.arg(1))))*c.arg(1) }),
	"__bswapsi2":    word(15, func(c *Chip) uint32 { return bits.ReverseBytes32(c.arg(0)) }),
	"__clzsi2":      word(21, func(c *Chip) uint32 { return uint32(bits.LeadingZeros32(c.arg(0))) }),
	"__ctzsi2":      word(17, func(c *Chip) uint32 { return uint32(bits.TrailingZeros32(c.arg(0))) }),
	"__ffssi2":      word(18, func(c *Chip) uint32 { return uint32((bits.TrailingZeros32(c.arg(0)) + 1) % 33) }),
	"__clrsbsi2":    word(23, func(c *Chip) uint32 { return signBits(int64(int32(c.arg(0)))) - 32 }),
	"__paritysi2":   word(14, func(c *Chip) uint32 { return uint32(bits.OnesCount32(c.arg(0)) & 1) }),
	"__popcountsi2": word(23, func(c *Chip) uint32 { return uint32(bits.OnesCount32(c.arg(0))) }),
	"__absvsi2":     checked32(11, func(c *Chip) int64 { v := int64(int32(c.arg(0))); return max(v, -v) }),
	"__negvsi2":     checked32(9, func(c *Chip) int64 { return -int64(int32(c.arg(0))) }),
	"__addvsi3":     checked32(10, func(c *Chip) int64 { return int64(int32(c.arg(0))) + int64(int32(c.arg(1))) }),
	"__subvsi3":     checked32(8, func(c *Chip) int64 { return int64(int32(c.arg(0))) - int64(int32(c.arg(1))) }),
	"__mulvsi3":     checked32(9, func(c *Chip) int64 { return int64(int32(c.arg(0))) * int64(int32(c.arg(1))) }),

	"__udivmoddi4":  {115, romDivMod},
	"__udiv_w_sdiv": word(60, romDivWide),
	"__gcc_bcmp":    word(20, romCompare),
	"__clear_cache": effect(4, func(*Chip) {}),

	"__adddf3":  double(98, func(a, b float64) float64 { return a + b }),
	"__subdf3":  double(103, func(a, b float64) float64 { return a - b }),
	"__muldf3":  double(205, func(a, b float64) float64 { return a * b }),
	"__divdf3":  double(446, func(a, b float64) float64 { return a / b }),
	"__negdf2":  long(8, func(a, _ uint64) uint64 { return a ^ 1<<63 }),
	"__powidf2": {986, func(c *Chip) { c.romPower(int32(c.arg(2))) }},
	"__addsf3":  single(76, func(a, b float32) float32 { return a + b }),
	"__subsf3":  single(78, func(a, b float32) float32 { return a - b }),
	"__mulsf3":  single(110, func(a, b float32) float32 { return a * b }),
	"__divsf3":  single(207, func(a, b float32) float32 { return a / b }),
	"__negsf2":  word(12, func(c *Chip) uint32 { return c.arg(0) ^ 1<<31 }),
	"__powisf2": word(570, func(c *Chip) uint32 { return c.romPower32(int32(c.arg(1))) }),

	"__eqdf2":    word(23, func(c *Chip) uint32 { return compare(c.double(0), c.double(2), 1) }),
	"__nedf2":    word(23, func(c *Chip) uint32 { return compare(c.double(0), c.double(2), 1) }),
	"__gedf2":    word(31, func(c *Chip) uint32 { return compare(c.double(0), c.double(2), -2) }),
	"__gtdf2":    word(31, func(c *Chip) uint32 { return compare(c.double(0), c.double(2), -2) }),
	"__ledf2":    word(31, func(c *Chip) uint32 { return compare(c.double(0), c.double(2), 2) }),
	"__ltdf2":    word(31, func(c *Chip) uint32 { return compare(c.double(0), c.double(2), 2) }),
	"__unorddf2": word(19, func(c *Chip) uint32 { return oneIf(c.double(0) != c.double(0) || c.double(2) != c.double(2)) }),
	"__eqsf2":    word(22, func(c *Chip) uint32 { return compare(c.single(0), c.single(1), 1) }),
	"__nesf2":    word(22, func(c *Chip) uint32 { return compare(c.single(0), c.single(1), 1) }),
	"__gesf2":    word(27, func(c *Chip) uint32 { return compare(c.single(0), c.single(1), -2) }),
	"__gtsf2":    word(27, func(c *Chip) uint32 { return compare(c.single(0), c.single(1), -2) }),
	"__lesf2":    word(28, func(c *Chip) uint32 { return compare(c.single(0), c.single(1), 2) }),
	"__ltsf2":    word(27, func(c *Chip) uint32 { return compare(c.single(0), c.single(1), 2) }),
	"__unordsf2": word(19, func(c *Chip) uint32 { return oneIf(c.single(0) != c.single(0) || c.single(1) != c.single(1)) }),

	"__floatsidf":   {58, func(c *Chip) { c.returnDouble(float64(int32(c.arg(0)))) }},
	"__floatunsidf": {49, func(c *Chip) { c.returnDouble(float64(c.arg(0))) }},
	"__floatdidf":   {134, func(c *Chip) { c.returnDouble(float64(int64(c.long(0)))) }},
	"__floatundidf": {124, func(c *Chip) { c.returnDouble(float64(c.long(0))) }},
	"__floatsisf":   word(77, func(c *Chip) uint32 { return math.Float32bits(float32(int32(c.arg(0)))) }),
	"__floatunsisf": word(70, func(c *Chip) uint32 { return math.Float32bits(float32(c.arg(0))) }),
	"__floatdisf":   word(123, func(c *Chip) uint32 { return math.Float32bits(float32(int64(c.long(0)))) }),
	"__floatundisf": word(111, func(c *Chip) uint32 { return math.Float32bits(float32(c.long(0))) }),
	"__fixdfsi":     word(16, func(c *Chip) uint32 { return uint32(toSigned(c.double(0), 31)) }),
	"__fixdfdi":     {25, func(c *Chip) { c.returnLong(uint64(toSigned(c.double(0), 63))) }},
	"__fixsfsi":     word(18, func(c *Chip) uint32 { return uint32(toSigned(c.wide(0), 31)) }),
	"__fixsfdi":     {27, func(c *Chip) { c.returnLong(uint64(toSigned(c.wide(0), 63))) }},
	"__fixunsdfsi":  word(17, func(c *Chip) uint32 { return uint32(toUnsigned(c.double(0), 32)) }),
	"__fixunssfsi":  word(16, func(c *Chip) uint32 { return uint32(toUnsigned(c.wide(0), 32)) }),
	"__fixunssfdi":  {19, func(c *Chip) { c.returnLong(toUnsigned(c.wide(0), 64)) }},
	"__extendsfdf2": {32, func(c *Chip) { c.returnLong(extend(c.arg(0))) }},
	"__truncdfsf2":  word(39, func(c *Chip) uint32 { return canonical32(float32(c.double(0))) }),

	"__muldc3": {450, func(c *Chip) { c.romComplex(product[float64]) }},
	"__divdc3": {1600, func(c *Chip) { c.romComplex(ratio[float64]) }},
	"__mulsc3": {842, func(c *Chip) { c.romComplex32(product[float32]) }},
	"__divsc3": {2581, func(c *Chip) { c.romComplex32(ratio[float32]) }},
}

// long is the pair of argument registers from the i-th on.
func (c *Chip) long(i int) uint64 { return uint64(c.arg(i)) | uint64(c.arg(i+1))<<32 }

func (c *Chip) double(i int) float64 { return math.Float64frombits(c.long(i)) }
func (c *Chip) single(i int) float32 { return math.Float32frombits(c.arg(i)) }

// wide is a single as a double, which loses nothing.
func (c *Chip) wide(i int) float64 { return math.Float64frombits(extend(c.arg(i))) }

func (c *Chip) returnLong(v uint64) {
	c.core.X[11] = signed(uint32(v >> 32))
	c.romReturn(uint32(v))
}

func (c *Chip) returnDouble(v float64) { c.returnLong(canonical64(v)) }

// canonical64 and canonical32 are a result's bits.
func canonical64(v float64) uint64 {
	if v != v {
		return 0x7FF8000000000000
	}
	return math.Float64bits(v)
}

func canonical32(v float32) uint32 {
	if v != v {
		return 0x7FC00000
	}
	return math.Float32bits(v)
}

func word(cycles uint64, f func(c *Chip) uint32) romFunc { return value(cycles, f) }

func long(cycles uint64, f func(a, b uint64) uint64) romFunc {
	return romFunc{cycles, func(c *Chip) { c.returnLong(f(c.long(0), c.long(2))) }}
}

func double(cycles uint64, f func(a, b float64) float64) romFunc {
	return romFunc{cycles, func(c *Chip) { c.returnDouble(f(c.double(0), c.double(2))) }}
}

func single(cycles uint64, f func(a, b float32) float32) romFunc {
	return value(cycles, func(c *Chip) uint32 { return canonical32(f(c.single(0), c.single(1))) })
}

// checked functions abort when they overflow.
func checked(cycles uint64, f func(c *Chip) (uint64, bool)) romFunc {
	return romFunc{cycles, func(c *Chip) {
		v, ok := f(c)
		if !ok {
			c.romAbort()
			return
		}
		c.returnLong(v)
	}}
}

func checked32(cycles uint64, f func(c *Chip) int64) romFunc {
	return romFunc{cycles, func(c *Chip) {
		v := f(c)
		if v != int64(int32(v)) {
			c.romAbort()
			return
		}
		c.romReturn(uint32(v))
	}}
}

// romAbort is abort.
func (c *Chip) romAbort() {
	c.warn("a function of libgcc in the ROM aborts, called from 0x%08x", uint32(c.core.X[1]))
	c.core.PC = romBase + romHang
}

func addChecked(a, b uint64) (uint64, bool) {
	sum := a + b
	return sum, (a^sum)&(b^sum)>>63 == 0
}

func subChecked(a, b uint64) (uint64, bool) {
	diff := a - b
	return diff, (a^b)&(a^diff)>>63 == 0
}

func mulChecked(a, b uint64) (uint64, bool) {
	p := int64(a) * int64(b)
	ok := a == 0 || p/int64(a) == int64(b) && !(int64(a) == -1 && int64(b) == math.MinInt64)
	return uint64(p), ok
}

// quotient and uquotient divide as the core's instructions do: by zero gives all
// ones. libgcc leaves that case to them.
func quotient(a, b int64) int64 {
	switch b {
	case 0:
		return -1
	case -1:
		return -a
	}
	return a / b
}

func uquotient(a, b uint64) uint64 {
	if b == 0 {
		return math.MaxUint64
	}
	return a / b
}

func romModulo(c *Chip) uint32 {
	a, b := int64(int32(c.arg(0))), int64(int32(c.arg(1)))
	return uint32(a - quotient(a, b)*b)
}

// order is 0, 1 or 2 for less, equal or greater.
func order[T int64 | uint64](a, b T) uint32 {
	switch {
	case a < b:
		return 0
	case a == b:
		return 1
	}
	return 2
}

// signBits is how many bits repeat the sign, but for itself.
func signBits(v int64) uint32 { return uint32(bits.LeadingZeros64(uint64(v^v>>63)) - 1) }

// romDivMod is the quotient; the remainder is stored where a4 points.
func romDivMod(c *Chip) {
	a, b := c.long(0), c.long(2)
	q := uquotient(a, b)
	if at := c.arg(4); at != 0 {
		r := a - q*b
		c.romPut32(at, uint32(r))
		c.romPut32(at+4, uint32(r>>32))
	}
	c.returnLong(q)
}

// romDivWide divides two words by one: remainder's address, high, low, divisor.
func romDivWide(c *Chip) uint32 {
	a, b := uint64(c.arg(1))<<32|uint64(c.arg(2)), uint64(c.arg(3))
	q := uquotient(a, b)
	c.romPut32(c.arg(0), uint32(a-q*b))
	return uint32(q)
}

func romCompare(c *Chip) uint32 {
	n := min(c.arg(2), romMost)
	c.romTake(uint64(n) * 4)
	return uint32(int32(bytes.Compare(c.romBytes(c.arg(0), n), c.romBytes(c.arg(1), n))))
}

// compare is -1, 0 or 1, or a value of the function's own if they have no order.
// Functions for equality say 1 for all that is not equal.
func compare[T float32 | float64](a, b T, unordered int32) uint32 {
	switch {
	case a == b:
		return 0
	case a != a || b != b || unordered == 1:
		return uint32(unordered)
	case a < b:
		return uint32(0xFFFFFFFF)
	}
	return 1
}

// power multiplies in the order of libgcc2.c's __powi functions.
func power[T float32 | float64](x T, m int32) T {
	n := uint32(m)
	if m < 0 {
		n = -n
	}
	y := T(1)
	if n%2 != 0 {
		y = x
	}
	for n >>= 1; n != 0; n >>= 1 {
		x = T(x * x)
		if n%2 != 0 {
			y = T(y * x)
		}
	}
	if m < 0 {
		return 1 / y
	}
	return y
}

// romPower and romPower32 multiply nothing for the first power, which a NaN passes
// as it is.
func (c *Chip) romPower(m int32) {
	if m == 1 {
		c.returnLong(c.long(0))
		return
	}
	c.returnDouble(power(c.double(0), m))
}

func (c *Chip) romPower32(m int32) uint32 {
	if m == 1 {
		return c.arg(0)
	}
	return canonical32(power(c.single(0), m))
}

// toSigned truncates to an integer of so many bits beside its sign; what does not
// fit is the nearest one, and a NaN goes by its sign.
func toSigned(v float64, size uint) int64 {
	limit := math.Ldexp(1, int(size))
	switch {
	case v != v && !math.Signbit(v), v >= limit:
		return 1<<size - 1
	case v != v, v <= -limit:
		return -1 << size
	}
	return int64(v)
}

func toUnsigned(v float64, size uint) uint64 {
	switch {
	case v != v && !math.Signbit(v), v >= math.Ldexp(1, int(size)):
		return math.MaxUint64 >> (64 - size)
	case v != v, v <= -1:
		return 0
	}
	return uint64(v)
}

// extend is a single as a double. A NaN keeps its sign and payload.
func extend(v uint32) uint64 {
	if f := math.Float32frombits(v); f == f {
		return math.Float64bits(float64(f))
	}
	return uint64(v>>31)<<63 | 0x7FF8000000000000 | uint64(v&0x3FFFFF)<<29
}

// romComplex calls a function of two complex numbers: the result's address, the
// first in a1 to a4, the second in a5 to a7 and on the stack.
func (c *Chip) romComplex(f func(a, b complex[float64]) complex[float64]) {
	last := math.Float64frombits(uint64(c.arg(7)) | uint64(c.romGet32(uint32(c.core.X[2])))<<32)
	v := f(complex[float64]{c.double(1), c.double(3)}, complex[float64]{c.double(5), last})
	at := c.arg(0)
	for i, bits := range [2]uint64{canonical64(v.re), canonical64(v.im)} {
		c.romPut32(at+8*uint32(i), uint32(bits))
		c.romPut32(at+8*uint32(i)+4, uint32(bits>>32))
	}
	c.romReturn(at)
}

// romComplex32 has all of the arguments and the result in registers.
func (c *Chip) romComplex32(f func(a, b complex[float32]) complex[float32]) {
	v := f(complex[float32]{c.single(0), c.single(1)}, complex[float32]{c.single(2), c.single(3)})
	c.core.X[11] = signed(canonical32(v.im))
	c.romReturn(canonical32(v.re))
}
