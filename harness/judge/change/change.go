// Package change judges two states of one figure: a statistic of a quantity before and
// after something was changed.
//
// On a virtual rig values are exact, so any difference is real: see [Exact]. On a hardware
// rig the unit of analysis is the run, not the value: thousands of values of one run share
// its power-up, its temperature and its host, so a figure is one number per run. See
// [Interleaved] for runs of both states in turns, [Once] for a single run, and [Correct]
// for many figures judged at once.
//
// Left out: where the values come from (package compare) and series of runs
// (package series).
package change

import (
	"cmp"
	"fmt"

	"rigor/harness/measure"
)

// Verdict says what became of a figure.
type Verdict string

// The verdicts.
const (
	Better     Verdict = "better"
	Worse      Verdict = "worse"
	Same       Verdict = "same"
	Different  Verdict = "different" // it changed, and neither way is better
	CannotTell Verdict = "cannot tell"
)

// Change is the judgement on two states of a figure.
type Change struct {
	Verdict   Verdict           `json:"verdict"`
	Statistic measure.Statistic `json:"statistic"`
	Unit      measure.Unit      `json:"unit"`
	Old       measure.Estimate  `json:"old"` // of the statistic, in Unit: over the runs, where there are several
	New       measure.Estimate  `json:"new"`
	Effect    *Effect           `json:"effect,omitempty"` // nil if values are exact
	Reason    string            `json:"reason"`
}

// Effect is how large a change is where values scatter. All but P and Runs are relative to
// the old value, or to one unit where that is 0: 0.02 is 2 %.
type Effect struct {
	Relative float64 `json:"relative"`
	Lo       float64 `json:"lo"` // the interval that holds the true effect, at Options.Confidence
	Hi       float64 `json:"hi"`
	P        float64 `json:"p"`        // of so large an effect if nothing had changed; [Correct] makes it that of the family
	Smallest float64 `json:"smallest"` // effect that these runs would have shown in 99 of 100 cases
	Runs     [2]int  `json:"runs"`     // of the old state and of the new one
}

// Exact judges values that nothing scatters: a difference of one unit is a change.
func Exact(q measure.Quantity, st measure.Statistic, unit measure.Unit, old, new int64) Change {
	c := Change{Verdict: Same, Statistic: st, Unit: unit, Old: point(old), New: point(new),
		Reason: fmt.Sprintf("exactly %d %s", new, unit)}
	if old != new {
		c.Verdict = direction(q.Better, old, new)
		c.Reason = fmt.Sprintf("values are exact: %+d %s", new-old, unit)
	}
	return c
}

// direction is the verdict on a difference that is real.
func direction(b measure.Better, old, new int64) Verdict {
	if b == measure.NearerZero {
		b, old, new = measure.Lower, max(old, -old), max(new, -new)
	}
	sign := cmp.Compare(new, old)
	switch {
	case sign == 0 || b != measure.Lower && b != measure.Higher:
		return Different
	case (sign < 0) == (b == measure.Lower):
		return Better
	}
	return Worse
}

func point(v int64) measure.Estimate { return measure.Estimate{Value: v, Lo: v, Hi: v} }
