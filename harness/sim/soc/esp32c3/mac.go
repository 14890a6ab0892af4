package esp32c3

import "rigor/harness/sim/bus"

type macState struct{}

func (c *Chip) macReset()                    {}
func (c *Chip) macEvent(slot int, at uint64) {}
func (c *Chip) macClockChanged()             {}

type macDevice struct{ *Chip }

func (d macDevice) Load(off uint32, _ uint8) (uint64, bus.Fault)  { return 0, d.unknown("MAC", off) }
func (d macDevice) Store(off uint32, _ uint8, v uint64) bus.Fault { return d.unknown("MAC", off) }
