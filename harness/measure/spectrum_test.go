package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// sound is a tone in a block of samples.
type sound struct{ amplitude, hz, phase float64 }

const (
	rate16k = 16_000
	full16  = 1 << 15
	full24  = 1 << 23
)

// block makes n samples of tones at 16 kHz, amplitudes in parts of full scale, with
// noise of a root mean square in steps.
func block(n int, full float64, noise float64, tones ...sound) []int64 {
	r := rand.New(rand.NewPCG(1, 2))
	var all []int64
	for i := range n {
		v := noise * r.NormFloat64()
		for _, t := range tones {
			v += t.amplitude * full * math.Sin(2*math.Pi*t.hz*float64(i)/rate16k+t.phase)
		}
		all = append(all, int64(math.Round(v)))
	}
	return all
}

func spectrumOf(t *testing.T, samples []int64, full int64, w Window) Spectrum {
	t.Helper()
	s, err := SpectrumOf(samples, full, rate16k, w)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func within(got, want, by float64) bool { return math.Abs(got-want) <= by }

// By Parseval's theorem: bins add up to the mean square, 1 for a sine at full scale.
func TestSpectrumAddsUp(t *testing.T) {
	for _, w := range []Window{Rectangular, Hann} {
		for _, n := range []int{64, 128, 512} {
			s := spectrumOf(t, block(n, full24, 0, sound{1 - 1e-6, 2000, 0.3}), full24, w) // a bin's
			sum := 0.0
			for _, p := range s.Power {
				sum += p
			}
			if !within(sum, 1, 1e-5) || !within(s.Total(), 1, 0.1) {
				t.Errorf("%d samples, %v: %g", n, w, sum)
			}
		}
	}
	s := spectrumOf(t, []int64{100, 100, 100, 100, 100, 100, 100, 100}, 200, Rectangular)
	if !within(s.Power[0], 0.5, 1e-12) { // half of full scale has half the square of a full sine
		t.Errorf("a constant has the power %g", s.Power[0])
	}
	alternating := spectrumOf(t, []int64{100, -100, 100, -100, 100, -100, 100, -100}, 200, Rectangular)
	if !within(alternating.Power[4], 0.5, 1e-12) {
		t.Errorf("half the rate has the power %g", alternating.Power[4])
	}
}

// Tones at each twentieth of a bin, of each phase and several lengths, are found within
// what the peak itself says, and that is not far more than needed.
func TestPeaks(t *testing.T) {
	for _, w := range []Window{Rectangular, Hann} {
		for _, n := range []int{64, 128, 256, 512} {
			for _, noise := range []float64{0.3, 300} {
				worst := 0.0
				for i := range 40 {
					hz := float64(rate16k) / float64(n) * (float64(n)/5 + float64(i)/20)
					phase := float64(i) * 0.7
					s := spectrumOf(t, block(n, full16, noise, sound{0.5, hz, phase}), full16, w)
					p := s.Peaks(1)[0]
					if !within(p.Hz, hz, p.WithinHz) || !within(Decibels(p.Power), -6.0206, p.WithinDB) {
						t.Errorf("%v of %d, noise %g: %.3f Hz at %.3f dB; found %.3f ± %.3f Hz at %.3f ± %.3f dB",
							w, n, noise, hz, -6.0206, p.Hz, p.WithinHz, Decibels(p.Power), p.WithinDB)
					}
					worst = max(worst, p.WithinHz*float64(n)/rate16k)
				}
				if limit := map[Window]float64{Rectangular: 1, Hann: 0.25}[w]; worst > limit {
					t.Errorf("%v of %d, noise %g: known to %.3f bins only, want %g", w, n, noise, worst, limit)
				}
			}
		}
	}
}

func TestTwoPeaks(t *testing.T) {
	s := spectrumOf(t, block(512, full16, 0, sound{0.25, 1000, 0}, sound{0.4, 1300, 1}), full16, Hann)
	p := s.Peaks(2)
	if len(p) != 2 || !within(p[0].Hz, 1300, 1) || !within(p[1].Hz, 1000, 1) {
		t.Fatalf("%+v", p)
	}
	if d := s.Dip(p[0], p[1]); d < 40 || s.Dip(p[1], p[0]) != d {
		t.Errorf("between them it falls by %.1f dB", d)
	}
	one := spectrumOf(t, block(64, full16, 0, sound{0.25, 1000, 0}, sound{0.25, 1050, 0}), full16, Hann)
	if d := one.Dip(one.Peaks(1)[0], Peak{Bin: 5}); d > 1 {
		t.Errorf("tones a fifth of a bin apart are %.1f dB apart", d)
	}
	if got := spectrumOf(t, make([]int64, 64), full16, Hann).Peaks(3); got != nil {
		t.Errorf("silence has peaks: %+v", got)
	}
}

// An ideal converter of b bits makes 6.02·b + 1.76 dB of a tone that fits the block.
func TestSINADOfQuantisation(t *testing.T) {
	for _, bits := range []int{8, 12, 16} {
		full := float64(int(1) << (bits - 1))
		s := spectrumOf(t, block(4096, full, 0, sound{1 - 1/full, 257 * rate16k / 4096.0, 0.1}), int64(full), Hann)
		p := s.Peaks(1)[0]
		want := 6.02*float64(bits) + 1.76
		for name, got := range map[string]float64{"SINAD": s.SINAD(p), "SNR": s.SNR(p)} {
			if !within(got, want, 1) {
				t.Errorf("%s of %d bits is %.2f dB, want %.2f", name, bits, got, want)
			}
		}
	}
}

// Harmonics of 1/100 and 1/200: 20·log10(sqrt(0.01² + 0.005²)) = -39.03 dB. The third
// of 6000 Hz folds to 2000 Hz.
func TestDistortion(t *testing.T) {
	for _, hz := range []float64{1000, 6000} {
		s := spectrumOf(t, block(512, full24, 0, sound{0.5, hz, 0}, sound{0.005, 2 * hz, 0}, sound{0.0025, 3 * hz, 0}), full24, Hann)
		p := s.Peaks(1)[0]
		if got := s.THD(p); !within(got, -39.03, 0.05) {
			t.Errorf("THD of %g Hz is %.2f dB", hz, got)
		}
		if got := s.SINAD(p); !within(got, 39.03, 0.5) || s.SNR(p) < 90 {
			t.Errorf("SINAD of %g Hz is %.2f dB, SNR %.2f dB", hz, got, s.SNR(p))
		}
	}
}

// A tone between two bins has 2·(2/π)² + (2/3π)² = 0.8556 of its power in the largest
// three bins of a rectangular window, less what its image adds. A Hann window's sidelobes
// beyond fall by its transform, sin(πx)/πx/(1-x²), 1.5 bins of noise wide.
func TestLeakage(t *testing.T) {
	hz := 40.5 * rate16k / 128
	s := spectrumOf(t, block(128, full24, 0, sound{0.9, hz, 0.4}), full24, Rectangular)
	if got, want := s.Leakage(s.Peaks(1)[0]), 10*math.Log10(1-0.8556); !within(got, want, 0.3) {
		t.Errorf("a rectangular window leaks %.2f dB, want %.2f", got, want)
	}
	s = spectrumOf(t, block(128, full24, 0, sound{0.9, hz, 0.4}), full24, Hann)
	want := 0.0
	for x := 3.5; x < 50; x++ {
		side := 1 / (math.Pi * x * (x*x - 1))
		want += side * side / 1.5
		if x > 3.5 { // the lobe's other end is half a bin further away
			want += side * side / 1.5
		}
	}
	if got, want := s.Leakage(s.Peaks(1)[0]), 10*math.Log10(want); !within(got, want, 0.3) {
		t.Errorf("a Hann window leaks %.2f dB, want %.2f", got, want)
	}
}

// A transform taken over gives the same as one of one's own.
func TestSpectrumFrom(t *testing.T) {
	samples := block(128, full16, 1, sound{0.5, 1234, 0})
	own := spectrumOf(t, samples, full16, Rectangular)
	bins := Transform(samples)
	s, err := SpectrumFrom(bins, full16/2, 128, rate16k, Rectangular)
	if err != nil {
		t.Fatal(err)
	}
	for k := range own.Power {
		if !within(s.Power[k], own.Power[k], 1e-9) {
			t.Fatalf("bin %d: %g, want %g", k, s.Power[k], own.Power[k])
		}
	}
	noise, err := TransformNoise(bins, Transform(samples))
	if err != nil || !within(noise, -150, 1e-9) {
		t.Errorf("the same bins differ by %g dB, %v", noise, err)
	}
	bins[10] += 1
	all := 0.0
	for _, b := range Transform(samples) {
		all += power(b)
	}
	if noise, err = TransformNoise(bins, Transform(samples)); err != nil || !within(noise, -10*math.Log10(all), 1e-6) {
		t.Errorf("bins differ by %g dB, %v", noise, err)
	}
}

func TestSpectraRefused(t *testing.T) {
	for name, err := range map[string]error{
		"odd":        second(SpectrumOf(make([]int64, 9), 1, 1, Hann)),
		"short":      second(SpectrumOf(make([]int64, 6), 1, 1, Hann)),
		"no scale":   second(SpectrumOf(make([]int64, 8), 0, 1, Hann)),
		"no rate":    second(SpectrumOf(make([]int64, 8), 1, 0, Hann)),
		"few bins":   second(SpectrumFrom(make([]complex128, 4), 1, 8, 1, Hann)),
		"no bins'":   second(SpectrumFrom(make([]complex128, 5), 0, 8, 1, Hann)),
		"other bins": second(TransformNoise(make([]complex128, 4), make([]complex128, 5))),
		"silence":    second(TransformNoise(make([]complex128, 4), make([]complex128, 4))),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func ExampleSpectrumOf() {
	var samples []int64
	for i := range 128 {
		samples = append(samples, int64(math.Round(16384*math.Sin(2*math.Pi*1010*float64(i)/16000))))
	}
	s, err := SpectrumOf(samples, 32768, 16000, Hann)
	if err != nil {
		panic(err)
	}
	p := s.Peaks(1)[0]
	fmt.Printf("%.0f Hz at %.1f dBFS\n", p.Hz, Decibels(p.Power))
	// Output: 1010 Hz at -6.0 dBFS
}
