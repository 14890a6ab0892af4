package k210

import "rigor/harness/sim/bus"

type uartState struct{}

func (c *Chip) uartReset(n int)    {}
func (c *Chip) uartClockChanged()  {}
func (c *Chip) uartEvent(slot int) {}

type uartDevice struct {
	*Chip
	n int
}

func (d uartDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("UART1", off)
}
func (d uartDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	return d.unknown("UART1", off)
}

func (c *Chip) uartInput(n, line int, high bool, at uint64) {}
func (c *Chip) uartEdge() uint64                            { return ^uint64(0) }
func (c *Chip) uartCatchUp()                                {}
func (c *Chip) uartsSend() bool                             { return false }
