// Package pad is what a digital pin of a chip is electrically: the voltage that the
// chip's driver, the outside and the weak resistors agree on, in this order, the level
// that an input sees of it, and sources whose voltage changes by itself.
//
// It is ideal: no currents, no slopes, no capacitance. What is not connected has no
// voltage, and an input keeps the level that it saw last.
package pad

import (
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/agenda"
)

// Output is what a chip's driver does to its pin.
type Output uint8

const (
	Released Output = iota
	Low
	High
	Analog // a converter holds a voltage
)

// Rails are a pin's supply and the thresholds of its input, in microvolts.
type Rails struct {
	Supply int64
	Low    int64 // an input is low at and below it
	High   int64 // and high at and above this
}

// Pin is all that decides a pin's voltage.
type Pin struct {
	Driver   Output
	Held     int64 // microvolts, for Analog
	Up, Down bool  // the chip's own resistors
	Outside  board.DriveKind
	Applied  int64 // microvolts, for board.DriveVoltage
}

// Voltage is a pin's, in microvolts.
type Voltage struct {
	MicroVolts int64
	Floating   bool // nothing holds the pin
	Fight      bool // chip and outside drive it against each other
}

// Resolve is the voltage of a pin. The chip's driver wins over all but a short.
func (r Rails) Resolve(p Pin) Voltage {
	switch p.Outside {
	case board.ShortLow:
		return Voltage{Fight: p.Driver == High}
	case board.ShortHigh:
		return Voltage{MicroVolts: r.Supply, Fight: p.Driver == Low}
	}
	isVoltage := p.Outside == board.DriveVoltage
	switch p.Driver {
	case Low:
		return Voltage{Fight: p.Outside == board.DriveHigh || isVoltage && p.Applied >= r.High}
	case High:
		return Voltage{MicroVolts: r.Supply, Fight: p.Outside == board.DriveLow || isVoltage && p.Applied <= r.Low}
	case Analog:
		return Voltage{MicroVolts: p.Held, Fight: isVoltage || p.Outside == board.DriveLow || p.Outside == board.DriveHigh}
	}
	switch p.Outside {
	case board.DriveLow:
		return Voltage{}
	case board.DriveHigh:
		return Voltage{MicroVolts: r.Supply}
	case board.DriveVoltage:
		return Voltage{MicroVolts: p.Applied}
	}
	return r.pulled(p)
}

// pulled is the voltage of a pin that nothing drives. The chip's own resistors
// yield to those of the outside.
func (r Rails) pulled(p Pin) Voltage {
	switch {
	case p.Outside == board.PullDown:
		return Voltage{}
	case p.Outside == board.PullUp:
		return Voltage{MicroVolts: r.Supply}
	case p.Up && p.Down:
		return Voltage{MicroVolts: r.Supply / 2}
	case p.Down:
		return Voltage{}
	case p.Up:
		return Voltage{MicroVolts: r.Supply}
	}
	return Voltage{Floating: true}
}

// Level is what an input sees that saw was before: floating, and between the
// thresholds, it keeps that.
func (r Rails) Level(v Voltage, was bool) bool {
	switch {
	case v.Floating:
		return was
	case v.MicroVolts >= r.High:
		return true
	case v.MicroVolts <= r.Low:
		return false
	}
	return was
}

// Sources are the voltages of a chip's pins that change by themselves, in order of pins.
// They are outside of the chip: no part of its state.
type Sources []Source

// Source is one of them.
type Source struct {
	Pin int
	board.Source
}

// At is the source on a pin, or nil.
func (s Sources) At(pin int) *Source {
	for i := range s {
		if s[i].Pin == pin {
			return &s[i]
		}
	}
	return nil
}

// Connect puts a source on a pin; nil takes it off. Either ends what SetReach said.
func (s *Sources) Connect(pin int, f func(at clock.Time) int64) {
	*s = slices.DeleteFunc(*s, func(have Source) bool { return have.Pin == pin })
	if f != nil {
		*s = append(*s, Source{pin, board.Source{MicroVolts: f}})
		slices.SortFunc(*s, func(a, b Source) int { return a.Pin - b.Pin })
	}
}

// SetReach says when a pin's source reaches a voltage.
func (s Sources) SetReach(pin int, r board.Reach) {
	if source := s.At(pin); source != nil {
		source.Reach = r
	}
}

// Input is what decides whether a source makes edges at a pin, and which.
type Input struct {
	Heeded bool // someone sees the pin's edges as they come
	High   bool
	Driven bool // by the chip, so that the source does not show
}

// lookAhead bounds how far a crossing is looked for at a time: noise has to be
// looked at value by value.
const lookAhead = 100 * clock.Microsecond

// Await sets a slot's deadline for the next look at the sources: at the first crossing of
// a threshold that anyone sees, or where none is near to look further. An edge comes in
// the first cycle behind the crossing; what is over within that cycle is not seen.
func (s Sources) Await(a *agenda.Agenda, slot int, r Rails, input func(pin int) Input) {
	at := clock.NeverTime
	for i := range s {
		if s[i].Reach == nil {
			continue
		}
		if in := input(s[i].Pin); in.Heeded {
			at = min(at, s[i].crosses(r, in, a.Time()))
		}
	}
	if at == clock.NeverTime {
		a.Schedule(slot, clock.Never)
		return
	}
	a.Schedule(slot, max(a.CycleFrom(at), a.Cycle()+1))
}

// crosses is when a source next reaches the threshold that changes its pin's level, or
// the end of the look ahead.
func (s *Source) crosses(r Rails, in Input, from clock.Time) clock.Time {
	threshold := r.High
	if in.High {
		threshold = r.Low
	}
	if !in.Driven {
		if at, ok := s.Reach(from, from+lookAhead, threshold, !in.High); ok {
			return at
		}
	}
	return from + lookAhead
}
