package measure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

// What a signal is made of, after IEEE Std 1241-2010 (its DFT tests: SINAD, SNR, THD,
// noise floor) and Harris, On the Use of Windows for Harmonic Analysis with the Discrete
// Fourier Transform (Proceedings of the IEEE 66(1), 1978), by gonum's transform.
// Levels are decibels of a sine whose peaks just reach full scale (dBFS, AES17-2015).

// Window weighs the samples of a block before its transform.
type Window uint8

// The windows. Rectangular leaves the samples as they are: whatever does not fit the
// block leaks into all bins. Hann's main lobe is two bins wide to either side, and
// beyond it falls by 18 dB an octave.
const (
	Rectangular Window = iota
	Hann
)

func (w Window) String() string {
	if w == Hann {
		return "Hann"
	}
	return "rectangular"
}

// at is the weight of sample i of n, of the periodic window.
func (w Window) at(i, n int) float64 {
	if w == Rectangular {
		return 1
	}
	return 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(n))
}

// lobe is how many bins of the main lobe lie to either side of a peak that may be
// between two bins.
func (w Window) lobe() int {
	if w == Hann {
		return 3
	}
	return 1
}

// image is how far a lobe reaches at a distance in bins, against its top: between the
// zeros, the sidelobes' envelope.
func (w Window) image(bins float64) float64 {
	side := 1 / (math.Pi * bins)
	if w == Hann {
		side /= max(bins*bins-1, 1)
	}
	return side
}

// Spectrum is the power of a block of samples by frequency. Bin k is k·Rate/N; the bins
// add up to the block's mean square, weighed by the window.
type Spectrum struct {
	Rate   float64 // of the samples, Hz
	N      int     // samples
	Window Window
	Power  []float64 // 1 is that of a sine at full scale
}

// SpectrumOf transforms a block of samples whose full scale is given.
func SpectrumOf(samples []int64, fullScale int64, rate float64, w Window) (Spectrum, error) {
	n := len(samples)
	if err := blockFits(n, fullScale, rate); err != nil {
		return Spectrum{}, err
	}
	weighed, squares := make([]float64, n), 0.0
	for i, v := range samples {
		weight := w.at(i, n)
		weighed[i] = weight * float64(v) / float64(fullScale)
		squares += weight * weight
	}
	s := Spectrum{Rate: rate, N: n, Window: w}
	for _, c := range fourier.NewFFT(n).Coefficients(nil, weighed) {
		s.Power = append(s.Power, power(c)/(float64(n)*squares))
	}
	s.oneSided()
	return s, nil
}

// SpectrumFrom takes over a transform that another has made of n samples: the bins 0 to
// n/2, in units of which fullScale is the magnitude that a sine at full scale in the
// middle of a bin has there.
func SpectrumFrom(bins []complex128, fullScale float64, n int, rate float64, w Window) (Spectrum, error) {
	if err := blockFits(n, 1, rate); err != nil {
		return Spectrum{}, err
	}
	if len(bins) != n/2+1 || fullScale <= 0 {
		return Spectrum{}, fmt.Errorf("a spectrum of %d bins of %d samples, full scale %g: want %d", len(bins), n, fullScale, n/2+1)
	}
	sum, squares := 0.0, 0.0
	for i := range n {
		sum += w.at(i, n)
		squares += w.at(i, n) * w.at(i, n)
	}
	s := Spectrum{Rate: rate, N: n, Window: w}
	for _, c := range bins {
		s.Power = append(s.Power, power(c)/(fullScale*fullScale)*sum*sum/(4*float64(n)*squares))
	}
	s.oneSided()
	return s, nil
}

func blockFits(n int, fullScale int64, rate float64) error {
	const least = 8
	if n < least || n%2 != 0 || fullScale <= 0 || rate <= 0 {
		return fmt.Errorf("a spectrum of %d samples at %g Hz, full scale %d: want %d and an even number", n, rate, fullScale, least)
	}
	return nil
}

func power(c complex128) float64 { return real(c)*real(c) + imag(c)*imag(c) }

// oneSided adds the negative frequencies, and makes a sine's power 1.
func (s *Spectrum) oneSided() {
	for k := range s.Power {
		s.Power[k] *= 4
	}
	s.Power[0] /= 2
	s.Power[s.N/2] /= 2
}

