package k210

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// High-speed UART, the console and the boot ROM's (SiFive FE310-G000 Manual, UART;
// SDK uarths.h): 8 data bits, no parity, 1 or 2 stop bits, FIFOs of eight, a bit lasts DIV+1
// cycles of ACLK.
//
// What the manual leaves open is as in the source of SiFive's blocks (UARTTx.scala,
// UARTRx.scala). The transmitter takes a byte out of the FIFO one bit ahead of its start bit.
// The receiver believes in a start bit that is low for four cycles, takes
// the majority of three samples around 7/16 of a bit, here the middle one, and is done at 9/16
// of the stop bit, at which it does not look: there are no framing errors, and a line that
// stays low gives zeros. What finds the FIFO full is lost.
type uarthsState struct {
	TXCTRL, RXCTRL uint32
	IE, DIV        uint32
	TxFIFO, RxFIFO uartFIFO
	Tx             uartSender
	Rx             uartReceiver
}

const (
	uarthsDepth    = 8
	uarthsDebounce = 4 // cycles

	uhTXDATA = 0x00
	uhRXDATA = 0x04
	uhTXCTRL = 0x08
	uhRXCTRL = 0x0C
	uhIE     = 0x10
	uhIP     = 0x14
	uhDIV    = 0x18

	uhFULL  = 1 << 31 // of TXDATA; of RXDATA it means empty
	uhEN    = 1 << 0
	uhNSTOP = 1 << 1
	uhTXWM  = 1 << 0
	uhRXWM  = 1 << 1
)

const (
	slotUARTHSTx = slotUARTHS + iota
	slotUARTHSRx
)

func (c *Chip) uarthsReset() {
	c.UARTHS = uarthsState{Rx: uartReceiver{Level: c.in(fnUARTHS_RX)}}
	c.Schedule(slotUARTHSTx, clock.Never)
	c.Schedule(slotUARTHSRx, clock.Never)
	c.setOut(fnUARTHS_TX, true, true)
	c.uarthsUpdate()
}

// uarthsClockChanged: its bits are cycles.
func (c *Chip) uarthsClockChanged() {}

// bit is the duration of a bit in cycles.
func (s *uarthsState) bit() uint64 { return uint64(s.DIV) + 1 }

// ip is the pending bits, which are levels.
func (s *uarthsState) ip() (v uint32) {
	if uint32(s.TxFIFO.N) < s.TXCTRL>>16&7 {
		v |= uhTXWM
	}
	if uint32(s.RxFIFO.N) > s.RXCTRL>>16&7 {
		v |= uhRXWM
	}
	return v
}

func (c *Chip) uarthsUpdate() { c.setIRQ(irqUARTHS, c.UARTHS.ip()&c.UARTHS.IE != 0) }

// uarthsStart begins to send if the transmitter is idle and may.
func (c *Chip) uarthsStart() {
	s := &c.UARTHS
	if s.Tx.Busy || s.TxFIFO.N == 0 || s.TXCTRL&uhEN == 0 {
		return
	}
	b := s.TxFIFO.take()
	s.Tx = uartSender{
		Busy:  true,
		Start: c.Cycle(),
		Bit:   s.bit(),
		Frame: 1 | uint64(b)<<2 | stopBits<<10, // a bit ahead, start, data, stop
		Half:  20 + uint64(s.TXCTRL&uhNSTOP),
	}
	if c.opt.Sent != nil {
		c.opt.Sent(0, byte(b))
	}
	c.Schedule(slotUARTHSTx, s.Tx.end())
	c.followEdges()
}

// uarthsEdge is the next edge of the output that someone sees.
func (c *Chip) uarthsEdge() uint64 {
	if !c.UARTHS.Tx.Busy || !c.functionSeen(fnUARTHS_TX) {
		return clock.Never
	}
	return c.UARTHS.Tx.edge(c.Cycle())
}

// uarthsCatchUp brings the output to where it is now.
func (c *Chip) uarthsCatchUp() {
	if s := &c.UARTHS.Tx; s.Busy {
		c.setOut(fnUARTHS_TX, s.level(c.Cycle()), true)
	}
}

