// Package fft transforms in Go, on boards and on the host: the discrete Fourier
// transform of 2 to 512 points, divided by their number, radix 2, decimated in
// time (Cooley and Tukey, "An Algorithm for the Machine Calculation of Complex Fourier
// Series", Mathematics of Computation 19(90), 1965).
//
// Fixed is, to the bit, what the virtual K210's accelerator computes when every layer shifts
// (harness/sim/soc/k210). How the real one rounds is not published.
//
// Left out: inverse transforms, transforms of real numbers, and shifts to choose.
package fft

// Point is a complex number of 16 bits each part.
type Point struct{ Re, Im int16 }

// MaxSize is the most points of a transform.
const MaxSize = 512

// sines is the sine of n 512ths of a turn in 32768ths, rounded, for the first
// quarter.
var sines = [MaxSize/4 + 1]uint16{
	0, 402, 804, 1206, 1608, 2009, 2411, 2811, 3212, 3612, 4011, 4410, 4808, 5205, 5602, 5998,
	6393, 6787, 7180, 7571, 7962, 8351, 8740, 9127, 9512, 9896, 10279, 10660, 11039, 11417, 11793, 12167,
	12540, 12910, 13279, 13646, 14010, 14373, 14733, 15091, 15447, 15800, 16151, 16500, 16846, 17190, 17531, 17869,
	18205, 18538, 18868, 19195, 19520, 19841, 20160, 20475, 20788, 21097, 21403, 21706, 22006, 22302, 22595, 22884,
	23170, 23453, 23732, 24008, 24279, 24548, 24812, 25073, 25330, 25583, 25833, 26078, 26320, 26557, 26791, 27020,
	27246, 27467, 27684, 27897, 28106, 28311, 28511, 28707, 28899, 29086, 29269, 29448, 29622, 29792, 29957, 30118,
	30274, 30425, 30572, 30715, 30853, 30986, 31114, 31238, 31357, 31471, 31581, 31686, 31786, 31881, 31972, 32058,
	32138, 32214, 32286, 32352, 32413, 32470, 32522, 32568, 32610, 32647, 32679, 32706, 32729, 32746, 32758, 32766,
	32768,
}

// twiddle is exp(-j 2 pi n/512) in 32768ths.
type twiddle struct{ re, im int32 }

var (
	twiddles      [MaxSize / 2]twiddle
	floatTwiddles [MaxSize / 2]complex64
)

func init() {
	const quarter = MaxSize / 4
	for n := range twiddles {
		re, im := -int32(sines[max(n, quarter)-quarter]), -int32(sines[min(2*quarter-n, quarter)])
		if n <= quarter {
			re, im = int32(sines[quarter-n]), -int32(sines[n])
		}
		twiddles[n] = twiddle{re, im}
		floatTwiddles[n] = complex(float32(re)/32768, float32(im)/32768)
	}
}

// Fixed transforms in place. Each layer halves, so that nothing overflows as long as each
// point's magnitude is below 32768.
func Fixed(x []Point) {
	reorder(x)
	for h := 1; h < len(x); h *= 2 {
		step := MaxSize / 2 / h
		for k := range h {
			w := &twiddles[k*step]
			for i := k; i < len(x); i += 2 * h {
				butterfly(&x[i], &x[i+h], w)
			}
		}
	}
}

func butterfly(a, b *Point, w *twiddle) {
	const half = 1 << 14
	re, im := int32(b.Re), int32(b.Im)
	pRe := (re*w.re - im*w.im + half) >> 15
	pIm := (re*w.im + im*w.re + half) >> 15
	aRe, aIm := int32(a.Re), int32(a.Im)
	*a = Point{int16((aRe + pRe) >> 1), int16((aIm + pIm) >> 1)}
	*b = Point{int16((aRe - pRe) >> 1), int16((aIm - pIm) >> 1)}
}

// Float transforms in place.
func Float(x []complex64) {
	reorder(x)
	for h := 1; h < len(x); h *= 2 {
		step := MaxSize / 2 / h
		for k := range h {
			w := floatTwiddles[k*step]
			for i := k; i < len(x); i += 2 * h {
				a, p := x[i], x[i+h]*w
				x[i], x[i+h] = a+p, a-p
			}
		}
	}
	scale := complex(1/float32(len(x)), 0)
	for i := range x {
		x[i] *= scale
	}
}

// reorder exchanges the points whose numbers are each other's bits in reverse.
func reorder[T any](x []T) {
	j := 0
	for i := range x {
		if i < j {
			x[i], x[j] = x[j], x[i]
		}
		bit := len(x) / 2
		for ; j&bit != 0; bit /= 2 {
			j ^= bit
		}
		j |= bit
	}
}