// Decibels is a power's level, and -150 dB what is less: a sixth of the step of 24 bits.
func Decibels(power float64) float64 { return 10 * math.Log10(max(power, 1e-15)) }

// MilliDecibels is the same in thousandths, for samples.
func MilliDecibels(power float64) int64 { return int64(math.Round(1000 * Decibels(power))) }

// Levels are those of all bins in thousandths of a dBFS.
func (s Spectrum) Levels() []int64 {
	var all []int64
	for _, p := range s.Power {
		all = append(all, MilliDecibels(p))
	}
	return all
}

// Total is the power of everything but what is constant.
func (s Spectrum) Total() float64 { return s.rest(nil) }

// Peak is a tone: a sine of whatever frequency, not only of a bin's.
type Peak struct {
	Bin      int // nearest below or above
	Hz       float64
	Power    float64
	WithinHz float64 // by how much noise and the tone's own image may have shifted it, three standard deviations
	WithinDB float64
}

// Peaks are the strongest tones, the strongest first: each the largest bin outside of the
// lobes of those before, with frequency and level by the largest bin and its larger
// neighbour. For a sine alone these are exact, but for its image at the negative
// frequency.
func (s Spectrum) Peaks(n int) []Peak {
	var all []Peak
	for range n {
		p, ok := s.peak(all)
		if !ok {
			break
		}
		all = append(all, p)
	}
	for i := range all {
		s.bound(&all[i], all)
	}
	return all
}

// peak finds the strongest that is none of those known.
func (s Spectrum) peak(known []Peak) (Peak, bool) {
	top := 0
	for k := 1; k < s.N/2; k++ {
		if !s.within(k, known) && (top == 0 || s.Power[k] > s.Power[top]) {
			top = k
		}
	}
	if top == 0 || s.Power[top] == 0 {
		return Peak{}, false
	}
	off := s.offset(top)
	return Peak{
		Bin: top, Hz: (float64(top) + off) * s.Rate / float64(s.N),
		Power: s.Power[top] * s.Window.bandwidth() / sqr(s.Window.response(off)),
	}, true
}

// offset is by how many bins the tone lies above its largest bin.
func (s Spectrum) offset(k int) float64 {
	above, sign := s.Power[k+1], 1.0
	if s.Power[k-1] > above {
		above, sign = s.Power[k-1], -1
	}
	r := math.Sqrt(above / s.Power[k])
	if s.Window == Hann {
		return sign * (2*r - 1) / (r + 1)
	}
	return sign * r / (r + 1)
}

// bandwidth is the window's equivalent noise bandwidth in bins.
func (w Window) bandwidth() float64 {
	if w == Hann {
		return 1.5
	}
	return 1
}

// response is the main lobe at an offset in bins, against its top.
func (w Window) response(off float64) float64 {
	if off == 0 {
		return 1
	}
	sinc := math.Sin(math.Pi*off) / (math.Pi * off)
	if w == Hann {
		return sinc / (1 - off*off)
	}
	return sinc
}

// shift is by how many bins a peak may move when the ratio of two bins is off by a little.
// Of a rectangular window's the wrong neighbour may be the larger one: they differ by
// twice the offset's square only.
func (w Window) shift(off float64) float64 {
	if w == Hann {
		return 4.0 / 3 * off
	}
	return math.Sqrt(2 * off)
}

func sqr(v float64) float64 { return v * v }

// bound says how well a peak is known, by the noise of all bins that are of no peak and by
// the lobes of the tone's images below 0 and above half the rate.
func (s Spectrum) bound(p *Peak, all []Peak) {
	bins := p.Hz * float64(s.N) / s.Rate
	image := s.Window.image(max(2*bins-1, 1)) + s.Window.image(max(float64(s.N)-2*bins-1, 1))
	off := 3*math.Sqrt(s.rest(all)/float64(s.N/2)/s.Power[p.Bin]) + 2*image
	p.WithinHz = s.Window.shift(off) * s.Rate / float64(s.N)
	p.WithinDB = 20 * math.Log10(1+off)
}

// within reports whether a bin is in the lobe of a constant or of one of the peaks.
func (s Spectrum) within(k int, peaks []Peak) bool {
	lobe := s.Window.lobe()
	return k < lobe || slices.ContainsFunc(peaks, func(p Peak) bool { return k >= p.Bin-lobe && k <= p.Bin+lobe })
}

