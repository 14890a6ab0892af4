package stm32f407

// What accesses of the core to peripherals cost beyond the cycles that the
// core's own model charges (armv7m's cycles.go), which are those of a bus
// without wait states. Sources:
//
//	[B] AMBA 3 APB protocol (Arm IHI 0024B) §2: a transfer takes a SETUP and an
//	    ACCESS cycle of PCLK; and AN4031 §3.1.1, table 4, for this bridge: two
//	    APB cycles by the bus matrix, one AHB cycle to AHB blocks.
//	[G] RM0090 §8.2: a pin can change every two clock cycles.
//	[A] our assumptions: an APB transfer begins at a multiple of PCLK's division
//	    on the core's count of cycles; the write buffer of the core holds one
//	    store, so that a store waits only for the transfer of the one before, and
//	    a load for that and its own; a store takes effect as its wait ends and
//	    a load sees the block at the end of its transfer.
//
// With DMA on the same bus the core waits as matrix.go says. Not modelled:
// accesses to SRAM behind a store that is still under way.

// waitForBus moves the core's time to where its access to a block is made.
func (c *Chip) waitForBus(addr uint32, write bool) {
	b := c.block(addr)
	if b == nil || b.bus == ppb || !c.inCore {
		return
	}
	begin := c.Matrix.free(b.route(), max(c.core.Cycle, c.BusFree))
	end := c.transferEnd(b, begin, write)
	c.Matrix.take(b.route(), end)
	switch {
	case write:
		c.core.Cycle, c.BusFree = begin, end
	default:
		c.core.Cycle, c.BusFree = end-1, end
	}
}

// transferEnd is when an access that begins at a cycle leaves the bus free.
func (c *Chip) transferEnd(b *block, begin uint64, write bool) uint64 {
	switch {
	case b.bus == apb1 || b.bus == apb2:
		div := c.pclkDiv(int(b.bus-apb1) + 1)
		return (begin+div-1)/div*div + 2*div // [B]
	case write:
		return begin + 2 // [G]
	}
	return begin + 1
}
