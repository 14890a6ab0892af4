package k210

import (
	"rigor/harness/sim/clock"
)

// I2S: Synopsys's DW_apb_i2s (SDK i2s.h) as Canaan changed it, with four stereo channels of one
// transmitter and one receiver each, all on one clock, of which it is the master.
//
// Modelled: frames of two slots of 16, 24 or 32 SCLKs, resolutions of 12 to 32 bits, the
// three alignments, FIFOs of 16 pairs with their thresholds and overruns, DMA with the
// division of words in two, and the interrupt. SCLK is what SYSCTL divides from PLL2.
//
// Frames are moved as a whole: of the lines only WS is seen on its pin, SCLK and data are
// not. What is sent nobody hears. What is received is a microphone's (i2s_mic.go), and else 0.
// Not modelled: gated SCLK, MCLK, the beamformer (APU), and what happens
// when SCLK is slower than the block can be fed.
//
// Assumed [A]: the clock's change begins a new frame; a pair is in the receive FIFO when its
// frame ends, and out of the transmit FIFO when its frame begins; with an empty FIFO zeros
// are sent; a register of a receiver that is read without data gives 0.
type i2sState struct {
	IER, IRER, ITER, CER, CCR uint32
	Channel                   [i2sChannels]i2sChannel
	RXDMA, TXDMA              int // the next word: twice the channel, and one for the right slot

	Running bool
	SCLK    clock.Timeline // whose cycle 0 is the first frame's
	Slots   uint64         // that have begun
}

const (
	i2sChannels = 4
	i2sDepth    = 16
)

// i2sChannel is a transmitter and a receiver.
type i2sChannel struct {
	RER, TER, RCR, TCR, IMR, RFCR, TFCR uint32

	RXFO, TXFO bool
	RX, TX     i2sFIFO
	Receiving  bool    // since the frame's begin
	In         i2sPair // of the frame
	LTHR       uint32  // waits for the right slot's
}

// i2sPair is what both slots hold, the left one first.
type i2sPair [2]uint32

// i2sFIFO is a queue of pairs.
type i2sFIFO struct {
	Pair [i2sDepth]i2sPair
	Head int
	Len  int
}

func (q *i2sFIFO) push(p i2sPair) (ok bool) {
	if q.Len == i2sDepth {
		return false
	}
	q.Pair[(q.Head+q.Len)%i2sDepth] = p
	q.Len++
	return true
}

func (q *i2sFIFO) front() *i2sPair { return &q.Pair[q.Head] }

func (q *i2sFIFO) pop() {
	q.Head = (q.Head + 1) % i2sDepth
	q.Len--
}

// Bits of CCR: CLK_GATE is in bits 2:0, CLK_WORD_SIZE in 4:3, ALIGN_MODE in 7:5.
const (
	ccrDMA_TX_EN     = 1 << 8
	ccrDMA_RX_EN     = 1 << 9
	ccrDMA_DIVIDE_16 = 1 << 10
	ccrSIGN_EXPAND   = 1 << 11

	ccrBits = 1<<12 - 1
)

// Bits of ISR and IMR.
const (
	i2sRXDA = 1 << 0
	i2sRXFO = 1 << 1
	i2sTXFE = 1 << 4
	i2sTXFO = 1 << 5

	i2sInterrupts = i2sRXDA | i2sRXFO | i2sTXFE | i2sTXFO
)

// Handshakes and functions of I2S0; those of the others follow at the same distance.
const (
	dmaI2S0_TX = 25 // one above it is RX; two to the next
	fnI2S_SCLK = fnI2S0_MCLK + 1
	fnI2S_WS   = fnI2S0_MCLK + 2
	fnI2S_IN   = fnI2S0_MCLK + 3 // four
	i2sFns     = 11              // of each I2S
)

func (c *Chip) i2sReset(n int) {
	s := &c.I2S[n]
	*s = i2sState{}
	for i := range s.Channel {
		s.Channel[i] = i2sChannel{RER: 1, TER: 1, IMR: i2sInterrupts}
	}
	c.ScheduleAt(slotI2S+2*n, clock.NeverTime)
	c.setOut(fnI2S_SCLK+i2sFns*n, false, true)
	c.setOut(fnI2S_WS+i2sFns*n, false, true)
	c.i2sUpdate(n)
}

// slotSCLKs is how long a slot is.
func (s *i2sState) slotSCLKs() uint64 { return 16 + 8*min(uint64(s.CCR>>3&3), 2) }

// i2sClockChanged: a change of SYSCTL's clocks.
func (c *Chip) i2sClockChanged() {
	for n := range c.I2S {
		c.i2sClock(n)
	}
}

