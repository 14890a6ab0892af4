package change

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"rigor/harness/measure"
	"rigor/harness/measure/noisetest"
)

// TestOnceSimulation judges one run against another of some other day, with the noise of twenty runs of
// the same firmware. One run must not raise an alarm, nor call the same what is 2 % slower; how often it
// tells anything is shown.
func TestOnceSimulation(t *testing.T) {
	const figures = 1000
	var table bytes.Buffer
	fmt.Fprintf(&table, "%d figures a row, one run each, noise measured by 20; in per cent\n\n", figures)
	fmt.Fprintf(&table, "%-12s %6s | %7s %11s\n", "noise", "sigma", "same", "wrongly so")
	for _, sigma := range []float64{0.0005, 0.002, 0.005} {
		for i, s := range noisetest.Minutes {
			same, wrong := once(t, s, sigma, figures, rand.New(rand.NewPCG(uint64(i), 2)))
			if wrong*100 > figures {
				t.Errorf("%s at %g: %d of %d slow-downs by 2 %% called the same", s.Name, sigma, wrong, figures)
			}
			fmt.Fprintf(&table, "%-12s %6.2f | %7.1f %11.1f\n", s.Name, 100*sigma, float64(same)*100/figures, float64(wrong)*100/figures)
		}
	}
	noisetest.CompareGolden(t, "testdata/once.txt", table.Bytes(), *trials, *update)
}

func once(t *testing.T, s noisetest.Shape, sigma float64, figures int, rnd *rand.Rand) (same, wrong int) {
	for range figures {
		n := MeasureNoise(runs(s.Runs(rnd, sigma, 1), 20))
		old := s.Runs(rnd, sigma, 1)(1)
		judge := func(factor float64) Verdict {
			v := Once(measure.Quantity{Better: measure.Lower}, measure.Median, measure.Cycles, old, s.Runs(rnd, sigma, 1)(factor), n, Options{}).Verdict
			if v.changed() {
				t.Errorf("%s: one run is %s", s.Name, v)
			}
			return v
		}
		same += noisetest.Count(judge(1) == Same)
		wrong += noisetest.Count(judge(1.02) == Same)
	}
	return same, wrong
}

// Rounds find the smallest effect that they say they would, in 99 of 100 cases.
func TestSmallest(t *testing.T) {
	const figures = 300
	b := bed{sigma: 0.01, rounds: 20}
	rnd := rand.New(rand.NewPCG(3, 3))
	smallest, found := 0.0, 0
	for range figures {
		next := noisetest.Minutes[0].Runs(rnd, b.sigma, 1)
		smallest += b.play(next, 1, Noise{Runs: 20, Widest: 1}, nil).Effect.Smallest / figures
	}
	for range figures {
		next := noisetest.Minutes[0].Runs(rnd, b.sigma, 1)
		found += noisetest.Count(b.play(next, 1+smallest, Noise{Runs: 20, Widest: 1}, nil).Verdict == Worse)
	}
	if found < figures*98/100 || smallest > 0.025 {
		t.Errorf("%d of %d effects of %g found", found, figures, smallest)
	}
}
