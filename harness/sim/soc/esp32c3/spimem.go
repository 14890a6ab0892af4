package esp32c3

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

type spiState struct{}

func (c *Chip) spiReset()                    {}
func (c *Chip) spiEvent(slot int, at uint64) {}
func (c *Chip) spiClockChanged()             {}

type spiDevice struct {
	*Chip
	n int
}

func (d spiDevice) Load(off uint32, _ uint8) (uint64, bus.Fault)  { return 0, d.unknown("SPI1", off) }
func (d spiDevice) Store(off uint32, _ uint8, v uint64) bus.Fault { return d.unknown("SPI1", off) }

func newFlash(o Options) (*nor.Flash, error) { return nor.New(nor.Config{Seed: o.Seed}) }
func (c *Chip) spiPower(on bool)             { c.nor.SetPower(on, c.nowTime()) }
func (c *Chip) flashLineTime() clock.Time    { return 1900 * clock.Nanosecond }
