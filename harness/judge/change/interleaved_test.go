package change

import (
	"slices"
	"strings"
	"testing"

	"rigor/harness/measure"
)

// quiet is the noise of the boards below.
var quiet = Noise{Runs: 20, Relative: 0.002, Widest: 0.005}

// board gives runs around a level, that lie up to three units apart.
func board(n int, level int64) (runs []int64) {
	for i := range int64(n) {
		runs = append(runs, level+i*5%7%4)
	}
	return runs
}

func plus(runs []int64, by int64) []int64 {
	runs = slices.Clone(runs)
	for i := range runs {
		runs[i] += by
	}
	return runs
}

func TestInterleaved(t *testing.T) {
	old := board(15, 1000)
	odd, even := plus(old, 0), plus(old, 0)
	for i := range old {
		odd[i] += int64(i%2) * 40
		even[i] += int64((i+1)%2) * 40
	}
	mirrored := plus(old, -2)
	slices.Reverse(mirrored)
	for name, c := range map[string]struct {
		better    measure.Better
		a1, b, a2 []int64
		noise     Noise
		want      Verdict
		reason    string
	}{
		"same":              {measure.Lower, old, old, old, quiet, Same, "within 1.00 %"},
		"slower":            {measure.Lower, old, plus(old, 20), old, quiet, Worse, "+2.0"},
		"faster":            {measure.Lower, old, plus(old, -20), old, quiet, Better, "-2.0"},
		"higher rate":       {measure.Higher, old, plus(old, 20), old, quiet, Better, "+2.0"},
		"neither":           {measure.Neither, old, plus(old, 20), old, quiet, Different, "+2.0"},
		"too little":        {measure.Lower, old, plus(old, 4), old, quiet, Same, "within 1.00 %"},
		"no noise":          {measure.Lower, old, plus(old, 20), old, Noise{}, CannotTell, "0 of 10 runs"},
		"few rounds":        {measure.Lower, old[:9], old[:9], old[:9], quiet, CannotTell, "9 rounds of 10"},
		"half a round":      {measure.Lower, old, old, old[1:], quiet, CannotTell, "15, 15 and 14 runs are no rounds"},
		"noisy":             {measure.Lower, old, odd, old, quiet, CannotTell, "too uncertain"},
		"drift in rounds":   {measure.Lower, old, plus(old, 20), plus(old, 40), quiet, CannotTell, "drift within a round"},
		"another rig":       {measure.Lower, odd, old, even, quiet, CannotTell, "the rig has changed"},
		"from zero":         {measure.Lower, make([]int64, 15), plus(make([]int64, 15), 3), make([]int64, 15), quiet, Worse, "+300"},
		"always zero":       {measure.Lower, make([]int64, 15), make([]int64, 15), make([]int64, 15), quiet, Same, "within"},
		"error grows":       {measure.NearerZero, plus(old, -2000), plus(old, -2050), plus(old, -2000), quiet, Worse, "%"},
		"error shrinks":     {measure.NearerZero, plus(old, -2000), plus(old, -1950), plus(old, -2000), quiet, Better, "%"},
		"error turns round": {measure.NearerZero, plus(old, -2000), mirrored, plus(old, -2000), quiet, Different, "%"},
	} {
		got := Interleaved(measure.Quantity{Better: c.better}, measure.Median, measure.Cycles, c.a1, c.b, c.a2, c.noise, Options{})
		if got.Verdict != c.want || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s: %s, %s; want %s, %s", name, got.Verdict, got.Reason, c.want, c.reason)
		}
	}
}

func TestInterleavedDescribes(t *testing.T) {
	old := board(15, 1000)
	got := Interleaved(measure.Quantity{Better: measure.Lower}, measure.P99, measure.Nanoseconds, old, plus(old, 30), old, quiet, Options{})
	if got.Statistic != measure.P99 || got.Unit != measure.Nanoseconds || got.New.Value-got.Old.Value != 30 {
		t.Errorf("got %+v", got)
	}
	e := got.Effect
	if e.Runs != [2]int{30, 15} || e.Lo > 0.03 || e.Hi < 0.029 || e.Lo < 0.02 || e.P > 1e-6 || e.Smallest < 0.01 || e.Smallest > 0.02 {
		t.Errorf("effect %+v", *e)
	}
}

