package k210

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// Offsets of the registers.
const (
	i2IER       = 0x00
	i2IRER      = 0x04
	i2ITER      = 0x08
	i2CER       = 0x0C
	i2CCR       = 0x10
	i2RXFFR     = 0x14
	i2TXFFR     = 0x18
	i2CHANNEL0  = 0x20 // and so on, by 0x40
	i2RXDMA     = 0x1C0
	i2RRXDMA    = 0x1C4
	i2TXDMA     = 0x1C8
	i2RTXDMA    = 0x1CC
	i2COMP_TYPE = 0x1FC
	i2APU       = 0x200
)

// Those of a channel.
const (
	i2LEFT  = 0x00 // LRBR, LTHR
	i2RIGHT = 0x04 // RRBR, RTHR
	i2RER   = 0x08
	i2TER   = 0x0C
	i2RCR   = 0x10
	i2TCR   = 0x14
	i2ISR   = 0x18
	i2IMR   = 0x1C
	i2ROR   = 0x20
	i2TOR   = 0x24
	i2RFCR  = 0x28
	i2TFCR  = 0x2C
	i2RFF   = 0x30
	i2TFF   = 0x34
)

// i2sDevice is the registers of one I2S.
type i2sDevice struct {
	*Chip
	n int
}

func (d i2sDevice) name() string { return fmt.Sprintf("I2S%d", d.n) }

func (d i2sDevice) loadWord(off uint32) (uint32, bus.Fault) {
	v, f := d.register(off)
	d.i2sUpdate(d.n)
	return v, f
}

func (d i2sDevice) storeWord(off, v uint32) bus.Fault {
	f := d.setRegister(off, v)
	d.i2sUpdate(d.n)
	return f
}

// channel is that of an offset, with the register's in it.
func (s *i2sState) channel(off uint32) (ch *i2sChannel, reg uint32) {
	if n := (off - i2CHANNEL0) >> 6; off >= i2CHANNEL0 && n < i2sChannels {
		return &s.Channel[n], (off - i2CHANNEL0) & 0x3F
	}
	return nil, 0
}

func (d i2sDevice) register(off uint32) (uint32, bus.Fault) {
	s := &d.I2S[d.n]
	if ch, reg := s.channel(off); ch != nil {
		return d.loadChannel(ch, reg, off)
	}
	switch off {
	case i2IER:
		return s.IER, bus.None
	case i2IRER:
		return s.IRER, bus.None
	case i2ITER:
		return s.ITER, bus.None
	case i2CER:
		return s.CER, bus.None
	case i2CCR:
		return s.CCR, bus.None
	case i2RXDMA:
		return d.receiveWord(), bus.None
	case i2COMP_TYPE:
		return 0x445701A0, bus.None
	case i2RXFFR, i2TXFFR, i2TXDMA, i2RRXDMA, i2RTXDMA: // cannot be read
		return 0, bus.None
	}
	return 0, d.other(off)
}

// other answers for what is no register of the I2S itself: at the first one's there is
// the beamformer.
func (d i2sDevice) other(off uint32) bus.Fault {
	if d.n == 0 && off >= i2APU {
		return d.unknown("APU", off-i2APU)
	}
	return d.unknown(d.name(), off)
}

func (d i2sDevice) loadChannel(ch *i2sChannel, reg, off uint32) (uint32, bus.Fault) {
	if r := ch.register(reg); r != nil {
		return *r, bus.None
	}
	switch reg {
	case i2LEFT:
		return d.left(ch), bus.None
	case i2RIGHT:
		return d.right(ch), bus.None
	case i2ISR:
		return ch.status(), bus.None
	case i2ROR:
		v := oneIf(ch.RXFO)
		ch.RXFO = false
		return v, bus.None
	case i2TOR:
		v := oneIf(ch.TXFO)
		ch.TXFO = false
		return v, bus.None
	case i2RFF, i2TFF:
		return 0, bus.None
	}
	return 0, d.other(off)
}

// register is one that keeps what is written, or nil.
func (ch *i2sChannel) register(reg uint32) *uint32 {
	switch reg {
	case i2RER:
		return &ch.RER
	case i2TER:
		return &ch.TER
	case i2RCR:
		return &ch.RCR
	case i2TCR:
		return &ch.TCR
	case i2IMR:
		return &ch.IMR
	case i2RFCR:
		return &ch.RFCR
	case i2TFCR:
		return &ch.TFCR
	}
	return nil
}

// left reads the left word of the oldest pair, right the other one, which takes the pair away.
func (d i2sDevice) left(ch *i2sChannel) uint32 {
	if ch.RX.Len == 0 {
		d.warn("%s: read without data", d.name())
		return 0
	}
	return ch.RX.front()[0]
}

func (d i2sDevice) right(ch *i2sChannel) uint32 {
	if ch.RX.Len == 0 {
		d.warn("%s: read without data", d.name())
		return 0
	}
	v := ch.RX.front()[1]
	ch.RX.pop()
	return v
}

// send is a write to the left or the right word; the right one completes the pair.
func (ch *i2sChannel) send(side int, v uint32) {
	if side == 0 {
		ch.LTHR = v
	} else if !ch.TX.push(i2sPair{ch.LTHR, v}) {
		ch.TXFO = true
	}
}

