package fft

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/cmplx"
	"testing"
)

// noise is a linear congruential generator's; the same as that of the virtual
// accelerator's tests.
func noise(n int) []Point {
	v := uint16(1)
	next := func() int16 {
		v = v*25173 + 13849
		return int16(v) / 2
	}
	x := make([]Point, n)
	for i := range x {
		x[i].Re = next()
		x[i].Im = next()
	}
	return x
}

// exact is the definition.
func exact(x []Point, bin int) complex128 {
	var sum complex128
	for i, p := range x {
		sum += complex(float64(p.Re), float64(p.Im)) * cmplx.Exp(complex(0, -2*math.Pi*float64(i*bin%len(x))/float64(len(x))))
	}
	return sum / complex(float64(len(x)), 0)
}

// Each layer rounds twice, by up to a half and a whole, and each halves what the ones
// before it have lost: the error stays below three in each part, and the twiddle factors'
// own is less than one.
func TestFixed(t *testing.T) {
	for n := 2; n <= MaxSize; n *= 2 {
		in := noise(n)
		out := append([]Point(nil), in...)
		Fixed(out)
		for bin, p := range out {
			want := exact(in, bin)
			if math.Abs(float64(p.Re)-real(want)) > 4 || math.Abs(float64(p.Im)-imag(want)) > 4 {
				t.Errorf("%d points, bin %d: %v, want %.2f", n, bin, p, want)
			}
		}
	}
}

// The sums are those of the virtual accelerator (harness/sim/soc/k210,
// TestFFTGolden), which is another program after the same definition.
func TestFixedLikeAccelerator(t *testing.T) {
	for n, want := range map[int]uint32{64: 0x1373E80F, 128: 0xD24CC612, 256: 0xAF6DEB29, 512: 0x891E8983} {
		x := noise(n)
		Fixed(x)
		h := fnv.New32a()
		binary.Write(h, binary.LittleEndian, x)
		if got := h.Sum32(); got != want {
			t.Errorf("%d points: %#x, want %#x", n, got, want)
		}
	}
}

// Twiddle factors are good to a 65536th, so that the sum is good to half a unit
// where the input is below 16384.
func TestFloat(t *testing.T) {
	for n := 2; n <= MaxSize; n *= 2 {
		in := noise(n)
		out := make([]complex64, n)
		for i, p := range in {
			out[i] = complex(float32(p.Re), float32(p.Im))
		}
		Float(out)
		for bin, v := range out {
			if want := exact(in, bin); cmplx.Abs(complex128(v)-want) > 0.5 {
				t.Errorf("%d points, bin %d: %v, want %.2f", n, bin, v, want)
			}
		}
	}
}

// The table is what its comment says.
func TestSines(t *testing.T) {
	for n, got := range sines {
		if want := math.Round(32768 * math.Sin(2*math.Pi*float64(n)/MaxSize)); float64(got) != want {
			t.Errorf("%d: %d, want %v", n, got, want)
		}
	}
}
