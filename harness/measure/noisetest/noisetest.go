// Package noisetest makes runs that scatter as those of real boards do, for simulations of how
// judgement fares. A run is one number: a statistic of one quantity.
//
// The shapes are those that reports of hardware benchmarks name: a host that hiccups, parts that
// warm up, an air conditioner, a boot that locks a PLL or aligns memory in one of two ways,
// a counter too coarse for the effect. Their sizes are stated here and are the simulation's
// premises, not measurements of boards.
package noisetest

import (
	"math"
	"math/rand/v2"
)

// Shape is a kind of noise.
type Shape struct {
	Name  string
	Help  string
	Level float64 // of what is measured, in units: coarse where it is small
	start func(r *rand.Rand, sigma float64) func() float64
}

// Shapes are the kinds, each around Gaussian noise of a given sigma. They hold for runs
// that follow each other within minutes.
var Shapes = []Shape{
	{"gaussian", "nothing but sigma", 20000, gaussian},
	{"outliers", "1 run in 20 is slow by 10 % on average", 20000, outliers},
	{"drift", "slower by 0.1 % with each run", 20000, drift},
	{"two modes", "3 runs in 10 are slow by 2 %", 20000, modes},
	{"temperature", "a sine of 2 % either way, 40 runs long", 20000, sine(40, 0.02)},
	{"ticks", "the figure is 187 ticks, a tick is 0.53 %", 187, gaussian},
	{"heavy tail", "Student's t with 3 degrees of freedom in place of Gaussian", 20000, heavy},
}

// Runs gives runs without end, whose level is multiplied by what the caller gives for each.
func (s Shape) Runs(r *rand.Rand, sigma float64) func(factor float64) int64 {
	next := s.start(r, sigma)
	return func(factor float64) int64 {
		return int64(math.Round(s.Level * factor * (1 + next())))
	}
}

func gaussian(r *rand.Rand, sigma float64) func() float64 {
	return func() float64 { return sigma * r.NormFloat64() }
}

func outliers(r *rand.Rand, sigma float64) func() float64 {
	return func() float64 {
		e := sigma * r.NormFloat64()
		if r.Float64() < 0.05 {
			e += 0.1 * r.ExpFloat64()
		}
		return e
	}
}

func drift(r *rand.Rand, sigma float64) func() float64 {
	slope := 0.0
	return func() float64 {
		slope += 0.001
		return slope + sigma*r.NormFloat64()
	}
}

func modes(r *rand.Rand, sigma float64) func() float64 {
	return func() float64 {
		e := sigma * r.NormFloat64()
		if r.Float64() < 0.3 {
			e += 0.02
		}
		return e
	}
}

func sine(period, amplitude float64) func(*rand.Rand, float64) func() float64 {
	return func(r *rand.Rand, sigma float64) func() float64 {
		at := r.Float64() * period
		return func() float64 {
			at++
			return amplitude*math.Sin(2*math.Pi*at/period) + sigma*r.NormFloat64()
		}
	}
}

func heavy(r *rand.Rand, sigma float64) func() float64 {
	return func() float64 {
		sum := 0.0
		for range 3 {
			n := r.NormFloat64()
			sum += n * n
		}
		return sigma * r.NormFloat64() / math.Sqrt(sum/3)
	}
}
