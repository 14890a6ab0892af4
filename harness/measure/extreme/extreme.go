// Package extreme states the worst case of a quantity: the maximum that was seen, how the values near it came,
// and, only where the tests for it hold, what may lie beyond.
//
// Beyond the values there is a generalised Pareto distribution of what exceeds a threshold (Coles, An
// Introduction to Statistical Modeling of Extreme Values, 2001, section 4; fitted by probability-weighted
// moments, Hosking and Wallis, Technometrics 29, 1987). It speaks of chance alone. A board's latency is mostly
// mechanism: a core without caches gives one value in thousands of cases, and another when a timer came in
// between. Then the fit is refused with the reason, and the maximum with its mechanism is the answer.
//
// Left out: the probabilities of 1e-9 and less that certification asks for. No level is
// given beyond ten times the number of values.
package extreme

import (
	"fmt"
	"slices"

	"rigor/harness/measure"
)

// Worst is the worst case of a quantity.
type Worst struct {
	Max       int64        `json:"max"`
	Unit      measure.Unit `json:"unit"`
	N         int          `json:"n"`
	Mechanism string       `json:"mechanism"`         // how the values near the maximum came
	Fit       *Fit         `json:"fit,omitempty"`     // of the tail
	Refused   string       `json:"refused,omitempty"` // why there is no fit
}

// Of states the worst case of the samples of one quantity in one unit, usually one a run. No samples, or
// empty ones, give a Worst with N 0.
func Of(samples ...measure.Sample) Worst {
	var w Worst
	var values []int64
	var starts []int
	for _, s := range samples {
		if len(s.Values) > 0 {
			starts = append(starts, len(values))
			values = append(values, s.Values...)
			w.Unit = s.Unit
		}
	}
	if w.N = len(values); w.N == 0 {
		w.Refused = "no values"
		return w
	}
	w.Max = slices.Max(values)
	w.Mechanism = mechanism(values, starts)
	w.Fit, w.Refused = fit(samples, values)
	return w
}

// mechanism tells how the values came that lie nearer to the maximum than to the median.
func mechanism(values []int64, starts []int) string {
	sorted := slices.Sorted(slices.Values(values))
	middle, top := sorted[(len(sorted)-1)/2], sorted[len(sorted)-1]
	if len(values) == 1 {
		return "a single value"
	}
	if sorted[0] == top {
		return fmt.Sprintf("all %d values are equal", len(values))
	}
	var far []int
	for i, v := range values {
		if v-middle > top-v {
			far = append(far, i)
		}
	}
	if len(far) == 0 {
		return fmt.Sprintf("half of %d values or more are the maximum", len(values))
	}
	return fmt.Sprintf("%d of %d values lie nearer to the maximum than to the median%s", len(far), len(values), pattern(far, starts))
}

// pattern is what can be seen of where values lie in their samples.
func pattern(at, starts []int) string {
	if !slices.ContainsFunc(at, func(i int) bool { return !slices.Contains(starts, i) }) {
		return ", each the first of its sample, as after a cold start"
	}
	if len(at) == 1 {
		return fmt.Sprintf(", number %d", at[0]+1)
	}
	least, most := gaps(at)
	switch {
	case most == 1:
		return ", one after the other"
	case len(at) > 3 && most-least <= 1+most/50:
		return fmt.Sprintf(", every %d or so, as something periodic makes", most)
	}
	return ""
}

func gaps(at []int) (least, most int) {
	least = at[1] - at[0]
	for i := 1; i < len(at); i++ {
		least, most = min(least, at[i]-at[i-1]), max(most, at[i]-at[i-1])
	}
	return least, most
}
