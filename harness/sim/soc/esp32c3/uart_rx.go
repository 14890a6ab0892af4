package esp32c3

import "rigor/harness/sim/clock"

// The receiver (TRM UART Controller), and the measuring of pulses on its line.

// uartRx is the receiver. It takes samples late, when an edge or the end of the
// frame asks for them: the level between edges is known.
type uartRx struct {
	Level  bool       // behind inversion and filter
	Edge   clock.Time // of the change that the filter still holds back, or NeverTime
	Busy   bool
	Start  clock.Time // of the start bit
	Line   uartBits
	Bits   uint64 // to sample, start and first stop bit included
	Taken  uint64 // samples taken
	Frame  uint64
	Broken bool // the line has been low since a break
}

// uartPulses are the measurements of AUTOBAUD_EN, in clocks of the core less one.
type uartPulses struct {
	Low, High, Pos, Neg uint32 // least durations
	Edges               uint32
	Fall, Rise          clock.Time // of the last edges; 0 before
}

// uartInput takes an edge of one of a UART's lines: RXD, CTS or DSR.
func (c *Chip) uartInput(n, line int, level bool) {
	u := c.uart(n)
	switch line {
	case 0:
		u.RXD = level
		u.loop()
	case 1:
		u.CTS = level
		u.INT_RAW |= intCTS_CHG
		u.start()
	case 2:
		u.DSR = level
		u.INT_RAW |= intDSR_CHG
	}
	u.apply()
}

// loop brings the receiver's line up to date: RXD, or in loopback TXD.
func (u uart) loop() {
	level := u.RXD != (u.CONF0&conf0RXD_INV != 0)
	if u.CONF0&conf0LOOPBACK != 0 {
		level = u.Tx.Level
	}
	r, now := &u.Rx, u.c.Time()
	pending := r.Edge != clock.NeverTime
	switch {
	case level == (r.Level != pending): // no change
	case pending: // a pulse that the filter swallows
		r.Edge = clock.NeverTime
		u.c.ScheduleAt(u.slot(slotFilter), clock.NeverTime)
	case u.RX_FILT>>8&1 != 0:
		b, _ := u.bits()
		r.Edge = now
		if b.Den != 0 {
			u.c.ScheduleAt(u.slot(slotFilter), now+b.clocks(uint64(u.RX_FILT&0xFF)))
		}
	default:
		u.edge(now)
	}
}

// filtered lets an edge through that has lasted.
func (u uart) filtered() {
	u.Rx.Edge = clock.NeverTime
	u.edge(u.c.Time())
}

// edge takes a change of the line.
func (u uart) edge(at clock.Time) {
	r := &u.Rx
	u.takeUntil(at)
	r.Level = !r.Level
	u.measure(at)
	if r.Level {
		r.Broken = false
	} else {
		u.startBit(at)
	}
}

// startBit begins a frame.
func (u uart) startBit(at clock.Time) {
	r := &u.Rx
	line, ok := u.bits()
	if r.Busy || r.Broken || !ok || u.CLK_CONF&(clkRX_SCLK_EN|clkRST_CORE|clkRX_RST) != clkRX_SCLK_EN {
		return
	}
	r.Busy, r.Start, r.Line, r.Taken, r.Frame = true, at, line, 0, 0
	r.Bits = 1 + u.dataBits() + u.parityBits() + 1
	u.c.ScheduleAt(u.slot(slotTout), clock.NeverTime)
	u.c.ScheduleAt(u.slot(slotRx), u.sampleAt(r.Bits-1))
}

// sampleAt is when a bit's middle is.
func (u uart) sampleAt(bit uint64) clock.Time { return u.Rx.Start + u.Rx.Line.sixteenths(16*bit+8) }

// takeUntil samples the bits before a time, during which the level was constant.
func (u uart) takeUntil(at clock.Time) {
	r := &u.Rx
	for r.Busy && r.Taken < r.Bits && u.sampleAt(r.Taken) < at {
		if r.Taken == 0 && r.Level {
			u.INT_RAW |= intGLITCH_DET
			r.Busy = false
			u.c.ScheduleAt(u.slot(slotRx), clock.NeverTime)
			u.awaitTimeout(u.c.Time())
			return
		}
		if r.Level {
			r.Frame |= 1 << r.Taken
		}
		r.Taken++
	}
}

// sample is the event of the stop bit's middle, when the frame is complete.
func (u uart) sample() {
	r, now := &u.Rx, u.c.Time()
	u.takeUntil(now + 1)
	if !r.Busy {
		return
	}
	r.Busy = false
	n := u.frameBits()
	data := r.Frame >> 1 & (1<<n - 1)
	word, stop := r.Frame>>1&(1<<(r.Bits-2)-1), r.Frame>>(r.Bits-1)&1 != 0
	bad := false
	if r.Bits-2 > n && u.withParity(data) != word {
		u.INT_RAW |= intPARITY_ERR
		bad = true
	}
	if !stop {
		u.INT_RAW |= intFRM_ERR
		bad = true
		r.Broken = true
		if word == 0 {
			u.INT_RAW |= intBRK_DET
		}
	}
	if !bad || u.CONF0&conf0ERR_WR_MASK == 0 {
		u.receive(byte(data))
	}
	u.awaitTimeout(r.Start + r.Line.bit(r.Bits))
}

// frameBits is the number of data bits of the frame that is being received.
func (u uart) frameBits() uint64 { return min(u.dataBits(), u.Rx.Bits-2) }

// receive stores a byte, or loses it to a full FIFO.
func (u uart) receive(b byte) {
	if !u.put(&u.RxFIFO, 256, u.rxSize(), b) && u.CONF1&conf1DIS_RX_DAT_OVF == 0 {
		u.INT_RAW |= intRXFIFO_OVF
	}
	u.driveLines()
}

// awaitTimeout starts to wait for a time without a frame.
func (u uart) awaitTimeout(from clock.Time) {
	at := clock.NeverTime
	if u.CONF1&conf1RX_TOUT_EN != 0 && u.RxFIFO.N > 0 {
		at = from + u.Rx.Line.bit(uint64(u.MEM_CONF>>16&0x3FF))
	}
	u.c.ScheduleAt(u.slot(slotTout), at)
}

// resetRx stops the receiver.
func (u uart) resetRx() {
	u.Rx = uartRx{Edge: clock.NeverTime, Level: u.RXD != (u.CONF0&conf0RXD_INV != 0)}
	for _, which := range []int{slotRx, slotTout, slotFilter} {
		u.c.ScheduleAt(u.slot(which), clock.NeverTime)
	}
}

// resetPulses is what AUTOBAUD_EN does when it is cleared.
func (u uart) resetPulses() { u.Pulses = uartPulses{Low: 0xFFF, High: 0xFFF, Pos: 0xFFF, Neg: 0xFFF} }

// measure takes an edge into the measurements.
func (u uart) measure(at clock.Time) {
	p := &u.Pulses
	b, ok := u.bits()
	if u.CONF0&conf0AUTOBAUD_EN == 0 || !ok {
		return
	}
	least := func(m *uint32, since clock.Time) {
		if since != 0 {
			*m = min(*m, uint32(min(b.count(at-since)-1, 0xFFF)))
		}
	}
	if u.Rx.Level {
		least(&p.Low, p.Fall)
		least(&p.Pos, p.Rise)
		p.Rise = at
	} else {
		least(&p.High, p.Rise)
		least(&p.Neg, p.Fall)
		p.Fall = at
	}
	p.Edges = min(p.Edges+1, 0x3FF)
}
