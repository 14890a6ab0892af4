package series

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"rigor/harness/measure/noisetest"
)

var (
	update = flag.Bool("update", false, "write the golden table")
	trials = flag.Int("trials", noisetest.GoldenTrials, "series per row of the simulation's table, which is printed if that is not the golden number")
)

const (
	nights  = 100 // of a series that is looked at once
	slowed  = 70  // the night from which on everything takes 2 % longer
	watched = 60  // nights of a series that is looked at every night
)

// bed is how much noise there is, and of how many repeats a night's value is the median.
type bed struct {
	sigma   float64
	repeats int
	asked   bool // whether the recall that was asked for is asserted
}

var beds = []bed{{0.005, 1, false}, {0.005, 5, true}, {0.01, 1, false}, {0.01, 9, true}}

// rates are what became of trials: how many of them.
type rates struct {
	alarms  int   // series that nothing changed with a change point in the end
	ever    int   // the same, with one in any of the nights
	found   int   // slow-downs that were found, give or take five nights
	near    int   // those whose first run was named, give or take two
	exact   int   // to the night
	besides int   // slow-downs with a change point elsewhere
	delays  []int // nights that it took until then
}

// TestSimulation plays series with the noise shapes of real boards. On request: false alarms in at
// most 1 % of series, 99 % of slow-downs by 2 % found, with as many repeats a night as the noise asks for. A level that wanders at random has steps that
// nobody made, so false alarms there are shown and not bounded.
func TestSimulation(t *testing.T) {
	var table bytes.Buffer
	fmt.Fprintf(&table, "%d series of %d nights a row, of as many 2 %% slower from night %d on; in per cent, so that 0.0 is less than %.1f (with 95 %% confidence);\ndelay in nights, median\n\n", *trials, nights, slowed, 300/float64(*trials))
	fmt.Fprintf(&table, "%-12s %6s %7s | %7s %7s | %7s %7s %7s %7s %7s\n", "noise", "sigma", "repeats", "alarms", "ever", "found", "near", "exact", "besides", "delay")
	for _, b := range beds {
		results := make([]rates, len(noisetest.Nights))
		var wg sync.WaitGroup
		for i, s := range noisetest.Nights {
			wg.Go(func() { results[i] = simulate(s, b, rand.New(rand.NewPCG(uint64(i), 1))) })
		}
		wg.Wait()
		for i, s := range noisetest.Nights {
			r := results[i]
			r.print(&table, s, b)
			if r.alarms*100 > *trials && s.Name != "wander" {
				t.Errorf("%s at %v: %d false alarms in %d series", s.Name, b, r.alarms, *trials)
			}
			if r.found*100 < 99**trials && b.asked {
				t.Errorf("%s at %v: %d of %d slow-downs found", s.Name, b, r.found, *trials)
			}
		}
	}
	fmt.Fprintln(&table)
	for _, s := range noisetest.Nights {
		fmt.Fprintf(&table, "%-12s %s\n", s.Name, s.Help)
	}
	noisetest.CompareGolden(t, "testdata/simulation.txt", table.Bytes(), *trials, *update)
}

func simulate(s noisetest.Shape, b bed, rnd *rand.Rand) (r rates) {
	for i := range *trials {
		still := play(s.Runs(rnd, b.sigma, b.repeats), nights)
		r.alarms += noisetest.Count(len(Changes(still, Options{})) > 0)
		slow := play(s.Runs(rnd, b.sigma, b.repeats), slowed)
		r.judge(Changes(slow, Options{}))
		if i%2 == 0 {
			r.watch(still[:watched], slow)
		}
	}
	return r
}

// play makes the nights of a series, those from one on 2 % slower.
func play(next func(float64) int64, from int) (x []float64) {
	for i := range nights {
		factor := 1.0
		if i >= from {
			factor = 1.02
		}
		x = append(x, float64(next(factor)))
	}
	return x
}

func (r *rates) judge(cps []ChangePoint) {
	r.exact += noisetest.Count(slices.ContainsFunc(cps, within(0)))
	r.near += noisetest.Count(slices.ContainsFunc(cps, within(2)))
	r.found += noisetest.Count(slices.ContainsFunc(cps, within(5)))
	r.besides += noisetest.Count(slices.ContainsFunc(cps, func(c ChangePoint) bool { return !within(5)(c) }))
}

// within reports whether a change point is the slow-down, give or take some nights.
func within(nights int) func(ChangePoint) bool {
	return func(c ChangePoint) bool { return c.At >= slowed-nights && c.At <= slowed+nights }
}

// watch looks at series every night.
func (r *rates) watch(still, slow []float64) {
	night := 20
	for night < len(still) && len(Changes(still[:night], Options{})) == 0 {
		night++
	}
	r.ever += noisetest.Count(night < len(still))
	night = slowed + 1
	for night < len(slow) && !slices.ContainsFunc(Changes(slow[:night], Options{}), within(5)) {
		night++
	}
	r.delays = append(r.delays, night-slowed)
}

func (r rates) print(w *bytes.Buffer, s noisetest.Shape, b bed) {
	percent := func(n int) float64 { return 100 * float64(n) / float64(*trials) }
	slices.Sort(r.delays)
	fmt.Fprintf(w, "%-12s %6.2f %7d | %7.1f %7.1f | %7.1f %7.1f %7.1f %7.1f %7d\n", s.Name, 100*b.sigma, b.repeats,
		percent(r.alarms), 2*percent(r.ever), percent(r.found), percent(r.near), percent(r.exact), percent(r.besides), r.delays[len(r.delays)/2])
}
