package esp32c3

import "rigor/harness/sim/bus"

// waitForBus moves the core's time to where its access to a block is made.
func (c *Chip) waitForBus(addr uint32, write bool) {}

// cacheMiss is what filling a line of the cache costs, in cycles.
func (c *Chip) cacheMiss(addr uint64, write bool) uint64 {
	at := c.nowTime()
	return c.cycleFrom(at+c.flashLineTime()) - c.cycleFrom(at)
}

// foreseer is a block that knows what polling it would find: see riscv.Foreseer.
type foreseer interface {
	bus.Device
	foreseeLoad(off uint32, until uint64) (least, most uint64, ok bool)
}

// foreseerOfStores also allows for stores.
type foreseerOfStores interface {
	foreseeStore(off uint32, v uint32) bool
}
