package k210

import "rigor/harness/sim/bus"

type aesState struct{}

func (c *Chip) aesReset() {}
func (c *Chip) aesEvent() {}

type aesDevice struct{ *Chip }

func (d aesDevice) Load(off uint32, width uint8) (uint64, bus.Fault)  { return 0, d.unknown("AES", off) }
func (d aesDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("AES", off) }