// uarthsEvent handles the ends of frames.
func (c *Chip) uarthsEvent(slot int) {
	s := &c.UARTHS
	switch slot {
	case slotUARTHSTx:
		s.Tx.Busy = false
		c.setOut(fnUARTHS_TX, true, true)
		c.uarthsStart()
	case slotUARTHSRx:
		c.uarthsReceived()
	}
	c.uarthsUpdate()
}

// uarthsInput takes an edge of RX at a cycle.
func (c *Chip) uarthsInput(high bool, at uint64) {
	r := &c.UARTHS.Rx
	r.take(at)
	r.Level = high
	switch {
	case !high && !r.Busy:
		c.uarthsBegin(at)
	case high && r.Busy && at < r.Start:
		r.Busy = false // shorter than debouncing takes
		c.Schedule(slotUARTHSRx, clock.Never)
	}
}

// uarthsBegin is a low level while the receiver is idle.
func (c *Chip) uarthsBegin(at uint64) {
	s := &c.UARTHS
	if s.RXCTRL&uhEN == 0 {
		return
	}
	s.Rx.begin(at+uarthsDebounce, s.bit(), 7*s.bit()/16, 9)
	c.Schedule(slotUARTHSRx, s.Rx.Start+9*s.bit()+9*s.bit()/16)
}

// uarthsReceived is the end of a frame.
func (c *Chip) uarthsReceived() {
	s := &c.UARTHS
	s.Rx.take(c.Cycle() + 1)
	s.Rx.Busy = false
	if s.RxFIFO.N < uarthsDepth {
		s.RxFIFO.put(uint16(byte(s.Rx.Frame >> 1)))
	} else if c.ios[fnUARTHS_RX] != 0 { // without an IO its input is low, which is nobody's byte
		c.warn("UARTHS: a byte was received while the FIFO was full, and lost")
	}
	if !s.Rx.Level {
		c.uarthsBegin(c.Cycle())
	}
}

// uarthsDevice is the block's registers.
type uarthsDevice struct{ *Chip }

func (d uarthsDevice) loadWord(off uint32) (uint32, bus.Fault) {
	s := &d.UARTHS
	switch off {
	case uhTXDATA:
		if s.TxFIFO.N >= uarthsDepth {
			return uhFULL, bus.None
		}
		return 0, bus.None
	case uhRXDATA:
		if s.RxFIFO.N == 0 {
			return uhFULL, bus.None
		}
		v := uint32(s.RxFIFO.take())
		d.uarthsUpdate()
		return v, bus.None
	case uhTXCTRL:
		return s.TXCTRL, bus.None
	case uhRXCTRL:
		return s.RXCTRL, bus.None
	case uhIE:
		return s.IE, bus.None
	case uhIP:
		return s.ip(), bus.None
	case uhDIV:
		return s.DIV, bus.None
	}
	return 0, d.unknown("UARTHS", off)
}

func (d uarthsDevice) storeWord(off, v uint32) bus.Fault {
	s := &d.UARTHS
	switch off {
	case uhTXDATA:
		d.uarthsWrite(byte(v))
	case uhTXCTRL:
		s.TXCTRL = v & (7<<16 | uhNSTOP | uhEN)
		d.uarthsStart()
	case uhRXCTRL:
		s.RXCTRL = v & (7<<16 | uhEN)
	case uhIE:
		s.IE = v & (uhTXWM | uhRXWM)
	case uhDIV:
		s.DIV = v & 0xFFFF
	case uhRXDATA, uhIP: // cannot be written
	default:
		return d.unknown("UARTHS", off)
	}
	d.uarthsUpdate()
	return bus.None
}

// uarthsWrite is a store to TXDATA. A full FIFO loses the byte.
func (c *Chip) uarthsWrite(b byte) {
	if c.UARTHS.TxFIFO.N >= uarthsDepth {
		c.warn("UARTHS: a byte is stored to a full transmit FIFO and lost")
		return
	}
	c.UARTHS.TxFIFO.put(uint16(b))
	c.uarthsStart()
}

// foreseeLoad: reading a byte has an effect, looking for one has not.
func (d uarthsDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	has := width <= 4 && off <= uhDIV && (off != uhRXDATA || d.UARTHS.RxFIFO.N == 0)
	return steady(words{d}, off, width, has)
}
