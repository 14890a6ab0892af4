package change

import (
	"math"
	"slices"
)

// A round is runs that follow each other. Of old, new and old again, the new one is in the middle.
type round []float64

const newRun = 1

// reach is how many rounds before and after tell the level that a round is held against.
const reach = 1

// align takes the level of each round's neighbourhood off its runs, so that what is left doesn't
// know of drift. The level is a median, which no single outlier moves, and it treats the runs of a
// round alike, which the test below rests on.
func align(rounds []round) []round {
	aligned := make([]round, len(rounds))
	var all, near []float64
	for i, r := range rounds {
		near = near[:0]
		for _, n := range rounds[max(i-reach, 0):min(i+reach+1, len(rounds))] {
			near = append(near, n...)
		}
		level := middle(near)
		for _, v := range r {
			all = append(all, v-level)
		}
		aligned[i] = all[len(all)-len(r):]
	}
	return aligned
}

// ranks numbers all runs by size, in halves so that equal ones share the middle of their ranks.
func ranks(rounds []round) [][]int {
	all := slices.Concat(rounds...)
	slices.Sort(all)
	ranked := make([][]int, len(rounds))
	for i, r := range rounds {
		ranked[i] = make([]int, len(r))
		for k, v := range r {
			first, _ := slices.BinarySearch(all, v)
			past := first + 1
			for past < len(all) && all[past] == v {
				past++
			}
			ranked[i][k] = first + past + 1
		}
	}
	return ranked
}

// rankTest gives the probability that chance alone puts the ranks of one place in the rounds as far
// from the others' as they are, or farther, either way. If nothing changed, that run could as well have
// been any of its round: so the distribution of its sum of ranks follows from the ranks alone,
// whatever the noise is like, and is computed in full (Hodges and Lehmann, Rank Methods for
// Combination of Independent Experiments in Analysis of Variance, Annals of Mathematical
// Statistics 33, 1962).
func rankTest(ranked [][]int, place int) float64 {
	dist, sum := []float64{1}, 0
	for _, r := range ranked {
		low := slices.Min(r)
		next := make([]float64, len(dist)+slices.Max(r)-low)
		for s, p := range dist {
			share := p / float64(len(r))
			for _, rank := range r {
				next[s+rank-low] += share
			}
		}
		dist, sum = next, sum+r[place]-low
	}
	var below, above float64
	for s, p := range dist {
		if s <= sum {
			below += p
		}
		if s >= sum {
			above += p
		}
	}
	return min(1, 2*min(below, above))
}

// standing is where the sum of the new runs' ranks lies in that distribution, in its standard
// deviations from its mean.
func standing(rounds []round) float64 {
	var from, variance float64
	for _, r := range ranks(align(rounds)) {
		mean := 0.0
		for _, rank := range r {
			mean += float64(rank) / float64(len(r))
		}
		from += float64(r[newRun]) - mean
		for _, rank := range r {
			variance += (float64(rank) - mean) * (float64(rank) - mean) / float64(len(r))
		}
	}
	if variance == 0 {
		return 0
	}
	return from / math.Sqrt(variance)
}

// shift finds how much the new runs must be lowered for their ranks to stand z above the old ones'.
// With z 0 that is the estimate of the effect, and with the quantiles of a normal distribution
// the ends of its interval.
func shift(rounds []round, z float64) float64 {
	all := slices.Concat(rounds...)
	hi := slices.Max(all) - slices.Min(all) + 1
	lo := -hi
	lowered := make([]round, len(rounds))
	for i, r := range rounds {
		lowered[i] = slices.Clone(r)
	}
	for precise := hi / 1e4; hi-lo > precise; {
		by := (lo + hi) / 2
		for i, r := range rounds {
			lowered[i][newRun] = r[newRun] - by
		}
		if standing(lowered) > z {
			lo = by
		} else {
			hi = by
		}
	}
	return (lo + hi) / 2
}

func median(v []float64) float64 { return middle(slices.Clone(v)) }

// middle is the median of values that it may put in order.
func middle(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
