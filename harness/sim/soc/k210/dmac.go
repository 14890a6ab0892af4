package k210

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// DMA controller: Synopsys's DW_axi_dmac (SDK dmac.h, Linux
// drivers/dma/dw-axi-dmac) with six channels, each with an interrupt of its own. Of its
// handshakes the n-th is what SYSCTL's DMA_SEL chooses for it.
//
// Modelled: transfers between memory and peripherals in all four combinations, with
// the DMAC as flow controller; items of 8 to 64 bits, different ones on both sides;
// transactions by hardware's and software's handshakes; linked lists, on one side or
// both; suspending and aborting; errors of decoding. Where a transaction is longer than
// what is left of a block, the rest moves item by item. A block's handshake has one level for
// both.
//
// Not modelled, and told by name as a channel is enabled: peripherals as flow
// controllers, shadow registers and reloaded blocks without a linked list, handshakes
// active low, fetching of status, addresses that are not multiples of the item. Locks have no
// effect: channels do not make each other wait, nor the harts.
//
// Time is assumed [A]: a channel reads a burst into its FIFO, then writes one from it, of no more
// than 16 items or 64 bytes. A burst takes bridgeCycles of ACLK on its way and one cycle for each
// item, or what wait.go says of an access for each item of a block. What a burst
// moves, moves as it ends; between memory and memory all bursts of some batchCycles do so
// at once. The end of a transfer is that of its last burst.
//
// The part's DMAC does not see the data caches: the SDK copies what it is to move to
// memory that harts only reach past the caches. The caches of the model hold no data, so
// a program that forgets this works here; a warning tells of it.
type dmacState struct {
	CFG              uint64
	COM_INTSTATUS    uint64
	COM_INTSTATUS_EN uint64
	COM_INTSIGNAL_EN uint64
	Request          uint64 // levels of the handshakes by number
	Channel          [dmacChannels]dmacChannel
}

const (
	dmacChannels = 6
	dmacFIFO     = 128 // bytes [A]
	dmacItems    = 16  // of the longest burst, or
	dmacBytes    = 64  // of it: half of the FIFO, so that the sides cannot block each other
	batchCycles  = 1024
)

// dmacChannel is a channel's registers, those that its present block runs by, and
// where it is.
type dmacChannel struct {
	SAR, DAR, BLOCK_TS, CTL, CFG, LLP uint64
	SWHS                              [2]uint64 // SWHSSRC, SWHSDST
	AXI_ID, AXI_QOS                   uint64
	INTSTATUS_EN, INTSTATUS           uint64
	INTSIGNAL_EN                      uint64

	Enabled   bool
	Suspend   bool // is asked for
	Suspended bool
	Invalid   bool // waits for BLK_TFR: an item of the list was not valid
	Warned    bool // of the caches in this transfer
	Phase     dmacPhase
	Turn      int // the side of the burst, or of the first one, that is under way
	Bursts    int // that are
	Item      uint64
	Side      [2]dmacSide
	FIFO      [dmacFIFO]byte
	Level     int
}

// dmacSide is the source or the destination of a block.
type dmacSide struct {
	At   uint64 // the next address
	Left uint32 // items of the block
	Owed uint32 // of these the ones of the transaction under way
}

const (
	source      = 0
	destination = 1
)

type dmacPhase uint8

const (
	dmacIdle     dmacPhase = iota
	dmacMoving             // bursts
	dmacFetching           // an item of the linked list
)

// Bits of a channel's interrupt registers.
const (
	dmBLOCK_TFR_DONE = 1 << 0
	dmDMA_TFR_DONE   = 1 << 1
	dmTRANSCOMP      = 1 << 3 // of the source, above of the destination
	dmDEC_ERR        = 1 << 5 // so
	dmLLI_RD_DEC_ERR = 1 << 9
	dmINVALID_ERR    = 1 << 13
	dmWRONCHEN_ERR   = 1 << 19
	dmSUSPENDED      = 1 << 29
	dmDISABLED       = 1 << 30
	dmABORTED        = 1 << 31

	dmInterrupts = 0xF83F7FFB
)

// Bits of CFG.
const (
	dmDMAC_EN = 1 << 0
	dmINT_EN  = 1 << 1
)

func (c *Chip) dmacReset() {
	c.DMAC = dmacState{Request: c.DMAC.Request}
	for n := range c.DMAC.Channel {
		ch := &c.DMAC.Channel[n]
		ch.INTSTATUS_EN, ch.INTSIGNAL_EN = dmInterrupts, dmInterrupts // [A]: the SDK never writes the latter
		c.Schedule(slotDMAC+n, clock.Never)
		c.dmacIRQ(n)
	}
}

// dmacIRQ brings a channel's interrupt up to date.
func (c *Chip) dmacIRQ(n int) {
	ch := &c.DMAC.Channel[n]
	c.setIRQ(irqDMAC+n, ch.INTSTATUS&ch.INTSIGNAL_EN != 0 && c.DMAC.CFG&dmINT_EN != 0)
}

// dmacStatus raises bits of a channel's INTSTATUS.
func (c *Chip) dmacStatus(n int, set uint64) {
	ch := &c.DMAC.Channel[n]
	ch.INTSTATUS |= set & ch.INTSTATUS_EN
	c.dmacIRQ(n)
}

// setDMA is the level of a handshake by its number (SDK sysctl.h, sysctl_dma_select_t).
func (c *Chip) setDMA(request int, level bool) {
	s := &c.DMAC
	if s.Request>>request&1 != 0 == level {
		return
	}
	s.Request ^= 1 << request
	if level {
		c.dmacWake()
	}
}

// dmacSelected: a choice of handshakes has changed.
func (c *Chip) dmacSelected() { c.dmacWake() }