// outside is the power outside of the lobes of peaks, and of how many bins it is.
func (s Spectrum) outside(peaks []Peak) (sum float64, bins int) {
	for k := range s.Power {
		if !s.within(k, peaks) {
			sum += s.Power[k]
			bins++
		}
	}
	return sum, bins
}

// rest is the same as if it went on below the lobes.
func (s Spectrum) rest(peaks []Peak) float64 {
	sum, bins := s.outside(peaks)
	return sum * float64(len(s.Power)) / float64(max(bins, 1))
}

// SINAD is the ratio of tones to everything beside them and the constant, in decibels:
// noise, distortion, and what leaks out of their lobes. Tones that fit the block leak
// nothing (IEEE 1241, coherent sampling).
func (s Spectrum) SINAD(tones ...Peak) float64 {
	sum := 0.0
	for _, p := range tones {
		sum += p.Power
	}
	return Decibels(sum) - Decibels(s.rest(tones))
}

// Leakage is the part of a tone's power that lies outside of its main lobe, in decibels of
// the tone; noise and harmonics that lie there are taken for it.
func (s Spectrum) Leakage(p Peak) float64 {
	sum, _ := s.outside([]Peak{p})
	return Decibels(sum / p.Power)
}

// harmonics is how many THD and SNR look at, the second to the sixth.
const harmonics = 6

// harmonicsOf are where a tone's harmonics come to lie, folded at half the rate. Those
// that fall on the tone itself cannot be told from it.
func (s Spectrum) harmonicsOf(p Peak) (all []Peak) {
	for i := 2; i <= harmonics; i++ {
		bin := int(math.Round(float64(i)*p.Hz*float64(s.N)/s.Rate)) % s.N
		bin = min(bin, s.N-bin)
		if !s.within(bin, append(all, p)) {
			all = append(all, Peak{Bin: bin})
		}
	}
	return all
}

// SNR is the ratio of a tone to what is neither it nor one of its harmonics, in decibels.
func (s Spectrum) SNR(p Peak) float64 {
	return Decibels(p.Power) - Decibels(s.rest(append(s.harmonicsOf(p), p)))
}

// THD is the ratio of a tone's harmonics to it, in decibels, the noise below them
// included.
func (s Spectrum) THD(p Peak) float64 {
	sum := 0.0
	for _, h := range s.harmonicsOf(p) {
		for k := max(h.Bin-s.Window.lobe(), 0); k <= min(h.Bin+s.Window.lobe(), s.N/2); k++ {
			sum += s.Power[k]
		}
	}
	return Decibels(sum) - Decibels(p.Power)
}

// Dip is how far the spectrum falls between two peaks, in decibels below the lower one;
// 0 or less: they are not apart.
func (s Spectrum) Dip(a, b Peak) float64 {
	if a.Bin > b.Bin {
		a, b = b, a
	}
	least := min(s.Power[a.Bin], s.Power[b.Bin])
	between := s.Power[a.Bin+1 : max(b.Bin, a.Bin+1)]
	if len(between) == 0 {
		return 0
	}
	return Decibels(least) - Decibels(slices.Min(between))
}

// Transform is the discrete Fourier transform of real samples by gonum, bins 0 to n/2 of
// which each is divided by n, as a transform is that scales by 1/2 in each stage.
func Transform(samples []int64) []complex128 {
	bins := fourier.NewFFT(len(samples)).Coefficients(nil, floats(samples))
	for k := range bins {
		bins[k] /= complex(float64(len(samples)), 0)
	}
	return bins
}

// TransformNoise is the power by which bins differ from the exact ones, against that of the exact
// ones, in decibels.
func TransformNoise(bins, exact []complex128) (float64, error) {
	if len(bins) != len(exact) || len(bins) == 0 {
		return 0, fmt.Errorf("compare %d bins with %d", len(bins), len(exact))
	}
	off, all := 0.0, 0.0
	for k := range bins {
		off += power(bins[k] - exact[k])
		all += power(exact[k])
	}
	if all == 0 {
		return 0, fmt.Errorf("compare %d bins with silence", len(bins))
	}
	return Decibels(off / all), nil
}
