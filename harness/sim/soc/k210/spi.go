package k210

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/nor"
)

type spiState struct{}

func (c *Chip) spiReset(n int)   {}
func (c *Chip) spiClockChanged() {}
func (c *Chip) spiEvent(n int)   {}
func (c *Chip) spiPower(on bool) {}

type spiDevice struct {
	*Chip
	n int
}

func (d spiDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("SPI0", off)
}
func (d spiDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("SPI0", off) }

// newFlash is the chip at SPI3.
func newFlash(o Options) (*nor.Flash, error) {
	capacity := byte(0)
	for n := o.Flash; n > 1; n >>= 1 {
		capacity++
	}
	return nor.New(nor.Config{JEDEC: [3]byte{0xEF, 0x40, capacity}, Seed: o.Seed})
}
