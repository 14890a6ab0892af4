package esp32c3

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
			if err := c.LoadFlash(0, flashImage(t, "latency-esp32c3")); err != nil {
				t.Fatal(err)
			}
			c.SetPower(true)
			c.Run(100 * clock.Millisecond)
			c.ResetBy(board.ResetSoftware)
			return c
		},
		Spoil: func(bc board.Chip, told func(uint32) bool) {
			c := bc.(*Chip)
			for i := range c.mem.SRAM0 {
				if !told(iram0Base + uint32(i)) {
					c.mem.SRAM0[i] ^= 0xFF
				}
			}
			for i := range c.mem.SRAM1 {
				if !told(iramBase+uint32(i)) && !told(dramBase+uint32(i)) {
					c.mem.SRAM1[i] ^= 0xFF
				}
			}
			for i := range c.mem.RTC {
				if !told(rtcBase + uint32(i)) {
					c.mem.RTC[i] ^= 0xFF
				}
			}
		},
		Same: func(a, b board.Chip) bool { return a.(*Chip).core.Snapshot() == b.(*Chip).core.Snapshot() },
		Boot: 100 * clock.Millisecond,
	})
}
