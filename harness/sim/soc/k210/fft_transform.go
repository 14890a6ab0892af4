package k210

// What the FFT accelerator computes. Canaan publishes that it is a radix-2 transform
// decimated in time with registers of 16 bits, that each of its nine layers may shift, and
// that 16 bits overflow without a shift (standalone programming guide, FFT). How it
// rounds is not published; the rest of this definition is ours. [A]
//
// Points are complex numbers of 16-bit two's complement parts. A transform of N = 2^L
// points first exchanges the points whose numbers are each other's bits in reverse, and
// then has L layers, from 0. In layer l, h = 2^l and all are done of the butterflies
// of points a = x[g+k] and b = x[g+k+h], where g is a multiple of 2h and 0 <= k < h:
//
//	p.re = (b.re*w.re - b.im*w.im + 2^14) >> 15
//	p.im = (b.re*w.im + b.im*w.re + 2^14) >> 15
//	x[g+k]   = narrow((a + p) >> s)
//	x[g+k+h] = narrow((a - p) >> s)
//
// Shifts are arithmetic: they round towards minus infinity. s is bit l of CTRL's SHIFT,
// narrow takes the lowest 16 bits. The twiddle factor w is exp(-j*pi*k/h), of the inverse
// transform exp(+j*pi*k/h), in 32768ths, with each part rounded to the nearest and 32768
// itself for one. Nothing else is scaled: without shifts the transform is the sum that
// defines it, and so is the inverse.
//
// So exchanging the parts of all points before and after turns the transform into the
// inverse, to the bit. The SDK does that: its fft_data_t has the imaginary part first, where
// the block has the real one (issue 138 of the SDK's repository), and its name for
// mode 1, the inverse transform, is FFT_DIR_FORWARD.

// fftPoint is a complex number.
type fftPoint struct{ Re, Im int16 }

// fftTransform transforms 2^n points in place, and tells whether something did not fit in
// 16 bits.
func fftTransform(x []fftPoint, shift uint32, inverse bool) (overflow bool) {
	fftReorder(x)
	for layer, h := 0, 1; h < len(x); layer, h = layer+1, 2*h {
		s := shift >> layer & 1
		for k := range h {
			cos, sin := fftTwiddle(k * 256 / h)
			if !inverse {
				sin = -sin
			}
			for i := k; i < len(x); i += 2 * h {
				lost := fftButterfly(&x[i], &x[i+h], cos, sin, s)
				overflow = overflow || lost
			}
		}
	}
	return overflow
}

// fftReorder exchanges the points whose numbers are each other's bits in reverse.
func fftReorder(x []fftPoint) {
	j := 0
	for i := range x {
		if i < j {
			x[i], x[j] = x[j], x[i]
		}
		bit := len(x) >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j |= bit
	}
}

func fftButterfly(a, b *fftPoint, wRe, wIm int32, s uint32) (overflow bool) {
	re, im := int32(b.Re), int32(b.Im)
	pRe := (re*wRe - im*wIm + 1<<14) >> 15
	pIm := (re*wIm + im*wRe + 1<<14) >> 15
	sumRe, sumIm := (int32(a.Re)+pRe)>>s, (int32(a.Im)+pIm)>>s
	difRe, difIm := (int32(a.Re)-pRe)>>s, (int32(a.Im)-pIm)>>s
	*a = fftPoint{int16(sumRe), int16(sumIm)}
	*b = fftPoint{int16(difRe), int16(difIm)}
	return sumRe != int32(a.Re) || sumIm != int32(a.Im) || difRe != int32(b.Re) || difIm != int32(b.Im)
}

// fftTwiddle is the cosine and sine of n 512ths of a turn, n up to 256, in 32768ths.
func fftTwiddle(n int) (cos, sin int32) {
	if n <= 128 {
		return quarterSine[128-n], quarterSine[n]
	}
	return -quarterSine[n-128], quarterSine[256-n]
}

// quarterSine is round(32768 * sin(2*pi*n/512)).
var quarterSine = [129]int32{
	0, 402, 804, 1206, 1608, 2009, 2411, 2811, 3212, 3612, 4011, 4410,
	4808, 5205, 5602, 5998, 6393, 6787, 7180, 7571, 7962, 8351, 8740, 9127,
	9512, 9896, 10279, 10660, 11039, 11417, 11793, 12167, 12540, 12910, 13279, 13646,
	14010, 14373, 14733, 15091, 15447, 15800, 16151, 16500, 16846, 17190, 17531, 17869,
	18205, 18538, 18868, 19195, 19520, 19841, 20160, 20475, 20788, 21097, 21403, 21706,
	22006, 22302, 22595, 22884, 23170, 23453, 23732, 24008, 24279, 24548, 24812, 25073,
	25330, 25583, 25833, 26078, 26320, 26557, 26791, 27020, 27246, 27467, 27684, 27897,
	28106, 28311, 28511, 28707, 28899, 29086, 29269, 29448, 29622, 29792, 29957, 30118,
	30274, 30425, 30572, 30715, 30853, 30986, 31114, 31238, 31357, 31471, 31581, 31686,
	31786, 31881, 31972, 32058, 32138, 32214, 32286, 32352, 32413, 32470, 32522, 32568,
	32610, 32647, 32679, 32706, 32729, 32746, 32758, 32766, 32768,
}
