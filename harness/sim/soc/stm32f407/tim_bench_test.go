package stm32f407

import (
	"testing"

	"rigor/harness/sim/board"
)

// BenchmarkPWM is a millisecond of PWM at 1 MHz on a pin: free unless it is
// recorded.
func BenchmarkPWM(b *testing.B) {
	for name, record := range map[string]bool{"unwatched": false, "recorded": true} {
		b.Run(name, func(b *testing.B) {
			c := New(Options{})
			brd, err := board.New(c, board.Wiring{})
			if err != nil {
				b.Fatal(err)
			}
			c.Powered = true
			alternate(c, portE+9, 1)
			tm := c.timer(1)
			for _, r := range [][2]uint32{{timARR, 15}, {timCCR1, 8}, {timCCMR1, 0x60}, {timCCER, 1}, {timBDTR, timMOE}, {timCR1, timCEN}} {
				tm.Store(r[0], 4, uint64(r[1]))
			}
			for b.Loop() {
				var r *board.Recorder
				if record {
					r = brd.Record(portE + 9)
				}
				until(c, c.Cycle()+16_000)
				if record {
					r.Stop()
				}
			}
		})
	}
}
