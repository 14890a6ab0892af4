// Package extreme states the worst case of a sample: its maximum, how it comes, and, only where
// the tests for it hold, the tail of an extreme-value distribution beyond it.
package extreme

import (
	"slices"

	"rigor/harness/measure"
)

// Worst is the worst case of a sample.
type Worst struct {
	Max       int64  `json:"max"`
	N         int    `json:"n"`
	Mechanism string `json:"mechanism"`         // how often the maximum came, and where in the sample
	Fit       *Fit   `json:"fit,omitempty"`     // of the tail
	Refused   string `json:"refused,omitempty"` // why there is no fit
}

// Fit is a generalised Pareto distribution of what exceeds a threshold.
type Fit struct {
	Threshold   float64 `json:"threshold"` // in the sample's unit
	Exceedances int     `json:"exceedances"`
	Shape       float64 `json:"shape"` // below 0 the tail ends
	Scale       float64 `json:"scale"`
}

// Of states the worst case of samples of one figure, usually one a run.
func Of(samples ...measure.Sample) Worst {
	var w Worst
	for _, s := range samples {
		if len(s.Values) == 0 {
			continue
		}
		top := slices.Max(s.Values)
		if w.N == 0 || top > w.Max {
			w.Max = top
		}
		w.N += len(s.Values)
	}
	w.Refused = "not fitted"
	return w
}
