package k210

import "rigor/harness/sim/bus"

type uarthsState struct{}

func (c *Chip) uarthsReset()         {}
func (c *Chip) uarthsClockChanged()  {}
func (c *Chip) uarthsEvent(slot int) {}

type uarthsDevice struct{ *Chip }

func (d uarthsDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("UARTHS", off)
}
func (d uarthsDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	return d.unknown("UARTHS", off)
}
