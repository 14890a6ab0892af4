package measure

import (
	"slices"
	"testing"
)

// A 1 kHz release seen at 1 MHz: the third comes 7 ticks late, the fifth 2.
var released = Sample{
	Name: "edges", Source: Probe, Unit: Ticks, Clock: 1e6, Resolution: 1,
	Values: []int64{5000, 6000, 7007, 8000, 9002},
}

func TestJitterOfAKnownPeriod(t *testing.T) {
	late, worst := ReleaseJitterOf("late", released, Period{1, 1000})
	if want := []int64{0, 0, 7, 0, 2}; !slices.Equal(late.Values, want) || worst != (Worst{2, 2007, 7}) {
		t.Errorf("late by %v, want %v; %v", late.Values, want, worst)
	}
	period, worst := PeriodJitterOf("period", released, Period{1, 1000})
	if want := []int64{0, 7, 7, 2}; !slices.Equal(period.Values, want) || worst != (Worst{2, 2007, 7}) {
		t.Errorf("periods off by %v, want %v; %v", period.Values, want, worst)
	}
	for _, s := range []Sample{late, period} {
		if s.Unit != Ticks || s.Clock != 1e6 || s.Resolution != 1 || s.Source != Probe || len(s.Doubts) != 0 {
			t.Errorf("%+v", s)
		}
	}
	if want := "worst is 7, at edge 2, 2007 after the first"; worst.String() != want {
		t.Errorf("%q, want %q", worst, want)
	}
}

// The first release is the late one: the grid must not be laid from it.
func TestNoneIsEarly(t *testing.T) {
	s := Sample{Unit: Nanoseconds, Values: []int64{300, 1000, 2000}}
	late, worst := ReleaseJitterOf("late", s, Period{1, 1e6})
	if want := []int64{300, 0, 0}; !slices.Equal(late.Values, want) || worst != (Worst{0, 0, 300}) {
		t.Errorf("late by %v, want %v; %v", late.Values, want, worst)
	}
}

// A period of 1000/3 ticks leaves no error that adds up: 3000 of them are 10^6
// ticks; each time is rounded to a tick, and so is its jitter at most 1.
func TestPeriodsThatAreNoWholeTicks(t *testing.T) {
	s := Sample{Unit: Cycles, Clock: 1e6}
	for i := range int64(3001) {
		s.Values = append(s.Values, i*1000/3)
	}
	late, worst := ReleaseJitterOf("late", s, Period{1, 3000})
	if slices.Max(late.Values) > 1 || worst.Value > 1 {
		t.Errorf("worst %v", worst)
	}
	if p := MeanPeriod(s); p != (Period{1_000_000, 3000 * 1e6}) {
		t.Errorf("mean period %+v", p)
	}
}

// A crystal 100 ppm off, over 1000 periods of 1000 ticks, is 100 ticks; the mean
// period takes it out but for the rounding.
func TestMeanPeriodTakesOutDrift(t *testing.T) {
	s := Sample{Unit: Ticks, Clock: 1e6}
	for i := range int64(1001) {
		s.Values = append(s.Values, i*1000+i/10)
	}
	nominal, _ := ReleaseJitterOf("late", s, Period{1, 1000})
	own, _ := ReleaseJitterOf("late", s, MeanPeriod(s))
	if slices.Max(nominal.Values) != 100 || slices.Max(own.Values) > 1 {
		t.Errorf("late by up to %d, by the mean period %d", slices.Max(nominal.Values), slices.Max(own.Values))
	}
}

func TestNoJitterIsBelowResolution(t *testing.T) {
	s := Sample{Unit: Ticks, Clock: 1e6, Resolution: 2, Values: []int64{0, 1000, 2000}}
	for _, f := range []func(string, Sample, Period) (Sample, Worst){PeriodJitterOf, ReleaseJitterOf} {
		if j, _ := f("jitter", s, Period{1, 1000}); !slices.Equal(j.Warnings, []string{"jitter is below resolution: less than 2 ticks"}) {
			t.Errorf("warnings %q", j.Warnings)
		}
		if j, _ := f("jitter", released, Period{1, 1000}); len(j.Warnings) != 0 {
			t.Errorf("warnings %q of jitter that was seen", j.Warnings)
		}
	}
}

// A lost release makes all that follow a period late.
func TestReleaseLeftOut(t *testing.T) {
	s := Sample{Unit: Nanoseconds, Values: []int64{0, 1000, 3000, 4000}}
	if late, _ := ReleaseJitterOf("late", s, Period{1, 1e6}); !slices.Equal(late.Values, []int64{0, 0, 1000, 1000}) {
		t.Errorf("late by %v", late.Values)
	}
}

func TestJitterThatCannotBeTold(t *testing.T) {
	for name, c := range map[string]struct {
		s Sample
		p Period
	}{
		"one edge":   {Sample{Unit: Nanoseconds, Values: []int64{1}}, Period{1, 1}},
		"no edge":    {Sample{Unit: Nanoseconds}, Period{1, 1}},
		"no period":  {Sample{Unit: Nanoseconds, Values: []int64{1, 2}}, Period{}},
		"no clock":   {Sample{Unit: Cycles, Values: []int64{1, 2}}, Period{1, 1}},
		"not a time": {Sample{Unit: Bytes, Values: []int64{1, 2}}, Period{1, 1}},
	} {
		for _, f := range []func(string, Sample, Period) (Sample, Worst){PeriodJitterOf, ReleaseJitterOf} {
			if s, _ := f("jitter", c.s, c.p); len(s.Doubts) != 1 || len(s.Values) != 0 {
				t.Errorf("%s: %+v", name, s)
			}
		}
	}
	if p := MeanPeriod(Sample{Values: []int64{1}}); p != (Period{}) {
		t.Errorf("mean period of one edge %+v", p)
	}
}

func TestEdgeTimes(t *testing.T) {
	c := capture(t, "10 A+ 15 A- 20 B+ 30 A+")
	c.Lost = 2
	s := EdgeTimes("x", c, Rise("A"))
	if !slices.Equal(s.Values, []int64{10, 30}) || s.Clock != 100e6 || len(s.Doubts) != 1 {
		t.Errorf("%+v", s)
	}
	if late, _ := ReleaseJitterOf("late", s, Period{20, 100e6}); len(late.Doubts) != 1 {
		t.Errorf("doubts %q: lost edges are forgotten", late.Doubts)
	}
}

func TestUnwrap(t *testing.T) {
	got := Unwrap([]uint32{1<<32 - 10, 5, 3, 3})
	if want := []int64{0, 15, 15 + 1<<32 - 2, 15 + 1<<32 - 2}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