func TestMeasureNoise(t *testing.T) {
	steady := []int64{1000, 1002, 998, 1001, 999, 1003, 997, 1000, 1002, 998, 1040, 999}
	n := MeasureNoise(steady)
	// median 1000; absolute deviations 0 0 1 1 1 2 2 2 2 3 3 40, their median 2, times 1.4826
	if n.Runs != 12 || n.Relative != 0.002965 || n.Widest != 0.04 || n.Unsteady != "" {
		t.Errorf("steady: %+v", n)
	}
	var rising []int64
	for i := range int64(20) {
		rising = append(rising, 1000+i)
	}
	if n := MeasureNoise(rising); n.Unsteady == "" {
		t.Errorf("rising: %+v", n)
	}
	if n := MeasureNoise(nil); n != (Noise{}) {
		t.Errorf("nothing: %+v", n)
	}
}

func TestOnce(t *testing.T) {
	small := Noise{Runs: 20, Relative: 0.0005, Widest: 0.001}
	spiky := Noise{Runs: 20, Relative: 0.0005, Widest: 0.03}
	drifting := Noise{Runs: 20, Relative: 0.001, Widest: 0.002, Unsteady: "runs resemble those before them"}
	for name, c := range map[string]struct {
		new    int64
		noise  Noise
		want   Verdict
		reason string
	}{
		"same":         {10010, small, Same, "+0.10 % by one run, within 1.00 %"},
		"slower":       {10300, small, CannotTell, "+3.00 % by one run, beyond all noise: 20 runs"},
		"faster":       {9700, small, CannotTell, "-3.00 % by one run, beyond all noise"},
		"in between":   {10095, small, CannotTell, "beyond all noise"},
		"no scatter":   {10000, Noise{Runs: 20}, Same, "+0.00 %"},
		"as outliers":  {10300, spiky, CannotTell, "as noise may be: 20 runs of the same firmware lie up to 3.00 % off"},
		"drifting":     {10300, drifting, CannotTell, "+3.00 % by one run: runs resemble"},
		"not measured": {10300, Noise{Runs: 3}, CannotTell, "3 of 10 runs"},
	} {
		got := Once(measure.Quantity{Better: measure.Lower}, measure.Median, measure.Cycles, 10000, c.new, c.noise, Options{})
		if got.Verdict != c.want || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s: %s, %s; want %s, %s", name, got.Verdict, got.Reason, c.want, c.reason)
		}
	}
}

// The example of Benjamini and Hochberg (1995), section 4.2: of 15 p-values, their procedure keeps four at 0.05.
func TestCorrect(t *testing.T) {
	ps := []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000}
	cs := []Change{Exact(measure.Quantity{Better: measure.Lower}, measure.Median, measure.Cycles, 1, 2)}
	for _, p := range ps {
		cs = append(cs, Change{Verdict: Worse, Reason: "slower", Effect: &Effect{P: p}})
	}
	Correct(cs, 0.05)
	for i, c := range cs {
		want := Worse // the exact one, and four more
		if i > 4 {
			want = CannotTell
		}
		if c.Verdict != want {
			t.Errorf("figure %d: %s, want %s", i, c.Verdict, want)
		}
	}
	if got, want := cs[4].Effect.P, 0.0095*15/4; got != want {
		t.Errorf("corrected p %g, want %g", got, want)
	}
	if !strings.Contains(cs[5].Reason, "slower, which among 15 figures may be chance") {
		t.Errorf("reason %q", cs[5].Reason)
	}
}

// An error of -10 is nearer to zero or farther only if the whole interval of the new one is.
func TestWayOfErrors(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64 // relative to -10
		want   Verdict
	}{
		{0.3, 0.5, Better},     // -7..-5
		{0.5, 1.5, Better},     // -5..5
		{-0.5, -0.3, Worse},    // -15..-13
		{2.2, 2.4, Worse},      // 12..14
		{0.5, 2.2, Different},  // -5..12
		{-0.2, 2.2, Different}, // -12..12
	} {
		change := Change{Old: point(-10), Effect: &Effect{Lo: c.lo, Hi: c.hi}}
		if got := change.way(measure.NearerZero); got != c.want {
			t.Errorf("%g..%g: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}
