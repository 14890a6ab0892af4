// Package noisetest makes runs that scatter as those of real boards do, for simulations of how
// judgement fares. A run is one number: a statistic of one quantity.
//
// The shapes are those that reports of benchmarks on hardware name: a host that hiccups, parts that
// warm up, an air conditioner, a boot that locks a PLL or aligns memory in one of two ways, a
// counter too coarse for the effect. Their sizes are stated here and are the simulations'
// premises, not measurements of boards.
package noisetest

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Shape is a kind of noise.
type Shape struct {
	Name    string
	Help    string
	level   float64 // of what is measured, in units: coarse where it is small
	scatter func(r *rand.Rand, sigma float64) float64
	slow    func(r *rand.Rand) func() float64 // what lasts from one moment to the next
}

// Minutes are the kinds for runs that follow each other within minutes.
var Minutes = []Shape{
	{"gaussian", "nothing but sigma", fine, gaussian, steady},
	{"outliers", "1 run in 20 is slower by 10 % on average", fine, outliers, steady},
	{"drift", "slower by 0.1 % with each run", fine, gaussian, drift(0.001)},
	{"two modes", "3 runs in 10 are slower by 2 %", fine, modes, steady},
	{"temperature", "a sine of 2 % either way, 40 runs long", fine, gaussian, sine(40, 0.02)},
	{"ticks", "the figure is 187 ticks, a tick is 0.53 %", coarse, gaussian, steady},
	{"heavy tail", "Student's t with 3 degrees of freedom in place of Gaussian", fine, heavy, steady},
}

// Nights are the kinds for one moment a night.
var Nights = []Shape{
	{"gaussian", "nothing but sigma", fine, gaussian, steady},
	{"outliers", "1 run in 20 is slower by 10 % on average", fine, outliers, steady},
	{"drift", "slower by 0.02 % with each night", fine, gaussian, drift(0.0002)},
	{"two modes", "3 runs in 10 are slower by 2 %", fine, modes, steady},
	{"temperature", "a sine of 2 % either way, a year long", fine, gaussian, sine(365, 0.02)},
	{"ticks", "the figure is 187 ticks, a tick is 0.53 %", coarse, gaussian, steady},
	{"heavy tail", "Student's t with 3 degrees of freedom in place of Gaussian", fine, heavy, steady},
	{"wander", "a random walk by 0.1 % a night", fine, gaussian, wander(0.001)},
}

const fine, coarse = 20000, 187

// Runs gives the next run each time it is called, its level multiplied by a factor. A run is the
// median of repeats at one moment.
func (s Shape) Runs(r *rand.Rand, sigma float64, repeats int) func(factor float64) int64 {
	next := s.slow(r)
	return func(factor float64) int64 {
		now := 1 + next()
		v := make([]int64, repeats)
		for i := range v {
			v[i] = int64(math.Round(s.level * factor * (now + s.scatter(r, sigma))))
		}
		slices.Sort(v)
		return v[repeats/2]
	}
}

func gaussian(r *rand.Rand, sigma float64) float64 { return sigma * r.NormFloat64() }

func outliers(r *rand.Rand, sigma float64) float64 {
	e := sigma * r.NormFloat64()
	if r.Float64() < 0.05 {
		e += 0.1 * r.ExpFloat64()
	}
	return e
}

func modes(r *rand.Rand, sigma float64) float64 {
	e := sigma * r.NormFloat64()
	if r.Float64() < 0.3 {
		e += 0.02
	}
	return e
}

func heavy(r *rand.Rand, sigma float64) float64 {
	sum := 0.0
	for range 3 {
		n := r.NormFloat64()
		sum += n * n
	}
	return sigma * r.NormFloat64() / math.Sqrt(sum/3)
}

func steady(*rand.Rand) func() float64 { return func() float64 { return 0 } }

func drift(step float64) func(*rand.Rand) func() float64 {
	return func(*rand.Rand) func() float64 {
		level := 0.0
		return func() float64 {
			level += step
			return level
		}
	}
}

func wander(step float64) func(*rand.Rand) func() float64 {
	return func(r *rand.Rand) func() float64 {
		level := 0.0
		return func() float64 {
			level += step * r.NormFloat64()
			return level
		}
	}
}

func sine(period, amplitude float64) func(*rand.Rand) func() float64 {
	return func(r *rand.Rand) func() float64 {
		at := r.Float64() * period
		return func() float64 {
			at++
			return amplitude * math.Sin(2*math.Pi*at/period)
		}
	}
}