// receiveWord is a read of RXDMA: the words of the channels that are enabled by turns, or, with
// DMA_DIVIDE_16, whole pairs.
func (d i2sDevice) receiveWord() uint32 {
	s := &d.I2S[d.n]
	ch := s.turn(&s.RXDMA, s.receives)
	if ch == nil {
		d.warn("%s.RXDMA read while no channel receives", d.name())
		return 0
	}
	side := s.RXDMA & 1
	if s.CCR&ccrDMA_DIVIDE_16 != 0 {
		s.step(&s.RXDMA, 2, s.receives)
		return d.left(ch)&0xFFFF | d.right(ch)<<16
	}
	s.step(&s.RXDMA, 1, s.receives)
	if side == 0 {
		return d.left(ch)
	}
	return d.right(ch)
}

// sendWord is a write to TXDMA.
func (d i2sDevice) sendWord(v uint32) {
	s := &d.I2S[d.n]
	ch := s.turn(&s.TXDMA, s.sends)
	if ch == nil {
		d.warn("%s.TXDMA written while no channel sends", d.name())
		return
	}
	side := s.TXDMA & 1
	if s.CCR&ccrDMA_DIVIDE_16 != 0 {
		s.step(&s.TXDMA, 2, s.sends)
		ch.send(0, v&0xFFFF)
		ch.send(1, v>>16)
		return
	}
	s.step(&s.TXDMA, 1, s.sends)
	ch.send(side, v)
}

// turn is the channel whose word is next, behind those that do not take part; nil if none does.
func (s *i2sState) turn(next *int, takesPart func(*i2sChannel) bool) *i2sChannel {
	for range i2sChannels {
		if ch := &s.Channel[*next/2]; takesPart(ch) {
			return ch
		}
		*next = (*next/2*2 + 2) % (2 * i2sChannels)
	}
	return nil
}

// step goes on by words, and past channels that do not take part.
func (s *i2sState) step(next *int, words int, takesPart func(*i2sChannel) bool) {
	*next = (*next + words) % (2 * i2sChannels)
	for *next != 0 && !takesPart(&s.Channel[*next/2]) {
		*next = (*next/2*2 + 2) % (2 * i2sChannels)
	}
}

func (d i2sDevice) setRegister(off, v uint32) bus.Fault {
	s := &d.I2S[d.n]
	if ch, reg := s.channel(off); ch != nil {
		return d.storeChannel(ch, reg, off, v)
	}
	switch off {
	case i2IER:
		if s.IER = v & 1; s.IER == 0 {
			s.flush(func(ch *i2sChannel) { ch.RX.Len, ch.TX.Len = 0, 0 })
		}
		d.i2sClock(d.n)
	case i2IRER:
		s.IRER = v & 1
	case i2ITER:
		s.ITER = v & 1
	case i2CER:
		s.CER = v & 1
		d.i2sClock(d.n)
	case i2CCR:
		return d.configureI2S(v)
	case i2RXFFR:
		s.flush(func(ch *i2sChannel) { ch.RX.Len = 0 })
	case i2TXFFR:
		s.flush(func(ch *i2sChannel) { ch.TX.Len = 0 })
	case i2TXDMA:
		d.sendWord(v)
	case i2RRXDMA:
		s.RXDMA = 0
	case i2RTXDMA:
		s.TXDMA = 0
	case i2RXDMA, i2COMP_TYPE: // cannot be written
	default:
		return d.other(off)
	}
	return bus.None
}

func (s *i2sState) flush(f func(*i2sChannel)) {
	for i := range s.Channel {
		f(&s.Channel[i])
	}
}

// configureI2S is a write to CCR.
func (d i2sDevice) configureI2S(v uint32) bus.Fault {
	const gate, wordSize = 7, 3 << 3
	if v&gate != 0 {
		return d.lack(d.name() + ".CCR with gated SCLK")
	}
	s := &d.I2S[d.n]
	old := s.CCR
	s.CCR = v & ccrBits
	if (v^old)&wordSize != 0 {
		d.i2sRestart(d.n)
	}
	return bus.None
}

func (d i2sDevice) storeChannel(ch *i2sChannel, reg, off, v uint32) bus.Fault {
	if r := ch.register(reg); r != nil {
		*r = v & i2sWritable(reg)
		return bus.None
	}
	switch reg {
	case i2LEFT:
		ch.send(0, v)
	case i2RIGHT:
		ch.send(1, v)
	case i2RFF:
		if v&1 != 0 {
			ch.RX.Len = 0
		}
	case i2TFF:
		if v&1 != 0 {
			ch.TX.Len = 0
		}
	case i2ISR, i2ROR, i2TOR: // cannot be written
	default:
		return d.other(off)
	}
	return bus.None
}

func i2sWritable(reg uint32) uint32 {
	switch reg {
	case i2RER, i2TER:
		return 1
	case i2RCR, i2TCR:
		return 7
	case i2IMR:
		return i2sInterrupts
	}
	return 15 // thresholds
}

// foreseeLoad: reading data and overruns has effects.
func (d i2sDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	_, reg := d.I2S[d.n].channel(off)
	return steady(words{d}, off, width, width == 4 && off >= i2CHANNEL0 && off < i2RXDMA && reg == i2ISR)
}