// i2sClock starts and stops frames, and begins anew when SCLK has become another.
func (c *Chip) i2sClock(n int) {
	s := &c.I2S[n]
	hz := c.i2sHz(n)
	on := s.IER&1 != 0 && s.CER&1 != 0 && c.SYSCTL.CLK_EN_PERI>>(10+n)&1 != 0
	if on && hz == 0 {
		c.warn("I2S%d is enabled without SCLK: PLL2 does not run", n)
	}
	on = on && hz != 0
	switch {
	case !on && s.Running:
		s.Running = false
		c.ScheduleAt(slotI2S+2*n, clock.NeverTime)
	case on && (!s.Running || hz != s.SCLK.Hz()):
		s.Running, s.Slots = true, 0
		s.SCLK = clock.NewTimeline(0, c.Time(), hz)
		c.ScheduleAt(slotI2S+2*n, c.Time())
	}
}

// i2sRestart begins a new frame: the length of slots has changed.
func (c *Chip) i2sRestart(n int) {
	c.I2S[n].Running = false
	c.i2sClock(n)
}

// i2sEvent is an edge of WS: a slot ends, and the next one begins.
func (c *Chip) i2sEvent(slot int) {
	n := (slot - slotI2S) / 2
	s := &c.I2S[n]
	right := int(s.Slots & 1)
	at := s.SCLK.Time(s.Slots * s.slotSCLKs())
	if right == 0 {
		s.frame()
	}
	for i := range s.Channel {
		if ch := &s.Channel[i]; ch.Receiving {
			ch.In[right] = s.receive(ch.RCR, c.microphone(n, i, right, at))
		}
	}
	c.setOut(fnI2S_WS+i2sFns*n, right == 1, true)
	s.Slots++
	c.ScheduleAt(slotI2S+2*n, s.SCLK.Time(s.Slots*s.slotSCLKs()))
	c.i2sUpdate(n)
}

// frame ends a frame and begins the next one.
func (s *i2sState) frame() {
	for i := range s.Channel {
		ch := &s.Channel[i]
		if ch.Receiving && !ch.RX.push(ch.In) {
			ch.RXFO = true
		}
		ch.Receiving = s.receives(ch)
		if s.sends(ch) && ch.TX.Len > 0 {
			ch.TX.pop()
		}
	}
}

func (s *i2sState) receives(ch *i2sChannel) bool { return s.IER&s.IRER&ch.RER&1 != 0 }

func (s *i2sState) sends(ch *i2sChannel) bool { return s.IER&s.ITER&ch.TER&1 != 0 }

// receive takes a word out of a slot. The slot's bits come from bit 63 of the stream on, of
// which the first is what I2S's standard alignment leaves out.
func (s *i2sState) receive(rcr uint32, stream uint64) uint32 {
	slot := uint32(s.slotSCLKs())
	bits := min(resolution(rcr), slot)
	switch s.CCR >> 5 & 7 {
	case 2: // right-justified
		stream <<= slot - bits
	case 4: // left-justified
	default:
		stream <<= 1
	}
	if s.CCR&ccrSIGN_EXPAND != 0 {
		return uint32(int64(stream) >> (64 - bits))
	}
	return uint32(stream >> (64 - bits))
}

// resolution is what RCR says of a word's bits; 0 leaves them all.
func resolution(rcr uint32) uint32 {
	return [8]uint32{32, 12, 16, 20, 24, 32, 32, 32}[rcr&7]
}

// status is a channel's ISR.
func (ch *i2sChannel) status() uint32 {
	v := oneIf(ch.RXFO)*i2sRXFO | oneIf(ch.TXFO)*i2sTXFO
	if uint32(ch.RX.Len) > ch.RFCR {
		v |= i2sRXDA
	}
	if uint32(ch.TX.Len) <= ch.TFCR {
		v |= i2sTXFE
	}
	return v
}

// i2sUpdate brings interrupt and handshakes up to date.
func (c *Chip) i2sUpdate(n int) {
	s := &c.I2S[n]
	var irq uint32
	for i := range s.Channel {
		irq |= s.Channel[i].status() &^ s.Channel[i].IMR
	}
	c.setIRQ(irqI2S0+n, irq != 0)
	c.setDMA(dmaI2S0_TX+2*n, s.CCR&ccrDMA_TX_EN != 0 && s.wants(s.sends, s.TXDMA, i2sTXFE))
	c.setDMA(dmaI2S0_TX+2*n+1, s.CCR&ccrDMA_RX_EN != 0 && s.wants(s.receives, s.RXDMA, i2sRXDA))
}

// wants tells whether a side asks the DMAC for a word: when all channels that take
// part have reached their thresholds, and until the round that has begun is over. [A]
func (s *i2sState) wants(takesPart func(*i2sChannel) bool, next int, reached uint32) bool {
	any := false
	for i := range s.Channel {
		ch := &s.Channel[i]
		if !takesPart(ch) {
			continue
		}
		if any = true; next != 0 && next/2 >= i {
			return true
		}
		if ch.status()&reached == 0 {
			return false
		}
	}
	return any
}
