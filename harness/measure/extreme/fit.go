package extreme

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"rigor/harness/measure"
)

// What a fit needs.
const (
	fewest    = 1000 // values
	share     = 0.1  // of the values lie above the threshold
	distinct  = 30   // different ones among those: fewer are steps, not a tail
	refused   = 0.01 // p of a test for one cause of doubt, below which there is no fit
	heaviest  = 0.5  // shape: from there on the variance is infinite and no level means anything
	resamples = 200
	farthest  = 10 // times the number of values, for levels
)

// Fit is a generalised Pareto distribution of what exceeds a threshold.
type Fit struct {
	Threshold   float64 `json:"threshold"` // in the samples' unit
	Exceedances int     `json:"exceedances"`
	Shape       float64 `json:"shape"` // below 0 the tail ends
	Scale       float64 `json:"scale"`
	Tests       []Test  `json:"tests"`
	Levels      []Level `json:"levels"`
}

// Test is one that a fit had to pass.
type Test struct {
	Name string  `json:"name"`
	P    float64 `json:"p"` // of such values if what the test looks for were absent
}

// Level is a value that is exceeded with a probability, and the interval that holds it with
// measure.Confidence if the fit holds.
type Level struct {
	Probability float64 `json:"probability"` // of one value
	Value       float64 `json:"value"`
	Lo          float64 `json:"lo"`
	Hi          float64 `json:"hi"`
}

// fit gives a distribution of the tail, or the reason why there is none.
func fit(samples []measure.Sample, values []int64) (*Fit, string) {
	if len(values) < fewest {
		return nil, fmt.Sprintf("%d values are less than %d", len(values), fewest)
	}
	if i := slices.IndexFunc(samples, func(s measure.Sample) bool { return len(s.Doubts) > 0 }); i >= 0 {
		return nil, samples[i].Doubts[0]
	}
	sorted := slices.Sorted(slices.Values(values))
	threshold := sorted[int(float64(len(sorted))*(1-share))]
	first, _ := slices.BinarySearch(sorted, threshold+1)
	tail := make([]float64, 0, len(sorted)-first)
	for _, v := range sorted[first:] {
		tail = append(tail, float64(v-threshold)-0.5) // whole units round what is in between
	}
	if n := len(slices.Compact(slices.Clone(tail))); n < distinct {
		return nil, fmt.Sprintf("the largest tenth takes %d different values: steps, not a tail", n)
	}
	tests := []Test{
		{"runs are alike", alike(samples)},
		{"values don't depend on the one before", measure.Serial(values)},
		{"exceedances come at random", scattered(values, threshold)},
	}
	for _, t := range tests {
		if t.P < refused {
			return nil, fmt.Sprintf("not so: %s (p %.2g)", t.Name, t.P)
		}
	}
	f := &Fit{Threshold: float64(threshold) + 0.5, Exceedances: len(tail), Tests: tests}
	return f.distribution(tail, len(values))
}

// distribution fits the tail, and its upper half for itself: where two mechanisms mix, the
// upper one shows there (the low-density mixtures of TailID, ECRTS 2025).
func (f *Fit) distribution(tail []float64, n int) (*Fit, string) {
	rnd := rand.New(rand.NewPCG(uint64(n), uint64(len(tail)))) // the same values give the same fit
	p := moments(tail)
	if p.shape >= heaviest {
		return nil, fmt.Sprintf("the tail is too heavy for any level to mean something (shape %.2f)", p.shape)
	}
	upper := slices.Clone(tail[len(tail)/2:])
	for i := range upper {
		upper[i] -= tail[len(tail)/2-1]
	}
	f.Tests = append(f.Tests, Test{"the tail fits", goodness(tail, rnd)}, Test{"its upper half fits", goodness(upper, rnd)})
	for _, t := range f.Tests {
		if t.P < refused {
			return nil, fmt.Sprintf("not so: %s (p %.2g)", t.Name, t.P)
		}
	}
	f.Shape, f.Scale = p.shape, p.scale
	f.Levels = f.levels(p, n, rnd)
	return f, ""
}

// levels are those of every power of ten from one value in a hundred on.
func (f *Fit) levels(p pareto, n int, rnd *rand.Rand) (all []Level) {
	above := float64(f.Exceedances) / float64(n)
	again := make([]pareto, resamples)
	for i := range again {
		again[i] = moments(p.draw(f.Exceedances, rnd))
	}
	for probability := 0.01; probability*float64(n)*farthest >= 0.999; probability /= 10 {
		at := func(p pareto) float64 { return f.Threshold + p.quantile(1-probability/above) }
		ends := make([]float64, resamples)
		for i := range again {
			ends[i] = at(again[i])
		}
		slices.Sort(ends)
		miss := int(math.Round((1 - measure.Confidence) / 2 * resamples))
		all = append(all, Level{probability, at(p), ends[miss], ends[resamples-1-miss]})
	}
	return all
}
