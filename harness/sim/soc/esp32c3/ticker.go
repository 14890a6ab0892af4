package esp32c3

import "rigor/harness/sim/clock"

// ticker counts the periods of a clock. It computes the count when asked.
type ticker struct {
	Count  uint64     // at From
	From   clock.Time // when a period began
	Period clock.Time // 0: it stands still
}

// read is the count at a time from From on.
func (t *ticker) read(now clock.Time) uint64 {
	if t.Period == 0 {
		return t.Count
	}
	return t.Count + uint64((now-t.From)/t.Period)
}

// set starts over with a count at a time.
func (t *ticker) set(now clock.Time, count uint64) { t.Count, t.From = count, now }

// rate goes on with another period; 0 stops.
func (t *ticker) rate(now, period clock.Time) {
	if period == t.Period {
		return
	}
	count := t.read(now)
	if t.Period != 0 {
		t.From += clock.Time(count-t.Count) * t.Period
	} else {
		t.From = now
	}
	t.Count, t.Period = count, period
}

// when is the time at which the count is reached: From, if it has been.
func (t *ticker) when(count uint64) clock.Time {
	switch n := count - t.Count; {
	case count <= t.Count:
		return t.From
	case t.Period == 0 || n > uint64((clock.NeverTime-t.From)/t.Period):
		return clock.NeverTime
	default:
		return t.From + clock.Time(n)*t.Period
	}
}
