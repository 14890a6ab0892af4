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
)

// Output is what a chip's driver does to its pin.
type Output uint8

const (
	Released Output = iota
	Low
	High
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
	Up, Down bool // the chip's own resistors
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

// Sources are the voltages of a chip's pins that change by themselves, by pin. They are
// outside of the chip: no part of its state.
type Sources map[int]Source

// Source is one of them.
type Source struct {
	MicroVolts func(at clock.Time) int64
	Reach      board.Reach // nil: it makes no edges
}

// Connect puts a source on a pin; nil takes it off. Either ends what SetReach said.
func (s *Sources) Connect(pin int, f func(at clock.Time) int64) {
	if f == nil {
		delete(*s, pin)
		return
	}
	if *s == nil {
		*s = Sources{}
	}
	(*s)[pin] = Source{MicroVolts: f}
}

// SetReach says when a pin's source reaches a voltage.
func (s Sources) SetReach(pin int, r board.Reach) {
	if source, ok := s[pin]; ok {
		source.Reach = r
		s[pin] = source
	}
}

// Pins are those that have sources, in order.
func (s Sources) Pins() []int {
	pins := make([]int, 0, len(s))
	for p := range s {
		pins = append(pins, p)
	}
	slices.Sort(pins)
	return pins
}

// Crosses is when a pin's source next reaches the threshold that changes a level, or the
// end of a look ahead, behind which one has to look again; clock.NeverTime of
// one that makes no edges.
func (s Sources) Crosses(pin int, r Rails, isHigh bool, from, ahead clock.Time) clock.Time {
	reach := s[pin].Reach
	if reach == nil {
		return clock.NeverTime
	}
	threshold := r.High
	if isHigh {
		threshold = r.Low
	}
	if at, ok := reach(from, from+ahead, threshold, !isHigh); ok {
		return at
	}
	return from + ahead
}
