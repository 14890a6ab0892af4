package k210

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/soctest"
)

func TestTrackRAMIsComplete(t *testing.T) {
	soctest.TracksItsRAM(t, soctest.RAMPart{
		New: func() board.Chip {
			c := New(Options{Seed: 4})
			if err := c.LoadFlash(0, image(0, programBytes(t, "latency-k210"))); err != nil {
				t.Fatal(err)
			}
			c.Drive(pinBOOT, board.Drive{Kind: board.PullUp}, 0)
			c.SetPower(true)
			c.Run(150 * clock.Millisecond)
			c.ResetBy(board.ResetPin)
			return c
		},
		Spoil: func(bc board.Chip, told func(uint32) bool) {
			c := bc.(*Chip)
			for i := range c.ram {
				if !told(ramBase+uint32(i)) && !told(mirrorBase+uint32(i)) {
					c.ram[i] ^= 0xFF
				}
			}
		},
		Same: func(a, b board.Chip) bool {
			for n := range 2 {
				if a.(*Chip).harts[n].Snapshot() != b.(*Chip).harts[n].Snapshot() {
					return false
				}
			}
			return true
		},
		Boot: 150 * clock.Millisecond,
	})
}
