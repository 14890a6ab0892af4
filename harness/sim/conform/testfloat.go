package conform

import (
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"rigor/harness/sim/softfloat"
)

// FloatCase is one line of Berkeley TestFloat's output: `operation rounding operands… result flags`.
type FloatCase struct {
	Line     int
	Op       string // such as f32_mulAdd
	Rounding softfloat.Rounding
	Operands [3]uint64
	Result   uint64
	Flags    softfloat.Flags
}

var roundings = map[string]softfloat.Rounding{
	"rne": softfloat.NearestEven, "rtz": softfloat.ToZero, "rdn": softfloat.Down,
	"rup": softfloat.Up, "rmm": softfloat.NearestAway,
}

// FloatCases reads TestFloat lines; name stands for r in errors. After an error nothing follows.
func FloatCases(name string, r io.Reader) iter.Seq2[FloatCase, error] {
	return records(name, r, parseFloatCase)
}

func parseFloatCase(line int, text []byte) (c FloatCase, err error) {
	w := strings.Fields(string(text))
	if len(w) < 2 {
		return c, fmt.Errorf("operation and rounding expected in %q", text)
	}
	op, known := floatOps[w[0]]
	if !known {
		return c, fmt.Errorf("unknown operation %q", w[0])
	}
	if len(w) != op.operands+4 {
		return c, fmt.Errorf("%s: %d operands, a result and flags expected in %q", w[0], op.operands, text)
	}
	c = FloatCase{Line: line, Op: w[0]}
	if c.Rounding, known = roundings[w[1]]; !known {
		return c, fmt.Errorf("unknown rounding %q", w[1])
	}
	var v [5]uint64
	for i, s := range w[2:] {
		if v[i], err = strconv.ParseUint(s, 16, 64); err != nil {
			return c, fmt.Errorf("field %d: %w", i+3, err)
		}
	}
	copy(c.Operands[:op.operands], v[:])
	c.Result, c.Flags = v[op.operands], softfloat.Flags(v[op.operands+1])
	return c, nil
}

// floatOp computes one TestFloat operation; e.Rounding is the line's.
type floatOp struct {
	operands int
	do       func(e *softfloat.Env, v [3]uint64) uint64
}

type env = softfloat.Env

