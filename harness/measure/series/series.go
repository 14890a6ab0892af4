// Package series finds where a series of runs, such as one a night, changed its level.
//
// It follows E-Divisive with means (Matteson and James, A Nonparametric Approach for Multiple
// Change Point Analysis of Multivariate Data, JASA 109, 2014) with Student's t-test in place of
// permutations, windows, and a second pass that drops weak points (Fleming, Kołaczkowski and others,
// Hunter: Using Change Point Detection to Hunt for Performance Regressions, ICPE 2023).
package series

// State is a stretch of the series between two change points.
type State struct {
	Mean       float64 `json:"mean"`       // of the points, outliers drawn in
	N          int     `json:"n"`          // points
	Dispersion float64 `json:"dispersion"` // their standard deviation
}

// ChangePoint is where a series has a new level.
type ChangePoint struct {
	At       int     `json:"at"` // index of the first point of the new state: the first bad run
	Before   State   `json:"before"`
	After    State   `json:"after"`
	P        float64 `json:"p"`
	Relative float64 `json:"relative"` // of the two means, to the old one: 0.02 is 2 %
}

// Options are how sure a change point must be. The zero value of a field takes its default.
type Options struct {
	Window    int     // points that are looked at together: 50
	MaxP      float64 // 0.001
	Magnitude float64 // smaller relative changes don't count: 0.01
	Shortest  int     // points that a new state must have: 4
}

// Changes finds the change points of a series in the order of its runs, one value each.
func Changes(points []float64, o Options) []ChangePoint { return nil }
