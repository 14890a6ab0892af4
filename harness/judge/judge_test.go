package judge

import (
	"strings"
	"testing"

	"rigor/harness/measure"
	"rigor/harness/timebase"
)

// on is an STM32F407 at 16 MHz on a virtual rig.
var on = Subject{RigKind: "virtual", Chip: "stm32f407", Core: 16e6}

func limits(t *testing.T, text string) *Limits {
	t.Helper()
	l, err := Parse("limits.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func switches(a measure.Assumption, values ...int64) measure.Sample {
	return measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles,
		Clock: 16e6, Assumption: a, Values: values}
}

func count(n int) []int64 {
	v := make([]int64, n)
	for i := range v {
		v[i] = int64(i + 1)
	}
	return v
}

func TestJudge(t *testing.T) {
	const exact, nothing = measure.Exact, measure.Nothing
	inTicks := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Probe, Unit: measure.Ticks,
		Clock: 100e6, Assumption: exact, Values: []int64{1000}} // 10 us = 160 cycles of the core
	lost := switches(exact, 150)
	lost.Doubts = []string{"the probe lost 2 edges"}
	noClock := switches(exact, 150)
	noClock.Clock = 0

	for _, c := range []struct {
		name, limit string
		sample      measure.Sample
		want        Outcome
		reason      string
	}{
		{"below max", "statistic: p50, unit: cycles, max: 160", switches(exact, 160), Pass, "p50 is 160 cycles"},
		{"above max", "statistic: p50, unit: cycles, max: 159", switches(exact, 160), Fail, "p50 is 160 cycles"},
		{"above min", "statistic: min, unit: cycles, min: 160", switches(exact, 160), Pass, "min is 160 cycles"},
		{"below min", "statistic: min, unit: cycles, min: 161", switches(exact, 160), Fail, "min is 160 cycles"},
		{"within both", "statistic: max, unit: cycles, min: 62, max: 200", switches(exact, 160), Pass, "max is 160 cycles"},
		{"under both", "statistic: max, unit: cycles, min: 170, max: 200", switches(exact, 160), Fail, "max is 160 cycles"},
		{"ns against cycles", "statistic: p50, unit: ns, max: 10000", switches(exact, 160), Pass, "p50 is 160 cycles"},
		{"a cycle too many ns", "statistic: p50, unit: ns, max: 10000", switches(exact, 161), Fail, "p50 is 161 cycles"},
		{"ticks against cycles", "statistic: p50, unit: cycles, max: 160", inTicks, Pass, "p50 is 1000 ticks"},
		{"ticks against fewer cycles", "statistic: p50, unit: cycles, max: 159", inTicks, Fail, "p50 is 1000 ticks"},
		{"interval inside", "statistic: p50, unit: cycles, max: 61", switches(nothing, count(100)...), Pass, "p50 is 50 cycles (40..61)"},
		{"interval outside", "statistic: p50, unit: cycles, max: 39", switches(nothing, count(100)...), Fail, "p50 is 50 cycles (40..61)"},
		{"interval across", "statistic: p50, unit: cycles, max: 60", switches(nothing, count(100)...), Unset,
			"p50 is 50 cycles (40..61), too uncertain to compare with 60 cycles"},
		{"open interval", "statistic: p99, unit: cycles, max: 1000", switches(nothing, count(100)...), Unset,
			"p99 is 99 cycles (97..100?), too uncertain to compare with 1000 cycles"},
		{"open but beyond", "statistic: p99, unit: cycles, max: 90", switches(nothing, count(100)...), Fail, "p99 is 99 cycles (97..100?)"},
		{"doubts", "statistic: p50, unit: cycles, max: 160", lost, Unset, "the probe lost 2 edges"},
		{"no values", "statistic: p50, unit: cycles, max: 160", switches(exact), Unset, "no values"},
		{"unknown clock", "statistic: p50, unit: ns, max: 160", noClock, Unset, "p50 is 150 cycles, too uncertain to compare with 160 ns"},
	} {
		l := limits(t, "limits:\n  - {quantity: goroutine-switch, reason: test, "+c.limit+"}\n")
		vs := l.Judge(on, c.sample, measure.Summarize(c.sample), nil)
		if len(vs) != 1 || vs[0].Outcome != c.want || vs[0].Reason != c.reason {
			t.Errorf("%s: %+v, want %v because %q", c.name, vs, c.want, c.reason)
		}
	}
}

