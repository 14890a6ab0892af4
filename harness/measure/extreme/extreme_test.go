package extreme

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"rigor/harness/measure"
)

// sample makes values of whole units.
func sample(n int, value func(i int) float64) measure.Sample {
	s := measure.Sample{Name: measure.PinToHandler, Unit: measure.Cycles, Assumption: measure.Nothing}
	for i := range n {
		s.Values = append(s.Values, int64(math.Round(value(i))))
	}
	return s
}

// What boards give, and what is said of it.
func TestOf(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	chance := func(int) float64 { return 1000 + 200*rnd.ExpFloat64() }
	last := 0.0
	for name, c := range map[string]struct {
		samples            []measure.Sample
		mechanism, refused string
	}{
		"nothing":    {nil, "", "no values"},
		"exact":      {[]measure.Sample{sample(5000, func(int) float64 { return 187 })}, "all 5000 values are equal", "steps, not a tail"},
		"few":        {[]measure.Sample{sample(999, chance)}, "values lie nearer", "999 values are less than 1000"},
		"cold start": {[]measure.Sample{sample(2000, coldly), sample(2000, coldly)}, "2 of 4000 values lie nearer to the maximum than to the median, each the first of its sample, as after a cold start", "steps, not a tail"},
		"timer": {[]measure.Sample{sample(5000, func(i int) float64 { return 187 + 40*float64(b(i%160 == 7)) })},
			"32 of 5000 values lie nearer to the maximum than to the median, every 160 or so, as something periodic makes", "steps, not a tail"},
		"single": {[]measure.Sample{sample(5000, func(i int) float64 { return 187 + 40*float64(b(i == 99)) })}, ", number 100", "steps"},
		"one":    {[]measure.Sample{sample(1, chance)}, "a single value", "1 values are less"},
		"step":   {[]measure.Sample{sample(5000, func(i int) float64 { return 187 + 40*float64(b(i > 4900)) })}, "one after the other", "steps"},
		"mostly": {[]measure.Sample{sample(5000, func(i int) float64 { return 187 - 40*float64(b(i == 99)) })}, "half of 5000 values or more are the maximum", "steps"},
		"drift":  {[]measure.Sample{sample(5000, func(i int) float64 { return chance(i) + 0.1*float64(i) })}, "values lie", "runs are alike"},
		"other run": {[]measure.Sample{sample(5000, chance), sample(5000, func(i int) float64 { return chance(i) * 1.1 })},
			"values lie", "runs are alike"},
		"memory": {[]measure.Sample{sample(5000, func(i int) float64 { last = 0.3*last + chance(i); return last })}, "values lie", "depend on the one before"},
		"bursts": {[]measure.Sample{sample(5000, func(i int) float64 { return chance(i) + 900*float64(b(i%1000 < 100 && i%2 == 0)) })},
			"values lie", "at random"},
		"regular": {[]measure.Sample{sample(5000, func(i int) float64 { return chance(i)/20 + 900*rnd.ExpFloat64()*float64(b(i%10 == 0)) })},
			"values lie", "at random"},
		"two tails": {[]measure.Sample{sample(20000, func(i int) float64 { return chance(i) + 1500*float64(b(rnd.IntN(50) == 0)) })}, "values lie", "fits"},
		"too heavy": {[]measure.Sample{sample(20000, func(i int) float64 { return 1000 * math.Pow(rnd.Float64(), -0.9) })}, "values lie", "too heavy"},
		"coarse":    {[]measure.Sample{sample(5000, func(i int) float64 { return chance(i) / 50 })}, "values lie", "different values"},
	} {
		w := Of(c.samples...)
		if w.Fit != nil || !strings.Contains(w.Refused, c.refused) {
			t.Errorf("%s: refused %q, want %q (fit %+v)", name, w.Refused, c.refused, w.Fit)
		}
		if !strings.Contains(w.Mechanism, c.mechanism) {
			t.Errorf("%s: mechanism %q, want %q", name, w.Mechanism, c.mechanism)
		}
	}
}

func coldly(i int) float64 { return 187 + 500*float64(b(i == 0)) }

func b(is bool) int {
	if is {
		return 1
	}
	return 0
}

func TestDoubts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	s := sample(5000, func(int) float64 { return 1000 + 200*rnd.ExpFloat64() })
	if w := Of(s); w.Fit == nil {
		t.Fatalf("refused: %s", w.Refused)
	}
	s.Doubts = []string{"the probe lost 3 edges"}
	if w := Of(s); w.Fit != nil || w.Refused != "the probe lost 3 edges" {
		t.Errorf("in doubt: %+v", w)
	}
}

// Exponential values, whose level of probability p is 1000 - 200 ln p: they are not refused more often than
// five tests at 1 % each may (3 in 60; more than 9 in 1 of 1000 such tests, binomial), and intervals hold
// the truth beyond what most samples saw. Those of 95 % by resampling are known to hold a little less.
func TestLevels(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	fits, holds := 0, 0
	for range 60 {
		w := Of(sample(5000, func(int) float64 { return 1000 + 200*rnd.ExpFloat64() }))
		if w.Fit == nil {
			continue
		}
		fits++
		last := w.Fit.Levels[len(w.Fit.Levels)-1]
		if math.Abs(last.Probability-1e-4) > 1e-9 {
			t.Fatalf("levels %+v", w.Fit.Levels)
		}
		truth := 1000 - 200*math.Log(last.Probability)
		if last.Lo <= truth && truth <= last.Hi {
			holds++
		}
	}
	if fits < 51 || holds*100 < fits*87 {
		t.Errorf("%d of 60 fitted, %d of them hold", fits, holds)
	}
}

// The quantiles of a distribution fit to itself.
func TestMoments(t *testing.T) {
	for _, want := range []pareto{{0, 10}, {0.2, 10}, {-0.3, 10}} {
		var x []float64
		for i := range 20000 {
			x = append(x, want.quantile((float64(i)+0.5)/20000))
		}
		got := moments(x)
		if math.Abs(got.shape-want.shape) > 0.01 || math.Abs(got.scale-want.scale) > 0.1 {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if q := want.cdf(want.quantile(0.9)); math.Abs(q-0.9) > 1e-12 {
			t.Errorf("cdf of quantile 0.9 is %g", q)
		}
	}
}
