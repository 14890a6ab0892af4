// Package agenda keeps what the blocks of a simulated chip are going to do and
// when: a block computes when it next has something to do, and is called then. Nothing
// ticks.
//
// Deadlines are cycles of the chip's master clock, that of its core, for a core can
// only be stopped between cycles. What lives by another clock sets its deadline in world
// time, which holds whatever becomes of the core's clock.
package agenda

import "rigor/harness/sim/clock"

// State is what an agenda remembers, as plain data.
type State struct {
	Timeline clock.Timeline
	Events   clock.Events
	// Due are the deadlines held in world time; a change of the clock's rate
	// moves their cycles.
	Due [clock.MaxSlots]clock.Time
}

// Host is the chip that an agenda is of.
type Host interface {
	// Cycle is where the core is: that which makes the present access, or without one
	// the last that all of the chip has reached.
	Cycle() uint64
	// Shorten has a core that runs stop no later than at a cycle.
	Shorten(cycle uint64)
	// Fire hands a deadline to its block, at its cycle.
	Fire(slot int, at uint64)
}

// Agenda is a chip's. Call Init before anything else.
type Agenda struct {
	State
	host    Host
	inEvent bool   // Fire is being called
	at      uint64 // for this cycle
}

// Init starts without deadlines, with the clock at hz.
func (a *Agenda) Init(h Host, hz uint64) {
	a.host = h
	a.Timeline = clock.NewTimeline(0, 0, hz)
	a.Clear()
}

// Clear forgets every deadline.
func (a *Agenda) Clear() {
	a.Events.Reset()
	for i := range a.Due {
		a.Due[i] = clock.NeverTime
	}
}

// Cycle is that of what is happening: of the event being handled, or the core's.
func (a *Agenda) Cycle() uint64 {
	if a.inEvent {
		return a.at
	}
	return a.host.Cycle()
}

// TimeOf is when a cycle begins. It may lie before the last change of the clock
// only by the instruction that ran over it.
func (a *Agenda) TimeOf(cycle uint64) clock.Time { return a.Timeline.Time(cycle) }

// Time is the world time of Cycle.
func (a *Agenda) Time() clock.Time { return a.TimeOf(a.Cycle()) }

// CycleFrom is the first cycle at or after a world time.
func (a *Agenda) CycleFrom(t clock.Time) uint64 { return a.Timeline.CycleFrom(t) }

// Schedule sets a slot's deadline; clock.Never clears it. What lies in the past is
// due now.
func (a *Agenda) Schedule(slot int, cycle uint64) {
	cycle = max(cycle, a.Cycle())
	a.Events.Set(slot, cycle)
	a.host.Shorten(cycle)
}

// ScheduleAt sets a deadline in world time; clock.NeverTime clears it.
func (a *Agenda) ScheduleAt(slot int, t clock.Time) {
	a.Due[slot] = t
	if t == clock.NeverTime {
		a.Schedule(slot, clock.Never)
		return
	}
	a.Schedule(slot, a.CycleFrom(t))
}

// ScheduleIn is ScheduleAt a while from now.
func (a *Agenda) ScheduleIn(slot int, d clock.Time) { a.ScheduleAt(slot, a.Time()+d) }

// Dispatch handles every deadline up to a cycle, in order of time.
func (a *Agenda) Dispatch(until uint64) {
	for {
		at, slot := a.Events.Next()
		if at > until {
			return
		}
		a.Events.Set(slot, clock.Never)
		a.Due[slot] = clock.NeverTime
		a.inEvent, a.at = true, at
		a.host.Fire(slot, at)
		a.inEvent = false
	}
}

// As calls f as if it were the cycle of a world time, if that is past: what the board did
// then is told only now.
func (a *Agenda) As(at clock.Time, f func()) {
	was, wasIn := a.at, a.inEvent
	a.at, a.inEvent = min(a.Timeline.CycleAt(at), a.Cycle()), true
	f()
	a.at, a.inEvent = was, wasIn
}

// SetHz changes the clock's rate from now on, and moves the deadlines that are held
// in world time.
func (a *Agenda) SetHz(hz uint64) {
	a.Timeline.SetHz(a.Cycle(), hz)
	for slot, due := range a.Due {
		if due != clock.NeverTime {
			a.Schedule(slot, a.CycleFrom(due))
		}
	}
}
