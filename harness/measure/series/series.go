// Package series finds where a series of runs, such as one a night, changed its level.
//
// It follows E-Divisive with means (Matteson and James, A Nonparametric Approach for Multiple
// Change Point Analysis of Multivariate Data, JASA 109, 2014) with Student's t-test in place of
// permutations, windows, and a second pass that drops weak points (Fleming, Kołaczkowski and others,
// Hunter: Using Change Point Detection to Hunt for Performance Regressions, ICPE 2023).
//
// Three things are added for boards, since a board sits on a bench for months and is looked at every
// night. Single outliers are drawn in first; a rank test of the points as they were must agree, as a
// t-test of few points is easily too sure; and a level that slides or wanders with temperature and age is
// no change, however far it goes, for no run was the first.
package series

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// State is a stretch of the series between two change points. Outliers are drawn in.
type State struct {
	Mean       float64 `json:"mean"`
	N          int     `json:"n"`          // points
	Dispersion float64 `json:"dispersion"` // their standard deviation
}

// ChangePoint is where a series has a new level.
type ChangePoint struct {
	At       int     `json:"at"` // index of the first point of the new state: the first bad run
	Before   State   `json:"before"`
	After    State   `json:"after"`
	P        float64 `json:"p"`
	Relative float64 `json:"relative"` // of the step to the mean before, less what slides beside it: 0.02 is 2 %
}

// Options are how sure a change point must be. The zero value of a field takes its default.
type Options struct {
	Window    int     // points that are looked at together: 50
	MaxP      float64 // of the t-test: 0.00001
	MaxRankP  float64 // of the rank test, which few points can't bring lower: 0.001
	Magnitude float64 // smaller steps don't count, relative: 0.01
	Shortest  int     // points that a state must have: 5
}

func (o Options) withDefaults() Options {
	return Options{
		Window: orElse(o.Window, 50), MaxP: orElse(o.MaxP, 1e-5), MaxRankP: orElse(o.MaxRankP, 1e-3),
		Magnitude: orElse(o.Magnitude, 0.01), Shortest: orElse(o.Shortest, 5),
	}
}

func orElse[T int | float64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// finder looks for change points.
type finder struct {
	Options
	points []float64
	drawn  []float64 // the points, outliers drawn in
}

// Changes finds the change points of a series in the order of its runs, one value each.
func Changes(points []float64, o Options) []ChangePoint {
	f := finder{o.withDefaults(), points, drawIn(points)}
	at := f.candidates()
	for _, least := range []func([]int) int{f.unsure, f.sliding} {
		for i := least(at); i >= 0; i = least(at) {
			at = slices.Delete(at, i, i+1)
		}
	}
	cps := make([]ChangePoint, len(at))
	for i := range at {
		cps[i], _ = f.describe(at, i)
	}
	return cps
}

// weak is how much less sure a point of the first pass may be.
const weak = 10

// candidates are where windows over the series divide, half a window apart.
func (f finder) candidates() (at []int) {
	for from := 0; ; from += max(f.Window/2, 1) {
		to := min(from+f.Window, len(f.drawn))
		at = append(at, f.divide(from, to)...)
		if to == len(f.drawn) {
			break
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// divide splits a stretch in two where its parts differ most, and these in turn, as long as they differ.
func (f finder) divide(from, to int) []int {
	k := from + split(f.drawn[from:to], f.Shortest)
	if k == from || tTest(f.drawn[from:k], f.drawn[k:to]) > weak*f.MaxP {
		return nil
	}
	return slices.Concat(f.divide(from, k), []int{k}, f.divide(k, to))
}

// split finds where the energy distance between the values before and after, weighted by their numbers,
// is greatest, or 0 in too short a stretch (Matteson and James, equations 5 and 7 with alpha 1).
func split(x []float64, shortest int) (best int) {
	var between, left, right float64 // sums of distances
	for i := range x {
		right += distances(x[i], x[i+1:])
	}
	most := math.Inf(-1)
	for k := 1; k <= len(x)-shortest; k++ {
		moved, before, after := x[k-1], x[:k-1], x[k:]
		left += distances(moved, before)
		right -= distances(moved, after)
		between += distances(moved, after) - distances(moved, before)
		n, m := float64(k), float64(len(x)-k)
		q := n * m / (n + m) * (2*between/(n*m) - left/pairs(n) - right/pairs(m))
		if k >= shortest && q > most {
			most, best = q, k
		}
	}
	return best
}

func distances(from float64, to []float64) (sum float64) {
	for _, v := range to {
		sum += math.Abs(from - v)
	}
	return sum
}

func pairs(n float64) float64 { return max(n*(n-1)/2, 1) }

// tTest gives Student's p that two stretches have one mean. Stretches without any scatter
// have it or don't.
func tTest(a, b []float64) float64 {
	t, err := stats.TwoSampleTTest(stats.Sample{Xs: a}, stats.Sample{Xs: b}, stats.LocationDiffers)
	switch {
	case err == nil:
		return t.P
	case stats.Mean(a) == stats.Mean(b):
		return 1
	}
	return 0
}

// rankTest gives the p of Mann and Whitney that two stretches are alike.
func rankTest(a, b []float64) float64 {
	u, err := stats.MannWhitneyUTest(a, b, stats.LocationDiffers)
	if err != nil {
		return 1 // all are equal
	}
	return u.P
}

// describe says what changes at a point, from the points of one window on either side that no other
// change point cuts off, and how well it stands out.
func (f finder) describe(at []int, i int) (c ChangePoint, gain float64) {
	k := at[i]
	from, to := f.around(at, i)
	before, after := f.drawn[from:k], f.drawn[k:to]
	gain, height := f.stands(at, i)
	c = ChangePoint{At: k, Before: state(before), After: state(after), P: tTest(before, after)}
	c.Relative = height / max(math.Abs(c.Before.Mean), 1)
	return c, gain
}

func (f finder) around(at []int, i int) (from, to int) {
	from, to = max(at[i]-f.Window, 0), min(at[i]+f.Window, len(f.drawn))
	if i > 0 {
		from = max(from, at[i-1])
	}
	if i+1 < len(at) {
		to = min(to, at[i+1])
	}
	return from, to
}

func state(x []float64) State {
	return State{Mean: stats.Mean(x), N: len(x), Dispersion: stats.StdDev(x)}
}

// unsure is the point to drop next because both sides of it may be alike, or -1.
func (f finder) unsure(at []int) int {
	worst, most := -1, 1.0
	for i := range at {
		if d := f.doubt(at, i); d > most {
			worst, most = i, d
		}
	}
	return worst
}

// doubt is how many times the p of a point is what it may be.
func (f finder) doubt(at []int, i int) float64 {
	from, to := f.around(at, i)
	k := at[i]
	if min(k-from, to-k) < f.Shortest {
		return math.Inf(1)
	}
	if d := tTest(f.drawn[from:k], f.drawn[k:to]) / f.MaxP; d > 1 {
		return d
	}
	return rankTest(f.points[from:k], f.points[k:to]) / f.MaxRankP
}

// sliding is the point to drop next because a level that slopes or wanders tells of the points around
// it as well as a step does, or because its step is too small, or -1.
func (f finder) sliding(at []int) int {
	worst, least := -1, float64(evidence)
	for i := range at {
		c, gain := f.describe(at, i)
		if math.Abs(c.Relative) < f.Magnitude {
			gain = 0
		}
		if gain < least {
			worst, least = i, gain
		}
	}
	return worst
}
