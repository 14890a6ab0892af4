package virtual

import (
	"time"

	"rigor/harness/rig"
	"rigor/harness/sim/clock"
)

var _ rig.Simulated = (*Board)(nil)

// Simulated counts what the simulation has done.
func (b *Board) Simulated() (instructions uint64, passed time.Duration) {
	return b.sim.Chip().Stats().Instructions, time.Duration(b.sim.Now() / clock.Nanosecond)
}
