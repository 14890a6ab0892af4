package k210

import (
	"encoding/binary"
	"fmt"

	"rigor/harness/sim/bus"
)

// The fields of a channel that concern a side lie at different places.

func (ch *dmacChannel) width(side int) int { return int(ch.CTL >> (8 + 3*side) & 7) }

func (ch *dmacChannel) increments(side int) bool { return ch.CTL>>(4+2*side)&1 == 0 }

// msize is how many items a transaction has.
func (ch *dmacChannel) msize(side int) uint32 {
	if n := ch.CTL >> (14 + 4*side) & 15; n != 0 {
		return 2 << n
	}
	return 1
}

// limit is what ARLEN or AWLEN allow for a burst.
func (ch *dmacChannel) limit(side int) int {
	if f := ch.CTL >> (38 + 9*side); f&1 != 0 {
		return int(f>>1&0xFF) + 1
	}
	return dmacItems
}

// peripheral tells what TT_FC says of a side: 1 memory to peripheral, 2 peripheral to
// memory, 3 between peripherals.
func (ch *dmacChannel) peripheral(side int) bool {
	if side == source {
		return ch.CFG>>33&1 != 0
	}
	return ch.CFG>>32&1 != 0
}

func (ch *dmacChannel) software(side int) bool { return ch.CFG>>(35+side)&1 != 0 }

func (ch *dmacChannel) activeLow(side int) bool { return ch.CFG>>(37+side)&1 != 0 }

func (ch *dmacChannel) handshake(side int) int { return int(ch.CFG >> (39 + 5*side) & 15) }

// Where a block's address is from.
const (
	dmacContiguous = iota
	dmacReload
	dmacShadow
	dmacList
)

func (ch *dmacChannel) multiBlock(side int) int { return int(ch.CFG >> (2 * side) & 3) }

func (ch *dmacChannel) linked() bool {
	return ch.multiBlock(source) == dmacList || ch.multiBlock(destination) == dmacList
}

// burst is how many items the next burst of a side has.
func (ch *dmacChannel) burst(side int) int {
	s := &ch.Side[side]
	n := min(s.Left, uint32(ch.limit(side)), dmacItems, dmacBytes>>ch.width(side))
	switch {
	case s.Owed != 0:
		n = min(n, s.Owed)
	case !ch.peripheral(side) || s.Left >= ch.msize(side):
		n = min(n, ch.msize(side))
	default:
		n = 1
	}
	return int(n)
}

// problem names what of a block is not modelled, if anything.
func (ch *dmacChannel) problem() string {
	const stat = 3 << 56
	switch {
	case ch.CFG>>34&1 != 0:
		return "a peripheral as flow controller"
	case ch.CTL&stat != 0:
		return "fetching of status"
	case ch.multiBlock(source) == dmacShadow || ch.multiBlock(destination) == dmacShadow:
		return "shadow registers"
	case !ch.linked() && (ch.multiBlock(source) == dmacReload || ch.multiBlock(destination) == dmacReload):
		return "reloaded blocks without a linked list"
	}
	for side := range ch.Side {
		switch {
		case ch.width(side) > 3:
			return "items of more than 64 bits"
		case ch.CTL>>(14+4*side)&15 > 9:
			return "a reserved length of transactions"
		case ch.peripheral(side) && !ch.software(side) && ch.activeLow(side):
			return "a handshake that is active low"
		}
	}
	return ""
}

// misplaced names what is wrong with a block's addresses and size.
func (ch *dmacChannel) misplaced() string {
	bytes := (ch.BLOCK_TS + 1) << ch.width(source)
	for side := range ch.Side {
		if mask := uint64(1)<<ch.width(side) - 1; ch.Side[side].At&mask != 0 || bytes&mask != 0 {
			return "an address or a size of a block that is no multiple of the item"
		}
	}
	return ""
}

