package k210

import "rigor/harness/sim/clock"

// Frames of UART1 to UART3: transmitter and receiver.

// uartEdge is the next edge of an output that someone sees.
func (c *Chip) uartEdge() uint64 {
	at := clock.Never
	for n := range c.UART {
		if u := c.uart(n); u.Tx.Busy && u.shows() && c.functionSeen(u.fnTX()) {
			at = min(at, u.Tx.edge(c.Cycle()))
		}
	}
	return at
}

// shows tells whether TX carries what the transmitter sends.
func (u uart) shows() bool { return !u.loopback() && u.LCR&lcrBC == 0 }

// uartCatchUp brings the outputs to where they are now.
func (c *Chip) uartCatchUp() {
	for n := range c.UART {
		if u := c.uart(n); u.Tx.Busy {
			c.setOut(u.fnTX(), u.level(), true)
		}
	}
}

// uartsSend tells whether an output may change without an event.
func (c *Chip) uartsSend() bool {
	busy := c.UARTHS.Tx.Busy
	for n := range c.UART {
		busy = busy || c.UART[n].Tx.Busy
	}
	return busy
}

// write is a store to THR. A full FIFO loses the byte, a full register the older one.
func (u uart) write(b byte) {
	switch {
	case u.TxFIFO.N < u.depth():
		u.TxFIFO.put(uint16(b))
	case u.fifo():
		u.c.warn("%s: a byte is stored to a full transmit FIFO and lost", u.name())
	default:
		u.c.warn("%s: a byte is stored to THR before the last one was sent, which is lost", u.name())
		u.TxFIFO.take()
		u.TxFIFO.put(uint16(b))
	}
	u.drain()
	u.start()
}

// start begins to send if the transmitter is idle and may.
func (u uart) start() {
	bit := u.bit()
	halted := u.HTX != 0 && u.fifo()
	if u.Tx.Busy || u.TxFIFO.N == 0 || bit == 0 || halted || !u.clearToSend() {
		return
	}
	u.Sending = byte(u.TxFIFO.take())
	f := u.format()
	u.Tx = uartSender{
		Busy:  true,
		Start: u.c.Cycle(),
		Bit:   bit,
		Frame: f.word(u.Sending)<<1 | stopBits<<(1+f.bits()),
		Half:  2*(1+f.bits()) + u.stopHalves(),
	}
	if u.c.opt.Sent != nil {
		u.c.opt.Sent(u.n+1, u.Sending)
	}
	u.c.Schedule(u.slot(slotUARTTx), u.Tx.end())
	u.c.setOut(u.fnTX(), u.level(), true)
	u.c.followEdges()
}

// clearToSend is CTS, where it matters.
func (u uart) clearToSend() bool {
	return u.MCR&mcrAFCE == 0 || !u.fifo() || u.Modem&msrCTS != 0
}

// sent is the end of a frame. What is sent in loopback is received then.
func (u uart) sent() {
	u.Tx.Busy = false
	if u.loopback() {
		u.receive(uint16(u.format().word(u.Sending) & (1<<u.format().Data - 1)))
	}
	u.start()
}

// uartInput takes an edge of RX, or of one of the other lines, at a cycle.
func (c *Chip) uartInput(n, line int, high bool, at uint64) {
	u := c.uart(n)
	if line != fnUART1_RX {
		u.modemChanged()
		return
	}
	r := &u.Rx
	u.take(at)
	r.Level = high
	switch {
	case high:
		u.Broken = false
	case !r.Busy && !u.Broken && !u.loopback():
		u.begin(at)
	}
}

// begin is the edge of a start bit.
func (u uart) begin(at uint64) {
	bit := u.bit()
	if bit == 0 || !u.c.gateOpen(u.c.block(uint64(blockUART1+u.n<<16))) {
		return
	}
	u.Format = u.format()
	u.Rx.begin(at, bit, bit/2, 2+u.Format.bits())
	u.c.Schedule(u.slot(slotUARTRx), u.Rx.sampleAt(u.Rx.Bits-1))
}

const blockUART1 = 0x50210000 // the others follow by 64 KB

// take samples what is due before a cycle. A start bit that is high in its middle was
// none.
func (u uart) take(until uint64) {
	r := &u.Rx
	r.take(until)
	if r.Busy && r.Taken > 0 && r.Frame&1 != 0 {
		r.Busy = false
		u.c.Schedule(u.slot(slotUARTRx), clock.Never)
	}
}

// received is the middle of the stop bit. Behind a framing error the receiver takes the
// stop bit for the next start bit, as the databook has it.
func (u uart) received() {
	r := &u.Rx
	u.take(u.c.Cycle() + 1)
	if !r.Busy {
		return
	}
	r.Busy = false
	data := r.Frame >> 1 & (1<<u.Format.Data - 1)
	word, stop := r.Frame>>1&(1<<u.Format.bits()-1), r.Frame>>(r.Bits-1)&1 != 0
	errors := uint32(0)
	if u.Format.word(byte(data)) != word {
		errors |= lsrPE
	}
	if !stop {
		errors |= lsrFE
	}
	if !stop && word == 0 {
		errors |= lsrBI
		u.Broken = true
	}
	u.receive(uint16(data) | uint16(errors)<<8)
	if !stop && !u.Broken {
		u.begin(r.sampleAt(r.Bits-1) - r.Mid)
	}
}

// receive stores a character with its errors above it, or loses it to a full FIFO; a
// full register loses the older one.
func (u uart) receive(v uint16) {
	switch {
	case u.RxFIFO.N < u.depth():
		u.RxFIFO.put(v)
	case u.fifo():
		u.Errors |= lsrOE
		return
	default:
		u.Errors |= lsrOE
		u.RxFIFO.take()
		u.RxFIFO.put(v)
	}
	u.reveal()
	u.awaitTimeout()
}

// reveal shows the errors of the oldest character.
func (u uart) reveal() {
	if u.RxFIFO.N > 0 {
		u.Errors |= uint32(u.RxFIFO.first() >> 8)
	}
}

// read is a load from RBR.
func (u uart) read() byte {
	v := u.RxFIFO.take()
	u.reveal()
	u.awaitTimeout()
	return byte(v)
}

// awaitTimeout starts to wait for the time of four characters without any in or out.
func (u uart) awaitTimeout() {
	u.Timeout = false
	at := clock.Never
	if u.fifo() && u.RxFIFO.N > 0 {
		at = u.c.Cycle() + 4*u.bit()*(2+u.format().bits())
	}
	u.c.Schedule(u.slot(slotUARTTimeout), at)
}

// clearRx empties the receive FIFO.
func (u uart) clearRx() {
	u.RxFIFO = uartFIFO{}
	u.awaitTimeout()
}
