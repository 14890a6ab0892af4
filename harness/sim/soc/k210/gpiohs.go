package k210

import "rigor/harness/sim/bus"

type gpiohsState struct{}

func (c *Chip) gpiohsReset() {}

type gpiohsDevice struct{ *Chip }

func (d gpiohsDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("GPIOHS", off)
}
func (d gpiohsDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	return d.unknown("GPIOHS", off)
}