func TestNoLimitIsUnsetAndDoesNotBlock(t *testing.T) {
	s := switches(measure.Exact, 160)
	vs := (&Limits{}).Judge(on, s, measure.Summarize(s), nil)
	if len(vs) != 1 || vs[0].Outcome != Unset || vs[0].Reason != NoLimit || vs[0].Blocks() {
		t.Errorf("%+v", vs)
	}
}

func TestScope(t *testing.T) {
	for _, c := range []struct {
		scope string
		want  bool
	}{
		{"", true},
		{"rigs: [virtual]", true},
		{"rigs: [hardware]", false},
		{"rigs: [hardware, virtual]", true},
		{"chip: stm32f407", true},
		{"chip: k210", false},
		{"clock_hz: 16000000", true},
		{"clock_hz: 168000000", false},
		{"source: firmware", true},
		{"source: probe", false},
	} {
		l := limits(t, "limits:\n  - {quantity: goroutine-switch, reason: test, statistic: p50, unit: cycles, max: 1, "+c.scope+"}\n")
		s := switches(measure.Exact, 160)
		got := l.Judge(on, s, measure.Summarize(s), nil)[0].Reason != NoLimit
		if got != c.want {
			t.Errorf("%q covers: %v, want %v", c.scope, got, c.want)
		}
	}
}

func TestRequired(t *testing.T) {
	l := limits(t, `
limits:
  - {quantity: goroutine-switch, chip: stm32f407, statistic: p50, unit: cycles, max: 200, required: true, reason: test}
  - {quantity: goroutine-launch, chip: stm32f407, statistic: p50, unit: cycles, max: 900, required: true, reason: test}
  - {quantity: goroutine-launch, chip: k210, statistic: p50, unit: cycles, max: 900, required: true, reason: test}
`)
	s := switches(measure.Exact)
	if v := l.Judge(on, s, measure.Summarize(s), nil)[0]; v.Outcome != Unset || !v.Blocks() {
		t.Errorf("required and unset does not block: %+v", v)
	}
	missing := l.Missing(on, []Measured{{s.Name, s.Source, 16e6}})
	if len(missing) != 1 || missing[0].Limit != "goroutine-launch: p50 <= 900 cycles" || !missing[0].Blocks() {
		t.Errorf("missing: %+v", missing)
	}
	l.Limits[0].ClockHz = 168e6
	if missing := l.Missing(on, []Measured{{s.Name, s.Source, 16e6}}); len(missing) != 2 {
		t.Errorf("a limit at 168 MHz is covered by a measurement at 16 MHz: %+v", missing)
	}
}

func TestClaims(t *testing.T) {
	l := limits(t, `
claims:
  - {quantity: goroutine-switch, clock_hz: 16000000, text: 1.2 us switch at 16 MHz,
     statistic: p50, unit: ns, at_least: 1150, at_most: 1250, reason: rounding}
`)
	for _, c := range []struct {
		sample   measure.Sample
		want     Finding
		measured string
	}{
		{switches(measure.Exact, 160), Refuted, "p50 160 cycles = 10.000 us at 16 MHz"},
		{switches(measure.Exact, 10), Refuted, "p50 10 cycles = 0.625 us at 16 MHz"},
		{switches(measure.Exact, 19), Confirmed, "p50 19 cycles = 1.188 us at 16 MHz"},
		{switches(measure.Nothing, count(40)...), CannotTell, "p50 20 cycles (14..27) = 1.250 us at 16 MHz"},
		{switches(measure.Exact), CannotTell, "no values"},
	} {
		rs := l.Check(on, c.sample, measure.Summarize(c.sample))
		if len(rs) != 1 || rs[0].Finding != c.want || rs[0].Measured != c.measured {
			t.Errorf("got %+v, want %s by %q", rs, c.want, c.measured)
		}
	}
	at168 := on
	at168.Core = 168e6
	if rs := l.Check(at168, switches(measure.Exact, 160), measure.Summary{}); rs != nil {
		t.Errorf("claim about 16 MHz held against 168 MHz: %+v", rs)
	}
}

