package k210

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

func TestQuarterSine(t *testing.T) {
	for n, got := range quarterSine {
		if want := math.Round(32768 * math.Sin(2*math.Pi*float64(n)/512)); float64(got) != want {
			t.Errorf("quarterSine[%d] = %d, want %g", n, got, want)
		}
	}
}

// dft is the transform by its definition.
func dft(x []fftPoint, inverse bool) []complex128 {
	sign := -2 * math.Pi
	if inverse {
		sign = -sign
	}
	n := len(x)
	out := make([]complex128, n)
	for k := range out {
		for i, p := range x {
			w := cmplx.Rect(1, sign*float64(k*i%n)/float64(n))
			out[k] += complex(float64(p.Re), float64(p.Im)) * w
		}
	}
	return out
}

func noise(rnd *rand.Rand, n, amplitude int) []fftPoint {
	x := make([]fftPoint, n)
	for i := range x {
		x[i] = fftPoint{int16(rnd.IntN(2*amplitude+1) - amplitude), int16(rnd.IntN(2*amplitude+1) - amplitude)}
	}
	return x
}

// worstError is the largest difference of a part from the definition, scaled by the shifts.
func worstError(x []fftPoint, shift uint32, inverse bool) (worst float64, overflow bool) {
	want := dft(x, inverse)
	got := append([]fftPoint(nil), x...)
	overflow = fftTransform(got, shift, inverse)
	scale := 1.0
	for h := 1; h < len(x); h *= 2 {
		if shift&1 != 0 {
			scale /= 2
		}
		shift >>= 1
	}
	for k, p := range got {
		worst = max(worst, math.Abs(float64(p.Re)-scale*real(want[k])), math.Abs(float64(p.Im)-scale*imag(want[k])))
	}
	return worst, overflow
}

// With a shift in each layer an error doubles with the sum and halves with the shift. A layer adds at
// most half of: a half for the product's rounding and, for points up to 23170 in magnitude, a half for
// the twiddle factor's; and a half for the shift: 1 a layer, 9 at most.
func TestFFTShiftedIsTheDefinition(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{64, 128, 256, 512} {
		for _, inverse := range []bool{false, true} {
			for range 20 {
				worst, overflow := worstError(noise(rnd, n, 16000), 0x1FF, inverse)
				if worst > 9 || overflow {
					t.Errorf("%d points, inverse %t: off by %.2f, overflow %t", n, inverse, worst, overflow)
				}
			}
		}
	}
}

// Without shifts each of 9 layers doubles the error and adds 1/2 by the product's rounding, that of
// twiddle factors being small for small numbers.
func TestFFTUnshiftedIsTheDefinition(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{64, 128, 256, 512} {
		bound := float64(n)
		worst, overflow := worstError(noise(rnd, n, 60), 0, false)
		if worst > bound || overflow {
			t.Errorf("%d points: off by %.2f, overflow %t", n, worst, overflow)
		}
	}
}

// What can be computed without rounding is exact.
func TestFFTExactCases(t *testing.T) {
	constant := make([]fftPoint, 64)
	impulse := make([]fftPoint, 512)
	alternating := make([]fftPoint, 128)
	for i := range constant {
		constant[i] = fftPoint{100, -100}
	}
	impulse[0] = fftPoint{1234, -77}
	for i := range alternating {
		alternating[i].Re = int16(200 - 400*(i%2))
	}
	for _, tt := range []struct {
		name  string
		x     []fftPoint
		shift uint32
		want  func(k int) fftPoint
	}{
		{"constant", constant, 0, func(k int) fftPoint {
			if k == 0 {
				return fftPoint{6400, -6400}
			}
			return fftPoint{}
		}},
		{"impulse", impulse, 0, func(int) fftPoint { return fftPoint{1234, -77} }},
		{"alternating, shifted", alternating, 0x7F, func(k int) fftPoint {
			if k == 64 {
				return fftPoint{200, 0}
			}
			return fftPoint{}
		}},
	} {
		fftTransform(tt.x, tt.shift, false)
		for k, got := range tt.x {
			if got != tt.want(k) {
				t.Fatalf("%s: [%d] = %v, want %v", tt.name, k, got, tt.want(k))
			}
		}
	}
}

