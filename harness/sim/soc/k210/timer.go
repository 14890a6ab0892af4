package k210

import "rigor/harness/sim/bus"

type timerState struct{}

func (c *Chip) timerReset(n int)    {}
func (c *Chip) timerClockChanged()  {}
func (c *Chip) timerEvent(slot int) {}

type timerDevice struct {
	*Chip
	n int
}

func (d timerDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("TIMER0", off)
}
func (d timerDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	return d.unknown("TIMER0", off)
}

func (c *Chip) timerEdge() uint64 { return ^uint64(0) }
func (c *Chip) timerCatchUp()     {}
func (c *Chip) timersRun() bool   { return false }
