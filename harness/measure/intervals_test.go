package measure

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"rigor/harness/timebase"
	"rigor/probes"
)

// capture writes edges as "12 A+ 15 B-".
func capture(t *testing.T, text string) probes.Capture {
	t.Helper()
	c := probes.Capture{Rate: 100e6, Resolution: 1}
	fields := strings.Fields(text)
	for i := 0; i < len(fields); i += 2 {
		at, ok := new(big.Int).SetString(fields[i], 10)
		if !ok {
			t.Fatalf("bad time %q", fields[i])
		}
		l := fields[i+1]
		c.Edges = append(c.Edges, probes.Edge{At: timebase.Ticks(at.Int64()), Line: probes.Line(l[:1]), High: l[1] == '+'})
	}
	return c
}

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		name, edges string
		start, end  Transition
		want        []Span
		unpaired    string
	}{
		{"one line", "10 A+ 25 A- 40 A+ 70 A-", Rise("A"), Fall("A"), []Span{{10, 25}, {40, 70}}, ""},
		{"two lines", "10 A+ 12 B+ 20 A- 22 B- 30 A+ 33 B+", Rise("A"), Rise("B"), []Span{{10, 12}, {30, 33}}, ""},
		{"same tick", "10 A+ 10 B+", Rise("A"), Rise("B"), []Span{{10, 10}}, ""},
		{"period halves", "10 A+ 15 A- 20 A+ 25 A- 30 A+ 35 A- 41 A+", Rise("A"), Rise("A"), []Span{{10, 20}, {30, 41}}, ""},
		{"end lost", "10 A+ 30 A+ 33 B+", Rise("A"), Rise("B"), []Span{{30, 33}}, "A rising at tick 10 has no B rising after it"},
		{"start lost", "12 B+ 30 A+ 33 B+", Rise("A"), Rise("B"), []Span{{30, 33}}, "B rising at tick 12 has no A rising before it"},
		{"cut off", "10 A+ 12 B+ 30 A+", Rise("A"), Rise("B"), []Span{{10, 12}}, "A rising at tick 30 has no B rising after it"},
		{"nothing", "", Rise("A"), Rise("B"), nil, ""},
	} {
		spans, unpaired := Intervals(capture(t, c.edges), c.start, c.end)
		if !slices.Equal(spans, c.want) || strings.Join(unpaired, "; ") != c.unpaired {
			t.Errorf("%s: %v %q, want %v %q", c.name, spans, unpaired, c.want, c.unpaired)
		}
	}
}

func TestDurationsDoubtWhatIsIncomplete(t *testing.T) {
	c := capture(t, "10 A+ 25 A- 40 A+")
	c.Lost = 3
	s := Durations(PinEcho, c, Rise("A"), Fall("A"))
	want := []string{"the probe lost 3 edges", "1 unpaired edges, first: A rising at tick 40 has no A falling after it"}
	if !slices.Equal(s.Doubts, want) {
		t.Errorf("doubts %q, want %q", s.Doubts, want)
	}
	if !slices.Equal(s.Values, []int64{15}) || s.Clock != 100e6 || s.Resolution != 1 || s.Unit != Ticks {
		t.Errorf("sample %+v", s)
	}
}

func TestSubtractShowsTheCost(t *testing.T) {
	s := Sample{Unit: Cycles, Values: []int64{10, 12}}
	got := s.Subtract(3)
	if !slices.Equal(got.Values, []int64{7, 9}) || got.Overhead != 3 || len(got.Doubts) != 0 {
		t.Errorf("%+v", got)
	}
	if s.Values[0] != 10 {
		t.Error("Subtract changed the original")
	}
	below := s.Subtract(11)
	if !slices.Equal(below.Values, []int64{-1, 1}) || len(below.Doubts) != 1 {
		t.Errorf("%+v", below)
	}
}

func TestSeconds(t *testing.T) {
	for _, c := range []struct {
		n     int64
		u     Unit
		clock timebase.Rate
		want  string
	}{
		{16, Cycles, 16e6, "1/1000000"},
		{1, Cycles, 168e6, "1/168000000"}, // never rounded
		{5, Ticks, 1e8, "1/20000000"},
		{3, Nanoseconds, 0, "3/1000000000"},
		{3, Picoseconds, 16e6, "3/1000000000000"},
	} {
		if got, ok := Seconds(c.n, c.u, c.clock); !ok || got.String() != c.want {
			t.Errorf("%d %s at %v = %v %v, want %s", c.n, c.u, c.clock, got, ok, c.want)
		}
	}
	if _, ok := Seconds(1, Cycles, 0); ok {
		t.Error("cycles of no clock are a time")
	}
	if _, ok := Seconds(1, Bytes, 16e6); ok {
		t.Error("bytes are a time")
	}
}

// 168 MHz cycles against 100 MHz ticks: 168 cycles are 1000 ns, as are 100 ticks; the tolerance is
// one tick, 10 ns, which is 1.68 cycles.
func TestAgree(t *testing.T) {
	probe := Sample{Source: Probe, Unit: Ticks, Clock: 100e6, Resolution: 1, Values: []int64{100, 200, 100}}
	for _, c := range []struct {
		name     string
		cycles   []int64
		apart    int
		worst    int
		sentence string
	}{
		{"equal", []int64{168, 336, 168}, 0, 0,
			"firmware and probe agree on all 3 events; worst is event 0: 1000.000 ns against 1000.000 ns, tolerance 10.000 ns"},
		{"within a tick", []int64{168, 337, 167}, 0, 1, ""},
		{"beyond a tick", []int64{168, 336, 170}, 1, 2,
			"firmware and probe differ on 1 of 3 events; worst is event 2: 1011.905 ns against 1000.000 ns, tolerance 10.000 ns"},
		{"all", []int64{160, 300, 160}, 3, 1, ""},
	} {
		fw := Sample{Source: Firmware, Unit: Cycles, Clock: 168e6, Values: c.cycles}
		a, err := Agree(fw, probe)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if a.Apart != c.apart || a.Worst != c.worst || a.OK() != (c.apart == 0) {
			t.Errorf("%s: %+v", c.name, a)
		}
		if c.sentence != "" && a.String() != c.sentence {
			t.Errorf("%s: %q, want %q", c.name, a, c.sentence)
		}
	}
}

func TestAgreeCannotTell(t *testing.T) {
	good := Sample{Source: Firmware, Unit: Cycles, Clock: 16e6, Values: []int64{1}}
	for name, bad := range map[string]Sample{
		"lost edges":     {Source: Probe, Unit: Ticks, Clock: 1e6, Values: []int64{1}, Doubts: []string{"the probe lost 1 edges"}},
		"fewer events":   {Source: Probe, Unit: Ticks, Clock: 1e6},
		"no clock":       {Source: Probe, Unit: Ticks, Values: []int64{1}},
		"not even times": {Source: Probe, Unit: Bytes, Values: []int64{1}},
	} {
		if a, err := Agree(good, bad); err == nil {
			t.Errorf("%s: compared, %v", name, a)
		}
	}
	if _, err := Agree(Sample{Unit: Cycles, Clock: 1}, Sample{Unit: Cycles, Clock: 1}); err == nil {
		t.Error("no events agree")
	}
}

func TestQuantitiesAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range Quantities {
		if seen[q.Name] || q.Help == "" || strings.HasSuffix(q.Help, ".") {
			t.Errorf("%+v", q)
		}
		seen[q.Name] = true
	}
	if _, ok := Describe("goroutine-switch"); !ok {
		t.Error("goroutine-switch is not described")
	}
}