func TestParseNamesTheLine(t *testing.T) {
	const good = "limits:\n  - quantity: goroutine-switch\n    statistic: p50\n    unit: cycles\n    max: 1\n    reason: test\n"
	if _, err := Parse("l.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", strings.Replace(good, "max:", "maximum:", 1), "l.yaml:5: unknown key maximum"},
		{"unknown list", "limit: []\n", "l.yaml:1: unknown key limit"},
		{"wrong type", strings.Replace(good, "max: 1", "max: many", 1), "l.yaml:5: "},
		{"fraction", strings.Replace(good, "max: 1", "max: 1.5", 1), "l.yaml:5: "},
		{"key twice", good + "    max: 2\n", "l.yaml:7: "},
		{"no bound", strings.Replace(good, "    max: 1\n", "", 1), "l.yaml:2: limit 1: neither min nor max"},
		{"crossed", strings.Replace(good, "max: 1", "max: 1\n    min: 2", 1), "l.yaml:2: limit 1: min 2 is above max 1"},
		{"no reason", strings.Replace(good, "reason: test", "reason: ' '", 1), "l.yaml:2: limit 1: no reason"},
		{"quantity", strings.Replace(good, "goroutine-switch", "fun", 1), `l.yaml:2: limit 1: unknown quantity "fun"`},
		{"statistic", strings.Replace(good, "p50", "mean", 1), `l.yaml:2: limit 1: unknown statistic "mean"`},
		{"unit", strings.Replace(good, "cycles", "furlongs", 1), `l.yaml:2: limit 1: unknown unit "furlongs"`},
		{"rig", good + "    rigs: [imaginary]\n", `l.yaml:2: limit 1: unknown kind of rig "imaginary"`},
		{"source", good + "    source: hearsay\n", `l.yaml:2: limit 1: unknown source "hearsay"`},
		{"second of two", good + "  - quantity: fun\n", "l.yaml:7: limit 2: "},
		{"claim", "claims:\n  - {quantity: pin-echo, text: fast, statistic: p50, unit: ns, at_least: 9, at_most: 1, reason: r}\n", "l.yaml:2: claim 1: needs"},
		{"alias", "limits: &a\n  - {quantity: fun}\nclaims: *a\n", "l.yaml:2: limit 1: unknown quantity \"fun\"\nl.yaml:3: claim 1: "},
		{"not YAML", "limits: [", "l.yaml:2: "},
		{"empty", "# nothing yet\n", "l.yaml:"},
		{"a scalar", "limits", "l.yaml:1: "},
	} {
		_, err := Parse("l.yaml", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// The file that the suites are judged by.
func TestCheckedInLimits(t *testing.T) {
	l, err := Load("../../suites/limits.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Limits) == 0 || len(l.Claims) == 0 {
		t.Errorf("%d limits, %d claims", len(l.Limits), len(l.Claims))
	}
}

func TestOutcomeText(t *testing.T) {
	for _, o := range []Outcome{Unset, Pass, Fail} {
		text, _ := o.MarshalText()
		var back Outcome = 77
		if err := back.UnmarshalText(text); err != nil || back != o {
			t.Errorf("%v became %v: %v", o, back, err)
		}
	}
	var o Outcome
	if o.UnmarshalText([]byte("maybe")) == nil {
		t.Error("maybe is an outcome")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("limits:\n  - {quantity: pin-echo, statistic: p50, unit: ns, max: 3, reason: r, rigs: [virtual]}\n")
	f.Add("claims: [{quantity: pin-echo}]\nlimits: &a []\n")
	f.Add("- x")
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := Parse("l.yaml", []byte(text)); err == nil {
			for _, lim := range l.Limits {
				_ = lim.String()
				lim.judge(Subject{Core: timebase.Rate(1)}, measure.Sample{Unit: measure.Cycles}, measure.Summary{N: 1}, nil)
			}
		}
	})
}
