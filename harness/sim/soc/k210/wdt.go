package k210

import "rigor/harness/sim/bus"

type wdtState struct{}

func (c *Chip) wdtReset(n int)   {}
func (c *Chip) wdtClockChanged() {}
func (c *Chip) wdtEvent(n int)   {}

type wdtDevice struct {
	*Chip
	n int
}

func (d wdtDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("WDT0", off)
}
func (d wdtDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("WDT0", off) }
