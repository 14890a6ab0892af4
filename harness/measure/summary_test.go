package measure

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Ranks of the sign-test interval for the median: Conover, Practical
// Nonparametric Statistics, table A3 (binomial, p = 1/2). For the upper quantiles: no
// value bounds one from above unless p^n <= 0.025, that is n >= 72 for 0.95
// (0.95^72 = 0.0249) and n >= 368 for 0.99 (0.99^368 = 0.0248). The
// ranks of the upper quantiles were computed apart, with exact fractions.
func TestRanks(t *testing.T) {
	for _, c := range []struct {
		n      int
		p      float64
		lo, hi int
	}{
		{1, 0.5, 0, 2},
		{5, 0.5, 0, 6}, // five values cannot bound a median: 1 - 2/32 = 0.9375
		{6, 0.5, 1, 6},
		{10, 0.5, 2, 9},
		{20, 0.5, 6, 15},
		{100, 0.5, 40, 61},
		{71, 0.95, 63, 72},
		{72, 0.95, 64, 72},
		{367, 0.99, 359, 368},
		{368, 0.99, 360, 368},
	} {
		if lo, hi := ranks(c.n, c.p); lo != c.lo || hi != c.hi {
			t.Errorf("ranks(%d, %g) = %d, %d, want %d, %d", c.n, c.p, lo, hi, c.lo, c.hi)
		}
	}
}

// The definition, on a population whose quantiles are known: 0..9999, drawn
// with a fixed seed. 1000 samples may miss in about 50; 1 in 10^4 such tests
// would see over 77 (binomial).
func TestIntervalsCover(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	misses := map[Statistic]int{}
	for range 1000 {
		s := Sample{Assumption: Nothing}
		for range 400 {
			s.Values = append(s.Values, rnd.Int64N(10000))
		}
		sum := Summarize(s)
		for st, want := range map[Statistic]int64{Median: 4999, P95: 9499, P99: 9899} {
			if e, _ := sum.Estimate(st); want < e.Lo || want > e.Hi {
				misses[st]++
			}
		}
	}
	for st, n := range misses {
		if n > 77 {
			t.Errorf("interval of %s missed in %d of 1000 samples", st, n)
		}
	}
}

func TestSummarize(t *testing.T) {
	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(100 - i)
	}
	got := Summarize(Sample{Values: hundred, Assumption: Nothing})
	want := Summary{N: 100, Min: 1, Max: 100,
		Median: Estimate{Value: 50, Lo: 40, Hi: 61},
		P95:    Estimate{Value: 95, Lo: 90, Hi: 100},
		P99:    Estimate{Value: 99, Lo: 97, Hi: 100, OpenHi: true},
	}
	if got.Median != want.Median || got.P95 != want.P95 || got.P99 != want.P99 || got.Min != 1 || got.Max != 100 || got.N != 100 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if hundred[0] != 100 {
		t.Error("Summarize changed the sample")
	}
}

func TestExactSpreadIsAWarning(t *testing.T) {
	s := Sample{Unit: Cycles, Assumption: Exact, Values: []int64{88, 88, 90}}
	sum := Summarize(s)
	if sum.Median != (Estimate{Value: 88, Lo: 88, Hi: 88}) {
		t.Errorf("median %+v", sum.Median)
	}
	want := []string{"values should be equal but lie between 88 and 90 cycles (2 different)"}
	if !slices.Equal(sum.Warnings, want) {
		t.Errorf("warnings %q, want %q", sum.Warnings, want)
	}
	s.Values = []int64{88, 88}
	if sum := Summarize(s); len(sum.Warnings) != 0 {
		t.Errorf("equal values warn: %q", sum.Warnings)
	}
}

func TestSpreadBelowResolution(t *testing.T) {
	for _, c := range []struct {
		values     []int64
		resolution int64
		want       []string
	}{
		{[]int64{88, 89}, 1, []string{"spread is below resolution: 1 of 1 ticks"}},
		{[]int64{88, 90}, 1, nil},
		{[]int64{88, 88}, 1, nil},
		{[]int64{88, 89}, 0, nil},
	} {
		sum := Summarize(Sample{Unit: Ticks, Resolution: c.resolution, Values: c.values, Assumption: Nothing})
		if !slices.Equal(sum.Warnings, c.want) {
			t.Errorf("%+v: warnings %q", c, sum.Warnings)
		}
	}
}

func TestEmptySampleHasNoEstimate(t *testing.T) {
	sum := Summarize(Sample{})
	for _, st := range Statistics {
		if e, ok := sum.Estimate(st); ok {
			t.Errorf("%s of nothing is %+v", st, e)
		}
	}
	if _, ok := sum.Estimate("mean"); ok {
		t.Error("unknown statistic has an estimate")
	}
}

func TestHistogram(t *testing.T) {
	got := Histogram([]int64{-5, 0, 31, 32, 33, 34, 1000, 1 << 40, 1<<63 - 1})
	want := []Bucket{
		{-1 << 63, -1, 1}, {0, 0, 1}, {31, 31, 1}, {32, 33, 2}, {34, 35, 1}, {992, 1023, 1},
		{1 << 40, 1<<40 + 1<<36 - 1, 1}, {31 << 58, 1<<63 - 1, 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Buckets tile the numbers: each begins where the one before ended.
func TestBucketsTile(t *testing.T) {
	for b := bucketOf(0); b.Lo < 1<<20; {
		next := bucketOf(b.Hi + 1)
		if next.Lo != b.Hi+1 || bucketOf(next.Hi).Lo != next.Lo {
			t.Fatalf("after %v comes %v", b, next)
		}
		if width := next.Hi - next.Lo + 1; width > 1 && width*16 > next.Lo {
			t.Fatalf("%v is wider than 1/16 of its values", next)
		}
		b = next
	}
}
