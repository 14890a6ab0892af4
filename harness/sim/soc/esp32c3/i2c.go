package esp32c3

import "rigor/harness/sim/bus"

type i2cState struct{}

func (c *Chip) i2cReset()                    {}
func (c *Chip) i2cEvent(slot int, at uint64) {}
func (c *Chip) i2cClockChanged()             {}

type i2cDevice struct{ *Chip }

func (d i2cDevice) Load(off uint32, _ uint8) (uint64, bus.Fault)  { return 0, d.unknown("I2C0", off) }
func (d i2cDevice) Store(off uint32, _ uint8, v uint64) bus.Fault { return d.unknown("I2C0", off) }
