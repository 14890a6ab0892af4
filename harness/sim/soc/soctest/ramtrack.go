package soctest

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// RAMPart is a chip as the test of board.RAMTracker handles it.
type RAMPart struct {
	// New makes a chip that has just been reset, with RAM that an earlier run of its program left.
	New func() board.Chip
	// Spoil changes RAM at all addresses but those that were told.
	Spoil func(c board.Chip, told func(addr uint32) bool)
	// Same tells whether the chips' cores are in the same state.
	Same func(a, b board.Chip) bool
	Boot clock.Time
}

// TracksItsRAM: what RAM holds that is not told of makes no difference, and who tracks does not
// either.
func TracksItsRAM(t *testing.T, p RAMPart) {
	plain, tracked, other := p.New(), p.New(), p.New()
	run(t, plain, p.Boot)
	told := map[uint32]bool{}
	tracked.(board.RAMTracker).TrackRAM(func(addr, n uint32) {
		for i := range n {
			told[addr+i] = true
		}
	})
	run(t, tracked, p.Boot)
	if tracked.Digest() != plain.Digest() {
		t.Error("a tracked chip goes another way")
	}
	t.Logf("%d bytes read that were not written", len(told))
	p.Spoil(other, func(addr uint32) bool { return told[addr] })
	run(t, other, p.Boot)
	if !p.Same(other, plain) {
		t.Error("RAM of which nothing was told has an effect")
	}
}
