package report

import (
	"testing"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/report/sketch"
)

// A picture shows limits in its own unit, those in another unit of time too, and what was accepted.
func TestRules(t *testing.T) {
	m := record.Measurement{
		Unit: measure.Ticks, ClockHz: 1e9, CoreHz: 16e6,
		Verdicts: []judge.Verdict{
			{Statistic: measure.Min, Bounds: []judge.Bound{{Value: 16, Unit: measure.Cycles}}}, // 1 us of the core
			{Statistic: measure.P99, Bounds: []judge.Bound{{Value: 2000, Unit: measure.Nanoseconds}}},
			{Statistic: measure.Max, Bounds: []judge.Bound{{Value: 5, Unit: measure.Bytes}}},
			{Statistic: measure.Median}, // against the baseline
		},
		Change: &change.Change{Statistic: measure.Median, Unit: measure.Ticks, Old: measure.Estimate{Value: 1500}},
	}
	want := []sketch.Rule{{At: 1, Name: "limit min", Limit: true}, {At: 2, Name: "limit p99", Limit: true}, {At: 1.5, Name: "baseline p50"}}
	got := rules(m, 1e-3)
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("rule %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}