// dmacEnable begins a transfer.
func (c *Chip) dmacEnable(n int) bus.Fault {
	ch := &c.DMAC.Channel[n]
	if what := ch.problem(); what != "" {
		return c.lack(fmt.Sprintf("DMAC channel %d with %s", n, what))
	}
	ch.Enabled, ch.Warned, ch.Level = true, false, 0
	ch.Side[source], ch.Side[destination] = dmacSide{At: ch.SAR}, dmacSide{At: ch.DAR}
	if ch.linked() {
		c.dmacFetch(n)
		return bus.None
	}
	if what := ch.misplaced(); what != "" {
		ch.Enabled = false
		return c.lack(fmt.Sprintf("DMAC channel %d with %s", n, what))
	}
	ch.beginBlock()
	c.dmacNext(n)
	return bus.None
}

func (ch *dmacChannel) beginBlock() {
	items := uint32(ch.BLOCK_TS) + 1
	ch.Side[source].Left = items
	ch.Side[destination].Left = items << ch.width(source) >> ch.width(destination)
}

// completed is the STATUS register: how many items of the source have been moved. [A]
func (ch *dmacChannel) completed() uint64 {
	if !ch.Enabled {
		return 0
	}
	left := uint64(ch.Side[destination].Left) << ch.width(destination) >> ch.width(source)
	return (ch.BLOCK_TS + 1 - left) & 0x3FFFFF
}

// An item of a linked list has 64 bytes (SDK dmac.h, dmac_lli_item_t).
const (
	lliSAR      = 0
	lliDAR      = 8
	lliBLOCK_TS = 16
	lliLLP      = 24
	lliCTL      = 32
	lliSize     = 64

	lliVALID = 1 << 63
)

// dmacFetch reads the item that LLP points to.
func (c *Chip) dmacFetch(n int) {
	ch := &c.DMAC.Channel[n]
	ch.Item = ch.LLP &^ 63
	ch.Phase = dmacFetching
	c.Schedule(slotDMAC+n, c.Cycle()+bridgeCycles+lliSize/8)
}

// dmacFetched begins the block of an item.
func (c *Chip) dmacFetched(n int) {
	ch := &c.DMAC.Channel[n]
	m := c.dmacRAM(ch.Item, lliSize)
	if m == nil {
		c.warn("DMAC channel %d: no memory at 0x%x for an item of the linked list", n, ch.Item)
		c.dmacOff(n, dmLLI_RD_DEC_ERR)
		return
	}
	c.dmacCached(n, "reads", ch.Item, lliSize)
	c.track.Loaded(uint32(ch.Item), lliSize)
	field := func(off int) uint64 { return binary.LittleEndian.Uint64(m[off:]) }
	if field(lliCTL)&lliVALID == 0 {
		ch.Invalid = true
		c.dmacStatus(n, dmINVALID_ERR)
		return
	}
	ch.CTL, ch.LLP, ch.BLOCK_TS = field(lliCTL), field(lliLLP), field(lliBLOCK_TS)&0x3FFFFF
	for side, reg := range [...]*uint64{&ch.SAR, &ch.DAR} {
		switch ch.multiBlock(side) {
		case dmacList:
			*reg = field(lliSAR + 8*side)
			ch.Side[side].At = *reg
		case dmacReload:
			ch.Side[side].At = *reg
		}
	}
	what := ch.problem()
	if what == "" {
		what = ch.misplaced()
	}
	if what != "" {
		c.dmacHalt(n, fmt.Sprintf("DMAC channel %d: an item of the linked list with %s", n, what))
		return
	}
	ch.beginBlock()
}

// dmacWriteBack marks an item of the list as used: the DMAC clears its valid bit. It takes
// no time of its own. [A]
func (c *Chip) dmacWriteBack(n int) {
	ch := &c.DMAC.Channel[n]
	if m := c.dmacRAM(ch.Item, lliSize); m != nil {
		binary.LittleEndian.PutUint64(m[lliCTL:], ch.CTL&^uint64(lliVALID))
		c.ramChanged(uint32(ch.Item)+lliCTL, 8)
	}
}
