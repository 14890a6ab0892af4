package esp32c3

import "rigor/harness/sim/bus"

type ledcState struct{}

func (c *Chip) ledcReset()                    {}
func (c *Chip) ledcEvent(slot int, at uint64) {}
func (c *Chip) ledcClockChanged()             {}

type ledcDevice struct{ *Chip }

func (d ledcDevice) Load(off uint32, _ uint8) (uint64, bus.Fault)  { return 0, d.unknown("LEDC", off) }
func (d ledcDevice) Store(off uint32, _ uint8, v uint64) bus.Fault { return d.unknown("LEDC", off) }
