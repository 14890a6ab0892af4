package stm32f407

// The bus matrix, RM0090 §2.1: each of its ports serves one master at a time, and
// a master that finds its port taken waits.
//
//	[M] RM0090 §2.1, figure 1: which ports there are. DMA1's peripheral port is
//	    wired to APB1 and DMA2's to APB2 (AN4031 §1.2.1), past the matrix; what
//	    else goes to a peripheral bus takes port AHB1 as well.
//	[L] RM0090 §10.3.11: a burst cannot be divided.
//	[A] our assumptions: who asks first is served first, and of two in the same
//	    cycle DMA1 before DMA2 before the core, where the part goes round; DMA goes
//	    between the words of the core's multiple loads and stores; a store of the
//	    core waits like a load, though its write buffer may hide that.
//
// Not modelled: waits of instruction fetches, of the stacking of exceptions, and
// of DMA for the core's reads of flash.
type matrixPort uint8

const (
	portSRAM1 matrixPort = iota
	portSRAM2
	portDCode // data of flash
	portAHB1
	portAHB2
	portAPB1 // behind AHB1
	portAPB2
	matrixPorts
)

// matrix is when each port is free.
type matrix [matrixPorts]uint64

// route are the ports that an access goes through, one bit each.
type route uint8

func through(ports ...matrixPort) (r route) {
	for _, p := range ports {
		r |= 1 << p
	}
	return r
}

// route is how a master reaches an address by the matrix; none if it leads
// nowhere.
func (c *Chip) route(addr uint32) route {
	if b := c.block(addr); b != nil {
		return b.route()
	}
	switch {
	case addr-sramBase < sram1Size:
		return through(portSRAM1)
	case addr-sramBase < sramSize:
		return through(portSRAM2)
	case addr-flashBase < flashSize:
		return through(portDCode)
	case addr < sram1Size && c.SYSCFG.MEMRMP == remapSRAM:
		return through(portSRAM1)
	case addr < flashSize && c.SYSCFG.MEMRMP == remapFlash:
		return through(portDCode)
	}
	return 0
}

func (b *block) route() route {
	switch b.bus {
	case ahb1:
		return through(portAHB1)
	case ahb2:
		return through(portAHB2)
	case apb1:
		return through(portAHB1, portAPB1)
	case apb2:
		return through(portAHB1, portAPB2)
	}
	return 0
}

// free is when all ports of a route are, from a cycle on.
func (m *matrix) free(r route, from uint64) uint64 {
	for p, at := range m {
		if r>>p&1 != 0 {
			from = max(from, at)
		}
	}
	return from
}

// take occupies the ports of a route up to a cycle.
func (m *matrix) take(r route, until uint64) {
	for p := range m {
		if r>>p&1 != 0 {
			m[p] = until
		}
	}
}

// arbitrate delays an access of the core to memory while another master holds
// its port. What DMA does up to then happens first.
func (c *Chip) arbitrate(addr uint32) {
	if !c.inCore {
		return
	}
	c.sync()
	r := c.route(addr)
	begin := c.Matrix.free(r, c.core.Cycle)
	c.Matrix.take(r, begin+1)
	if begin > c.core.Cycle {
		c.core.Cycle = begin
		c.sync()
	}
}
