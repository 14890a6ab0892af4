package probes

import "math/bits"

// level is a voltage that a waveform may reach, from below or from above.
type level struct {
	of     Waveform
	uv     MicroVolts
	rising bool
}

func (l level) met(ps int64) bool {
	if l.rising {
		return l.of.At(ps) >= l.uv
	}
	return l.of.At(ps) <= l.uv
}

// within finds the first picosecond of a stretch in which the waveform goes one
// way only.
func (l level) within(from, to int64) (int64, bool) {
	switch {
	case from > to:
		return 0, false
	case l.met(from):
		return from, true
	case !l.met(to):
		return 0, false
	}
	for to-from > 1 {
		if mid := from + (to-from)/2; l.met(mid) {
			to = mid
		} else {
			from = mid
		}
	}
	return to, true
}

// stretches looks through one stretch after the other; next gives the end of the
// one that begins at a time.
func (l level) stretches(from, to int64, next func(from int64) int64) (int64, bool) {
	for from <= to {
		end := min(next(from), to)
		if at, ok := l.within(from, end); ok {
			return at, true
		}
		from = end + 1
	}
	return 0, false
}

func (c Constant) Reach(from, to int64, uv MicroVolts, rising bool) (int64, bool) {
	return level{c, uv, rising}.within(from, to)
}

func (s Step) Reach(from, to int64, uv MicroVolts, rising bool) (int64, bool) {
	return level{s, uv, rising}.within(from, to)
}

func (r Ramp) Reach(from, to int64, uv MicroVolts, rising bool) (int64, bool) {
	return level{r, uv, rising}.within(from, to)
}

// Reach looks at one period and a half: what is not reached there never is, but by
// a peak that lies between two picoseconds.
func (s Sine) Reach(from, to int64, uv MicroVolts, rising bool) (int64, bool) {
	enough := s.extreme(s.quadrant(from) + 6)
	return level{s, uv, rising}.stretches(from, min(to, enough), func(from int64) int64 {
		return s.extreme(s.quadrant(from)+1) - 1
	})
}

const quarter = periodsPerUnit / 4

// quadrant counts the quarters of periods that have passed.
func (s Sine) quadrant(ps int64) uint64 {
	hi, lo := bits.Mul64(uint64(ps), s.MicroHz)
	q, _ := bits.Div64(hi, lo, quarter)
	return q
}

// extreme is the first picosecond in or behind the first extreme from a quadrant's
// beginning on: extremes are where the odd ones begin.
func (s Sine) extreme(quadrant uint64) int64 { return firstAt(quadrant|1, quarter, s.MicroHz) }

// firstAt is n·num/den rounded up, and at most the end of time.
func firstAt(n, num, den uint64) int64 {
	const end = 1<<63 - 1
	hi, lo := bits.Mul64(n, num)
	lo, carry := bits.Add64(lo, den-1, 0)
	if hi += carry; hi >= den {
		return end
	}
	q, _ := bits.Div64(hi, lo, den)
	return int64(min(q, end))
}

func (s Samples) Reach(from, to int64, uv MicroVolts, rising bool) (int64, bool) {
	enough := s.begins(s.index(from) + uint64(len(s.Values)) + 2) // all values have been seen, and the way back to the first
	return level{s, uv, rising}.stretches(from, min(to, enough), func(from int64) int64 {
		return s.begins(s.index(from)+1) - 1
	})
}

// index counts the samples that have passed; begins is the first picosecond of one.
func (s Samples) index(ps int64) uint64 {
	hi, lo := bits.Mul64(uint64(ps), uint64(s.Rate))
	n, _ := bits.Div64(hi, lo, 1e12)
	return n
}

func (s Samples) begins(n uint64) int64 { return firstAt(n, 1e12, uint64(s.Rate)) }

// Reach looks at each value of the noise while the waveform is near enough.
func (n Noise) Reach(from, to int64, uv MicroVolts, rising bool) (int64, bool) {
	near := uv + 6*n.RMS
	if rising {
		near = uv - 6*n.RMS
	}
	for from <= to {
		at, ok := n.Of.Reach(from, to, near, rising)
		if !ok {
			return 0, false
		}
		end := min(at-at%noiseLasts+noiseLasts-1, to)
		if at, ok := n.Of.Reach(at, end, uv-n.value(at), rising); ok {
			return at, true
		}
		from = end + 1
	}
	return 0, false
}
