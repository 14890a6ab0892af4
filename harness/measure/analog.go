package measure

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// What characterises a converter, after IEEE Std 1241-2010 (analog-to-digital
// converters) and IEEE Std 1057-2017 (the three-parameter sine fit). Codes are
// what the converter gave; a code's width is 1 LSB where all is ideal.

// Transfer is a straight line: y = Offset + Gain·x.
type Transfer struct{ Offset, Gain float64 }

// At is the line's y.
func (l Transfer) At(x float64) float64 { return l.Offset + l.Gain*x }

// FitTransfer is the line of least squares.
func FitTransfer(x, y []float64) (Transfer, error) {
	if err := points(x, y); err != nil {
		return Transfer{}, fmt.Errorf("fit a line: %w", err)
	}
	offset, gain := stat.LinearRegression(x, y, nil, false)
	return Transfer{offset, gain}, nil
}

// EndPoints is the line through the first and the last point.
func EndPoints(x, y []float64) (Transfer, error) {
	if err := points(x, y); err != nil {
		return Transfer{}, fmt.Errorf("lay a line through the end points: %w", err)
	}
	last := len(x) - 1
	gain := (y[last] - y[0]) / (x[last] - x[0])
	return Transfer{y[0] - gain*x[0], gain}, nil
}

// points checks that a line can go through them.
func points(x, y []float64) error {
	if len(x) != len(y) || len(x) < 2 || x[0] == x[len(x)-1] {
		return fmt.Errorf("%d places and %d values, or all at one place", len(x), len(y))
	}
	return nil
}

// Deviations is by how much each point lies above the line: the integral
// nonlinearity, if the line is the converter's and y its codes.
func (l Transfer) Deviations(x, y []float64) []float64 {
	var d []float64
	for i := range x {
		d = append(d, y[i]-l.At(x[i]))
	}
	return d
}

// Largest is the value furthest from 0, with its sign, and its index.
func Largest(v []float64) (value float64, index int) {
	for i, d := range v {
		if math.Abs(d) > math.Abs(value) {
			value, index = d, i
		}
	}
	return value, index
}

// Density is a converter's nonlinearity in LSB by how often each code came
// (IEEE 1241, histogram of a ramp). The first value of either is that of code First.
type Density struct {
	First    int64
	DNL, INL []float64
	Missing  []int64 // codes that never came
}

// CodeDensity takes the codes of a ramp that rises steadily beyond both ends of
// the range first to last; what lies outside the range is left out. The widths
// are relative to their mean, so gain and offset do not count. Each is known to
// one part in the root of its count: a dozen a code give DNL to a third of an LSB,
// if the codes are noisy, and to a twelfth if they are not.
func CodeDensity(codes []int64, first, last int64) (Density, error) {
	d := Density{First: first}
	if last <= first || last-first > 1<<24 {
		return d, fmt.Errorf("code density of the range %d to %d: want two codes, at most 2^24", first, last)
	}
	counts := make([]float64, last-first+1)
	n := 0.0
	for _, c := range codes {
		if c >= first && c <= last {
			counts[c-first]++
			n++
		}
	}
	if n == 0 {
		return d, fmt.Errorf("code density: none of %d codes lies between %d and %d", len(codes), first, last)
	}
	mean, sum := n/float64(len(counts)), 0.0
	for i, count := range counts {
		width := count / mean
		d.DNL = append(d.DNL, width-1)
		d.INL = append(d.INL, sum) // up to the code's lower edge
		sum += width - 1
		if count == 0 {
			d.Missing = append(d.Missing, first+int64(i))
		}
	}
	return d, nil
}

// Noise is the mean and the standard deviation of codes of a steady voltage.
func Noise(codes []int64) (mean, rms float64) {
	return stat.PopMeanStdDev(floats(codes), nil)
}

