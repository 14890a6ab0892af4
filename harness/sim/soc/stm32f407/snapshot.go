package stm32f407

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"rigor/harness/sim/armv7m"
	"rigor/harness/sim/board"
	"rigor/harness/sim/cells"
	"rigor/harness/sim/soc/agenda"
)

// snapshot is a whole chip but its watcher and options.
type snapshot struct {
	state    state
	agenda   agenda.State
	core     armv7m.State
	mem      memories // but flash
	cells    cells.Snapshot
	stopped  board.Stop
	warnings board.Warnings
}

// Snapshot copies the chip's state and memories.
func (c *Chip) Snapshot() any {
	c.timSync()
	return &snapshot{
		state:    c.state,
		agenda:   c.State,
		core:     c.core.Snapshot(),
		mem:      c.mem.clone(),
		cells:    c.cells.Snapshot(),
		stopped:  c.stopped,
		warnings: slices.Clone(c.warnings),
	}
}

func (m *memories) clone() memories {
	return memories{nil, bytes.Clone(m.OTP), bytes.Clone(m.SRAM), bytes.Clone(m.CCM), bytes.Clone(m.BKP)}
}

// Restore puts a snapshot back. It may be of another chip made with the same
// options; it stays good for further use.
func (c *Chip) Restore(from any) {
	s := from.(*snapshot)
	c.state, c.State = s.state, s.agenda
	c.cells.Restore(s.cells)
	c.track.Reset()
	copy(c.mem.OTP, s.mem.OTP)
	copy(c.mem.SRAM, s.mem.SRAM)
	copy(c.mem.CCM, s.mem.CCM)
	copy(c.mem.BKP, s.mem.BKP)
	c.stopped, c.warnings = s.stopped, slices.Clone(s.warnings)
	c.mapMemory()
	c.core.Restore(s.core)
	c.awaitCrossing()
}

// Digest hashes all that decides what the chip does next.
func (c *Chip) Digest() (sum [32]byte) {
	c.timSync()
	h := sha256.New()
	fmt.Fprintf(h, "%v\n%v\n%v\n%v\n", c.state, c.Timeline, c.Due, c.core.Snapshot())
	for slot := range slots {
		if slot < slotTIM || slot >= slotTIM+len(c.TIMs) && slot != slotSource { // theirs depend on who looks
			fmt.Fprintln(h, c.Events.At(slot))
		}
	}
	for _, m := range [][]byte{c.mem.Flash, c.mem.OTP, c.mem.SRAM, c.mem.CCM, c.mem.BKP} {
		h.Write(m)
	}
	c.cells.HashMarginal(h)
	h.Sum(sum[:0])
	return sum
}
