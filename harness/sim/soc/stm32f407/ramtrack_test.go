package stm32f407

import (
	"encoding/binary"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/soctest"
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

func TestTrackRAMIsComplete(t *testing.T) {
	soctest.TracksItsRAM(t, soctest.RAMPart{
		New: func() board.Chip {
			c := New(Options{Seed: 4})
			loadELF(t, c, "latency-stm32f407-168mhz")
			c.SetPower(true)
			run(t, c, 20*clock.Millisecond)
			c.ResetBy(board.ResetPin)
			return c
		},
		Spoil: func(bc board.Chip, told func(uint32) bool) {
			c := bc.(*Chip)
			for i := range c.mem.SRAM {
				if !told(sramBase + uint32(i)) {
					c.mem.SRAM[i] ^= 0xFF
				}
			}
			for i := range c.mem.CCM {
				if !told(ccmBase + uint32(i)) {
					c.mem.CCM[i] ^= 0xFF
				}
			}
		},
		Same: func(a, b board.Chip) bool { return a.(*Chip).core.Snapshot() == b.(*Chip).core.Snapshot() },
		Boot: 20 * clock.Millisecond,
	})
}
