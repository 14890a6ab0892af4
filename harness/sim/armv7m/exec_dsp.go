package armv7m

import "math/bits"

// execDSP executes the instructions of the DSP extension (DDI 0403E A7) and
// the less usual data processing.
func (c *Core) execDSP(in *insn) {
	r := &c.R
	n, m, d := r[in.n&15], r[in.m&15], &r[in.d&15]
	switch in.op {
	case opQADD:
		*d = c.saturate(sum(m, n), 32)
	case opQSUB:
		*d = c.saturate(difference(m, n), 32)
	case opQDADD:
		*d = c.saturate(sum(m, c.saturate(sum(n, n), 32)), 32)
	case opQDSUB:
		*d = c.saturate(difference(m, c.saturate(sum(n, n), 32)), 32)
	case opSEL:
		mask := byteMask(c.GE)
		*d = n&mask | m&^mask
	case opPKHBT:
		*d = n&0xFFFF | c.shifted(in)&0xFFFF0000
	case opPKHTB:
		*d = n&0xFFFF0000 | c.shifted(in)&0xFFFF
	case opSSAT:
		*d = c.saturate(int64(int32(c.shiftedN(in))), in.imm)
	case opUSAT:
		*d = c.saturateUnsigned(int64(int32(c.shiftedN(in))), in.imm)
	case opSSAT16:
		*d = c.saturate(low(n), in.imm)&0xFFFF | c.saturate(high(n), in.imm)<<16
	case opUSAT16:
		*d = c.saturateUnsigned(low(n), in.imm) | c.saturateUnsigned(high(n), in.imm)<<16
	case opSXTAB, opSXTAH, opSXTAB16, opUXTAB, opUXTAH, opUXTAB16:
		*d = extendAdd(in, n, bits.RotateLeft32(m, -int(in.imm)))
	case opParallel:
		v, ge := parallel(in.imm, n, m)
		if in.imm&3 == 0 {
			c.GE = ge
		}
		*d = v
	case opUSADA8:
		*d = c.addend(in) + sumOfDifferences(n, m)
	case opSMLAxy:
		*d = c.accumulate(in, signedHalf(n, in.imm>>1)*signedHalf(m, in.imm))
	case opSMLAW:
		*d = c.accumulate(in, int64(int32(n))*signedHalf(m, in.imm)>>16)
	case opSMLAD, opSMLSD:
		*d = c.accumulate(in, dualProduct(in.op == opSMLSD, n, m, in.imm))
	case opSMMLA:
		*d = mostSignificant(int64(uint64(c.addend(in))<<32)+product(n, m), in.imm)
	case opSMMLS:
		*d = mostSignificant(int64(uint64(c.addend(in))<<32)-product(n, m), in.imm)
	case opSMLALxy:
		c.setLong(in, c.long(in)+uint64(signedHalf(n, in.imm>>1)*signedHalf(m, in.imm)))
	case opSMLALD, opSMLSLD:
		c.setLong(in, c.long(in)+uint64(dualProduct(in.op == opSMLSLD, n, m, in.imm)))
	case opUMAAL:
		c.setLong(in, uint64(n)*uint64(m)+uint64(r[in.d&15])+uint64(r[in.a&15]))
	}
}

func low(v uint32) int64  { return int64(int16(v)) }
func high(v uint32) int64 { return int64(int16(v >> 16)) }

// signedHalf is the upper half of v if bit 0 of top is set.
func signedHalf(v, top uint32) int64 {
	if top&1 != 0 {
		return high(v)
	}
	return low(v)
}

func sum(a, b uint32) int64        { return int64(int32(a)) + int64(int32(b)) }
func difference(a, b uint32) int64 { return int64(int32(a)) - int64(int32(b)) }
func product(a, b uint32) int64    { return int64(int32(a)) * int64(int32(b)) }

// saturate is SignedSatQ() to n bits; it sets Q if it has to.
func (c *Core) saturate(v int64, n uint32) uint32 {
	return uint32(c.clamp(v, -1<<(n-1), 1<<(n-1)-1))
}

// saturateUnsigned is UnsignedSatQ().
func (c *Core) saturateUnsigned(v int64, n uint32) uint32 {
	return uint32(c.clamp(v, 0, 1<<n-1))
}

func (c *Core) clamp(v, least, most int64) int64 {
	switch {
	case v < least:
		c.QF = 1
		return least
	case v > most:
		c.QF = 1
		return most
	}
	return v
}

