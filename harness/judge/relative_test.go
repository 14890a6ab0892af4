package judge

import (
	"strings"
	"testing"

	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/rig"
)

func TestAgainstBaseline(t *testing.T) {
	accepted := func(q string, v int64) *Figure { f := figure(q, "first", v); return &f }
	in := func(q string, u measure.Unit, v int64) measure.Sample {
		return measure.Sample{Name: q, Source: measure.Firmware, Unit: u, Clock: 16e6, Assumption: measure.Nothing, Values: []int64{v}}
	}
	const (
		lower, higher  = measure.GoroutineSwitch, measure.FlashRate
		zero, neither  = measure.TemperatureError, measure.Cores
		cycles         = measure.Cycles
		exactly        = "unit: cycles, tolerance: 0"
		tenCycles      = "unit: cycles, tolerance: 10"
		thousandNs     = "unit: ns, tolerance: 1000" // 16 cycles at 16 MHz
		onePercent     = "tolerance_percent: 1"
		quarterPercent = "tolerance_percent: 0.25"
	)
	for _, c := range []struct {
		quantity, tolerance string
		old, now            int64
		want                Outcome
		limit               string
	}{
		{lower, exactly, 160, 160, Pass, "p50 <= baseline + 0 cycles"},
		{lower, exactly, 160, 161, Fail, "p50 <= baseline + 0 cycles"},
		{lower, exactly, 160, 100, Pass, "p50 <= baseline + 0 cycles"},
		{lower, tenCycles, 160, 170, Pass, "p50 <= baseline + 10 cycles"},
		{lower, tenCycles, 160, 171, Fail, "p50 <= baseline + 10 cycles"},
		{lower, thousandNs, 160, 176, Pass, "p50 <= baseline + 1000 ns"},
		{lower, thousandNs, 160, 177, Fail, "p50 <= baseline + 1000 ns"},
		{lower, onePercent, 1000, 1010, Pass, "p50 <= baseline + 1 %"},
		{lower, onePercent, 1000, 1011, Fail, "p50 <= baseline + 1 %"},
		{lower, quarterPercent, 400, 401, Pass, "p50 <= baseline + 0.25 %"},
		{lower, quarterPercent, 400, 402, Fail, "p50 <= baseline + 0.25 %"},
		{higher, exactly, 160, 159, Fail, "p50 >= baseline - 0 cycles"},
		{higher, exactly, 160, 900, Pass, "p50 >= baseline - 0 cycles"},
		{higher, onePercent, 1000, 990, Pass, "p50 >= baseline - 1 %"},
		{higher, onePercent, 1000, 989, Fail, "p50 >= baseline - 1 %"},
		{neither, exactly, 160, 159, Fail, "p50 = baseline +- 0 cycles"},
		{neither, exactly, 160, 161, Fail, "p50 = baseline +- 0 cycles"},
		{neither, onePercent, 1000, 990, Pass, "p50 = baseline +- 1 %"},
		{neither, onePercent, -1000, -1010, Pass, "p50 = baseline +- 1 %"},
		{neither, onePercent, -1000, -1011, Fail, "p50 = baseline +- 1 %"},
		{zero, exactly, -5, 5, Pass, "|p50| <= |baseline| + 0 cycles"},
		{zero, exactly, -5, 6, Fail, "|p50| <= |baseline| + 0 cycles"},
		{zero, exactly, 5, -6, Fail, "|p50| <= |baseline| + 0 cycles"},
		{zero, onePercent, -1000, -1010, Pass, "|p50| <= |baseline| + 1 %"},
		{zero, onePercent, -1000, -1011, Fail, "|p50| <= |baseline| + 1 %"},
	} {
		l := limits(t, "limits:\n  - {quantity: "+c.quantity+", statistic: p50, against: baseline, reason: test, "+c.tolerance+"}\n")
		s := in(c.quantity, cycles, c.now)
		v := l.Judge(on, s, measure.Summarize(s), accepted(c.quantity, c.old))[0]
		if v.Outcome != c.want || v.Limit != c.limit || (v.Class == "") != (c.want == Pass) {
			t.Errorf("%s, %s, %d after %d: %+v, want %v of %s", c.quantity, c.tolerance, c.now, c.old, v, c.want, c.limit)
		}
	}
}

// Ticks of a capture stand against a baseline in the core's cycles by their times.
func TestAgainstBaselineInTime(t *testing.T) {
	f := figure(measure.GoroutineSwitch, "first", 160) // 10 us at 16 MHz
	for tolerance, want := range map[string]Outcome{
		"unit: cycles, tolerance: 16": Pass, "unit: cycles, tolerance: 15": Fail, "tolerance_percent: 10": Pass, "tolerance_percent: 9.99": Fail,
	} {
		l := limits(t, "limits:\n  - {quantity: goroutine-switch, statistic: p50, against: baseline, reason: test, "+tolerance+"}\n")
		s := measure.Sample{Name: measure.GoroutineSwitch, Unit: measure.Ticks, Clock: 100e6, Values: []int64{1100}} // 11 us
		if v := l.Judge(on, s, measure.Summarize(s), &f)[0]; v.Outcome != want {
			t.Errorf("%s: %+v, want %v", tolerance, v, want)
		}
	}
}

