package measure

import (
	"maps"
	"math"
	"math/bits"
	"slices"
)

// Bucket counts the values from Lo up to and including Hi.
type Bucket struct {
	Lo, Hi int64
	Count  int
}

// subBits sets the width of a histogram's buckets: 16 to each power of two,
// so that a bucket is at most 1/16 of its values wide.
const subBits = 4

// Histogram counts values in fixed log-linear buckets, as HDR histograms have
// them: width 1 up to 31, then twice the width at each power of two. Buckets are the
// same for every sample, so histograms may be added and compared. Empty
// ones are left out; all values below zero share the first.
func Histogram(values []int64) []Bucket {
	counts := map[int64]*Bucket{}
	for _, v := range values {
		b := bucketOf(v)
		if counts[b.Lo] == nil {
			counts[b.Lo] = &b
		}
		counts[b.Lo].Count++
	}
	var h []Bucket
	for _, lo := range slices.Sorted(maps.Keys(counts)) {
		h = append(h, *counts[lo])
	}
	return h
}

// bucketOf gives the empty bucket that v belongs to.
func bucketOf(v int64) Bucket {
	if v < 0 {
		return Bucket{Lo: math.MinInt64, Hi: -1}
	}
	shift := max(bits.Len64(uint64(v))-subBits-1, 0)
	lo := v >> shift << shift
	return Bucket{Lo: lo, Hi: lo + (1<<shift - 1)}
}
