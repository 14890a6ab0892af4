package esp32c3

import (
	"bytes"
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
	core     riscv.State
	mem      memories
	flash    *nor.Snapshot
	stopped  board.Stop
	warnings board.Warnings
}

// Snapshot copies the chip's state and memories.
func (c *Chip) Snapshot() any {
	c.catchUpPins()
	return &snapshot{
		state:    c.state,
		agenda:   c.State,
		core:     c.core.Snapshot(),
		mem:      c.mem.clone(),
		flash:    c.nor.Snapshot(),
		stopped:  c.stopped,
		warnings: slices.Clone(c.warnings),
	}
}

func (m *memories) clone() memories {
	return memories{bytes.Clone(m.SRAM0), bytes.Clone(m.SRAM1), bytes.Clone(m.RTC)}
}

// Restore puts a snapshot back. It may be of another chip made with the same
// options; it stays good for further use.
func (c *Chip) Restore(from any) {
	s := from.(*snapshot)
	c.state, c.State = s.state, s.agenda
	copy(c.mem.SRAM0, s.mem.SRAM0)
	copy(c.mem.SRAM1, s.mem.SRAM1)
	copy(c.mem.RTC, s.mem.RTC)
	c.nor.Restore(s.flash)
	c.track.Reset()
	c.stopped, c.warnings = s.stopped, slices.Clone(s.warnings)
	c.mapMemory()
	c.core.Restore(s.core)
	c.awaitCrossing()
	c.macRestored()
}

// Digest hashes all that decides what the chip does next.
func (c *Chip) Digest() (sum [32]byte) {
	c.catchUpPins()
	h := sha256.New()
	s := c.state
	s.GPIO.Pins.Cycle = 0 // of the last edge that was told
	fmt.Fprintf(h, "%v\n%v\n%v\n%v\n", s, c.Timeline, c.Due, c.core.Snapshot())
	for slot := range slots {
		if slot != slotSource && (slot < slotLEDC || slot >= slotADC) { // theirs depend on who looks
			fmt.Fprintln(h, c.Events.At(slot))
		}
	}
	for _, m := range [][]byte{c.mem.SRAM0, c.mem.SRAM1, c.mem.RTC} {
		h.Write(m)
	}
	flash := c.nor.Digest()
	h.Write(flash[:])
	h.Sum(sum[:0])
	return sum
}
