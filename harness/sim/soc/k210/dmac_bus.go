package k210

import (
	"encoding/binary"
	"fmt"
	"slices"

	"rigor/harness/sim/bus"
)

// dmacRAM is memory at an address, or nil.
func (c *Chip) dmacRAM(addr uint64, n int) []byte {
	if addr>>32 != 0 {
		return nil
	}
	return c.ramAt(uint32(addr), uint32(n))
}

// dmacBurstEnd is when a side's next burst ends if it begins at a cycle.
func (c *Chip) dmacBurstEnd(ch *dmacChannel, side int, begin uint64) uint64 {
	items := uint64(ch.burst(side))
	at := begin + bridgeCycles
	b := c.block(ch.Side[side].At)
	switch {
	case b == nil:
		return at + items
	case b.clock == nil:
		return at + items*coreCycles
	}
	div := b.clock(c)
	return at + (div-at%div)%div + items*apbCycles*div
}

// dmacBurst moves a side's next burst, unless there is an error.
func (c *Chip) dmacBurst(n, side int) (ok bool) {
	ch := &c.DMAC.Channel[n]
	items, width := ch.burst(side), 1<<ch.width(side)
	data := ch.FIFO[:]
	if side == source {
		data = ch.FIFO[ch.Level:]
	}
	if f := c.dmacAccess(n, side, ch.Side[side].At, data[:items*width], width); f != bus.None {
		c.dmacError(n, side, f)
		return false
	}
	ch.count(side, items)
	if side == destination {
		copy(ch.FIFO[:ch.Level], ch.FIFO[items*width:])
	}
	if ch.peripheral(side) && ch.Side[side].Owed == 0 {
		ch.SWHS[side] = 0
		c.dmacStatus(n, dmTRANSCOMP<<side)
	}
	return true
}

// dmacAccess reads or writes a burst's data.
func (c *Chip) dmacAccess(n, side int, at uint64, data []byte, width int) bus.Fault {
	ch := &c.DMAC.Channel[n]
	span := width
	if ch.increments(side) {
		span = len(data)
	}
	if m := c.dmacRAM(at, span); m != nil {
		c.dmacMemory(n, side, at, m, data)
		return bus.None
	}
	for i := 0; i < len(data); i += width {
		if f := c.dmacItem(side, at, data[i:i+width]); f != bus.None {
			return f
		}
		if ch.increments(side) {
			at += uint64(width)
		}
	}
	return bus.None
}

// dmacMemory moves a burst from or to memory, which is shorter if the address stays.
func (c *Chip) dmacMemory(n, side int, at uint64, memory, data []byte) {
	if side == source {
		c.dmacCached(n, "reads", at, len(memory))
		c.track.Loaded(uint32(at), uint32(len(memory)))
		for i := 0; i < len(data); i += len(memory) {
			copy(data[i:], memory)
		}
		return
	}
	c.dmacCached(n, "writes", at, len(memory))
	copy(memory, data[len(data)-len(memory):])
	c.ramChanged(uint32(at), uint32(len(memory)))
}

// dmacItem moves an item from or to a block.
func (c *Chip) dmacItem(side int, at uint64, item []byte) bus.Fault {
	c.lacking = ""
	var raw [8]byte
	if side == source {
		v, f := c.load(at, uint8(len(item)))
		binary.LittleEndian.PutUint64(raw[:], v)
		copy(item, raw[:])
		return f
	}
	copy(raw[:], item)
	return c.store(at, uint8(len(item)), binary.LittleEndian.Uint64(raw[:]))
}

// dmacError ends a transfer.
func (c *Chip) dmacError(n, side int, f bus.Fault) {
	at := c.DMAC.Channel[n].Side[side].At
	if f == bus.Unmodelled {
		c.dmacHalt(n, fmt.Sprintf("DMAC channel %d: %s", n, c.lacking))
		return
	}
	c.warn("DMAC channel %d: nothing answers at 0x%08x", n, at)
	c.dmacOff(n, dmDEC_ERR<<side)
}

// The harts' data caches, as caches in wait.go makes them.
const (
	dataLine = 64
	dataWays = 8
	dataSets = 64
)

// dmacCached warns, once a transfer, if a data cache holds memory that the DMAC
// accesses. Whether a hart has written the line is not known: of reads the warning may
// be in vain.
func (c *Chip) dmacCached(n int, does string, at uint64, bytes int) {
	ch := &c.DMAC.Channel[n]
	if ch.Warned {
		return
	}
	first := ramBase + (at-mirrorBase)%(ramBase-mirrorBase)
	for line := first / dataLine; line*dataLine < first+uint64(bytes); line++ {
		for h := range c.harts {
			if c.dataCached(h, line) {
				ch.Warned = true
				c.warn("DMAC channel %d %s memory of which hart %d's data cache holds a line, from 0x%08x to 0x%08x: the part's "+
					"DMAC does not see the caches, and a line that was written there goes to memory later; harts should only "+
					"access such memory past the caches, from 0x%08x on", n, does, h, ch.SAR, ch.DAR, uint32(mirrorBase))
				return
			}
		}
	}
}

// dataCached tells whether a hart's data cache, its second one, holds a line.
func (c *Chip) dataCached(hart int, line uint64) bool {
	set := c.harts[hart].Caches[1].Tag[line%dataSets*dataWays:]
	return slices.Contains(set[:dataWays], line+1)
}
