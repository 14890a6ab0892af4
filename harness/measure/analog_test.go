package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, allowed float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > allowed {
		t.Errorf("%s %g, want %g within %g", what, got, want, allowed)
	}
}

func TestLines(t *testing.T) {
	x, y := []float64{0, 1, 2, 3}, []float64{5, 7, 10, 11}
	// By hand: means 1.5 and 8.25, slope (1.5·3.25+0.5·1.25+0.5·1.75+1.5·2.75)/5 = 10.5/5.
	fit, err := FitTransfer(x, y)
	near(t, "gain", fit.Gain, 2.1, 1e-12)
	near(t, "offset", fit.Offset, 5.1, 1e-12)
	ends, err2 := EndPoints(x, y)
	if ends != (Transfer{5, 2}) || err != nil || err2 != nil {
		t.Errorf("end points %+v, %v %v", ends, err, err2)
	}
	d := ends.Deviations(x, y)
	if value, i := Largest(d); !slices.Equal(d, []float64{0, 0, 1, 0}) || value != 1 || i != 2 {
		t.Errorf("deviations %v, largest %g at %d", d, value, i)
	}
	if value, i := Largest([]float64{1, -3, 2}); value != -3 || i != 1 {
		t.Errorf("largest %g at %d", value, i)
	}
	for _, bad := range [][]float64{{}, {1}, {1, 1}, {1, 2, 3}} {
		if _, err := FitTransfer(bad, []float64{1, 2}); err == nil {
			t.Errorf("a line through %v", bad)
		}
		if _, err := EndPoints(bad, []float64{1, 2}); err == nil {
			t.Errorf("a line through the ends of %v", bad)
		}
	}
}

// Of codes 1 to 4, code 2 is half as wide and code 3 half wider, 4 is as wide as
// it should be: DNL 0, -0.5, 0.5, 0, and INL at the lower edges the sums before.
func TestCodeDensity(t *testing.T) {
	var codes []int64
	for code, n := range []int{50, 20, 10, 30, 20, 70} {
		codes = append(codes, slices.Repeat([]int64{int64(code)}, n)...)
	}
	d, err := CodeDensity(codes, 1, 4)
	if err != nil || d.First != 1 || len(d.Missing) != 0 ||
		!slices.Equal(d.DNL, []float64{0, -0.5, 0.5, 0}) || !slices.Equal(d.INL, []float64{0, 0, -0.5, 0}) {
		t.Errorf("%+v, %v", d, err)
	}
	codes = slices.DeleteFunc(codes, func(c int64) bool { return c == 3 })
	if d, _ := CodeDensity(codes, 1, 4); !slices.Equal(d.Missing, []int64{3}) || d.DNL[2] != -1 {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct{ first, last int64 }{{1, 1}, {7, 9}, {0, 1 << 40}} {
		if _, err := CodeDensity(codes, c.first, c.last); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

func TestNoise(t *testing.T) {
	if mean, rms := Noise([]int64{2, 4, 4, 4, 5, 5, 7, 9}); mean != 5 || rms != 2 { // squares 9+1+1+1+0+0+4+16 over 8
		t.Errorf("mean %g, rms %g", mean, rms)
	}
}

// tone is a sine of 67 periods in 4096 samples, rounded to codes.
func tone(amplitude float64, noise func() float64) []int64 {
	var codes []int64
	for i := range 4096 {
		v := 2048 + amplitude*math.Sin(0.3+2*math.Pi*67*float64(i)/4096)
		codes = append(codes, int64(math.Round(v+noise())))
	}
	return codes
}

// An ideal converter's residual is that of rounding, 1/√12 LSB; 12 bits of full
// scale then have a SINAD of 6.02·12 + 1.76 dB.
func TestIdealConverter(t *testing.T) {
	got, err := FitSine(tone(2047.5, func() float64 { return 0 }), 67./4096)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "offset", got.Offset, 2048, 0.02)
	near(t, "amplitude", got.Amplitude, 2047.5, 0.02)
	near(t, "phase", got.Phase, 0.3, 1e-4)
	near(t, "residual", got.Residual, 1/math.Sqrt(12), 0.01)
	near(t, "SINAD", got.SINAD(), 6.02*12+1.76, 0.3)
	near(t, "ENOB", got.ENOB(12), 12, 0.05)
}

// Noise of 2 LSB and the rounding's make √(4 + 1/12); 4096 values know their
// deviation to 1.1 %, of which five are allowed.
func TestNoisyConverter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	got, err := FitSine(tone(2000, func() float64 { return 2 * rnd.NormFloat64() }), 67./4096)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "residual", got.Residual, math.Sqrt(4+1./12), 0.11)
	near(t, "ENOB", got.ENOB(12), 12-math.Log2(math.Sqrt(49)), 0.1)
}

func TestNoSine(t *testing.T) {
	for _, c := range []struct {
		n int
		f float64
	}{{7, 0.1}, {100, 0}, {100, 0.5}, {100, math.NaN()}} {
		if got, err := FitSine(make([]int64, c.n), c.f); err == nil {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// From 0 to 100: 10 is passed at 1.25 samples, 50 at 2.2, 90 at 3; 120 is a
// fifth too much; from sample 6 on all is within 2.
func TestStepResponse(t *testing.T) {
	codes := append([]int64{0, 0, 40, 90, 120, 95}, slices.Repeat([]int64{101, 99}, 5)...)
	for _, sign := range []int64{1, -1} {
		var v []int64
		for _, c := range codes {
			v = append(v, 1000+sign*c)
		}
		s, err := StepResponse(v, 2)
		if err != nil || s.From != 1000 || s.Settled != 6 {
			t.Errorf("%+v, %v", s, err)
		}
		near(t, "to", s.To, float64(1000+sign*100), 1e-9)
		near(t, "delay", s.Delay, 2.2, 1e-9)
		near(t, "rise", s.Rise, 3-1.25, 1e-9)
		near(t, "overshoot", s.Overshoot, 0.2, 1e-9)
	}
	for name, v := range map[string][]int64{"short": {0, 1}, "flat": slices.Repeat([]int64{5}, 100)} {
		if s, err := StepResponse(v, 2); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
