package k210

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/sim/nor"
	"rigor/harness/sim/riscv"
	"rigor/harness/sim/soc/agenda"
)

// snapshot is a whole chip but its watcher and options.
type snapshot struct {
	state    state
	agenda   agenda.State
	harts    [2]riscv.State
	ram      ramCopies
	flash    *nor.Snapshot
	stopped  board.Stop
	warnings board.Warnings
}

// Snapshot copies the chip's state and memories.
func (c *Chip) Snapshot() any {
	c.catchUpPins()
	c.nor.Settle(c.Time())
	return &snapshot{
		state:    c.state,
		agenda:   c.State,
		harts:    [2]riscv.State{c.harts[0].Snapshot(), c.harts[1].Snapshot()},
		ram:      c.copyRAM(),
		flash:    c.nor.Snapshot(),
		stopped:  c.stopped,
		warnings: slices.Clone(c.warnings),
	}
}

// Restore puts a snapshot back. It may be of another chip made with the same
// options; it stays good for further use.
func (c *Chip) Restore(from any) {
	s := from.(*snapshot)
	c.state, c.State = s.state, s.agenda
	c.restoreRAM(&s.ram)
	c.nor.Restore(s.flash)
	c.track.Reset()
	c.stopped, c.warnings = s.stopped, slices.Clone(s.warnings)
	for n, h := range c.harts {
		h.Restore(s.harts[n])
	}
	c.pinsRestored()
}

// Digest hashes all that decides what the chip does next.
func (c *Chip) Digest() (sum [32]byte) {
	c.catchUpPins()
	c.nor.Settle(c.Time())
	h := sha256.New()
	fmt.Fprintf(h, "%v\n%v\n", c.state, c.Timeline)
	for slot := range slots {
		if slot != slotSource && slot != slotEdges { // these depend on who looks
			fmt.Fprintln(h, c.Events.At(slot), c.Due[slot])
		}
	}
	for _, hart := range c.harts {
		fmt.Fprintf(h, "%v\n", hart.State)
	}
	h.Write(c.ram)
	flash := c.nor.Digest()
	h.Write(flash[:])
	h.Sum(sum[:0])
	return sum
}
