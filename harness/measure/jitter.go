package measure

import (
	"fmt"
	"math/big"
	"slices"

	"rigor/harness/timebase"
	"rigor/probes"
)

// Period is the time of Count periods of a clock, exact where a count of
// nanoseconds would not be.
type Period struct {
	Count int64
	Of    timebase.Rate
}

// Worst is the largest value of a sample of jitter, and where it was.
type Worst struct {
	Index int
	At    int64 // time of that edge since the first one, in the sample's unit
	Value int64
}

func (w Worst) String() string {
	return fmt.Sprintf("worst is %d, at edge %d, %d after the first", w.Value, w.Index, w.At)
}

// EdgeTimes is when the edges of a kind came: times in ticks for the functions
// of jitter.
func EdgeTimes(quantity string, c probes.Capture, t Transition) Sample {
	s := Sample{
		Name: quantity, Source: Probe, Unit: Ticks, Clock: c.Rate,
		Resolution: int64(c.Resolution), Assumption: Nothing,
	}
	for _, e := range c.Edges {
		if t.matches(e) {
			s.Values = append(s.Values, int64(e.At))
		}
	}
	if c.Lost > 0 {
		s.Doubts = append(s.Doubts, fmt.Sprintf("the probe lost %d edges", c.Lost))
	}
	return s
}

// Unwrap makes times of the readings of a 32-bit counter, which are less than a
// whole turn of it apart.
func Unwrap(readings []uint32) []int64 {
	var times []int64
	now := int64(0)
	for i, r := range readings {
		if i > 0 {
			now += int64(r - readings[i-1])
		}
		times = append(times, now)
	}
	return times
}

// PeriodJitterOf is by how much each interval between two times differs from the
// period, up or down. The worst one is that which ends at the edge named.
func PeriodJitterOf(quantity string, times Sample, p Period) (Sample, Worst) {
	s, length := jitterOf(quantity, times, p)
	if length == nil {
		return s, Worst{}
	}
	for i := 1; i < len(times.Values); i++ {
		step := big.NewRat(times.Values[i]-times.Values[i-1], 1)
		s.Values = append(s.Values, rounded(step.Abs(step.Sub(step, length))))
	}
	return s.resolved(), worstOf(s.Values, times.Values[1:], times.Values[0], 1)
}

// ReleaseJitterOf is by how much each time is later than on the ideal grid of the
// period, which is laid so that none is early: the promptest one is 0. Each time
// has its own place on the grid, so a release left out makes all that follow a
// period late. A period that differs from the real one, by a crystal's error, grows
// into a jitter of its own; MeanPeriod takes it out.
func ReleaseJitterOf(quantity string, times Sample, p Period) (Sample, Worst) {
	s, length := jitterOf(quantity, times, p)
	if length == nil {
		return s, Worst{}
	}
	var late []*big.Rat
	for i, t := range times.Values {
		due := new(big.Rat).Mul(length, big.NewRat(int64(i), 1))
		late = append(late, due.Sub(big.NewRat(t, 1), due))
	}
	promptest := slices.MinFunc(late, (*big.Rat).Cmp)
	for _, l := range late {
		s.Values = append(s.Values, rounded(new(big.Rat).Sub(l, promptest)))
	}
	return s.resolved(), worstOf(s.Values, times.Values, times.Values[0], 0)
}

// MeanPeriod is the period of the times themselves, from the first to the last.
// It needs two.
func MeanPeriod(times Sample) Period {
	n := len(times.Values)
	if n < 2 {
		return Period{}
	}
	return Period{times.Values[n-1] - times.Values[0], timebase.Rate(n-1) * times.rate()}
}

// rate is by which the values count time, or 0.
func (s Sample) rate() timebase.Rate {
	switch s.Unit {
	case Nanoseconds:
		return 1e9
	case Picoseconds:
		return 1e12
	case Cycles, Ticks:
		return s.Clock
	}
	return 0
}

// jitterOf prepares a sample of jitter; the length of the period is in its unit,
// or nil if the times have no jitter that could be told.
func jitterOf(quantity string, times Sample, p Period) (Sample, *big.Rat) {
	s := times
	s.Name, s.Values, s.Overhead = quantity, nil, 0
	s.Doubts = slices.Clone(times.Doubts)
	switch {
	case len(times.Values) < 2:
		s.Doubts = append(s.Doubts, fmt.Sprintf("%d edges make no period", len(times.Values)))
		return s, nil
	case p.Count <= 0 || p.Of == 0 || times.rate() == 0:
		s.Doubts = append(s.Doubts, fmt.Sprintf("%d periods of %v are no period of times in %s", p.Count, p.Of, times.Unit))
		return s, nil
	}
	length := new(big.Rat).SetFrac(big.NewInt(p.Count), new(big.Int).SetUint64(uint64(p.Of)))
	return s, length.Mul(length, new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(times.rate()))))
}

// resolved says so where no jitter was seen, which is not to say that there is
// none. Of jitter that was seen and is small [Summarize] does.
func (s Sample) resolved() Sample {
	if s.Resolution > 0 && slices.Max(s.Values) == 0 {
		s.Warnings = append(slices.Clone(s.Warnings), fmt.Sprintf("jitter is below resolution: less than %d %s", s.Resolution, s.Unit))
	}
	return s
}

func worstOf(jitter, times []int64, first int64, offset int) Worst {
	i := 0
	for k, v := range jitter {
		if v > jitter[i] {
			i = k
		}
	}
	return Worst{Index: i + offset, At: times[i] - first, Value: jitter[i]}
}

// rounded is the nearest integer, halves up, of what is not negative.
func rounded(r *big.Rat) int64 {
	twice := new(big.Int).Lsh(r.Num(), 1)
	twice.Add(twice, r.Denom())
	return twice.Quo(twice, new(big.Int).Lsh(r.Denom(), 1)).Int64()
}
