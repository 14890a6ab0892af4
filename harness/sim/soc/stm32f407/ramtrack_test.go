package stm32f407

import (
	"encoding/binary"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// TestTrackRAM: a load of what was not stored to is told, once, and again after a reset.
func TestTrackRAM(t *testing.T) {
	c := New(Options{})
	program := binary.LittleEndian.AppendUint32(nil, sramBase+0x1000)
	program = binary.LittleEndian.AppendUint32(program, flashBase+9)
	for _, h := range []uint16{
		0x4902,         // 08 LDR r1, [pc, #8]
		0x6808,         // 0a LDR r0, [r1]
		0x6048,         // 0c STR r0, [r1, #4]
		0x684A,         // 0e LDR r2, [r1, #4]
		0x68CB,         // 10 LDR r3, [r1, #12]
		0xE7FA,         // 12 B   0a
		0x0100, 0x2000, // 14
	} {
		program = binary.LittleEndian.AppendUint16(program, h)
	}
	if err := c.LoadFlash(flashBase, program); err != nil {
		t.Fatal(err)
	}
	var told [][2]uint32
	c.TrackRAM(func(addr, n uint32) { told = append(told, [2]uint32{addr, n}) })
	want := [][2]uint32{{sramBase + 0x100, 4}, {sramBase + 0x10C, 4}}
	c.SetPower(true)
	for _, what := range []string{"power-on", "the reset pin"} {
		run(t, c, 3*clock.Millisecond)
		if !slices.Equal(told, want) {
			t.Errorf("after %s: %x, want %x", what, told, want)
		}
		told = nil
		c.ResetBy(board.ResetPin)
	}
}

// TestTrackRAMIsComplete: what RAM holds that is not told makes no difference.
func TestTrackRAMIsComplete(t *testing.T) {
	begin := func() *Chip {
		c := New(Options{Seed: 4})
		loadELF(t, c, "latency-stm32f407-168mhz")
		c.SetPower(true)
		run(t, c, 20*clock.Millisecond)
		c.ResetBy(board.ResetPin)
		return c
	}
	plain, tracked, other := begin(), begin(), begin()
	run(t, plain, 20*clock.Millisecond)
	var used [sramSize + ccmSize]bool
	n := uint32(0)
	tracked.TrackRAM(func(addr, size uint32) {
		for i := range size {
			at, _ := tracked.track.place(addr + i)
			used[at] = true
		}
		n += size
	})
	run(t, tracked, 20*clock.Millisecond)
	if tracked.Digest() != plain.Digest() {
		t.Error("a tracked chip goes another way")
	}
	t.Logf("%d bytes read that were not written", n)
	for i := range other.mem.SRAM {
		if !used[i] {
			other.mem.SRAM[i] ^= 0xFF
		}
	}
	for i := range other.mem.CCM {
		if !used[sramSize+i] {
			other.mem.CCM[i] ^= 0xFF
		}
	}
	run(t, other, 20*clock.Millisecond)
	if other.core.Snapshot() != plain.core.Snapshot() {
		t.Error("RAM of which nothing was told has an effect")
	}
}