// shiftedN is n shifted by an immediate, LSL or ASR.
func (c *Core) shiftedN(in *insn) uint32 {
	v, amount := c.R[in.n&15], in.a&63
	if in.a>>6 == shiftASR {
		return uint32(int32(v) >> amount)
	}
	return v << amount
}

// addend is the accumulator of a multiply; register 15 stands for none.
func (c *Core) addend(in *insn) uint32 {
	if in.a == 15 {
		return 0
	}
	return c.R[in.a&15]
}

// accumulate adds to the accumulator and sets Q if that overflows 32 bits.
func (c *Core) accumulate(in *insn, v int64) uint32 {
	v += int64(int32(c.addend(in)))
	if v != int64(int32(v)) {
		c.QF = 1
	}
	return uint32(v)
}

// dualProduct is the sum or difference of the products of the halves.
func dualProduct(subtract bool, n, m, swap uint32) int64 {
	if swap != 0 {
		m = bits.RotateLeft32(m, 16)
	}
	if subtract {
		return low(n)*low(m) - high(n)*high(m)
	}
	return low(n)*low(m) + high(n)*high(m)
}

// mostSignificant is the upper word, rounded to nearest or down.
func mostSignificant(v int64, round uint32) uint32 {
	if round != 0 {
		v += 1 << 31
	}
	return uint32(v >> 32)
}

func extendAdd(in *insn, n, rotated uint32) uint32 {
	if in.a != 0 {
		n = 0
	}
	switch in.op {
	case opSXTAB:
		return n + uint32(int8(rotated))
	case opSXTAH:
		return n + uint32(int16(rotated))
	case opUXTAB:
		return n + rotated&0xFF
	case opUXTAH:
		return n + rotated&0xFFFF
	case opSXTAB16:
		return halves(n+uint32(int8(rotated)), n>>16+uint32(int8(rotated>>16)))
	}
	return halves(n+rotated&0xFF, n>>16+rotated>>16&0xFF)
}

func halves(lo, hi uint32) uint32 { return lo&0xFFFF | hi<<16 }

// byteMask widens each of four bits to a byte.
func byteMask(ge uint32) uint32 {
	return (ge&1 | ge&2<<7 | ge&4<<14 | ge&8<<21) * 0xFF
}

func sumOfDifferences(n, m uint32) uint32 {
	var total uint32
	for i := 0; i < 32; i += 8 {
		a, b := n>>i&0xFF, m>>i&0xFF
		total += max(a, b) - min(a, b)
	}
	return total
}

// Operations of the parallel additions (bits 5 to 3 of the variant), and what
// is done to their results (bits 1 and 0; bit 2 is unsigned).
const (
	parallelADD8  = 0
	parallelADD16 = 1
	parallelASX   = 2
	parallelSUB8  = 4
	parallelSUB16 = 5
	parallelSAX   = 6

	plainResult      = 0
	saturatingResult = 1
)

// parallel is the family of A5.3.13 and A5.3.14; ge is for the plain ones.
func parallel(variant, n, m uint32) (v, ge uint32) {
	size := uint32(16)
	operation := variant >> 3
	if operation == parallelADD8 || operation == parallelSUB8 {
		size = 8
	}
	if operation == parallelASX || operation == parallelSAX {
		m = bits.RotateLeft32(m, 16)
	}
	for at := uint32(0); at < 32; at += size {
		subtract := operation == parallelSUB8 || operation == parallelSUB16 ||
			operation == parallelASX && at == 0 || operation == parallelSAX && at != 0
		lane, carry := parallelLane(variant, size, n>>at, m>>at, subtract)
		v |= lane << at
		if carry {
			ge |= (1<<(size/8) - 1) << (at / 8)
		}
	}
	return v, ge
}

// parallelLane returns one lane, and whether its GE bits are set: the result
// is not negative, or for an unsigned sum there is a carry.
func parallelLane(variant, size, n, m uint32, subtract bool) (lane uint32, ge bool) {
	unsigned := variant&4 != 0
	mask := uint32(1)<<size - 1
	a, b := int32(n&mask), int32(m&mask)
	least, most := int32(0), int32(mask)
	if !unsigned {
		a, b = a<<(32-size)>>(32-size), b<<(32-size)>>(32-size)
		least, most = -1<<(size-1), 1<<(size-1)-1
	}
	x := a + b
	ge = x >= 0
	if unsigned {
		ge = x > most
	}
	if subtract {
		x = a - b
		ge = x >= 0
	}
	switch variant & 3 {
	case plainResult:
	case saturatingResult:
		x = min(max(x, least), most)
	default:
		x >>= 1
	}
	return uint32(x) & mask, ge
}
