package probes

import (
	"math"
	"math/big"
	"testing"
	"time"
)

const (
	us = 1_000_000 // picoseconds
	ms = 1000 * us
)

func TestWaveforms(t *testing.T) {
	up := Ramp{From: 0, To: 3 * Volt, Over: 3 * time.Millisecond}
	step := Step{From: Volt, To: -Volt, Delay: time.Millisecond, Edge: 100 * time.Microsecond}
	steps := Samples{Rate: 1000, Values: []MicroVolts{10, 20, 40}}
	lines, again := steps, steps
	lines.Linear, again.Repeat = true, true
	both := again
	both.Linear = true
	for _, c := range []struct {
		name string
		w    Waveform
		ps   int64
		want MicroVolts
	}{
		{"constant", Constant(5), 7 * ms, 5},
		{"ramp begins", up, 0, 0},
		{"ramp, a third", up, 1 * ms, 1 * Volt},
		{"ramp rounds", up, 2 * ms / 3, 666_667 * MicroVolts(1)},
		{"ramp stays", up, 9 * ms, 3 * Volt},
		{"ramp of no length", Ramp{From: 1, To: 2}, 0, 2},
		{"before the step", step, 1*ms - 1, Volt},
		{"within its edge", step, 1*ms + 50*us, 0},
		{"within its edge, down", step, 1*ms + 75*us, -500_000},
		{"after the step", step, 1*ms + 100*us, -Volt},
		{"samples", steps, 2*ms - 1, 20},
		{"samples stay", steps, 9 * ms, 40},
		{"samples in lines", lines, 1*ms + ms/2, 30},
		{"lines stay", lines, 9*ms + ms/2, 40},
		{"samples again", again, 4 * ms, 20},
		{"lines again: from the last to the first", both, 2*ms + ms/2, 25},
		{"sine begins", Sine{Offset: 100, Amplitude: Volt, MicroHz: 1e9}, 0, 100},
		{"its top", Sine{Amplitude: Volt, MicroHz: 1e9}, ms / 4, Volt},
		{"its bottom", Sine{Amplitude: Volt, MicroHz: 1e9}, 3 * ms / 4, -Volt},
		{"30 degrees", Sine{Amplitude: Volt, MicroHz: 1e9}, ms / 12, 500_000},
		{"no noise", Noise{Of: Constant(5)}, 1, 5},
	} {
		if got := c.w.At(c.ps); got != c.want || c.w.Check() != nil {
			t.Errorf("%s: %d uV at %d ps, want %d; check says %v", c.name, got, c.ps, c.want, c.w.Check())
		}
	}
}

// Against math.Sin, which is right to the last bits of a float64: at 1 kV a
// microvolt is 1e-9.
func TestSineIsRight(t *testing.T) {
	s := Sine{Amplitude: maxVoltage, MicroHz: 7_123_456_789}
	for ps := int64(0); ps < 300*ms; ps += 12_345_678_9 {
		turns := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(ps), big.NewInt(7_123_456_789)), big.NewInt(1e18))
		whole := new(big.Int).Quo(turns.Num(), turns.Denom())
		part, _ := turns.Sub(turns, new(big.Rat).SetInt(whole)).Float64()
		want := math.Round(1e9 * math.Sin(2*math.Pi*part))
		if got := s.At(ps); math.Abs(float64(got)-want) > 1 {
			t.Fatalf("at %d ps: %d uV, want %.0f", ps, got, want)
		}
	}
}

// Its phase does not drift: after 10^6 periods of 3 Hz, whole ones, it is at 0.
func TestSineDoesNotDrift(t *testing.T) {
	s := Sine{Amplitude: Volt, MicroHz: 3e6}
	if got := s.At(1_000_000 * 1e12); got != 0 {
		t.Errorf("%d uV", got)
	}
}

// The mean of 10^5 values of standard deviation 1000 has one of 3.2, and their
// own standard deviation one of 2.2; five of these are allowed.
func TestNoise(t *testing.T) {
	n := Noise{Of: Constant(0), RMS: 1000, Seed: 3}
	sum, squares, most := 0.0, 0.0, MicroVolts(0)
	const count = 100_000
	for i := range int64(count) {
		v := n.At(i * us)
		sum += float64(v)
		squares += float64(v) * float64(v)
		most = max(most, v, -v)
	}
	mean, rms := sum/count, math.Sqrt(squares/count)
	if math.Abs(mean) > 16 || math.Abs(rms-1000) > 11 || most < 3500 || most > 6000 {
		t.Errorf("mean %.1f, rms %.1f, at most %d", mean, rms, most)
	}
	other := n
	other.Seed++
	if n.At(us) != n.At(us+999) || n.At(us) == n.At(us+1000) || n.At(us) == other.At(us) {
		t.Error("noise is not decided by its nanosecond and seed")
	}
}

// Fixed for all machines and all time: runs are compared by what they saw. The
// number is what amd64 and 386 gave when the waveforms were written.
func TestWaveformsAreFixed(t *testing.T) {
	sum := uint64(0)
	for i := range int64(1000) {
		s := Noise{Of: Sine{Offset: Volt, Amplitude: Volt, MicroHz: 1_234_567_890}, RMS: 1000, Seed: 42}
		sum = mix(sum ^ uint64(s.At(i*987_654_321)))
	}
	if want := uint64(0x111fd116280e0682); sum != want {
		t.Errorf("waveforms hash to %#x, want %#x: they changed", sum, want)
	}
}

func TestWaveformsRefused(t *testing.T) {
	for name, w := range map[string]Waveform{
		"too much":         Constant(maxVoltage + 1),
		"too little":       Ramp{From: -maxVoltage - 1},
		"backwards":        Ramp{Over: -1},
		"too long":         Step{Delay: maxDuration + 1},
		"no frequency":     Sine{Amplitude: Volt},
		"too fast":         Sine{Amplitude: Volt, MicroHz: 1e15 + 1},
		"no samples":       Samples{Rate: 1},
		"no rate":          Samples{Values: []MicroVolts{1}},
		"one sample wrong": Samples{Rate: 1, Values: []MicroVolts{1, maxVoltage + 1}},
		"noise alone":      Noise{RMS: 1},
		"noise of that":    Noise{Of: Constant(maxVoltage + 1)},
		"less than none":   Noise{Of: Constant(0), RMS: -1},
	} {
		if w.Check() == nil {
			t.Errorf("%s: %+v is accepted", name, w)
		}
	}
}

// No waveform that is accepted panics, whatever the time.
func FuzzWaveforms(f *testing.F) {
	f.Add(int64(1), int64(2), int64(3), uint64(4), int64(5))
	f.Fuzz(func(t *testing.T, a, b, d int64, hz uint64, ps int64) {
		if ps < 0 {
			return
		}
		v, w, over := MicroVolts(a), MicroVolts(b), time.Duration(d)
		for _, wave := range []Waveform{
			Constant(v), Ramp{v, w, over}, Step{v, w, over, over}, Sine{v, w, hz}, Noise{Constant(v), w, hz},
			Samples{Rate: 1e12, Values: []MicroVolts{v, w}, Linear: true, Repeat: true},
		} {
			if wave.Check() != nil {
				continue
			}
			if got := wave.At(ps); got < -7*maxVoltage || got > 7*maxVoltage {
				t.Errorf("%+v at %d ps: %d uV", wave, ps, got)
			}
		}
	})
}
