package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/rig"
)

// leading are the statistics in the order in which one stands for a figure. What
// most values are like comes before the extremes.
var leading = []measure.Statistic{measure.Median, measure.P99, measure.Max, measure.P95, measure.Min}

// Compare judges two states of a figure on a kind of rig, each from one run.
//
// On the virtual rig any difference is real, in any statistic. The change is that of the
// statistic which got worse first of p50, p99, max, p95, min, or of the first that differs if none got worse; the
// reason tells of the others. Where only single values differ, it says so.
//
// On hardware the median is judged by the noise that was measured from run to run, and one run tells little:
// see [change.Once].
func Compare(kind string, old, now Figure) change.Change {
	c := change.Change{Verdict: change.CannotTell, Statistic: measure.Median, Unit: now.Unit, Old: old.Summary.Median, New: now.Summary.Median}
	switch {
	case len(old.Doubts)+len(now.Doubts) > 0:
		c.Reason = slices.Concat(now.Doubts, old.Doubts)[0]
	case old.Summary.N == 0 || now.Summary.N == 0:
		c.Reason = "no values"
	case old.Unit != now.Unit || old.ClockHz != now.ClockHz:
		c.Reason = fmt.Sprintf("counted in %s, before in %s", counting(now), counting(old))
	case kind == string(rig.Virtual):
		return exact(old, now)
	default:
		return once(old, now)
	}
	return c
}

func counting(f Figure) string {
	if f.ClockHz == 0 {
		return string(f.Unit)
	}
	return fmt.Sprintf("%s of %v", f.Unit, f.ClockHz)
}

// exact compares all statistics and, in the end, all values.
func exact(old, now Figure) change.Change {
	q, _ := measure.Describe(now.Quantity)
	rounding := max(old.rounding(), now.rounding())
	var differ []change.Change
	for _, st := range leading {
		a, _ := old.Summary.Estimate(st)
		b, _ := now.Summary.Estimate(st)
		if by := b.Value - a.Value; max(by, -by) > rounding {
			differ = append(differ, change.Exact(q, st, now.Unit, a.Value, b.Value))
		}
	}
	if len(differ) == 0 {
		return alike(q, old, now, rounding)
	}
	i := max(0, slices.IndexFunc(differ, func(c change.Change) bool { return c.Verdict == change.Worse }))
	c := differ[i]
	c.Reason += others(c, slices.Delete(differ, i, i+1))
	return c
}

// rounding is by how many units a value may differ though what was measured does
// not: a probe puts each edge to a tick of its own clock, of which the core's cycle is no multiple.
func (f *Figure) rounding() int64 {
	switch {
	case f.Source != measure.Probe:
		return 0
	case f.Unit == measure.Ticks:
		return max(f.Resolution, 1)
	}
	return f.Resolution
}

// alike judges two states none of whose statistics differ.
func alike(q measure.Quantity, old, now Figure, rounding int64) change.Change {
	a, b := old.Summary.Median, now.Summary.Median
	c := change.Exact(q, measure.Median, now.Unit, b.Value, b.Value)
	c.Old = measure.Estimate{Value: a.Value, Lo: a.Value, Hi: a.Value}
	switch {
	case old.Summary.N != now.Summary.N:
		c.Verdict, c.Reason = change.Different, fmt.Sprintf("%d values instead of %d", now.Summary.N, old.Summary.N)
	case old.Digest == now.Digest:
	case rounding > 0:
		c.Reason = fmt.Sprintf("%d %s, to the %d that the probe rounds to", b.Value, now.Unit, rounding)
	default:
		c.Verdict, c.Reason = change.Different, "single values differ, and none of the statistics"
	}
	return c
}

// others tells of the further statistics that differ.
func others(lead change.Change, cs []change.Change) string {
	by := func(c change.Change) int64 { return c.New.Value - c.Old.Value }
	var all []string
	alike := len(cs) == len(leading)-1
	for _, c := range cs {
		alike = alike && by(c) == by(lead)
		all = append(all, fmt.Sprintf("%s %+d", c.Statistic, by(c)))
	}
	switch {
	case all == nil:
		return ""
	case alike:
		return " in all statistics"
	}
	return "; " + strings.Join(all, ", ")
}

// once compares two single runs.
func once(old, now Figure) change.Change {
	q, _ := measure.Describe(now.Quantity)
	var noise change.Noise
	if n := cmp.Or(old.Noise, now.Noise); n != nil {
		noise = *n
	}
	return change.Once(q, measure.Median, now.Unit, old.Summary.Median.Value, now.Summary.Median.Value, noise, change.Options{})
}
