package k210

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/riscv"
)

// What accesses cost beyond the cycles that the harts' own model charges, which are
// those of hits in the caches. Canaan publishes no figures, and nobody seems to
// have measured them. All of it is assumed [A]:
//
//   - A line of 64 bytes comes from SRAM by eight beats of 64 bits, behind the way
//     through the coherence manager and the bus: missCycles.
//   - An access past the cache takes that way for one beat: uncachedWait.
//   - CLINT, PLIC, UARTHS and GPIOHS are at the harts' own bus: coreCycles.
//   - Other blocks are behind an AXI bridge, those on APB behind one more: an access
//     begins at a cycle of the APB's clock and takes three of them, as on the ESP32-C3.
//
// With it, CoreMark (GCC 12.2.0, the SDK's flags with -Os -march=rv64imafc, 8400 iterations, validated) takes 491,565 cycles an
// iteration, 2.03/MHz, which is 17 % less time than published; riscv.K210Timing has the rest of that.
//
// Harts wait for stores as for loads. At the default division of APB clocks, 2, the
// same access costs the same at the same cycle modulo 8, as riscv.Foreseer asks.
const (
	missCycles   = 24
	uncachedWait = 16
	coreCycles   = 6
	bridgeCycles = 10
	apbCycles    = 3
)

// caches are a hart's: 32 KB each for code and data, lines of 64 bytes (Linux
// arch/riscv/boot/dts/canaan/k210.dtsi). Eight ways are [A]: a Rocket core's sets have to
// lie within a page of 4 KB.
func (c *Chip) caches() []riscv.CacheConfig {
	miss := func(uint64, bool) uint64 { return missCycles }
	data := riscv.CacheConfig{Size: 32 << 10, Ways: 8, Line: 64, Miss: miss}
	code := data
	code.Code = true
	return []riscv.CacheConfig{code, data}
}

// waitForBus moves the hart's time to where its access to a block is made.
func (c *Chip) waitForBus(addr uint64) {
	h := c.harts[c.hart]
	b := c.block(addr)
	switch {
	case b == nil:
	case b.clock == nil:
		h.Cycle += coreCycles
	default:
		div := b.clock(c)
		h.Cycle += bridgeCycles
		h.Cycle += (div - h.Cycle%div) % div
		h.Cycle += apbCycles * div
	}
}

// foreseer is a block that knows what polling it would find: see riscv.Foreseer.
type foreseer interface {
	foreseeLoad(off uint32, width uint8, until uint64) (least, most uint64, ok bool)
}

// storeForeseer is one that also knows of stores.
type storeForeseer interface {
	foreseeStore(off uint32, width uint8, v uint64) bool
}

// ForeseeLoad bounds what a load would return; see riscv.Foreseer.
func (b cpuBus) ForeseeLoad(addr uint64, width uint8, until uint64) (least, most uint64, ok bool) {
	blk := b.foreseen(addr)
	if blk == nil || blk.loads == nil {
		return 0, 0, false
	}
	return blk.loads.foreseeLoad(uint32(addr)-blk.base, width, until)
}

// ForeseeStore says whether a store may be left out; see riscv.Foreseer.
func (b cpuBus) ForeseeStore(addr uint64, width uint8, v uint64) bool {
	blk := b.foreseen(addr)
	return blk != nil && blk.stores != nil && blk.stores.foreseeStore(uint32(addr)-blk.base, width, v)
}

// foreseen is the block of an address if accesses to it may be foreseen at all:
// not those that a Trace must see, nor those that lead to a warning, nor those whose
// cost depends on more than the cycle modulo 8, nor any while the other hart is awake, which may
// do anything to it.
func (c *Chip) foreseen(addr uint64) *block {
	b := c.block(addr)
	if b == nil || !asleep(c.harts[1-c.hart]) || c.opt.Trace != nil || !c.gateOpen(b) || b.clock != nil && 8%b.clock(c) != 0 {
		return nil
	}
	return b
}

// steady are the registers of a device that change by events and by stores only:
// those that it has, for which reading is free of effects.
func steady(d bus.Device, off uint32, width uint8, has bool) (least, most uint64, ok bool) {
	if !has {
		return 0, 0, false
	}
	v, f := d.Load(off, width)
	return v, v, f == bus.None
}