var floatOps = map[string]floatOp{
	"f32_add":    binary32((*env).Add32),
	"f32_sub":    binary32((*env).Sub32),
	"f32_mul":    binary32((*env).Mul32),
	"f32_div":    binary32((*env).Div32),
	"f32_sqrt":   {1, func(e *env, v [3]uint64) uint64 { return uint64(e.Sqrt32(uint32(v[0]))) }},
	"f32_mulAdd": {3, func(e *env, v [3]uint64) uint64 { return uint64(e.MulAdd32(uint32(v[0]), uint32(v[1]), uint32(v[2]))) }},
	"f32_eq":     compare32(false, func(r softfloat.Relation) bool { return r == softfloat.Equal }),
	"f32_lt":     compare32(true, func(r softfloat.Relation) bool { return r == softfloat.Less }),
	"f32_le":     compare32(true, func(r softfloat.Relation) bool { return r == softfloat.Less || r == softfloat.Equal }),

	"f64_add":    {2, func(e *env, v [3]uint64) uint64 { return e.Add64(v[0], v[1]) }},
	"f64_sub":    {2, func(e *env, v [3]uint64) uint64 { return e.Sub64(v[0], v[1]) }},
	"f64_mul":    {2, func(e *env, v [3]uint64) uint64 { return e.Mul64(v[0], v[1]) }},
	"f64_div":    {2, func(e *env, v [3]uint64) uint64 { return e.Div64(v[0], v[1]) }},
	"f64_sqrt":   {1, func(e *env, v [3]uint64) uint64 { return e.Sqrt64(v[0]) }},
	"f64_mulAdd": {3, func(e *env, v [3]uint64) uint64 { return e.MulAdd64(v[0], v[1], v[2]) }},
	"f64_eq":     compare64(false, func(r softfloat.Relation) bool { return r == softfloat.Equal }),
	"f64_lt":     compare64(true, func(r softfloat.Relation) bool { return r == softfloat.Less }),
	"f64_le":     compare64(true, func(r softfloat.Relation) bool { return r == softfloat.Less || r == softfloat.Equal }),

	"f32_to_i32":  from32(softfloat.Int32),
	"f32_to_ui32": from32(softfloat.Uint32),
	"f32_to_i64":  from32(softfloat.Int64),
	"f32_to_ui64": from32(softfloat.Uint64),
	"f64_to_i32":  from64(softfloat.Int32),
	"f64_to_ui32": from64(softfloat.Uint32),
	"f64_to_i64":  from64(softfloat.Int64),
	"f64_to_ui64": from64(softfloat.Uint64),
	"i32_to_f32":  to32(softfloat.Int32),
	"ui32_to_f32": to32(softfloat.Uint32),
	"i64_to_f32":  to32(softfloat.Int64),
	"ui64_to_f32": to32(softfloat.Uint64),
	"i32_to_f64":  to64(softfloat.Int32),
	"ui32_to_f64": to64(softfloat.Uint32),
	"i64_to_f64":  to64(softfloat.Int64),
	"ui64_to_f64": to64(softfloat.Uint64),

	"f16_to_f32": {1, func(e *env, v [3]uint64) uint64 { return uint64(e.F16ToF32(uint16(v[0]))) }},
	"f32_to_f16": {1, func(e *env, v [3]uint64) uint64 { return uint64(e.F32ToF16(uint32(v[0]))) }},
	"f32_to_f64": {1, func(e *env, v [3]uint64) uint64 { return e.F32ToF64(uint32(v[0])) }},
	"f64_to_f32": {1, func(e *env, v [3]uint64) uint64 { return uint64(e.F64ToF32(v[0])) }},
}

func binary32(f func(*env, uint32, uint32) uint32) floatOp {
	return floatOp{2, func(e *env, v [3]uint64) uint64 { return uint64(f(e, uint32(v[0]), uint32(v[1]))) }}
}

func compare32(signalling bool, holds func(softfloat.Relation) bool) floatOp {
	return floatOp{2, func(e *env, v [3]uint64) uint64 {
		return truth(holds(e.Compare32(uint32(v[0]), uint32(v[1]), signalling)))
	}}
}

func compare64(signalling bool, holds func(softfloat.Relation) bool) floatOp {
	return floatOp{2, func(e *env, v [3]uint64) uint64 {
		return truth(holds(e.Compare64(v[0], v[1], signalling)))
	}}
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// TestFloat writes an integer with as many digits as it has, so a negative one isn't sign-extended.
func from32(to softfloat.Fixed) floatOp {
	return floatOp{1, func(e *env, v [3]uint64) uint64 {
		return e.F32ToFixed(uint32(v[0]), to, e.Rounding) & (^uint64(0) >> (64 - to.Bits))
	}}
}

func from64(to softfloat.Fixed) floatOp {
	return floatOp{1, func(e *env, v [3]uint64) uint64 {
		return e.F64ToFixed(v[0], to, e.Rounding) & (^uint64(0) >> (64 - to.Bits))
	}}
}

func to32(from softfloat.Fixed) floatOp {
	return floatOp{1, func(e *env, v [3]uint64) uint64 { return uint64(e.FixedToF32(v[0], from, e.Rounding)) }}
}

func to64(from softfloat.Fixed) floatOp {
	return floatOp{1, func(e *env, v [3]uint64) uint64 { return e.FixedToF64(v[0], from, e.Rounding) }}
}

// Compute runs the case in an environment of the given modes, but with the case's rounding.
func (c *FloatCase) Compute(modes softfloat.Env) (result uint64, flags softfloat.Flags) {
	modes.Rounding, modes.Flags = c.Rounding, 0
	result = floatOps[c.Op].do(&modes, c.Operands)
	return result, modes.Flags
}
