package k210

import "rigor/harness/sim/bus"

type i2sState struct{}

func (c *Chip) i2sReset(n int)    {}
func (c *Chip) i2sClockChanged()  {}
func (c *Chip) i2sEvent(slot int) {}

type i2sDevice struct {
	*Chip
	n int
}

func (d i2sDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("I2S0", off)
}
func (d i2sDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("I2S0", off) }
