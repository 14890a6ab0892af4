package judge

import (
	"fmt"
	"testing"

	"rigor/harness/judge/change"
	"rigor/harness/measure"
)

func TestCompareExact(t *testing.T) {
	const q, rate = measure.GoroutineSwitch, measure.FlashRate // of which less, and more, is better
	probe := func(f Figure) Figure {
		f.Source, f.Unit, f.Digest = measure.Probe, measure.Ticks, fmt.Sprint(f.Summary)
		return f
	}
	other := func(f Figure) Figure { f.Digest = "d1"; return f }
	for name, c := range map[string]struct {
		old, now  Figure
		verdict   change.Verdict
		statistic measure.Statistic
		reason    string
	}{
		"nothing":      {figure(q, "", 160, 161), figure(q, "", 160, 161), change.Same, measure.Median, "exactly 160 cycles"},
		"a cycle":      {figure(q, "", 160), figure(q, "", 161), change.Worse, measure.Median, "values are exact: +1 cycles in all statistics"},
		"a cycle less": {figure(q, "", 160), figure(q, "", 159), change.Better, measure.Median, "values are exact: -1 cycles in all statistics"},
		"slower rate":  {figure(rate, "", 160), figure(rate, "", 159), change.Worse, measure.Median, "values are exact: -1 cycles in all statistics"},
		"neither way":  {figure(measure.Cores, "", 160), figure(measure.Cores, "", 159), change.Different, measure.Median, "values are exact: -1 cycles in all statistics"},
		"only the maximum": {figure(q, "", 160, 160, 160, 200), figure(q, "", 160, 160, 160, 201), change.Worse, measure.P99,
			"values are exact: +1 cycles; max +1, p95 +1"},
		"the worst leads": {figure(q, "", 160, 160, 200), figure(q, "", 150, 150, 210), change.Worse, measure.P99,
			"values are exact: +10 cycles; p50 -10, max +10, p95 +10, min -10"},
		"a tick of a probe":    {probe(figure(q, "", 160)), probe(figure(q, "", 161)), change.Same, measure.Median, "161 ticks, to the 1 that the probe rounds to"},
		"two ticks of a probe": {probe(figure(q, "", 160)), probe(figure(q, "", 162)), change.Worse, measure.Median, "values are exact: +2 ticks in all statistics"},
		"the probe's same":     {probe(figure(q, "", 160)), probe(figure(q, "", 160)), change.Same, measure.Median, "exactly 160 ticks"},
		"more values":          {figure(q, "", 160), other(figure(q, "", 160, 160)), change.Different, measure.Median, "2 values instead of 1"},
		"single values":        {figure(q, "", 1, 2, 2, 2, 3), other(figure(q, "", 3, 2, 2, 2, 1)), change.Different, measure.Median, "single values differ, and none of the statistics"},
	} {
		got := Compare("virtual", c.old, c.now)
		if got.Verdict != c.verdict || got.Statistic != c.statistic || got.Reason != c.reason || got.Effect != nil {
			t.Errorf("%s: %+v, want %s of %s: %s", name, got, c.verdict, c.statistic, c.reason)
		}
	}
}

func TestCompareCannotTell(t *testing.T) {
	plain := figure(measure.GoroutineSwitch, "", 160)
	doubtful, empty, ticks, noisy := plain, plain, plain, plain
	doubtful.Doubts = []string{"the probe lost 2 edges"}
	empty.Summary = measure.Summary{}
	ticks.Unit, ticks.ClockHz = measure.Ticks, 100e6
	noisy.Noise = &change.Noise{Runs: 5, Relative: 0.001}
	for name, c := range map[string]struct {
		kind     string
		old, now Figure
		reason   string
	}{
		"doubts":         {"virtual", plain, doubtful, "the probe lost 2 edges"},
		"no values":      {"virtual", plain, empty, "no values"},
		"other unit":     {"virtual", plain, ticks, "counted in ticks of 100 MHz, before in cycles of 16 MHz"},
		"hardware":       {"hardware", plain, plain, "noise was measured by 0 of 10 runs of the same firmware"},
		"too little":     {"hardware", noisy, plain, "noise was measured by 5 of 10 runs of the same firmware"},
		"noise of other": {"hardware", plain, noisy, "noise was measured by 5 of 10 runs of the same firmware"},
	} {
		if got := Compare(c.kind, c.old, c.now); got.Verdict != change.CannotTell || got.Reason != c.reason {
			t.Errorf("%s: %s because %q, want %q", name, got.Verdict, got.Reason, c.reason)
		}
	}
}

// On hardware one run can tell that nothing changed. What is beyond the noise may be an
// outlier as well, see change.Once.
func TestCompareOnce(t *testing.T) {
	old := figure(measure.GoroutineSwitch, "", 10000)
	old.Noise = &change.Noise{Runs: 30, Relative: 0.002, Widest: 0.005}
	for now, want := range map[int64]change.Verdict{10005: change.Same, 10200: change.CannotTell} {
		if got := Compare("hardware", old, figure(measure.GoroutineSwitch, "", now)); got.Verdict != want || got.Effect == nil {
			t.Errorf("%d: %+v, want %s", now, got, want)
		}
	}
}
