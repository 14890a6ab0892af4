package softfloat

// Relation is the result of a comparison; its value is the N, Z, C and V flags as Arm's FPCompare returns them.
type Relation uint8

const (
	Greater   Relation = 0b0010
	Unordered Relation = 0b0011
	Equal     Relation = 0b0110
	Less      Relation = 0b1000
)

// Compare64 is Compare32 in double precision.
func (e *Env) Compare64(a, b uint64, signalling bool) Relation {
	return e.compare(double, a, b, signalling)
}

func (e *Env) compare(f format, av, bv uint64, signalling bool) Relation {
	a, b := e.unpack(f, av), e.unpack(f, bv)
	if a.isNaN() || b.isNaN() {
		if signalling || a.kind == signallingNaN || b.kind == signallingNaN {
			e.Flags |= Invalid
		}
		return Unordered
	}
	switch x, y := f.ordinal(&a, av), f.ordinal(&b, bv); {
	case x < y:
		return Less
	case x > y:
		return Greater
	}
	return Equal
}

// ordinal maps v, which x is the unpacked form of, to an integer of the same order.
func (f format) ordinal(x *number, v uint64) int64 {
	magnitude := int64(v & (1<<(f.expBits+f.fracBits) - 1))
	switch {
	case x.isZero(): // or a denormal flushed to zero
		return 0
	case x.neg:
		return -magnitude
	}
	return magnitude
}