func TestFFTOverflow(t *testing.T) {
	x := make([]fftPoint, 64)
	for i := range x {
		x[i].Re = 512
	}
	if !fftTransform(x, 0, false) || x[0].Re != -32768 { // 64*512 wraps
		t.Errorf("[0] = %v, want -32768 and an overflow", x[0])
	}
}

// A transform and its inverse, shifted by nine layers as the SDK's example does, give back the
// input but for rounding.
func TestFFTInverse(t *testing.T) {
	x := noise(rand.New(rand.NewPCG(5, 6)), 512, 60)
	y := append([]fftPoint(nil), x...)
	fftTransform(y, 0, false)
	fftTransform(y, 0x1FF, true)
	for i := range x {
		if d := int(x[i].Re) - int(y[i].Re); d < -5 || d > 5 {
			t.Fatalf("[%d] = %v, want %v", i, y[i], x[i])
		}
	}
}

// fftVector is the input of the golden values below: a full period generator of 16 bits.
func fftVector(n int) []fftPoint {
	x := make([]fftPoint, n)
	v := uint16(1)
	next := func() int16 { v = v*25173 + 13849; return int16(v) / 2 }
	for i := range x {
		re := next()
		x[i] = fftPoint{re, next()}
	}
	return x
}

// The values are this definition's own, to notice a change of it: firmware computes the
// same.
func TestFFTGolden(t *testing.T) {
	for _, tt := range []struct {
		n       int
		shift   uint32
		inverse bool
		first   fftPoint
		sum     uint32
	}{
		{64, 0x1FF, false, fftPoint{-640, -851}, 0x1373e80f},
		{128, 0x1FF, false, fftPoint{1001, -649}, 0xd24cc612},
		{128, 0x55, false, fftPoint{8021, -5191}, 0xe9a0c8af},
		{256, 0x1FF, false, fftPoint{131, 233}, 0xaf6deb29},
		{512, 0x1FF, false, fftPoint{374, 413}, 0x891e8983},
		{512, 0x1FF, true, fftPoint{56, -474}, 0x104f9917},
	} {
		x := fftVector(tt.n)
		fftTransform(x, tt.shift, tt.inverse)
		h := fnv.New32a()
		binary.Write(h, binary.LittleEndian, x)
		if x[1] != tt.first || h.Sum32() != tt.sum {
			t.Errorf("%d points, shift 0x%03x, inverse %t: [1] = %v, sum 0x%08x", tt.n, tt.shift, tt.inverse, x[1], h.Sum32())
		}
	}
}

// Whatever the points, exchanging parts before and after makes the inverse, to the bit, and
// without an overflow the transform is near its definition.
func FuzzFFT(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, uint16(0x1FF))
	f.Add([]byte{0x80, 0, 0x80, 0, 0x7F, 0xFF}, uint16(0))
	f.Fuzz(func(t *testing.T, data []byte, shift uint16) {
		x := make([]fftPoint, 64)
		for i := range x {
			if len(data) < 4 {
				break
			}
			x[i] = fftPoint{int16(binary.BigEndian.Uint16(data)), int16(binary.BigEndian.Uint16(data[2:]))}
			data = data[4:]
		}
		if worst, overflow := worstError(x, uint32(shift), false); !overflow && worst > 128 {
			t.Errorf("off by %g", worst)
		}
		a, b := append([]fftPoint(nil), x...), swapped(x)
		lost := fftTransform(a, uint32(shift), false)
		if also := fftTransform(b, uint32(shift), true); lost != also || fmt.Sprint(a) != fmt.Sprint(swapped(b)) {
			t.Error("the inverse of exchanged parts differs")
		}
	})
}

func swapped(x []fftPoint) []fftPoint {
	y := make([]fftPoint, len(x))
	for i, p := range x {
		y[i] = fftPoint{p.Im, p.Re}
	}
	return y
}

func BenchmarkFFT(b *testing.B) {
	x := fftVector(512)
	for b.Loop() {
		fftTransform(x, 0x1FF, false)
	}
}
