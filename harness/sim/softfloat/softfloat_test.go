package softfloat

import "testing"

// FPSCR control bits, DDI0403E A2.5.3.
const (
	fz  = 1 << 24
	dn  = 1 << 25
	ahp = 1 << 26
	rp  = 1 << 22
	rm  = 2 << 22
	rz  = 3 << 22
)

func TestArmEnv(t *testing.T) {
	for _, c := range []struct {
		fpscr uint32
		want  Env
	}{
		{0, Env{TininessBefore: true}},
		{0xF800009F, Env{TininessBefore: true}}, // condition and exception bits aren't modes
		{fz | rp, Env{TininessBefore: true, FlushToZero: true, Rounding: Up}},
		{dn | rm, Env{TininessBefore: true, DefaultNaN: true, Rounding: Down}},
		{ahp | rz, Env{TininessBefore: true, AltHalf: true, Rounding: ToZero}},
	} {
		if got := ArmEnv(c.fpscr); got != c.want {
			t.Errorf("ArmEnv(%08X) = %+v, want %+v", c.fpscr, got, c.want)
		}
	}
}

func TestFlagsFPSCR(t *testing.T) {
	for f, want := range map[Flags]uint32{
		Invalid: 1 << 0, DivideByZero: 1 << 1, Overflow: 1 << 2, Underflow: 1 << 3, Inexact: 1 << 4, InputDenormal: 1 << 7,
		Inexact | Overflow | InputDenormal: 0x94,
	} {
		if got := f.FPSCR(); got != want {
			t.Errorf("Flags(%#x).FPSCR() = %#x, want %#x", uint8(f), got, want)
		}
	}
}

const (
	qnan1, qnan2 = 0x7FC00001, 0xFFC00002
	snan1, snan2 = 0x7F800001, 0xFF800002
	inf, one     = 0x7F800000, 0x3F800000
	tinyNumber   = 0x00000123 // a denormal
	smallest     = 0x00800000 // the smallest normal number
	defaultNaN   = 0x7FC00000
)

// Expected values follow the pseudocode of DDI0403E A2.5 by hand.
func TestArmRules(t *testing.T) {
	add, mul := (*Env).Add32, (*Env).Mul32
	for _, c := range []struct {
		name  string
		fpscr uint32
		op    func(*Env, uint32, uint32) uint32
		a, b  uint32
		want  uint32
		flags Flags
	}{
		{"first quiet NaN", 0, add, qnan1, qnan2, qnan1, 0},
		{"second operand's quiet NaN", 0, add, one, qnan2, qnan2, 0},
		{"a signalling NaN goes before a quiet one", 0, add, qnan1, snan2, snan2 | 1<<22, Invalid},
		{"first signalling NaN", 0, mul, snan1, snan2, snan1 | 1<<22, Invalid},
		{"subtraction keeps the sign of a NaN", 0, (*Env).Sub32, one, qnan1, qnan1, 0},
		{"default NaN for a quiet one", dn, add, qnan2, one, defaultNaN, 0},
		{"default NaN for a signalling one", dn, add, one, snan2, defaultNaN, Invalid},
		{"invalid gives the default NaN", 0, mul, 0, inf | 1<<31, defaultNaN, Invalid},
		{"inputs are flushed", fz, add, tinyNumber, one, one, InputDenormal},
		{"flushed inputs keep the sign", fz, mul, tinyNumber | 1<<31, one, 1 << 31, InputDenormal},
		{"flushing comes before the NaN", fz, add, tinyNumber, qnan1, qnan1, InputDenormal},
		{"a flushed divisor divides by zero", fz, (*Env).Div32, one, tinyNumber, inf, InputDenormal | DivideByZero},
		{"a flushed result underflows, exact or not", fz, mul, smallest, 0x3F000000, 0, Underflow},
		{"and isn't inexact", fz, mul, smallest | 1<<31, 0x3F7FFFFF, 1 << 31, Underflow},
		{"tiny before rounding, normal after", 0, mul, 0x00FFFFFE, 0x3F000001, smallest, Underflow | Inexact},
		{"cancellation rounding down", rm, add, one, one | 1<<31, 1 << 31, 0},
	} {
		e := ArmEnv(c.fpscr)
		if got := c.op(&e, c.a, c.b); got != c.want || e.Flags != c.flags {
			t.Errorf("%s: %08X flags %#x, want %08X flags %#x", c.name, got, e.Flags, c.want, c.flags)
		}
	}
}

