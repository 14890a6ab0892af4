package k210

import "rigor/harness/sim/bus"

type shaState struct{}

func (c *Chip) shaReset() {}
func (c *Chip) shaEvent() {}

type shaDevice struct{ *Chip }

func (d shaDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("SHA256", off)
}
func (d shaDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	return d.unknown("SHA256", off)
}
