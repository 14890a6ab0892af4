package change

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"rigor/harness/measure"
)

// beyond is how many times the farthest run of the same firmware a single run must be away.
const beyond = 2

// Once judges a single run against another one, or against a level, and the noise around it. One run
// can't tell a change from an outlier or another day's temperature, so it is worse or better only
// far beyond all noise that was seen, and the same only where noise is small. What lies
// in between asks for interleaved runs.
func Once(q measure.Quantity, st measure.Statistic, unit measure.Unit, old, new int64, n Noise, o Options) Change {
	o = o.withDefaults()
	c := Change{Verdict: CannotTell, Statistic: st, Unit: unit, Old: point(old), New: point(new)}
	if c.Reason = n.missing(o); c.Reason != "" {
		return c
	}
	to := scale(float64(old))
	t := distuv.StudentsT{Sigma: 1, Nu: float64(n.Runs - 1)}
	err := math.Sqrt2 * max(n.Relative, 1/to/2) // of a difference of two runs, known to half a unit
	rel := float64(new-old) / to
	half := err * t.Quantile((1+o.Confidence)/2)
	c.Effect = &Effect{
		Relative: rel, Lo: rel - half, Hi: rel + half, P: 2 * t.Survival(math.Abs(rel)/err), Runs: [2]int{1, 1},
		Smallest: max(err*t.Quantile(1-o.Rate/2), beyond*n.Widest, o.Magnitude) + err*t.Quantile(power),
	}
	switch {
	case n.Unsteady != "":
		c.Verdict, c.Reason = CannotTell, fmt.Sprintf("%s by one run: %s", signed(rel), n.Unsteady)
	case math.Abs(rel) <= beyond*n.Widest && math.Abs(rel) >= o.Magnitude:
		c.Reason = fmt.Sprintf("%s by one run, where runs of the same firmware lie up to %s off: interleave runs of both", signed(rel), percent(n.Widest))
	default:
		c.judge(q, o)
	}
	return c
}
