package k210

import "rigor/harness/sim/bus"

type gpioState struct{}

func (c *Chip) gpioReset() {}

type gpioDevice struct{ *Chip }

func (d gpioDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("GPIO", off)
}
func (d gpioDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("GPIO", off) }