// Tone is a sine in the codes of a converter, and what is left over.
type Tone struct {
	Offset, Amplitude float64
	Phase             float64 // radians, at the first code
	Residual          float64 // root mean square of the rest
}

// FitSine fits a sine of known frequency, in periods a sample (IEEE 1057,
// three-parameter fit).
func FitSine(codes []int64, frequency float64) (Tone, error) {
	const least = 8
	if len(codes) < least || frequency <= 0 || frequency >= 0.5 {
		return Tone{}, fmt.Errorf("fit a sine of %g periods a sample to %d codes: want less than 0.5, and %d codes",
			frequency, len(codes), least)
	}
	model := mat.NewDense(len(codes), 3, nil)
	for i := range codes {
		sin, cos := math.Sincos(2 * math.Pi * frequency * float64(i))
		model.SetRow(i, []float64{sin, cos, 1})
	}
	var fit, rest mat.VecDense
	seen := mat.NewVecDense(len(codes), floats(codes))
	if err := fit.SolveVec(model, seen); err != nil {
		return Tone{}, fmt.Errorf("fit a sine of %g periods a sample to %d codes: %w", frequency, len(codes), err)
	}
	rest.MulVec(model, &fit)
	rest.SubVec(seen, &rest)
	return Tone{
		Offset: fit.AtVec(2), Amplitude: math.Hypot(fit.AtVec(0), fit.AtVec(1)), Phase: math.Atan2(fit.AtVec(1), fit.AtVec(0)),
		Residual: mat.Norm(&rest, 2) / math.Sqrt(float64(len(codes))),
	}, nil
}

// SINAD is the ratio of the sine to all else, in decibels.
func (t Tone) SINAD() float64 { return 20 * math.Log10(t.Amplitude/math.Sqrt2/t.Residual) }

// ENOB is the effective number of bits of a converter of so many bits: those of
// an ideal one of the same residual (IEEE 1241).
func (t Tone) ENOB(bits int) float64 {
	return float64(bits) - math.Log2(t.Residual*math.Sqrt(12))
}

// Step is a converter's answer to a step of the voltage. Times are in samples from
// the first code on, between samples by straight lines.
type Step struct {
	From, To  float64 // levels: of the first code, and the mean of the last eighth
	Delay     float64 // until half of the step was seen
	Rise      float64 // from a tenth to nine tenths
	Overshoot float64 // as a part of the step
	Settled   float64 // from when on the codes stay within the tolerance
}

// StepResponse finds a step among codes taken at a steady rate; it is settled
// within tolerance, in codes.
func StepResponse(codes []int64, tolerance float64) (Step, error) {
	const least = 8
	if len(codes) < least {
		return Step{}, fmt.Errorf("find a step among %d codes: want %d", len(codes), least)
	}
	v := floats(codes)
	s := Step{From: v[0], To: stat.Mean(v[len(v)-len(v)/8:], nil)}
	height := s.To - s.From
	if math.Abs(height) <= 2*tolerance {
		return Step{}, errors.New("find a step: the last codes are as the first")
	}
	for i := range v { // of the step, rising from 0 to 1
		v[i] = (v[i] - s.From) / height
	}
	s.Delay, s.Rise = crossing(v, 0.5), crossing(v, 0.9)-crossing(v, 0.1)
	s.Overshoot = max(slices.Max(v)-1, 0)
	for i, part := range v {
		if math.Abs(part-1)*math.Abs(height) > tolerance {
			s.Settled = float64(i + 1)
		}
	}
	return s, nil
}

// crossing is where v first comes to a level, which it does.
func crossing(v []float64, level float64) float64 {
	for i := 1; i < len(v); i++ {
		if v[i] >= level {
			return float64(i-1) + (level-v[i-1])/(v[i]-v[i-1])
		}
	}
	return float64(len(v) - 1)
}

func floats(v []int64) []float64 {
	f := make([]float64, len(v))
	for i, n := range v {
		f[i] = float64(n)
	}
	return f
}
