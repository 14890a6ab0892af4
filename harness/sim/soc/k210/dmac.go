package k210

import "rigor/harness/sim/bus"

type dmacState struct{}

func (c *Chip) dmacReset()            {}
func (c *Chip) dmacSelected()         {} // a choice of handshakes has changed
func (c *Chip) dmacEvent(channel int) {}

// setDMA is the level of a handshake by its number (SDK sysctl.h, sysctl_dma_select_t).
func (c *Chip) setDMA(request int, level bool) {}

type dmacDevice struct{ *Chip }

func (d dmacDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("DMAC", off)
}
func (d dmacDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("DMAC", off) }
