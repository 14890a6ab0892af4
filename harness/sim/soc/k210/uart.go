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
