package esp32c3

import "rigor/harness/sim/clock"

// The transmitter and the FIFOs (TRM UART Controller, UART Data Frame and RAM).

// The RAM holds four rings of 128 bytes by default: what UART0 and UART1 send,
// and what they receive. TX_SIZE and RX_SIZE extend a ring over its successors.
const (
	uartRAMSize  = 512
	uartRingSize = 128
)

// base is where a ring begins; first is UART0's of the same kind.
func (u uart) base(first uint16) uint16 { return first + uint16(u.n)*uartRingSize }

func (u uart) clearFIFO(f *uartFIFO, first uint16) {
	*f = uartFIFO{R: u.base(first), W: u.base(first)}
}

// txSize and rxSize are the capacities in bytes.
func (u uart) txSize() uint16 { return u.capacity(u.MEM_CONF>>4&7, 0) }
func (u uart) rxSize() uint16 { return u.capacity(u.MEM_CONF>>1&7, 256) }

func (u uart) capacity(blocks uint32, first uint16) uint16 {
	return min(uint16(blocks)*uartRingSize, uartRAMSize-u.base(first))
}

// put appends a byte if there is room.
func (u uart) put(f *uartFIFO, first, size uint16, b byte) bool {
	if f.N >= size {
		return false
	}
	u.c.UART[0].RAM[f.W] = b
	f.W = u.next(f.W, first, size)
	f.N++
	return true
}

// take removes the oldest byte. An empty FIFO gives what its place in RAM holds.
func (u uart) take(f *uartFIFO, first, size uint16) byte {
	b := u.c.UART[0].RAM[f.R]
	if f.N > 0 {
		f.R = u.next(f.R, first, size)
		f.N--
	}
	return b
}

func (u uart) next(at, first, size uint16) uint16 {
	if at++; at >= u.base(first)+size {
		return u.base(first)
	}
	return at
}

// write is a store to UART_FIFO. A full FIFO loses the byte.
func (u uart) write(b byte) {
	if !u.put(&u.TxFIFO, 0, u.txSize(), b) {
		u.c.warn("%s: a byte is stored to a full transmit FIFO and lost", u.name())
		return
	}
	u.start()
}

// start begins to send if the transmitter is idle and may.
func (u uart) start() {
	x := &u.Tx
	if x.Phase != txIdle || u.TxFIFO.N == 0 || !u.clearToSend() {
		return
	}
	line, ok := u.bits()
	if ok && u.CLK_CONF&(clkTX_SCLK_EN|clkRST_CORE|clkTX_RST) == clkTX_SCLK_EN {
		x.Line, x.Start = line, u.c.Time()
		u.loadFrame()
		u.show()
	}
}

// clearToSend is CTS, where it matters.
func (u uart) clearToSend() bool {
	return u.CONF0&conf0TX_FLOW_EN == 0 || u.CTS == (u.CONF0&conf0CTS_INV != 0)
}

func (u uart) loadFrame() {
	x, n := &u.Tx, u.dataBits()
	b := u.take(&u.TxFIFO, 0, u.txSize())
	data := u.withParity(uint64(b) & (1<<n - 1))
	n += u.parityBits()
	stop := u.stopHalves()
	x.Phase, x.At, x.Bits, x.Half = txFrame, 0, 1+n+stop/2, stop%2 != 0
	x.Frame = data<<1 | ^uint64(0)<<(1+n)
	if u.c.opt.Sent != nil {
		u.c.opt.Sent(u.n, b)
	}
}

// shift moves the line on to its next change, or to what comes behind.
func (u uart) shift() {
	x := &u.Tx
	if x.At = u.change(); x.At >= x.Bits {
		u.follow()
	}
	u.show()
}

// follow begins what comes behind a frame: the next, a break or a pause, then
// silence. The times of all of these hang together without a gap.
func (u uart) follow() {
	x, was := &u.Tx, u.Tx.Phase
	x.Start = u.c.Time()
	if line, ok := u.bits(); ok {
		x.Line = line
	}
	switch was {
	case txFrame:
		switch {
		case u.TxFIFO.N > 0 && u.clearToSend():
			u.loadFrame()
			return
		case u.TxFIFO.N > 0:
			x.Phase = txIdle // held by CTS
			return
		}
		u.INT_RAW |= intTX_DONE
		if n := uint64(u.TXBRK_CONF & 0xFF); u.CONF0&conf0TXD_BRK != 0 && n > 0 {
			x.Phase, x.Frame, x.At, x.Bits, x.Half = txBreak, 0, 0, n, false
			return
		}
	case txBreak:
		u.INT_RAW |= intTX_BRK_DONE
	case txPause:
		u.rest()
		return
	}
	x.Phase, x.Frame, x.At, x.Bits, x.Half = txPause, ^uint64(0), 0, uint64(u.IDLE_CONF>>10&0x3FF), false
	if x.Bits == 0 {
		u.rest()
	}
}

// rest ends the pause.
func (u uart) rest() {
	u.INT_RAW |= intTX_BRK_IDLE
	u.Tx.Phase = txIdle
	u.start()
}

// show puts the present bit on the line and awaits the next change.
func (u uart) show() {
	x := &u.Tx
	is := x.Phase == txIdle || x.Phase == txPause || x.Phase == txFrame && x.Frame>>x.At&1 != 0
	if x.Level != is {
		x.Level = is
		u.driveLines()
		u.loop()
	}
	at := clock.NeverTime
	if x.Phase != txIdle {
		at = x.Start + x.Line.sixteenths(u.ends(u.change()))
	}
	u.c.ScheduleAt(u.slot(slotTx), at)
}

// change is the number of the next bit whose level differs, or of the bits.
func (u uart) change() uint64 {
	x := &u.Tx
	if x.Phase != txFrame {
		return x.Bits
	}
	j := x.At + 1
	for j < x.Bits && (x.Frame>>j^x.Frame>>x.At)&1 == 0 {
		j++
	}
	return j
}

// ends is where a bit begins, in sixteenths of a bit; that behind the last one is
// the frame's end.
func (u uart) ends(bit uint64) uint64 {
	if bit == u.Tx.Bits && u.Tx.Half {
		return 16*bit + 8
	}
	return 16 * bit
}

// resetTx stops the transmitter.
func (u uart) resetTx() {
	u.Tx = uartTx{Level: true}
	u.c.ScheduleAt(u.slot(slotTx), clock.NeverTime)
	u.driveLines()
	u.loop()
}