func TestAgainstBaselineCannotTell(t *testing.T) {
	l := limits(t, "limits:\n  - {quantity: goroutine-switch, statistic: p50, unit: cycles, against: baseline, tolerance: 5, required: true, reason: test}\n")
	judge := func(kind string, f *Figure, values ...int64) Verdict {
		on := on
		on.RigKind = kind
		s := switches(measure.Nothing, values...)
		return l.Judge(on, s, measure.Summarize(s), f)[0]
	}
	plain := figure(measure.GoroutineSwitch, "first", 160)
	noisy := plain
	noisy.Noise = &change.Noise{Runs: 30, Relative: 0.01, Widest: 0.02} // 3.2 of 160 cycles
	many := func(v int64) []int64 {
		all := make([]int64, 100)
		for i := range all {
			all[i] = v
		}
		return all
	}
	for name, c := range map[string]struct {
		got    Verdict
		want   Outcome
		reason string
	}{
		"no baseline":    {judge("virtual", nil, 160), Unset, "nothing to compare with was accepted (rigor baseline accept)"},
		"no noise":       {judge("hardware", &plain, 160), Unset, "the noise from run to run was not measured (rigor ab)"},
		"beyond noise":   {judge("hardware", &noisy, many(160)...), Pass, "p50 is 160 cycles (156..164), accepted was 160 cycles"},
		"within noise":   {judge("hardware", &noisy, many(163)...), Unset, "p50 is 163 cycles (159..167), too uncertain to compare with 160 cycles of the baseline, accepted was 160 cycles"},
		"broken beyond":  {judge("hardware", &noisy, many(170)...), Fail, "p50 is 170 cycles (166..174), accepted was 160 cycles"},
		"virtual spread": {judge("virtual", &plain, count(320)...), Pass, "p50 is 160 cycles, accepted was 160 cycles"},
	} {
		if c.got.Outcome != c.want || c.got.Reason != c.reason || c.got.Blocks() != (c.want != Pass) {
			t.Errorf("%s: %+v, want %v because %q", name, c.got, c.want, c.reason)
		}
	}
}

// Whose a verdict is that is no pass.
func TestClass(t *testing.T) {
	of := func(quantity string) measure.Sample {
		return measure.Sample{Name: quantity, Unit: measure.Cycles, Clock: 16e6, Assumption: measure.Exact, Values: []int64{161}}
	}
	lost := of(measure.GoroutineSwitch)
	lost.Doubts = []string{"the probe lost 2 edges"}
	was := func(firmware string, v int64) *Figure {
		f := figure(measure.GoroutineSwitch, "first", v)
		f.Firmware = firmware
		return &f
	}
	for name, c := range map[string]struct {
		sample   measure.Sample
		kind     string
		accepted *Figure
		want     rig.Class
	}{
		"a program":               {of(measure.GoroutineSwitch), "virtual", nil, rig.Firmware},
		"a converter":             {of(measure.ADCLinearity), "hardware", nil, rig.DUT},
		"a timer":                 {of(measure.PWMJitter), "hardware", nil, rig.DUT},
		"flash memory":            {of(measure.FlashErase), "hardware", nil, rig.DUT},
		"a loader's client":       {of(measure.FlashWriteShare), "hardware", nil, rig.Harness},
		"lost edges":              {lost, "hardware", nil, rig.Rig},
		"another image":           {of(measure.GoroutineSwitch), "virtual", was("before", 160), rig.Firmware},
		"the same image":          {of(measure.GoroutineSwitch), "virtual", was("now", 160), rig.Harness},
		"and the same as ever":    {of(measure.GoroutineSwitch), "virtual", was("now", 161), rig.Firmware},
		"the same image on a rig": {of(measure.GoroutineSwitch), "hardware", was("now", 160), rig.Firmware},
	} {
		l := limits(t, "limits:\n  - {quantity: "+c.sample.Name+", statistic: p50, unit: cycles, max: 1, reason: test}\n")
		on := Subject{RigKind: c.kind, Chip: "stm32f407", Core: 16e6, Firmware: "now"}
		if v := l.Judge(on, c.sample, measure.Summarize(c.sample), c.accepted)[0]; v.Outcome == Pass || v.Class != c.want {
			t.Errorf("%s: %+v, want class %s", name, v, c.want)
		}
	}
}

func TestParseTolerance(t *testing.T) {
	const good = "limits:\n  - {quantity: goroutine-switch, statistic: p50, reason: test, "
	for text, want := range map[string]string{
		"unit: cycles, against: baseline, tolerance: 0}":                       "",
		"against: baseline, tolerance_percent: 0.2}":                           "",
		"unit: cycles, against: baseline}":                                     "one of tolerance and tolerance_percent",
		"unit: cycles, against: baseline, tolerance: 1, tolerance_percent: 1}": "one of tolerance and tolerance_percent",
		"unit: cycles, against: yesterday, tolerance: 1}":                      "a tolerance needs against: baseline",
		"unit: cycles, tolerance: 1}":                                          "a tolerance needs against: baseline",
		"unit: cycles, max: 3, tolerance_percent: 1}":                          "a tolerance needs against: baseline",
		"unit: cycles, against: baseline, tolerance: 1, max: 2}":               "neither min nor max",
		"unit: cycles, against: baseline, tolerance: -1}":                      "below 0",
		"against: baseline, tolerance_percent: -1}":                            "want 0 or more",
		"against: baseline, tolerance_percent: .nan}":                          "want 0 or more",
		"against: baseline, tolerance_percent: .inf}":                          "want 0 or more",
		"unit: cycles, against: baseline, tolerance_percent: 1}":               "has no unit",
		"unit: furlongs, against: baseline, tolerance: 1}":                     `unknown unit "furlongs"`,
		"against: baseline, tolerance: 1}":                                     `unknown unit ""`,
		"unit: cycles, against: baseline, tolerance: 1.5}":                     "wrong type",
	} {
		_, err := Parse("l.yaml", []byte(good+text+"\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
