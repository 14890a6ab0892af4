// Package clock keeps the two kinds of time of simulated silicon, both
// integers: a core counts cycles of its clock, the world counts picoseconds.
//
// A Timeline maps one to the other across changes of the clock's rate. Events
// is the set of deadlines of a chip's blocks, in cycles: a block computes when
// it next has something to do instead of ticking.
package clock

import "math/bits"

// Time is world time in picoseconds since the world began; 106 days fit.
type Time int64

const (
	Nanosecond  Time = 1000
	Microsecond      = 1000 * Nanosecond
	Millisecond      = 1000 * Microsecond
	Second           = 1000 * Millisecond
)

// Never is later than any deadline.
const (
	Never      = ^uint64(0)
	NeverTime  = Time(1<<63 - 1)
	psInSecond = uint64(Second)
)

// Timeline maps the cycles of a clock to world time. It is plain data.
type Timeline struct {
	cycle uint64 // where the present rate began
	at    Time
	hz    uint64
}

// NewTimeline starts a clock of hz (> 0) at the given cycle and time.
func NewTimeline(cycle uint64, at Time, hz uint64) Timeline {
	if hz == 0 {
		panic("BUG: a timeline needs a rate")
	}
	return Timeline{cycle: cycle, at: at, hz: hz}
}

// Hz is the present rate.
func (t *Timeline) Hz() uint64 { return t.hz }

// SetHz changes the rate from the given cycle on. Less than a picosecond is
// lost at each change.
func (t *Timeline) SetHz(cycle, hz uint64) { *t = NewTimeline(cycle, t.Time(cycle), hz) }

// Time is the world time at which the cycle begins, rounded up to a picosecond,
// so that CycleAt(Time(c)) == c.
func (t *Timeline) Time(cycle uint64) Time {
	if cycle < t.cycle {
		panic("BUG: a cycle before the timeline's start")
	}
	hi, lo := bits.Mul64(cycle-t.cycle, psInSecond)
	lo, carry := bits.Add64(lo, t.hz-1, 0)
	hi += carry
	if hi >= t.hz {
		return NeverTime
	}
	q, _ := bits.Div64(hi, lo, t.hz)
	if q > uint64(NeverTime-t.at) {
		return NeverTime
	}
	return t.at + Time(q)
}

// CycleAt is the cycle in progress at the given world time (a cycle begins at
// its Time); times before the timeline's start give its first cycle.
func (t *Timeline) CycleAt(at Time) uint64 {
	if at <= t.at {
		return t.cycle
	}
	hi, lo := bits.Mul64(uint64(at-t.at), t.hz)
	if hi >= psInSecond {
		return Never
	}
	q, _ := bits.Div64(hi, lo, psInSecond)
	return t.cycle + q
}

// CycleFrom is the first cycle that begins at or after the given world time.
func (t *Timeline) CycleFrom(at Time) uint64 {
	c := t.CycleAt(at)
	if c != Never && t.Time(c) < at {
		c++
	}
	return c
}

// MaxSlots is how many deadlines one chip may keep: a bit each of a word.
const MaxSlots = 64

// Events holds one deadline a slot, in cycles. It is plain data; the zero
// value must be Reset before use. Ties go to the lower slot, so the order of
// events never depends on anything but their times.
type Events struct {
	at   [MaxSlots]uint64
	held uint64 // the slots that have a deadline
	next uint64
	slot int
}

// Reset clears every slot.
func (e *Events) Reset() {
	for i := range e.at {
		e.at[i] = Never
	}
	e.held, e.next, e.slot = 0, Never, -1
}

// Set gives the slot its deadline; Never clears it.
func (e *Events) Set(slot int, cycle uint64) {
	e.at[slot] = cycle
	if cycle == Never {
		e.held &^= 1 << slot
	} else {
		e.held |= 1 << slot
	}
	switch {
	case slot == e.slot:
		e.find()
	case cycle < e.next, cycle == e.next && cycle != Never && slot < e.slot:
		e.next, e.slot = cycle, slot
	}
}

// At is the slot's deadline, or Never.
func (e *Events) At(slot int) uint64 { return e.at[slot] }

// Next is the earliest deadline and its slot; Never and -1 when there is none.
func (e *Events) Next() (cycle uint64, slot int) { return e.next, e.slot }

func (e *Events) find() {
	e.next, e.slot = Never, -1
	for held := e.held; held != 0; held &= held - 1 {
		if i := bits.TrailingZeros64(held); e.at[i] < e.next {
			e.next, e.slot = e.at[i], i
		}
	}
}
