package riscv

// This file is what cores do to each other that share memory: stores of one drop the code that
// another has decoded, and break its reservation.

// reservationSet is the bytes around an address that LR reserves. It is a line of the data cache, as in Rocket
// (rocket-chip, DCache.scala: lrscAddr is the address without the bits of the block's offset).
const reservationSet = 64

// Share makes cores know that they may have memory in common: regions of the same Data. It is called
// before any of them is given regions by Map. The cores are run by turns, never at the same time; one may be run while
// another is in a call of its Bus, CSRs, ROM, Miss or Order.
//
// A store by any of the cores, and Invalidate of any, is seen at once by the fetches of all, so
// FENCE.I has nothing to do.
func Share(cores ...*Core) {
	for _, c := range cores {
		c.sharers = cores
	}
}

// memoryOf returns what is known of the storage behind a region, which a core that shares it may have
// mapped already.
func (c *Core) memoryOf(r *Region) *memory {
	for _, k := range c.sharers {
		for _, w := range k.windows {
			if &w.Data[0] == &r.Data[0] {
				return w.mem
			}
		}
	}
	return &memory{held: map[uint64][]*block{}}
}

// reserve is what LR does. The page of a reservation is marked like one that holds code, so that stores to it take
// the slow path.
func (c *Core) reserve(addr uint64) {
	c.Reserved, c.Reservation = true, addr
	c.markReservation()
}

func (c *Core) markReservation() {
	if !c.Reserved {
		return
	}
	if w := c.windowAt(c.Reservation); w != nil {
		w.marks[(c.Reservation-w.Base)>>pageBits] = true
	}
}

// reservedIn is where in m the core holds a reservation.
func (c *Core) reservedIn(m *memory) (off uint64, ok bool) {
	if !c.Reserved {
		return 0, false
	}
	w := c.windowAt(c.Reservation)
	if w == nil || w.mem != m {
		return 0, false
	}
	return c.Reservation - w.Base, true
}

// breakReservations ends the reservations of all cores but one of what a store to size bytes at off touches.
// A core's own stores leave its reservation alone: the manual lets SC succeed after them (volume I 8.2).
func (c *Core) breakReservations(m *memory, off, size uint64, but *Core) {
	const line = ^uint64(reservationSet - 1)
	for _, k := range c.sharers {
		if at, ok := k.reservedIn(m); ok && k != but && at&line <= off+size-1 && off&line <= at {
			k.Reserved = false
		}
	}
}

// reservedPage says whether a core holds a reservation in a page of m.
func (c *Core) reservedPage(m *memory, page uint64) bool {
	for _, k := range c.sharers {
		if at, ok := k.reservedIn(m); ok && at>>pageBits == page {
			return true
		}
	}
	return false
}
