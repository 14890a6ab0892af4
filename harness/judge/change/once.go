package change

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"rigor/harness/measure"
)

// Once judges a single run against another one, and the noise that was measured. It is never worse or
// better: a run that lies far off may be a change as well as an outlier, of which real boards have one
// in twenty runs. So the figure is the same, or it can't be told, and the reason
// says whether the noise explains the difference. Interleaved runs tell.
func Once(q measure.Quantity, st measure.Statistic, unit measure.Unit, old, new int64, n Noise, o Options) Change {
	o = o.withDefaults()
	c := Change{Verdict: CannotTell, Statistic: st, Unit: unit, Old: point(old), New: point(new)}
	if c.Reason = n.missing(o); c.Reason != "" {
		return c
	}
	to := scale(float64(old))
	by := float64(new-old) / to
	err := max(math.Sqrt2*n.Relative, 1e-9) // of two runs; where none scattered, anything is beyond it
	t := distuv.StudentsT{Sigma: 1, Nu: float64(n.Runs - 1)}
	half := max(err*t.Quantile((1+o.Confidence)/2), n.Widest) // a second mode or an outlier may hide as much
	c.Effect = &Effect{Relative: by, Lo: by - half, Hi: by + half, P: 2 * t.Survival(math.Abs(by)/err),
		Smallest: smallest(err, o), Runs: [2]int{1, 1}}
	switch {
	case n.Unsteady != "":
		c.Reason = fmt.Sprintf("%s by one run: %s", signed(by), n.Unsteady)
	case c.Effect.within(o.Magnitude):
		c.Verdict, c.Reason = Same, fmt.Sprintf("%s by one run, within %s", signed(by), percent(o.Magnitude))
	case math.Abs(by) > 2*n.Widest && c.Effect.P <= o.Rate:
		c.Reason = fmt.Sprintf("%s by one run, beyond all noise: %d runs of the same firmware lie up to %s off; an outlier or a change, interleaved runs tell",
			signed(by), n.Runs, percent(n.Widest))
	default:
		c.Reason = fmt.Sprintf("%s by one run, as noise may be: %d runs of the same firmware lie up to %s off", signed(by), n.Runs, percent(n.Widest))
	}
	return c
}

// within reports whether the whole interval is smaller than that.
func (e *Effect) within(magnitude float64) bool { return e.Lo >= -magnitude && e.Hi <= magnitude }
