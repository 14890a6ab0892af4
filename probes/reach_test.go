package probes

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// slowly looks at every picosecond.
func slowly(w Waveform, from, to int64, uv MicroVolts, rising bool) (int64, bool) {
	for ps := from; ps <= to; ps++ {
		if v := w.At(ps); v == uv || v > uv == rising {
			return ps, true
		}
	}
	return 0, false
}

var fast = map[string]Waveform{
	"constant":       Constant(2 * Volt),
	"step":           Step{From: 0, To: 3 * Volt, Delay: 5 * time.Nanosecond, Edge: 2 * time.Nanosecond},
	"step, no edge":  Step{From: 3 * Volt, To: 0, Delay: 5 * time.Nanosecond},
	"ramp":           Ramp{From: 3 * Volt, To: 0, Over: 9 * time.Nanosecond},
	"sine":           Sine{Offset: 1650 * MilliVolt, Amplitude: 1 * Volt, MicroHz: 123_456_789_000_000},
	"sine, inverted": Sine{Offset: 1650 * MilliVolt, Amplitude: -1 * Volt, MicroHz: 1e14},
	"sine, fastest":  Sine{Offset: 1650 * MilliVolt, Amplitude: 1 * Volt, MicroHz: 1e15},
	"samples":        Samples{Rate: 333_333_333, Values: []MicroVolts{0, 3 * Volt, Volt}},
	"samples again":  Samples{Rate: 1_000_000_007, Values: []MicroVolts{0, 3 * Volt, Volt, Volt, 0}, Repeat: true},
	"lines":          Samples{Rate: 333_333_333, Values: []MicroVolts{0, 3 * Volt, Volt}, Linear: true},
	"lines again":    Samples{Rate: 777_777_777, Values: []MicroVolts{0, 3 * Volt, Volt, 0}, Linear: true, Repeat: true},
	"samples a ps":   Samples{Rate: 1e12, Values: []MicroVolts{0, 1, 2, 3 * Volt}, Repeat: true},
	"noise":          Noise{Of: Constant(2200 * MilliVolt), RMS: 60 * MilliVolt, Seed: 1},
	"noisy ramp":     Noise{Of: Ramp{To: 3 * Volt, Over: 20 * time.Nanosecond}, RMS: 30 * MilliVolt, Seed: 2},
	"noisy noise":    Noise{Of: Noise{Of: Constant(2 * Volt), RMS: 80 * MilliVolt, Seed: 3}, RMS: 60 * MilliVolt, Seed: 4},
	"noisy sine":     Noise{Of: Sine{Offset: 1650 * MilliVolt, Amplitude: 640 * MilliVolt, MicroHz: 1e14}, RMS: 10 * MilliVolt, Seed: 5},
}

// Reach finds what looking at every picosecond finds.
func TestReach(t *testing.T) {
	const span = 20_000
	rng := rand.New(rand.NewPCG(1, 2))
	found := map[bool]int{}
	for name, w := range fast {
		for range 40 {
			from, rising := rng.Int64N(span), rng.IntN(2) == 0
			to, uv := from+rng.Int64N(span), MicroVolts(990*MilliVolt)
			if rising {
				uv = 2310 * MilliVolt
			}
			at, ok := w.Reach(from, to, uv, rising)
			want, wantOK := slowly(w, from, to, uv, rising)
			if at != want || ok != wantOK {
				t.Errorf("%s from %d to %d, %d uV rising %v: %d, %v; want %d, %v", name, from, to, uv, rising, at, ok, want, wantOK)
			}
			found[ok]++
		}
	}
	if found[true] < 100 || found[false] < 100 {
		t.Errorf("found and not: %v; this test shows little", found)
	}
}

// A slow sine reaches a level when the arc sine says, to the rounding of voltages
// to the nearest microvolt; and what it never reaches is soon told for all time.
func TestReachOfSlowSine(t *testing.T) {
	s := Sine{Offset: 1650 * MilliVolt, Amplitude: 1 * Volt, MicroHz: 1e9} // 1 kHz
	angle := math.Asin((0.66e6 - 0.5) / 1e6)
	for rising, want := range map[bool]float64{true: angle, false: math.Pi + angle} {
		uv := MicroVolts(990 * MilliVolt)
		if rising {
			uv = 2310 * MilliVolt
		}
		at, ok := s.Reach(0, math.MaxInt64, uv, rising)
		if ps := want / (2 * math.Pi) * 1e9; !ok || math.Abs(float64(at)-ps) > 2 {
			t.Errorf("rising %v: %d, %v; want %.0f", rising, at, ok, ps)
		}
	}
	for name, w := range map[string]Waveform{
		"sine": s, "slowest": Sine{Amplitude: Volt, MicroHz: 1}, "noise": Noise{Of: s, RMS: MilliVolt},
		"samples": Samples{Rate: 1, Values: make([]MicroVolts, 1000), Repeat: true, Linear: true},
	} {
		if at, ok := w.Reach(12345, math.MaxInt64, 3*Volt, true); ok {
			t.Errorf("%s reaches 3 V at %d", name, at)
		}
	}
}