// dmacWake lets channels that wait look whether they still have to.
func (c *Chip) dmacWake() {
	for n := range c.DMAC.Channel {
		c.dmacNext(n)
	}
}

// dmacNext begins what an idle channel has to do next.
func (c *Chip) dmacNext(n int) {
	ch := &c.DMAC.Channel[n]
	if !ch.Enabled || ch.Phase != dmacIdle || ch.Invalid || c.DMAC.CFG&dmDMAC_EN == 0 {
		return
	}
	if ch.Suspend {
		if !ch.Suspended {
			ch.Suspended = true
			c.dmacStatus(n, dmSUSPENDED)
		}
		return
	}
	side := c.dmacTurn(ch)
	if side < 0 {
		return
	}
	ch.grant(side)
	ch.Phase, ch.Turn = dmacMoving, side
	c.Schedule(slotDMAC+n, c.dmacPlan(ch))
}

// dmacTurn is the side that can move a burst, the destination first, or -1.
func (c *Chip) dmacTurn(ch *dmacChannel) int {
	for _, side := range [...]int{destination, source} {
		s := &ch.Side[side]
		if s.Left == 0 || ch.peripheral(side) && s.Owed == 0 && !c.dmacRequested(ch, side) {
			continue
		}
		bytes := ch.burst(side) << ch.width(side)
		if side == destination && ch.Level >= bytes || side == source && ch.Level+bytes <= dmacFIFO {
			return side
		}
	}
	return -1
}

// dmacRequested tells whether a peripheral asks for a transaction.
func (c *Chip) dmacRequested(ch *dmacChannel, side int) bool {
	if ch.software(side) {
		const req, single = 1 << 0, 1 << 2
		if ch.Side[side].Left < ch.msize(side) {
			return ch.SWHS[side]&(req|single) != 0
		}
		return ch.SWHS[side]&req != 0
	}
	if h := ch.handshake(side); h < dmacChannels {
		return c.DMAC.Request>>c.SYSCTL.dmaRequest(h)&1 != 0
	}
	return false
}

// grant begins a transaction, if none is under way.
func (ch *dmacChannel) grant(side int) {
	s := &ch.Side[side]
	if !ch.peripheral(side) || s.Owed != 0 {
		return
	}
	s.Owed = 1
	if s.Left >= ch.msize(side) {
		s.Owed = ch.msize(side)
	}
}

// dmacPlan decides how many bursts move at once, from that of Turn on, and returns
// the cycle at which they end.
func (c *Chip) dmacPlan(ch *dmacChannel) (end uint64) {
	ch.Bursts = 1
	end = c.dmacBurstEnd(ch, ch.Turn, c.Cycle())
	if ch.peripheral(source) || ch.peripheral(destination) {
		return end
	}
	ahead := *ch
	ahead.count(ch.Turn, ch.burst(ch.Turn))
	for end < c.Cycle()+batchCycles {
		side := c.dmacTurn(&ahead)
		if side < 0 {
			break
		}
		end = c.dmacBurstEnd(&ahead, side, end)
		ahead.count(side, ahead.burst(side))
		ch.Bursts++
	}
	return end
}

// count is what a burst does but for the data.
func (ch *dmacChannel) count(side, items int) {
	s := &ch.Side[side]
	if ch.increments(side) {
		s.At += uint64(items) << ch.width(side)
	}
	s.Left -= uint32(items)
	s.Owed -= min(s.Owed, uint32(items))
	bytes := items << ch.width(side)
	if side == destination {
		bytes = -bytes
	}
	ch.Level += bytes
}

// dmacEvent ends what a channel had begun. While bursts move, blocks may change their
// handshakes: the phase ends behind that.
func (c *Chip) dmacEvent(n int) {
	ch := &c.DMAC.Channel[n]
	if ch.Phase == dmacMoving && !c.dmacMove(n) {
		return
	}
	fetched := ch.Phase == dmacFetching
	ch.Phase = dmacIdle
	if fetched {
		c.dmacFetched(n)
	} else if ch.Side[destination].Left == 0 {
		c.dmacBlockDone(n)
	}
	c.dmacNext(n)
}

// dmacMove moves the planned bursts, unless there is an error.
func (c *Chip) dmacMove(n int) (ok bool) {
	ch := &c.DMAC.Channel[n]
	for side := ch.Turn; ch.Bursts > 0 && side >= 0; side = c.dmacTurn(ch) {
		ch.Bursts--
		if !c.dmacBurst(n, side) {
			return false
		}
	}
	return true
}

// dmacBlockDone ends a block, and the transfer unless the linked list goes on.
func (c *Chip) dmacBlockDone(n int) {
	const iocBLKTFR, last = 1 << 58, 1 << 62
	ch := &c.DMAC.Channel[n]
	if ch.CTL&iocBLKTFR != 0 {
		c.dmacStatus(n, dmBLOCK_TFR_DONE)
	}
	if ch.linked() {
		c.dmacWriteBack(n)
		if ch.CTL&last == 0 {
			c.dmacFetch(n)
			return
		}
	}
	c.dmacOff(n, dmDMA_TFR_DONE)
}

// dmacOff disables a channel.
func (c *Chip) dmacOff(n int, why uint64) {
	ch := &c.DMAC.Channel[n]
	ch.Enabled, ch.Suspend, ch.Suspended, ch.Invalid = false, false, false, false
	ch.Phase, ch.Level = dmacIdle, 0
	c.Schedule(slotDMAC+n, clock.Never)
	c.dmacStatus(n, why)
}

// dmacHalt stops the simulation for what a channel would have to do.
func (c *Chip) dmacHalt(n int, what string) {
	c.dmacOff(n, 0)
	c.halt(board.NotModelled, c.harts[max(c.hart, 0)].PC, what+" not modelled")
}
