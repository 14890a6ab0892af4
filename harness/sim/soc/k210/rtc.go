package k210

import "rigor/harness/sim/bus"

type rtcState struct{}

func (c *Chip) rtcReset()        {}
func (c *Chip) rtcClockChanged() {}
func (c *Chip) rtcEvent()        {}

type rtcDevice struct{ *Chip }

func (d rtcDevice) Load(off uint32, width uint8) (uint64, bus.Fault)  { return 0, d.unknown("RTC", off) }
func (d rtcDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("RTC", off) }
