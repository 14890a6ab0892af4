package change

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"rigor/harness/measure"
)

// Options are how sure a verdict must be. The zero value of a field takes its default.
type Options struct {
	Rate       float64 // of false alarms of one figure: 0.001
	Confidence float64 // of the effect's interval: 0.99
	Magnitude  float64 // smaller effects don't matter, relative: 0.01
	Rounds     int     // fewest rounds to judge on: 10
	NoiseRuns  int     // fewest runs of the same firmware that noise is measured by: 10
}

func (o Options) withDefaults() Options {
	return Options{
		Rate: orElse(o.Rate, 0.001), Confidence: orElse(o.Confidence, 0.99), Magnitude: orElse(o.Magnitude, 0.01),
		Rounds: orElse(o.Rounds, 10), NoiseRuns: orElse(o.NoiseRuns, 10),
	}
}

func orElse[T int | float64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// power is how often an effect of Effect.Smallest is shown.
const power = 0.99

// Interleaved judges rounds of three runs, old, new and old again: a1, b and a2 hold one value of
// the statistic per run, those of a round at the same index. What drifts slower than a round changes
// old and new alike; what the old runs tell of drift within a round bounds what is said of the new.
func Interleaved(q measure.Quantity, st measure.Statistic, unit measure.Unit, a1, b, a2 []int64, n Noise, o Options) Change {
	o = o.withDefaults()
	c := Change{Verdict: CannotTell, Statistic: st, Unit: unit}
	if len(a1) != len(b) || len(a2) != len(b) {
		c.Reason = fmt.Sprintf("%d, %d and %d runs are no rounds of old, new, old", len(a1), len(b), len(a2))
		return c
	}
	if len(b) < o.Rounds {
		c.Reason = fmt.Sprintf("%d rounds of %d that are needed", len(b), o.Rounds)
		return c
	}
	c.Old, c.New = across(slices.Concat(a1, a2)), across(b)
	rounds := make([]round, len(b))
	for i := range b {
		rounds[i] = round{float64(a1[i]), float64(b[i]), float64(a2[i])}
	}
	e := effect(rounds, o)
	c.Effect = &e
	if c.Reason = n.missing(o); c.Reason == "" {
		c.Reason = control(rounds, e, n, o)
	}
	if c.Reason == "" {
		c.judge(q, o)
	}
	return c
}

// across is the median over runs.
func across(runs []int64) measure.Estimate {
	return measure.Summarize(measure.Sample{Values: runs, Assumption: measure.Nothing}).Median
}

func effect(rounds []round, o Options) Effect {
	z := distuv.UnitNormal.Quantile((1 + o.Confidence) / 2)
	to := scale(oldLevel(rounds))
	e := Effect{
		Relative: shift(rounds, 0) / to, Lo: shift(rounds, z) / to, Hi: shift(rounds, -z) / to,
		P:    rankTest(ranks(align(rounds)), newRun),
		Runs: [2]int{2 * len(rounds), len(rounds)},
	}
	e.Smallest = smallest((e.Hi-e.Lo)/2/z, o)
	return e
}

// smallest is the effect that is shown with [power] when effects are estimated with such
// an error: it must pass the test, and it must not look smaller than what matters.
func smallest(err float64, o Options) float64 {
	miss := distuv.UnitNormal.Quantile(power)
	return max(err*(distuv.UnitNormal.Quantile(1-o.Rate/2)+miss), o.Magnitude+err*miss)
}

func oldLevel(rounds []round) float64 {
	var old []float64
	for _, r := range rounds {
		old = append(old, r[0], r[2])
	}
	return median(old)
}

// control looks at the old runs alone. It says why rounds must not be judged, or nothing.
func control(rounds []round, e Effect, n Noise, o Options) string {
	pairs := make([]round, len(rounds))
	for i, r := range rounds {
		pairs[i] = round{r[0], r[2]}
	}
	pairs = align(pairs)
	var between, around []float64
	for _, p := range pairs {
		between = append(between, p[1]-p[0])
		around = append(around, math.Abs(p[0]), math.Abs(p[1]))
	}
	to := scale(oldLevel(rounds))
	within := math.Abs(median(between)) / to
	if within > max(o.Magnitude, math.Abs(e.Relative)/2) && rankTest(ranks(pairs), 1) <= o.Rate {
		return fmt.Sprintf("the old state's runs before and after the new one differ by %s: drift within a round", percent(within))
	}
	if half := median(around) / to; half > max(n.Widest, 1/to) {
		return fmt.Sprintf("half of the old state's runs lie %s off or more, when noise was measured none was more than %s off: the rig has changed",
			percent(half), percent(n.Widest))
	}
	return ""
}

// judge gives the verdict that the effect allows.
func (c *Change) judge(q measure.Quantity, o Options) {
	e := c.Effect
	found := fmt.Sprintf("%s (%s..%s, p %.2g, %d and %d runs)", signed(e.Relative), signed(e.Lo), signed(e.Hi), e.P, e.Runs[0], e.Runs[1])
	shown := e.P <= o.Rate && (e.Lo > 0 || e.Hi < 0)
	switch {
	case shown && math.Abs(e.Relative) >= o.Magnitude:
		c.Verdict, c.Reason = c.way(q.Better), found
	case e.within(o.Magnitude):
		c.Verdict, c.Reason = Same, fmt.Sprintf("%s, within %s", found, percent(o.Magnitude))
	default:
		c.Reason = fmt.Sprintf("%s: too uncertain, these runs would have shown %s", found, percent(e.Smallest))
	}
}

// way is the verdict on an effect that is real. Where nearer zero is better, the whole interval
// must lie nearer, or farther.
func (c *Change) way(b measure.Better) Verdict {
	e := c.Effect
	if b != measure.NearerZero {
		return direction(b, 0, int64(math.Copysign(1, e.Relative)))
	}
	old := float64(c.Old.Value)
	to := scale(old)
	lo, hi := old+e.Lo*to, old+e.Hi*to
	least, most := min(math.Abs(lo), math.Abs(hi)), max(math.Abs(lo), math.Abs(hi))
	if lo < 0 && hi > 0 {
		least = 0
	}
	switch {
	case most < math.Abs(old):
		return Better
	case least > math.Abs(old):
		return Worse
	}
	return Different
}

func percent(x float64) string { return fmt.Sprintf("%.2f %%", hundredths(x)) }
func signed(x float64) string  { return fmt.Sprintf("%+.2f %%", hundredths(x)) }

// hundredths is in per cent, rounded, so that nothing is written as less than nothing.
func hundredths(x float64) float64 { return math.Round(x*1e4)/100 + 0 }
