package extreme

import (
	"math"
	"math/rand/v2"
	"slices"
)

// pareto is a generalised Pareto distribution.
type pareto struct{ shape, scale float64 }

// moments fits sorted values by probability-weighted moments (Hosking and Wallis, section 3).
func moments(sorted []float64) pareto {
	n := float64(len(sorted))
	var a0, a1 float64
	for i, x := range sorted {
		a0 += x / n
		a1 += x * (1 - (float64(i)+0.65)/n) / n
	}
	return pareto{shape: 2 - a0/(a0-2*a1), scale: 2 * a0 * a1 / (a0 - 2*a1)}
}

func (p pareto) quantile(q float64) float64 {
	if p.shape == 0 {
		return -p.scale * math.Log(1-q)
	}
	return p.scale / p.shape * (math.Pow(1-q, -p.shape) - 1)
}

func (p pareto) cdf(x float64) float64 {
	if p.shape == 0 {
		return 1 - math.Exp(-x/p.scale)
	}
	return 1 - math.Pow(max(1+p.shape*x/p.scale, 0), -1/p.shape)
}

// draw gives sorted values.
func (p pareto) draw(n int, rnd *rand.Rand) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = p.quantile(rnd.Float64())
	}
	slices.Sort(x)
	return x
}

// goodness gives the p that values of a generalised Pareto distribution lie as far from the one fitted to
// them as these do: Anderson's and Darling's statistic, which weighs the tail, and its distribution
// by drawing from the fit and fitting again.
func goodness(sorted []float64, rnd *rand.Rand) float64 {
	p := moments(sorted)
	got := p.distance(sorted)
	farther := 1
	for range resamples {
		x := p.draw(len(sorted), rnd)
		if moments(x).distance(x) >= got {
			farther++
		}
	}
	return float64(farther) / (resamples + 1)
}

// distance is Anderson's and Darling's.
func (p pareto) distance(sorted []float64) float64 {
	const edge = 1e-12 // a fit may end before the last value
	n := len(sorted)
	sum := 0.0
	for i, x := range sorted {
		below := min(max(p.cdf(x), edge), 1-edge)
		above := min(max(1-p.cdf(sorted[n-1-i]), edge), 1-edge)
		sum += float64(2*i+1) * (math.Log(below) + math.Log(above))
	}
	return -float64(n) - sum/float64(n)
}