// The product is 2^-126 * (1 - 2^-46): 24 bits with an unbounded exponent make it 2^-126, which isn't tiny.
func TestTininessAfterRounding(t *testing.T) {
	e := RISCVEnv(NearestEven)
	if got := e.Mul32(0x00FFFFFE, 0x3F000001); got != smallest || e.Flags != Inexact {
		t.Errorf("got %08X flags %#x, want %08X, inexact only", got, e.Flags, smallest)
	}
}

// FPMulAdd and FPProcessNaNs3: the addend is the first operand.
func TestMulAddNaNs(t *testing.T) {
	for _, c := range []struct {
		name      string
		env       Env
		a, b, add uint32
		want      uint32
		flags     Flags
	}{
		{"the addend's quiet NaN first", ArmEnv(0), qnan2, qnan2, qnan1, qnan1, 0},
		{"a factor's signalling NaN before that", ArmEnv(0), one, snan2, qnan1, snan2 | 1<<22, Invalid},
		{"the addend's signalling NaN first", ArmEnv(0), snan2, snan2, snan1, snan1 | 1<<22, Invalid},
		{"infinity times zero plus a quiet NaN", ArmEnv(0), inf, 0, qnan1, defaultNaN, Invalid},
		{"infinity times zero plus a signalling NaN", ArmEnv(0), inf, 0, snan1, snan1 | 1<<22, Invalid},
		{"RISC-V raises invalid too", RISCVEnv(0), 0, inf, qnan1, defaultNaN, Invalid},
		{"infinities of unlike sign", ArmEnv(0), inf, one, inf | 1<<31, defaultNaN, Invalid},
	} {
		if got := c.env.MulAdd32(c.a, c.b, c.add); got != c.want || c.env.Flags != c.flags {
			t.Errorf("%s: %08X flags %#x, want %08X flags %#x", c.name, got, c.env.Flags, c.want, c.flags)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		fpscr      uint32
		a, b       uint32
		signalling bool
		want       Relation
		flags      Flags
	}{
		{0, 0, 1 << 31, true, Equal, 0},
		{0, one, inf, true, Less, 0},
		{0, one, inf | 1<<31, true, Greater, 0},
		{0, one | 1<<31, tinyNumber | 1<<31, true, Less, 0},
		{fz, tinyNumber, 0, false, Equal, InputDenormal},
		{fz, tinyNumber, one | 1<<31, false, Greater, InputDenormal},
		{0, one, qnan1, false, Unordered, 0},
		{0, one, qnan1, true, Unordered, Invalid},
		{0, snan1, one, false, Unordered, Invalid},
	} {
		e := ArmEnv(c.fpscr)
		if got := e.Compare32(c.a, c.b, c.signalling); got != c.want || e.Flags != c.flags {
			t.Errorf("%08X ? %08X: %04b flags %#x, want %04b flags %#x", c.a, c.b, got, e.Flags, c.want, c.flags)
		}
	}
}

// FPToFixed saturates after rounding; NaN becomes zero.
func TestToFixed(t *testing.T) {
	for _, c := range []struct {
		fpscr uint32
		a     uint32
		to    Fixed
		r     Rounding
		want  uint64
		flags Flags
	}{
		{0, 0x3FC00000, Int32, ToZero, 1, Inexact},             // 1.5
		{0, 0x3FC00000, Int32, NearestEven, 2, Inexact},        // 1.5
		{0, 0xBFC00000, Int32, ToZero, ^uint64(0), Inexact},    // -1.5
		{0, 0xBFC00000, Uint32, ToZero, 0, Invalid},            // -1.5
		{0, 0xBF000000, Uint32, ToZero, 0, Inexact},            // -0.5
		{0, 0x4F000000, Int32, ToZero, 0x7FFFFFFF, Invalid},    // 2^31
		{0, 0xCF000000, Int32, ToZero, ^uint64(0x7FFFFFFF), 0}, // -2^31
		{0, 0x4F000000, Uint32, ToZero, 1 << 31, 0},            // 2^31
		{0, inf, Uint32, ToZero, 0xFFFFFFFF, Invalid},
		{0, inf | 1<<31, Int16, ToZero, ^uint64(0x7FFF), Invalid},
		{0, qnan1, Int32, ToZero, 0, Invalid},
		{0, 0x3FC00000, Fixed{16, 8, true}, ToZero, 0x180, 0},           // 1.5
		{0, 0x43000000, Fixed{16, 8, true}, ToZero, 0x7FFF, Invalid},    // 128
		{0, 0xC3000000, Fixed{16, 8, true}, ToZero, ^uint64(0x7FFF), 0}, // -128
		{0, 0x3F7FFFFF, Fixed{32, 32, false}, ToZero, 0xFFFFFF00, 0},    // just below 1
		{0, one, Fixed{32, 32, false}, ToZero, 0xFFFFFFFF, Invalid},
		{0, tinyNumber, Int32, NearestEven, 0, Inexact},
		{fz, tinyNumber, Int32, NearestEven, 0, InputDenormal},
		{0, 0x5F7FFFFF, Uint64, ToZero, 0xFFFFFF0000000000, 0},        // just below 2^64
		{0, 0x2E800000, Fixed{32, 32, true}, NearestEven, 0, Inexact}, // 2^-34, a quarter of the last place
		{0, 0x2E800000 | 1<<31, Fixed{32, 32, true}, Down, ^uint64(0), Inexact},
		{0, 0x477FFF80, Uint16, NearestEven, 0xFFFF, Invalid},         // 65535.5 rounds to 65536
		{0, 0x46FFFF00, Int16, NearestEven, 0x7FFF, Invalid},          // 32767.5
		{0, 0x46FFFF00, Int16, ToZero, 0x7FFF, Inexact},               // 32767.5
		{0, 0x46FFFE00, Int16, ToZero, 0x7FFF, 0},                     // 32767
		{0, 0xC7000080, Int16, ToZero, ^uint64(0x7FFF), Inexact},      // -32768.5
		{0, 0xC7000100, Int16, ToZero, ^uint64(0x7FFF), Invalid},      // -32769
		{0, 0xC7000080, Int16, NearestEven, ^uint64(0x7FFF), Inexact}, // -32768.5 rounds to even
		{0, 0x4EFFFFFF, Int32, Up, 0x7FFFFF80, 0},                     // the last single below 2^31
		{0, 0xCEFFFFFF, Int32, NearestAway, ^uint64(0x7FFFFF80) + 1, 0},
		{0, 0x3EFFFFFF, Int32, NearestAway, 0, Inexact},   // just below 0.5
		{0, 0x3F000000, Int32, NearestAway, 1, Inexact},   // 0.5
		{0, 0x3F000000, Int32, Down, 0, Inexact},          // 0.5
		{0, 0xBF000000, Int32, Down, ^uint64(0), Inexact}, // -0.5
	} {
		e := ArmEnv(c.fpscr)
		if got := e.F32ToFixed(c.a, c.to, c.r); got != c.want || e.Flags != c.flags {
			t.Errorf("%08X to %+v: %#x flags %#x, want %#x flags %#x", c.a, c.to, got, e.Flags, c.want, c.flags)
		}
	}
}

func TestRISCVConvertsNaNToTheLargest(t *testing.T) {
	e := RISCVEnv(NearestEven)
	if got := e.F32ToFixed(qnan2, Int32, ToZero); got != 0x7FFFFFFF || e.Flags != Invalid {
		t.Errorf("got %#x flags %#x, want 7fffffff, invalid", got, e.Flags)
	}
}

func TestFromFixed(t *testing.T) {
	for _, c := range []struct {
		v     uint64
		from  Fixed
		r     Rounding
		want  uint32
		flags Flags
	}{
		{0, Int32, Down, 0, 0},
		{0xFFFFFFFF, Int32, NearestEven, 0xBF800000, 0}, // -1
		{0xFFFFFFFF, Uint32, NearestEven, 0x4F800000, Inexact},
		{0xFFFFFFFF, Uint32, ToZero, 0x4F7FFFFF, Inexact},
		{0x80000000, Int32, NearestEven, 0xCF000000, 0},
		{0x12348000, Int16, NearestEven, 0xC7000000, 0}, // the upper half isn't looked at
		{0x1234FFFF, Fixed{16, 16, false}, NearestEven, 0x3F7FFF00, 0},
		{1, Fixed{32, 32, true}, NearestEven, 0x2F800000, 0},
		{0x01000001, Int32, NearestEven, 0x4B800000, Inexact}, // 2^24 + 1 is a tie
		{0x01000001, Int32, Up, 0x4B800001, Inexact},
		{1 << 63, Int64, NearestEven, 0xDF000000, 0},
	} {
		var e Env
		if got := e.FixedToF32(c.v, c.from, c.r); got != c.want || e.Flags != c.flags {
			t.Errorf("%#x of %+v: %08X flags %#x, want %08X flags %#x", c.v, c.from, got, e.Flags, c.want, c.flags)
		}
	}
}

func TestHalfPrecision(t *testing.T) {
	for _, c := range []struct {
		name  string
		fpscr uint32
		a     uint32
		want  uint16
		flags Flags
	}{
		{"one", 0, one, 0x3C00, 0},
		{"overflow", 0, 0x47800000, 0x7C00, Overflow | Inexact}, // 65536
		{"that is a number in the alternative format", ahp, 0x47800000, 0x7C00, 0},
		{"overflow of which is invalid", ahp, 0xC8000000, 0xFFFF, Invalid}, // -131072
		{"its rounding mode doesn't matter", ahp | rz, 0x48000000, 0x7FFF, Invalid},
		{"infinity", 0, inf, 0x7C00, 0},
		{"there is none", ahp, inf | 1<<31, 0xFFFF, Invalid},
		{"a NaN's upper fraction bits", 0, 0xFFC04000, 0xFE02, 0},
		{"signalling", 0, 0x7F806000, 0x7E03, Invalid},
		{"default NaN", dn, 0xFFC04000, 0x7E00, 0},
		{"no NaN either", ahp, qnan2, 0x8000, Invalid},
		{"denormal", 0, 0x33800000, 0x0001, 0},
		{"results aren't flushed", fz, 0x33800000, 0x0001, 0},
		{"operands are", fz, tinyNumber | 1<<31, 0x8000, InputDenormal},
		{"underflow", 0, 0x33000000, 0x0000, Underflow | Inexact},
	} {
		e := ArmEnv(c.fpscr)
		if got := e.F32ToF16(c.a); got != c.want || e.Flags != c.flags {
			t.Errorf("%s: %08X to %04X flags %#x, want %04X flags %#x", c.name, c.a, got, e.Flags, c.want, c.flags)
		}
	}
}

func TestFromHalfPrecision(t *testing.T) {
	for _, c := range []struct {
		name  string
		fpscr uint32
		a     uint16
		want  uint32
		flags Flags
	}{
		{"one", 0, 0x3C00, one, 0},
		{"denormals are never flushed", fz, 0x8001, 0xB3800000, 0},
		{"infinity", 0, 0xFC00, inf | 1<<31, 0},
		{"a number in the alternative format", ahp, 0xFC00, 0xC7800000, 0},
		{"its largest", ahp, 0x7FFF, 0x47FFE000, 0},
		{"NaN", 0, 0xFE02, 0xFFC04000, 0},
		{"signalling", 0, 0x7C01, 0x7FC02000, Invalid},
		{"default NaN", dn, 0x7C01, defaultNaN, Invalid},
	} {
		e := ArmEnv(c.fpscr)
		if got := e.F16ToF32(c.a); got != c.want || e.Flags != c.flags {
			t.Errorf("%s: %04X to %08X flags %#x, want %08X flags %#x", c.name, c.a, got, e.Flags, c.want, c.flags)
		}
	}
}
