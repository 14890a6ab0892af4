package esp32c3

import "rigor/harness/sim/bus"

// What accesses of the core cost beyond the cycles that the core's own model
// charges, which are those of memory without wait states. Espressif publishes no
// figures. Sources:
//
//	[G] "The GPIO speed of ESP32-C3 and ESP32-C6 microcontrollers" (ctrlsrc.io,
//	    2023): with stores to the GPIO block's registers, signals stay below 10 MHz
//	    at 160 MHz, so that a store takes more than 16/2 - 2 cycles.
//	[B] AMBA 3 APB protocol (Arm IHI 0024B) §2: a transfer takes a SETUP and an
//	    ACCESS cycle of PCLK.
//	[A] our assumptions: an access to a block on APB begins at a cycle of APB_CLK
//	    and takes three of them, one for the bridge and two of [B]; at 160 MHz that
//	    makes 8.9 MHz of the loop of [G]. The core waits for stores as for loads.
//	    Blocks from 0x600C0000 on run with the core's clock and cost one
//	    cycle. A miss of the cache waits for the whole line and for nothing else:
//	    the time that SPI0 needs with the mode and clock that its registers choose.
//
// Cycles of APB_CLK begin at multiples of its division of the CPU's clock: the same
// access always costs the same at the same cycle modulo 8, as riscv.Foreseer asks.

const (
	apbCycles  = 3
	coreBlocks = 0x600C0000
)

// waitForBus moves the core's time to where its access to a block is made.
func (c *Chip) waitForBus(addr uint32) {
	switch {
	case !c.inCore || addr-blocksBase >= blocksEnd-blocksBase:
	case addr >= coreBlocks:
		c.core.Cycle++
	case c.Clocks.CPU == c.Clocks.APB:
		c.core.Cycle += apbCycles
	default: // twice as fast, see clockTree; a division here would show
		c.core.Cycle += c.core.Cycle&1 + 2*apbCycles
	}
}

// cacheMiss is what filling a line of the cache costs, in cycles. A flash chip that
// programs or erases would not answer.
func (c *Chip) cacheMiss(uint64, bool) uint64 {
	at := c.Time()
	if _, busy := c.nor.Busy(at); busy {
		c.warn("flash read through the cache while the flash chip is busy: the part reads garbage")
	}
	return c.CycleFrom(at+c.flashLineTime()) - c.CycleFrom(at)
}

// foreseer is a block that knows what polling it would find: see riscv.Foreseer.
type foreseer interface {
	foreseeLoad(off uint32, until uint64) (least, most uint64, ok bool)
}

// storeForeseer is one that also knows of stores.
type storeForeseer interface {
	foreseeStore(off, v uint32) bool
}

// ForeseeLoad bounds what a load would return; see riscv.Foreseer.
func (b cpuBus) ForeseeLoad(addr uint64, width uint8, until uint64) (least, most uint64, ok bool) {
	blk := b.foreseen(addr, width)
	if blk == nil {
		return 0, 0, false
	}
	if f, able := blk.dev.(foreseer); able {
		return f.foreseeLoad(uint32(addr)-blk.base, until)
	}
	return 0, 0, false
}

// ForeseeStore says whether a store may be left out; see riscv.Foreseer.
func (b cpuBus) ForeseeStore(addr uint64, width uint8, v uint64) bool {
	blk := b.foreseen(addr, width)
	if blk == nil {
		return false
	}
	f, able := blk.dev.(storeForeseer)
	return able && f.foreseeStore(uint32(addr)-blk.base, uint32(v))
}

// foreseen is the block of an address if accesses to it may be foreseen at all:
// not those that a Trace must see, nor those that lead to a warning.
func (c *Chip) foreseen(addr uint64, width uint8) *block {
	b := c.block(uint32(addr))
	if b == nil || width != 4 || c.opt.Trace != nil || !c.gateOpen(b) {
		return nil
	}
	return b
}

// steady are the registers of a device that change by events and by stores only:
// those that it has, for which reading is free of effects.
func steady(d bus.Device, off uint32, has bool) (least, most uint64, ok bool) {
	if !has {
		return 0, 0, false
	}
	v, f := d.Load(off, 4)
	return v, v, f == bus.None
}
