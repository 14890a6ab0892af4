package measure

import (
	"fmt"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Statistic names a number of a [Summary].
type Statistic string

// The statistics.
const (
	Min    Statistic = "min"
	Median Statistic = "p50"
	P95    Statistic = "p95"
	P99    Statistic = "p99"
	Max    Statistic = "max"
)

// Statistics lists them in ascending order.
var Statistics = []Statistic{Min, Median, P95, P99, Max}

// Confidence is the level of every interval: it misses the true quantile in at
// most one of twenty samples.
const Confidence = 0.95

// Estimate is a statistic and the interval that holds the true one. Every
// bound is a value that was measured. An open end has too few values beyond it
// to be bounded at all: Lo or Hi then is the smallest or largest value seen.
type Estimate struct {
	Value  int64 `json:"value"`
	Lo     int64 `json:"lo"`
	Hi     int64 `json:"hi"`
	OpenLo bool  `json:"open_lo,omitempty"`
	OpenHi bool  `json:"open_hi,omitempty"`
}

// Summary describes a sample in its unit.
type Summary struct {
	N        int      `json:"n"`
	Min      int64    `json:"min"`
	Median   Estimate `json:"p50"`
	P95      Estimate `json:"p95"`
	P99      Estimate `json:"p99"`
	Max      int64    `json:"max"`
	Warnings []string `json:"warnings,omitempty"`
}

// Summarize describes a sample. Quantiles are order statistics (the smallest
// value that the given share of values does not exceed), never interpolated.
// Of an exact sample each interval is a point, and a spread is a warning; so is
// one that the resolution of the values may have made. An empty sample gives a
// summary with N 0, which nothing should be read from.
func Summarize(s Sample) Summary {
	if len(s.Values) == 0 {
		return Summary{Warnings: []string{"no values"}}
	}
	v := slices.Sorted(slices.Values(s.Values))
	sum := Summary{
		N: len(v), Min: v[0], Max: v[len(v)-1],
		Median: estimate(v, 500, s.Assumption),
		P95:    estimate(v, 950, s.Assumption),
		P99:    estimate(v, 990, s.Assumption),
	}
	if s.Assumption == Exact && sum.Min != sum.Max {
		sum.Warnings = append(sum.Warnings, fmt.Sprintf("values should be equal but lie between %d and %d %s (%d different)",
			sum.Min, sum.Max, s.Unit, len(slices.Compact(v))))
	} else if spread := sum.Max - sum.Min; spread > 0 && spread <= s.Resolution {
		sum.Warnings = append(sum.Warnings, fmt.Sprintf("spread is below resolution: %d of %d %s", spread, s.Resolution, s.Unit))
	}
	return sum
}

// Estimate gives a statistic by name. The extremes are those of this sample,
// a fact and not an estimate.
func (s Summary) Estimate(st Statistic) (Estimate, bool) {
	point := func(v int64) Estimate { return Estimate{Value: v, Lo: v, Hi: v} }
	switch st {
	case Min:
		return point(s.Min), s.N > 0
	case Median:
		return s.Median, s.N > 0
	case P95:
		return s.P95, s.N > 0
	case P99:
		return s.P99, s.N > 0
	case Max:
		return point(s.Max), s.N > 0
	}
	return Estimate{}, false
}

// estimate takes a quantile, in thousandths so that its rank is exact, from
// sorted values.
func estimate(sorted []int64, permille int, a Assumption) Estimate {
	n := len(sorted)
	v := sorted[(n*permille+999)/1000-1]
	if a == Exact {
		return Estimate{Value: v, Lo: v, Hi: v}
	}
	lo, hi := ranks(n, float64(permille)/1000)
	e := Estimate{Value: v, Lo: sorted[max(lo, 1)-1], Hi: sorted[min(hi, n)-1]}
	e.OpenLo, e.OpenHi = lo < 1, hi > n
	return e
}

// ranks gives the order statistics (counted from 1) that enclose the quantile p
// of the population with [Confidence]. The number of values at or below that quantile is
// binomial, so the one of rank r lies above it with probability P(X < r); each end
// may err in half of what the confidence leaves. A rank of 0 or n+1 says that there is no bound.
func ranks(n int, p float64) (lo, hi int) {
	const tail = (1 - Confidence) / 2
	x := distuv.Binomial{N: float64(n), P: p}
	lo = sort.Search(n, func(k int) bool { return x.CDF(float64(k)) > tail })
	hi = 1 + sort.Search(n, func(k int) bool { return 1-x.CDF(float64(k)) <= tail })
	return lo, hi
}
