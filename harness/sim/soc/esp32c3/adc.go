package esp32c3

import "rigor/harness/sim/bus"

type adcState struct{}

func (c *Chip) adcReset()                    {}
func (c *Chip) adcEvent(slot int, at uint64) {}
func (c *Chip) adcClockChanged()             {}

type adcDevice struct{ *Chip }

func (d adcDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	return 0, d.unknown("APB_SARADC", off)
}
func (d adcDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	return d.unknown("APB_SARADC", off)
}
