package esp32c3

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

type gpioState struct{ STRAP uint32 }

func (c *Chip) gpioReset()                    {}
func (c *Chip) gpioEvent(slot int, at uint64) {}
func (c *Chip) gpioClockChanged()             {}

type gpioDevice struct{ *Chip }

func (d gpioDevice) Load(off uint32, _ uint8) (uint64, bus.Fault)  { return 0, d.unknown("GPIO", off) }
func (d gpioDevice) Store(off uint32, _ uint8, v uint64) bus.Fault { return d.unknown("GPIO", off) }

type ioMuxDevice struct{ *Chip }

func (d ioMuxDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	return 0, d.unknown("IO_MUX", off)
}
func (d ioMuxDevice) Store(off uint32, _ uint8, v uint64) bus.Fault { return d.unknown("IO_MUX", off) }

type outside struct{}

const slotSource = slotGPIO + 1

func (c *Chip) gpioReadCSR(n uint16) (v uint64, ok bool)    { return 0, false }
func (c *Chip) gpioWriteCSR(n uint16, v uint64) (ok bool)   { return false }
func (c *Chip) latchStraps() uint32                         { return strapGPIO9 }
func (c *Chip) awaitCrossing()                              {}
func (c *Chip) apbPeriod() clock.Time                       { return clock.Second / clock.Time(c.Clocks.APB) }
func (c *Chip) Level(board.Pin) bool                        { return false }
func (c *Chip) MicroVolts(board.Pin) int64                  { return 0 }
func (c *Chip) PinByName(string) (board.Pin, error)         { return 0, nil }
func (c *Chip) PinName(board.Pin) string                    { return "" }
func (c *Chip) Drive(board.Pin, board.Drive, clock.Time)    {}
func (c *Chip) SetAnalog(board.Pin, func(clock.Time) int64) {}
func (c *Chip) Watch(func(board.Pin, bool, clock.Time))     {}
