package esp32c3

import "slices"

// qsort of the ROM: insertion with a binary search, for the program's function is
// what compares. What it has to know is in a frame on the stack, as that function may
// sort, too.
const (
	sortRet  = 0
	sortBase = 4
	sortN    = 8
	sortSize = 12
	sortFunc = 16
	sortItem = 20 // that is inserted among those before it,
	sortLow  = 24 // from here
	sortHigh = 28 // to here
	sortEnd  = 32
)

func romQsort(c *Chip) {
	s := &c.core.State
	if c.arg(1) < 2 || c.arg(2) == 0 {
		c.romReturn(0)
		return
	}
	frame := uint32(s.X[2]) - sortEnd
	for i, v := range []uint32{uint32(s.X[1]), c.arg(0), c.arg(1), c.arg(2), c.arg(3), 1, 0, 1} {
		c.romPut32(frame+4*uint32(i), v)
	}
	s.X[2] = signed(frame)
	c.romSortCompare(frame)
}

// romSortCompare has the program compare the item with the middle one.
func (c *Chip) romSortCompare(frame uint32) {
	s, word := &c.core.State, func(off uint32) uint32 { return c.romGet32(frame + off) }
	base, size := word(sortBase), word(sortSize)
	s.X[10] = signed(base + word(sortItem)*size)
	s.X[11] = signed(base + (word(sortLow)+word(sortHigh))/2*size)
	s.X[1] = romBase + romSortStep
	s.PC = uint64(word(sortFunc))
}

// romSortOn goes on when the program has compared.
func romSortOn(c *Chip) {
	s := &c.core.State
	frame := uint32(s.X[2])
	item, low, high := c.romGet32(frame+sortItem), c.romGet32(frame+sortLow), c.romGet32(frame+sortHigh)
	if mid := (low + high) / 2; int32(c.arg(0)) < 0 {
		high = mid
	} else {
		low = mid + 1
	}
	if low >= high {
		c.romInsert(frame, item, low)
		item++
		low, high = 0, item
	}
	c.romPut32(frame+sortItem, item)
	c.romPut32(frame+sortLow, low)
	c.romPut32(frame+sortHigh, high)
	if item < c.romGet32(frame+sortN) {
		c.romSortCompare(frame)
		return
	}
	s.X[1] = uint64(c.romGet32(frame + sortRet))
	s.X[2] = signed(frame + sortEnd)
	c.romReturn(0)
}

// romInsert moves an item down to its place.
func (c *Chip) romInsert(frame, item, place uint32) {
	size := min(c.romGet32(frame+sortSize), romMost)
	at := c.romGet32(frame+sortBase) + place*size
	items := slices.Clone(c.romBytes(at, min((item-place+1)*size, romMost)))
	if uint32(len(items)) <= size {
		return
	}
	last := items[uint32(len(items))-size:]
	c.romPut(at, slices.Concat(last, items[:uint32(len(items))-size]))
}
