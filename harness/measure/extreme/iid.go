package extreme

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"rigor/harness/measure"
)

// alike gives the p that samples have one distribution: the least of each one's two halves and of each and
// the next, corrected for their number (Kolmogorov and Smirnov, Bonferroni).
func alike(samples []measure.Sample) float64 {
	least, tests := 1.0, 0
	compare := func(a, b []int64) {
		if len(a) > 0 && len(b) > 0 {
			least = min(least, smirnov(a, b))
			tests++
		}
	}
	for i, s := range samples {
		half := len(s.Values) / 2
		compare(s.Values[:half], s.Values[half:])
		if i > 0 {
			compare(samples[i-1].Values, s.Values)
		}
	}
	return min(1, least*float64(tests))
}

// smirnov is the p of the two-sample test by its asymptotic distribution.
func smirnov(a, b []int64) float64 {
	d := stat.KolmogorovSmirnov(ascending(a), nil, ascending(b), nil)
	n := math.Sqrt(float64(len(a)) * float64(len(b)) / float64(len(a)+len(b)))
	x := (n + 0.12 + 0.11/n) * d
	if x < 0.2 {
		return 1 // where the series doesn't converge
	}
	p := 0.0
	for j := 1.0; j <= 100; j++ {
		p += 2 * math.Pow(-1, j-1) * math.Exp(-2*j*j*x*x)
	}
	return min(max(p, 0), 1)
}

func ascending(v []int64) []float64 {
	f := make([]float64, len(v))
	for i, x := range v {
		f[i] = float64(x)
	}
	slices.Sort(f)
	return f
}

// scattered gives the p that exceedances fall into blocks of the sample as chance has it, not in bursts and not
// regularly: the index of dispersion of their numbers (Cox and Lewis, The Statistical Analysis
// of Series of Events, 1966, section 6.3).
func scattered(values []int64, threshold int64) float64 {
	const blocks = 40
	counts := make([]float64, blocks)
	above := 0.0
	for i, v := range values {
		if v > threshold {
			counts[i*blocks/len(values)]++
			above++
		}
	}
	mean, variance := stat.MeanVariance(counts, nil)
	index := (blocks - 1) * variance / (mean * (1 - above/float64(len(values)))) // binomial, not Poisson
	chi := distuv.ChiSquared{K: blocks - 1}
	return 2 * min(chi.CDF(index), chi.Survival(index))
}
