package board

import "slices"

// Selective is a chip that can spare the edges of pins which nobody asked for,
// such as those of a timer's output.
type Selective interface {
	// WatchOnly restricts Watch to some pins: those whose edges must come, each
	// at its exact time. Edges of others may come late, or not at all.
	WatchOnly(pins ...Pin)
}

// rewatch tells the chip whose edges the board needs: those that recorders,
// bridges, targets and a profile take, and those that a fault waits for.
func (b *Board) rewatch() {
	chip, ok := b.chip.(Selective)
	if !ok {
		return
	}
	var pins []Pin
	for p, t := range b.tapped {
		if t.bridge != nil || len(t.recorders) > 0 {
			pins = append(pins, p)
		}
	}
	for _, t := range b.targets {
		pins = append(pins, t.sda, t.scl)
	}
	pins = append(pins, b.profiling.pins()...)
	for _, f := range b.state.Faults {
		if f.Waits {
			pins = append(pins, f.After.Pin)
		}
	}
	slices.Sort(pins)
	chip.WatchOnly(slices.Compact(pins)...)
}
