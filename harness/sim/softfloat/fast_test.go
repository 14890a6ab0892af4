package softfloat

import (
	"math/rand/v2"
	"testing"
)

// longWay holds each host-assisted operation next to the exact one.
var longWay = []struct {
	name        string
	fast, exact func(e *Env, a, b, c uint32) uint32
}{
	{"add",
		func(e *Env, a, b, _ uint32) uint32 { return e.Add32(a, b) },
		func(e *Env, a, b, _ uint32) uint32 { return uint32(e.add(single, uint64(a), uint64(b), false)) }},
	{"sub",
		func(e *Env, a, b, _ uint32) uint32 { return e.Sub32(a, b) },
		func(e *Env, a, b, _ uint32) uint32 { return uint32(e.add(single, uint64(a), uint64(b), true)) }},
	{"mul",
		func(e *Env, a, b, _ uint32) uint32 { return e.Mul32(a, b) },
		func(e *Env, a, b, _ uint32) uint32 { return uint32(e.mul(single, uint64(a), uint64(b))) }},
	{"div",
		func(e *Env, a, b, _ uint32) uint32 { return e.Div32(a, b) },
		func(e *Env, a, b, _ uint32) uint32 { return uint32(e.div(single, uint64(a), uint64(b))) }},
	{"sqrt",
		func(e *Env, a, _, _ uint32) uint32 { return e.Sqrt32(a) },
		func(e *Env, a, _, _ uint32) uint32 { return uint32(e.sqrt(single, uint64(a))) }},
	{"mulAdd",
		func(e *Env, a, b, c uint32) uint32 { return e.MulAdd32(a, b, c) },
		func(e *Env, a, b, c uint32) uint32 {
			return uint32(e.mulAdd(single, uint64(a), uint64(b), uint64(c)))
		}},
	{"compare",
		func(e *Env, a, b, _ uint32) uint32 { return uint32(e.Compare32(a, b, true)) },
		func(e *Env, a, b, _ uint32) uint32 { return uint32(e.compare(single, uint64(a), uint64(b), true)) }},
	{"toInt32",
		func(e *Env, a, _, _ uint32) uint32 { return uint32(e.F32ToFixed(a, Int32, e.Rounding)) },
		func(e *Env, a, _, _ uint32) uint32 { return uint32(e.toFixed(single, uint64(a), Int32, e.Rounding)) }},
	{"fromInt32",
		func(e *Env, a, _, _ uint32) uint32 { return e.FixedToF32(uint64(a), Int32, e.Rounding) },
		func(e *Env, a, _, _ uint32) uint32 {
			return uint32(e.round(single, e.Rounding, Int32.number(uint64(a))))
		}},
}

// modes packs an Env into a number: bits 0..2 rounding, then one bit a mode.
func modes(m uint8) Env {
	return Env{Rounding: Rounding(m & 7 % 5), FlushToZero: m&8 != 0, DefaultNaN: m&16 != 0, TininessBefore: m&32 != 0}
}

func checkFast(t *testing.T, m uint8, a, b, c uint32) {
	t.Helper()
	for _, op := range longWay {
		fast, exact := modes(m), modes(m)
		got, want := op.fast(&fast, a, b, c), op.exact(&exact, a, b, c)
		if got != want || fast.Flags != exact.Flags {
			t.Errorf("%s(%08X, %08X, %08X) modes %#x: %08X flags %#x, the long way %08X flags %#x",
				op.name, a, b, c, m, got, fast.Flags, want, exact.Flags)
		}
	}
}

// awkward are the significands and exponents around which rounding goes wrong.
var awkward = []uint32{
	0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x00800001, 0x00FFFFFF, 0x01000000, 0x01000001,
	0x33800000, 0x33FFFFFF, 0x34000000, 0x3EFFFFFF, 0x3F000000, 0x3F7FFFFF, 0x3F800000, 0x3F800001,
	0x40000000, 0x4B000001, 0x4B7FFFFF, 0x4B800001, 0x5F800000, 0x7E800000, 0x7F000001, 0x7F7FFFFF,
	0x7F800000, 0x7F800001, 0x7FBFFFFF, 0x7FC00000, 0x7FC12345,
}

func TestFastIsExactOnAwkwardOperands(t *testing.T) {
	for _, a := range awkward {
		for _, b := range awkward {
			for _, c := range awkward {
				for sign := range uint32(8) {
					for _, m := range []uint8{0, 1, 2, 3, 4, 8, 9, 10, 11} {
						checkFast(t, m|32, a|sign<<31, b|sign>>1&1<<31, c|sign>>2<<31)
					}
				}
			}
			if t.Failed() {
				t.FailNow()
			}
		}
	}
}

// Exponents are drawn close together, as far-apart operands hardly interact.
func TestFastIsExactOnRandomOperands(t *testing.T) {
	r := rand.New(rand.NewPCG(754, 2008))
	near := func(exp uint32) uint32 {
		fraction := r.Uint32() & 0x807FFFFF
		if r.Uint32()&1 != 0 {
			fraction &= 0x807F0000 >> (r.Uint32() & 7) // few bits: exact results and ties
		}
		return fraction&0x807FFFFF | ((exp+r.Uint32()%64)&0xFF)<<23
	}
	for range 100_000 {
		exp := r.Uint32()
		checkFast(t, uint8(r.Uint32()), near(exp), near(exp), near(2*exp-127))
		if t.Failed() {
			t.FailNow()
		}
	}
}

func FuzzFast(f *testing.F) {
	f.Add(uint8(0), uint32(0x3F800000), uint32(0x33800000), uint32(0x00800000))
	f.Add(uint8(40), uint32(0x00800000), uint32(0x3F7FFFFF), uint32(1))
	f.Fuzz(checkFast)
}

func TestNothingAllocates(t *testing.T) {
	e := ArmEnv(0)
	for _, op := range longWay {
		for _, a := range []uint32{0x3F800000, 0x7FA00000, 1} {
			if n := testing.AllocsPerRun(10, func() { op.exact(&e, a, 0x7FC00000, a) }); n != 0 {
				t.Errorf("%s(%08X): %v allocations", op.name, a, n)
			}
		}
	}
}

var sink uint32

func BenchmarkFast(b *testing.B) {
	for _, op := range longWay {
		b.Run(op.name, func(b *testing.B) {
			e, v := Env{}, uint32(0x3F9E0652) // 1.2346
			for b.Loop() {
				v = op.fast(&e, v&0x7FFFFF|0x3F800000, 0x3F8CCCCD, 0x3DCCCCCD)
			}
			sink = v
		})
	}
}

func BenchmarkExact(b *testing.B) {
	for _, op := range longWay {
		b.Run(op.name, func(b *testing.B) {
			e, v := Env{}, uint32(0x3F9E0652)
			for b.Loop() {
				v = op.exact(&e, v&0x7FFFFF|0x3F800000, 0x3F8CCCCD, 0x3DCCCCCD)
			}
			sink = v
		})
	}
}
