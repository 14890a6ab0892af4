package board

import "rigor/harness/sim/clock"

// Source is a voltage that changes by itself. Both functions are pure.
type Source struct {
	MicroVolts func(at clock.Time) int64
	Reach      Reach // nil: it makes no edges
}

// Reach is the first time from..to, ends included, at which a source's voltage is
// a level, in microvolts, or beyond: above it, or with rising false below it.
type Reach func(from, to clock.Time, microVolts int64, rising bool) (clock.Time, bool)

// Triggering is a chip whose digital inputs see when a source's voltage reaches
// their thresholds. On others an input sees it when it is read.
type Triggering interface {
	// SetReach says when the source that SetAnalog connected to the pin just before
	// reaches a voltage. Like that it is outside the chip; nil, or another
	// SetAnalog, ends it.
	SetReach(p Pin, r Reach)
}

// connect puts a source on a pin, or takes it off.
func (b *Board) connect(p Pin, s Source) {
	b.chip.SetAnalog(p, s.MicroVolts)
	if chip, ok := b.chip.(Triggering); ok {
		chip.SetReach(p, s.Reach)
	}
}
