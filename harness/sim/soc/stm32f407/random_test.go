package stm32f407

import (
	"math/rand/v2"
	"testing"

	"rigor/harness/sim/board"
)

// Whatever a program writes, the model goes on or stops by a fault of its own: it
// does not panic, and nothing of it stands still.
func TestRandomWrites(t *testing.T) {
	blocks := []uint32{0x40012000, 0x40012100, 0x40012200, 0x40012300, spi1, spi2, 0x40005400, 0x40026000, 0x40026400,
		0x40000000, 0x40000C00, 0x40010000, 0x40014000, 0x40014800, rtc0}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 407))
		c := idle(t)
		st(t, c, pwr0, pwrDBP|pwrVOS)
		st(t, c, csr0, csrLSION)
		run(t, c, lsiStartup)
		st(t, c, bdcr0, bdcrRTCEN|2<<8)
		openRTC(t, c)
		for p := range board.Pin(64) {
			if rnd.IntN(3) == 0 {
				alternate(c, p, uint32(rnd.IntN(8)))
			}
		}
		for range 3000 {
			addr := blocks[rnd.IntN(len(blocks))] + uint32(rnd.IntN(0x40))*4
			v := rnd.Uint32() & rnd.Uint32()
			if rnd.IntN(4) == 0 {
				v = blocks[rnd.IntN(len(blocks))]&0xFFFFF000 + uint32(rnd.IntN(64))
			}
			switch rnd.IntN(8) {
			case 0:
				(cpuBus{c}).Load(addr, 4)
			case 1:
				c.Drive(board.Pin(rnd.IntN(64)), levelOf(rnd.IntN(2) == 0), c.Now())
			default:
				(cpuBus{c}).Store(addr, 4, v)
			}
			before := c.core.Cycle
			if until(c, c.core.Cycle+uint64(rnd.IntN(40))+1); c.stopped.Kind == board.Running && c.core.Cycle == before {
				t.Fatalf("seed %d: time stands still", seed)
			}
			c.stopped = board.Stop{}
		}
	}
}
