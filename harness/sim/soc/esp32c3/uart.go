package esp32c3

import "rigor/harness/sim/bus"

type uartState struct{}

func (c *Chip) uartReset(n int)               {}
func (c *Chip) uartEvent(slot int, at uint64) {}
func (c *Chip) uartClockChanged()             {}

type uartDevice struct {
	*Chip
	n int
}

func (d uartDevice) Load(off uint32, _ uint8) (uint64, bus.Fault)  { return 0, d.unknown("UART0", off) }
func (d uartDevice) Store(off uint32, _ uint8, v uint64) bus.Fault { return d.unknown("UART0", off) }
