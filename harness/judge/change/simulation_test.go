package change

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"golang.org/x/perf/benchmath"

	"rigor/harness/measure"
	"rigor/harness/measure/noisetest"
)

var (
	update = flag.Bool("update", false, "write the golden tables")
	trials = flag.Int("trials", noisetest.GoldenTrials, "figures per row of the simulation's table, which is printed if that is not the golden number")
)

// bed is how many rounds are made with how much noise.
type bed struct {
	sigma  float64
	rounds int
	asked  bool // whether the rates that were asked for are asserted
}

var beds = []bed{{0.005, 20, false}, {0.005, 30, true}, {0.01, 20, false}, {0.01, 40, true}, {0.0266, 20, false}}

// family is how many figures are judged at once.
const family = 100

// rates are what became of trials: how many of them.
type rates struct {
	alarms    int // figures found to have changed when nothing did
	families  int // the same after correction, one figure of a family
	found     int // figures found to be worse that were slowed by 2 %
	kept      int // the same after correction, one slow figure in a family
	wrong     int // figures slowed by 2 % that were called the same, or better
	untold    int // figures that nothing changed of which nothing can be told
	benchstat int // figures slowed by 2 % that a Mann-Whitney test of all runs would find
}

// TestSimulation plays runs with the noise shapes of real boards and holds the verdicts against what is
// known of them. On request: false alarms in at most 1 % of figures, 99 % of slow-downs by 2 % found.
func TestSimulation(t *testing.T) {
	var table bytes.Buffer
	fmt.Fprintf(&table, "%d figures a row that nothing changed, %d that were slowed by 2 %%; families of %d figures; in per cent,\nso that 0.0 is less than %.1f (with 95 %% confidence)\n\n", *trials, *trials, family, 300/float64(*trials))
	fmt.Fprintf(&table, "%-12s %6s %6s | %7s %8s %7s | %7s %8s %7s %9s\n", "noise", "sigma", "rounds",
		"alarms", "families", "untold", "found", "family", "wrong", "benchmath")
	for _, b := range beds {
		results := make([]rates, len(noisetest.Minutes))
		var wg sync.WaitGroup
		for i, s := range noisetest.Minutes {
			wg.Go(func() { results[i] = simulate(s, b, rand.New(rand.NewPCG(uint64(i), uint64(b.rounds)))) })
		}
		wg.Wait()
		for i, s := range noisetest.Minutes {
			r := results[i]
			r.print(&table, s, b)
			if r.alarms*100 > *trials || r.wrong*100 > *trials {
				t.Errorf("%s at %v: %d false alarms and %d wrong verdicts in %d figures", s.Name, b, r.alarms, r.wrong, *trials)
			}
			if b.asked && (r.found*100 < 99**trials || r.kept*100 < 99**trials) {
				t.Errorf("%s at %v: %d of %d slow-downs found, %d in a family", s.Name, b, r.found, *trials, r.kept)
			}
		}
	}
	fmt.Fprintln(&table)
	for _, s := range noisetest.Minutes {
		fmt.Fprintf(&table, "%-12s %s\n", s.Name, s.Help)
	}
	noisetest.CompareGolden(t, "testdata/simulation.txt", table.Bytes(), *trials, *update)
}

func simulate(s noisetest.Shape, b bed, rnd *rand.Rand) (r rates) {
	var still, slowed []Change
	for range *trials {
		next := s.Runs(rnd, b.sigma, 1)
		still = append(still, b.play(next, 1, MeasureNoise(runs(next, 20)), nil))
		next = s.Runs(rnd, b.sigma, 1)
		slowed = append(slowed, b.play(next, 1.02, MeasureNoise(runs(next, 20)), &r))
	}
	for i, c := range still {
		r.alarms += noisetest.Count(c.Verdict.changed())
		r.untold += noisetest.Count(c.Verdict == CannotTell)
		r.found += noisetest.Count(slowed[i].Verdict == Worse)
		r.wrong += noisetest.Count(slowed[i].Verdict == Same || slowed[i].Verdict == Better)
		others := rotate(still, i)[:family-1]
		slow := corrected(others, slowed[i])[family-1]
		r.kept += noisetest.Count(slow.Verdict == Worse)
		if i%family == 0 {
			for _, c := range corrected(others, c) {
				r.families += noisetest.Count(c.Verdict.changed())
			}
		}
	}
	return r
}

// play makes rounds, the new runs of which take longer by a factor, and judges them.
func (b bed) play(next func(float64) int64, factor float64, n Noise, r *rates) Change {
	var a1, new, a2 []int64
	for range b.rounds {
		a1, new, a2 = append(a1, next(1)), append(new, next(factor)), append(a2, next(1))
	}
	if r != nil {
		old := benchmath.NewSample(floats(append(a1[:len(a1):len(a1)], a2...)), &benchmath.DefaultThresholds)
		p := benchmath.AssumeNothing.Compare(old, benchmath.NewSample(floats(new), &benchmath.DefaultThresholds)).P
		r.benchstat += noisetest.Count(p <= 0.001)
	}
	q := measure.Quantity{Name: "simulated", Better: measure.Lower}
	return Interleaved(q, measure.Median, measure.Cycles, a1, new, a2, n, Options{})
}

// corrected is a family with one more figure, after correction.
func corrected(others []Change, c Change) []Change {
	cs := append(others[:len(others):len(others)], c)
	for i := range cs {
		e := *cs[i].Effect
		cs[i].Effect = &e
	}
	Correct(cs, 0.01)
	return cs
}

func rotate(cs []Change, by int) []Change {
	return append(cs[by+1:len(cs):len(cs)], cs[:by+1]...)
}

func runs(next func(float64) int64, n int) (v []int64) {
	for range n {
		v = append(v, next(1))
	}
	return v
}

func (r rates) print(w *bytes.Buffer, s noisetest.Shape, b bed) {
	percent := func(n int) float64 { return 100 * float64(n) / float64(*trials) }
	fmt.Fprintf(w, "%-12s %6.2f %6d | %7.1f %8d %7.1f | %7.1f %8.1f %7.1f %9.1f\n", s.Name, 100*b.sigma, b.rounds,
		percent(r.alarms), r.families, percent(r.untold), percent(r.found), percent(r.kept), percent(r.wrong), percent(r.benchstat))
}
