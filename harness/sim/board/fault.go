package board

import (
	"fmt"
	"slices"

	"rigor/harness/sim/clock"
)

// Fault is a disturbance of a pin's wire.
type Fault struct {
	Kind  FaultKind
	After *Trigger   // what it waits for: the next such edge; nil: it does not
	Delay clock.Time // from then, or from now, until it begins
	Width clock.Time // how long it lasts; 0: until it is cleared
}

// Trigger is a kind of edge.
type Trigger struct {
	Pin  Pin
	High bool
}

// FaultKind says what is wrong with a wire.
type FaultKind uint8

const (
	StuckLow  FaultKind = iota // shorted to ground
	StuckHigh                  // shorted to the supply
	Open                       // cut: the chip and the recorders stay, all else is gone
)

// fault is a Fault on its pin and how far it has got, as plain data.
type fault struct {
	Pin     Pin
	Kind    FaultKind
	Waits   bool // for an edge
	After   Trigger
	Delay   clock.Time
	Width   clock.Time
	From    clock.Time // NeverTime while it waits
	Until   clock.Time
	Present bool
}

// closest is the least time in which a fault can follow an edge of the chip's.
const closest = 10 * clock.Nanosecond

// Inject puts a fault on a pin in place of an earlier one. A fault after an edge
// of the chip's begins exactly Delay later; the chip feels it up to 10 ns and one
// instruction late if Delay is shorter than that.
func (b *Board) Inject(p Pin, f Fault) error {
	if f.Delay < 0 || f.Width < 0 || f.Kind > Open {
		return fmt.Errorf("inject a fault at %s: %+v is none", b.chip.PinName(p), f)
	}
	b.ClearFault(p)
	n := fault{Pin: p, Kind: f.Kind, Delay: f.Delay, Width: f.Width, From: clock.NeverTime, Until: clock.NeverTime}
	if f.After != nil {
		n.Waits, n.After = true, *f.After
	} else {
		n.begin(b.Now())
	}
	b.state.Faults = append(b.state.Faults, n)
	b.rewatch()
	b.settle()
	return nil
}

// ClearFault ends the fault of a pin, begun or still to come.
func (b *Board) ClearFault(p Pin) {
	i := slices.IndexFunc(b.state.Faults, func(f fault) bool { return f.Pin == p })
	if i >= 0 {
		b.remove(i, b.Now())
	}
}

// begin sets the times, counted from what started them.
func (f *fault) begin(at clock.Time) {
	f.Waits, f.From = false, later(at, f.Delay)
	if f.Width > 0 {
		f.Until = later(f.From, f.Width)
	}
}

func later(at, d clock.Time) clock.Time { return at + min(d, clock.NeverTime-at) }

// next is when the fault begins or ends.
func (f *fault) next() clock.Time {
	if f.Present {
		return f.Until
	}
	return f.From
}

// look is until when the chip may run: not so far past the edge that a fault
// waits for that it would begin late.
func (f *fault) look(now clock.Time) clock.Time {
	if f.Waits {
		return later(now, max(f.Delay, closest))
	}
	return f.next()
}

// arm starts the faults that waited for the edge.
func (b *Board) arm(p Pin, high bool, at clock.Time) {
	for i := range b.state.Faults {
		if f := &b.state.Faults[i]; f.Waits && f.After == (Trigger{p, high}) {
			f.begin(at)
		}
	}
}

// turn begins or ends a fault.
func (b *Board) turn(i int, at clock.Time) {
	f := &b.state.Faults[i]
	if f.Present {
		b.remove(i, at)
		return
	}
	f.Present = true
	if f.Kind == Open {
		b.hear(f.Pin, true, at) // an adapter's receiver is pulled up
	}
	b.wire(f.Pin, at)
}

// remove ends a fault; what was applied to the pin meanwhile holds again.
func (b *Board) remove(i int, at clock.Time) {
	f := b.state.Faults[i]
	b.state.Faults = slices.Delete(b.state.Faults, i, i+1)
	if !f.Present {
		return
	}
	if f.Kind == Open {
		b.hear(f.Pin, b.chip.Level(f.Pin), at)
	}
	b.wire(f.Pin, at)
}

// hear tells a pin's bridge and targets of a level that changed on their side of
// a cut.
func (b *Board) hear(p Pin, high bool, at clock.Time) {
	b.tellTargets(p, high, at)
	if t := b.tapped[p]; t != nil && t.bridge != nil && t.bridge.rx.level != high {
		t.bridge.edge(high, at)
	}
}

// cut reports whether a pin's wire is open.
func (b *Board) cut(p Pin) bool {
	return slices.ContainsFunc(b.state.Faults, func(f fault) bool { return f.Pin == p && f.Present && f.Kind == Open })
}

// faultAt is what a present fault does to a pin.
func (b *Board) faultAt(p Pin) (Drive, bool) {
	for _, f := range b.state.Faults {
		if f.Pin == p && f.Present {
			return Drive{Kind: [...]DriveKind{StuckLow: ShortLow, StuckHigh: ShortHigh, Open: HiZ}[f.Kind]}, true
		}
	}
	return Drive{}, false
}
