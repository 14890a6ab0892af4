package stm32f407

import (
	"math/bits"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// USART1, 2, 3, 6 and UART4, 5 (RM0090 §30).
//
// Modelled: asynchronous frames of 8 and 9 bits with 1 or 2 stop bits, parity,
// both oversamplings and the one-bit method, noise, framing and overrun errors,
// idle line, break characters, mute mode with both ways to wake, all the
// interrupts of these, and the flags' clearing sequences. Not modelled, and
// faulting by name: DMA, hardware flow control, LIN, synchronous mode, IrDA,
// smartcard, single-wire, and 0.5 and 1.5 stop bits.
//
// Timing: a bit lasts exactly BRR clocks of PCLK (§30.3.4: 16 or 8 samples of
// USARTDIV). A frame begins at the first PCLK after the write to an idle
// transmitter; the phase of the transmitter's own baud clock is not modelled.
// The receiver's samples count from the first PCLK at or after the start edge,
// without the delay of the input's synchroniser. RXNE comes with the last
// sample of the stop bit. A frame goes on when RCC stops the block's clock.

// usartRegs is a USART's state, as plain data.
type usartRegs struct {
	Sr, Brr, Cr1, Cr2, Cr3 uint32
	Rdr                    uint32
	Tdr                    uint32
	Seen                   uint32 // SR as last read, for the clearing sequences
	Tx                     usartTx
	Rx                     usartRx
	Div                    uint64 // cycles per PCLK
}

// usartTx is the transmit shift register.
type usartTx struct {
	Busy  bool
	Level bool
	Start uint64 // cycle at which the frame began, or will if Wait is set
	Wait  bool
	Bit   uint64 // cycles a bit
	Frame uint64 // levels, first bit lowest
	Bits  uint64
	At    uint64 // the bit on the line
	Data  bool   // the frame carries data
	Brk   bool   // the frame is a break character
	Idle  bool   // an idle frame waits to go first
}

// usartRx is the receiver. It takes samples late, when an edge or the end of
// the frame asks for them: the level between edges is known.
type usartRx struct {
	Level    bool
	Busy     bool
	HighFrom uint64 // cycle of the last rising edge
	Start    uint64 // cycle of the first low sample
	Bit      uint64 // cycles a bit
	Next     uint64 // next sample of interest, see sampleAt
	Ones     uint8  // high ones among the present bit's samples
	Early    uint8  // low ones among samples 3, 5 and 7 of the start bit
	Noise    bool
	Frame    uint64
	Idle     uint64 // cycle at which the line has been idle for a frame, or Never
}

const (
	usartPE   = 1 << 0
	usartFE   = 1 << 1
	usartNF   = 1 << 2
	usartORE  = 1 << 3
	usartIDLE = 1 << 4
	usartRXNE = 1 << 5
	usartTC   = 1 << 6
	usartTXE  = 1 << 7

	usartSBK   = 1 << 0
	usartRWU   = 1 << 1
	usartRE    = 1 << 2
	usartTE    = 1 << 3
	usartPS    = 1 << 9
	usartPCE   = 1 << 10
	usartWAKE  = 1 << 11
	usartM     = 1 << 12
	usartUE    = 1 << 13
	usartOVER8 = 1 << 15

	usartONEBIT = 1 << 11 // CR3
)

// usartInfo is what tells the USARTs apart.
type usartInfo struct {
	name   string
	irq    int
	apb    int
	tx, rx signal
}

// usarts are USART1 to USART6.
type usarts [6]usartRegs

var usartInfos = [...]usartInfo{
	{"USART1", 37, 2, sigUSART1TX, sigUSART1RX},
	{"USART2", 38, 1, sigUSART2TX, sigUSART2RX},
	{"USART3", 39, 1, sigUSART3TX, sigUSART3RX},
	{"UART4", 52, 1, sigUART4TX, sigUART4RX},
	{"UART5", 53, 1, sigUART5TX, sigUART5RX},
	{"USART6", 71, 2, sigUSART6TX, sigUSART6RX},
}

// usart is one USART of a chip.
type usart struct {
	*usartRegs
	c *Chip
	n int // from 1
	*usartInfo
}

// usart finds USART1 to USART6 by number.
func (c *Chip) usart(n int) usart { return usart{&c.USARTs[n-1], c, n, &usartInfos[n-1]} }

// usartDevice is a USART as the bus sees it.
func (c *Chip) usartDevice(n int) bus.Device { return c.usart(n) }

// usartReset puts a USART into its reset state.
func (c *Chip) usartReset(n int) { c.usart(n).reset() }

// afChanged takes a change of a pin that selects an input signal.
func (c *Chip) afChanged(sig signal, high bool, cycle uint64) {
	c.usartInput(sig, high, cycle)
	c.timInput(sig, high, cycle)
}

// usartEvent handles a USART's deadline.
func (c *Chip) usartEvent(slot int, cycle uint64) {
	u := c.usart((slot-slotUSARTTx)%len(usartInfos) + 1)
	u.sync(cycle)
	u.apply()
	if c.Booting {
		c.bootSerial(u.n)
	}
}

// usartInput takes an edge of a receive line.
func (c *Chip) usartInput(sig signal, high bool, cycle uint64) {
	for i := range usartInfos {
		if usartInfos[i].rx == sig {
			c.usart(i+1).input(high, cycle)
		}
	}
}

// usartClockWillChange and usartClockChanged enclose a change of PCLK.
func (c *Chip) usartClockWillChange() {
	for n := range c.USARTs {
		c.usart(n + 1).sync(c.now())
	}
}

func (c *Chip) usartClockChanged() {
	for n := range c.USARTs {
		c.usart(n + 1).clockChanged(c.now())
	}
}

// reset is the block's reset state (§30.6).
func (u usart) reset() {
	*u.usartRegs = usartRegs{Sr: usartTXE | usartTC, Div: u.c.pclkDiv(u.apb)}
	u.Tx.Level = true
	u.Rx.Idle = clock.Never
	u.Rx.Level = u.c.afIn(u.rx)
	u.c.afRelease(u.tx)
	u.apply()
}

// bitCycles is how many cycles a bit lasts (§30.3.4); 0 when the divider is
// less than the oversampling needs.
func (u usart) bitCycles() uint64 {
	n := uint64(u.Brr)
	if u.Cr1&usartOVER8 != 0 {
		n = n>>4<<3 | n&7
	}
	if n < u.oversampling() {
		return 0
	}
	return n * u.Div
}

func (u usart) oversampling() uint64 {
	if u.Cr1&usartOVER8 != 0 {
		return 8
	}
	return 16
}

// dataBits counts the parity bit.
func (u usart) dataBits() uint64 {
	if u.Cr1&usartM != 0 {
		return 9
	}
	return 8
}

func (u usart) stopBits() uint64 {
	if u.Cr2>>12&3 == 2 {
		return 2
	}
	return 1
}

func (u usart) on(flags uint32) bool { return u.Cr1&usartUE != 0 && u.Cr1&flags == flags }

// nextClock is the first PCLK after the cycle.
func (u usart) nextClock(cycle uint64) uint64 { return (cycle/u.Div + 1) * u.Div }

// sync handles everything due up to the cycle, in order.
func (u usart) sync(cycle uint64) {
	for {
		tx, rx := u.txNext(), u.rxNext()
		switch {
		case tx <= cycle && tx <= rx:
			u.shift(tx)
		case rx <= cycle:
			u.receiverEvent(rx)
		default:
			return
		}
	}
}

// apply brings interrupt line and deadline up to date (§30.4, table 149). EIE
// counts only with DMAR, which is not modelled.
func (u usart) apply() {
	pending := u.Sr & u.Cr1 & (usartIDLE | usartRXNE | usartTC | usartTXE)
	if u.Cr1&usartRXNE != 0 {
		pending |= u.Sr & usartORE
	}
	if u.Cr1&(1<<8) != 0 { // PEIE
		pending |= u.Sr & usartPE
	}
	u.c.irq(u.irq, pending != 0)
	u.c.schedule(slotUSARTTx+u.n-1, u.txNext())
	u.c.schedule(slotUSARTRx+u.n-1, u.rxNext())
}

// txNext is the cycle at which the transmit line changes or the frame ends.
func (u usart) txNext() uint64 {
	if !u.Tx.Busy {
		return clock.Never
	}
	if u.Tx.Wait {
		return u.Tx.Start
	}
	return u.Tx.Start + u.txChange()*u.Tx.Bit
}

func (u usart) txChange() uint64 {
	x := &u.Tx
	j := x.At + 1
	for j < x.Bits && (x.Frame>>j^x.Frame>>x.At)&1 == 0 {
		j++
	}
	return j
}

// shift moves the transmit line on to its next change.
func (u usart) shift(cycle uint64) {
	x := &u.Tx
	if x.Wait {
		x.Wait = false
		u.txLevel(x.Frame&1 != 0)
		return
	}
	if x.At = u.txChange(); x.At < x.Bits {
		u.txLevel(x.Frame>>x.At&1 != 0)
		return
	}
	if x.Brk {
		u.Cr1 &^= usartSBK
	}
	data := x.Data
	x.Busy, x.Brk, x.Data = false, false, false
	if u.load(cycle) {
		u.shift(cycle) // its first bit
		return
	}
	if data { // §30.6.1: only a frame with data sets TC
		u.Sr |= usartTC
	}
	u.letGo()
}

// letGo returns the pin once a transmitter that was switched off has ended its
// frame (§30.3.2).
func (u usart) letGo() {
	if !u.Tx.Busy && !u.on(usartTE) {
		u.c.afRelease(u.tx)
	}
}

// load prepares the next frame if there is one, to begin at the cycle: an idle frame, a break, or the
// data that waits (§30.3.2).
func (u usart) load(cycle uint64) bool {
	bit := u.bitCycles()
	if !u.on(usartTE) || bit == 0 {
		return false
	}
	x, n := &u.Tx, u.dataBits()
	switch {
	case x.Idle:
		x.Idle = false
		x.Bits = 1 + n + u.stopBits()
		x.Frame = 1<<x.Bits - 1
	case u.Cr1&usartSBK != 0:
		x.Brk = true
		x.Bits = 1 + n + u.stopBits() + 1
		x.Frame = 1 << (x.Bits - 1)
	case u.Sr&usartTXE == 0:
		x.Bits = 1 + n + u.stopBits()
		x.Frame = u.parity(uint64(u.Tdr))<<1 | (1<<x.Bits - 1<<(1+n))
		x.Data = true
		u.Sr |= usartTXE
		if u.c.opt.Sent != nil {
			u.c.opt.Sent(u.n, byte(u.Tdr))
		}
	default:
		return false
	}
	x.Busy, x.Wait, x.Start, x.Bit, x.At = true, true, cycle, bit, 0
	return true
}

// parity cuts data to the frame's length and puts the parity bit in its place,
// the most significant bit (§30.3.7).
func (u usart) parity(data uint64) uint64 {
	n := u.dataBits()
	if u.Cr1&usartPCE == 0 {
		return data & (1<<n - 1)
	}
	data &= 1<<(n-1) - 1
	odd := uint64(bits.OnesCount64(data) & 1)
	if u.Cr1&usartPS != 0 {
		odd ^= 1
	}
	return data | odd<<(n-1)
}

func (u usart) txLevel(high bool) {
	if high != u.Tx.Level {
		u.Tx.Level = high
		u.c.afOut(u.tx, high)
	}
}

// input takes an edge of the receive line.
func (u usart) input(high bool, cycle uint64) {
	u.sync(cycle)
	r := &u.Rx
	u.take(cycle)
	r.Level = high
	if high {
		r.HighFrom = cycle
	} else {
		r.Idle = clock.Never
		u.startBit(cycle)
	}
	u.apply()
}

// startBit begins to look for a start bit: an edge after three samples of idle
// line (§30.3.3, figure 301).
func (u usart) startBit(cycle uint64) {
	r, bit := &u.Rx, u.bitCycles()
	if r.Busy || !u.on(usartRE) || bit == 0 {
		return
	}
	first := (cycle + u.Div - 1) / u.Div * u.Div
	if r.HighFrom+3*bit/u.oversampling() > first {
		return
	}
	*r = usartRx{Busy: true, HighFrom: r.HighFrom, Start: first, Bit: bit, Idle: clock.Never}
}

// samples of interest in a bit, counted from 1: three in the middle by which
// the majority decides, and in the start bit three more before (16 samples: 3,
// 5, 7 then 8, 9, 10; 8 samples: 2, 3 and 4, 5, 6 stand in).
func (u usart) samplesOfBit() [6]uint64 {
	if u.Cr1&usartOVER8 != 0 {
		return [6]uint64{1, 2, 3, 4, 5, 6}
	}
	return [6]uint64{3, 5, 7, 8, 9, 10}
}

// sampleAt is the cycle of sample of interest i, six for each bit.
func (u usart) sampleAt(i uint64) uint64 {
	n := u.oversampling()
	s := i/6*n + u.samplesOfBit()[i%6] - 1
	return u.Rx.Start + s*u.Rx.Bit/n
}

// lastSample is the stop bit's last sample of interest.
func (u usart) lastSample() uint64 { return 6*(1+u.dataBits()) + 5 }

// rxNext is the cycle of the receiver's next event: the end of a frame, or of
// an idle one.
func (u usart) rxNext() uint64 {
	if u.Rx.Busy {
		return u.sampleAt(u.lastSample())
	}
	return u.Rx.Idle
}

func (u usart) receiverEvent(cycle uint64) {
	if !u.Rx.Busy {
		u.idleLine()
		return
	}
	u.take(cycle + 1)
	if u.Rx.Busy && u.Rx.Next > u.lastSample() {
		u.frameEnd()
	}
}

// take evaluates the samples before the cycle, during which the level was
// constant.
func (u usart) take(cycle uint64) {
	r := &u.Rx
	for r.Busy && r.Next <= u.lastSample() && u.sampleAt(r.Next) < cycle {
		pos := r.Next % 6
		if pos < 3 && r.Next < 6 && !r.Level {
			r.Early++
		}
		if pos >= 3 && r.Level {
			r.Ones++
		}
		if pos == 5 {
			u.bitEnd(r.Next / 6)
			r.Ones = 0
		}
		r.Next++
	}
}

// bitEnd decides a bit by the majority of its three middle samples.
func (u usart) bitEnd(n uint64) {
	r := &u.Rx
	noisy := r.Ones == 1 || r.Ones == 2
	if n == 0 {
		noisy = noisy || r.Early == 2
		if r.Early < 2 || r.Ones > 1 {
			r.Busy = false // not a start bit
			return
		}
	}
	if r.Ones >= 2 {
		r.Frame |= 1 << n
	}
	r.Noise = r.Noise || noisy && u.Cr3&usartONEBIT == 0
}

// frameEnd moves a complete frame to DR, with its flags (§30.3.3).
func (u usart) frameEnd() {
	r, n := &u.Rx, u.dataBits()
	r.Busy = false
	end := r.Start + (1+n+u.stopBits())*r.Bit
	data := uint32(r.Frame >> 1 & (1<<n - 1))
	stop := r.Frame>>(1+n)&1 != 0
	if r.Level {
		r.Idle = end + (1+n+u.stopBits())*r.Bit
	}
	if u.muted(data) {
		return
	}
	if u.Sr&usartRXNE != 0 {
		u.Sr |= usartORE // only this one, §30.6.1 FE
		return
	}
	u.Rdr = data
	u.Sr |= usartRXNE
	if !stop {
		u.Sr |= usartFE
	}
	if r.Noise {
		u.Sr |= usartNF
	}
	if u.Cr1&usartPCE != 0 && u.parity(uint64(data)) != uint64(data) {
		u.Sr |= usartPE
	}
}

// muted applies mute mode (§30.3.6) and reports whether the frame is dropped.
func (u usart) muted(data uint32) bool {
	if u.Cr1&usartWAKE == 0 {
		return u.Cr1&usartRWU != 0
	}
	if data>>(u.dataBits()-1) == 0 {
		return u.Cr1&usartRWU != 0
	}
	if data&0xF == u.Cr2&0xF {
		u.Cr1 &^= usartRWU
		return false
	}
	u.Cr1 |= usartRWU
	return true
}

// idleLine: a frame's time of idle line wakes a muted receiver, or sets IDLE
// once for each burst of data (§30.6.1).
func (u usart) idleLine() {
	u.Rx.Idle = clock.Never
	if u.Cr1&usartRWU == 0 {
		u.Sr |= usartIDLE
	} else if u.Cr1&usartWAKE == 0 {
		u.Cr1 &^= usartRWU
	}
}

// clockChanged: frames under way keep their place in clocks of PCLK.
func (u usart) clockChanged(cycle uint64) {
	div := u.c.pclkDiv(u.apb)
	if div == u.Div || u.Div == 0 { // or before the first reset
		u.Div = div
		return
	}
	move := func(start, bit *uint64) {
		*start = cycle - (cycle-*start)/u.Div*div
		*bit = *bit / u.Div * div
	}
	move(&u.Tx.Start, &u.Tx.Bit)
	move(&u.Rx.Start, &u.Rx.Bit)
	if u.Rx.Idle != clock.Never {
		u.Rx.Idle = cycle + (u.Rx.Idle-cycle)/u.Div*div
	}
	u.Div = div
	u.apply()
}

const (
	usartSR   = 0x00
	usartDR   = 0x04
	usartBRR  = 0x08
	usartCR1  = 0x0C
	usartCR2  = 0x10
	usartCR3  = 0x14
	usartGTPR = 0x18
)

// Load implements bus.Device.
func (u usart) Load(off uint32, width uint8) (uint64, bus.Fault) {
	u.sync(u.c.now())
	switch off {
	case usartSR:
		u.Seen = u.Sr
		return uint64(u.Sr), bus.None
	case usartDR:
		u.Sr &^= usartRXNE | u.Seen&(usartPE|usartFE|usartNF|usartORE|usartIDLE)
		u.Seen = 0
		u.apply()
		return uint64(u.Rdr), bus.None
	case usartBRR:
		return uint64(u.Brr), bus.None
	case usartCR1:
		return uint64(u.Cr1), bus.None
	case usartCR2:
		return uint64(u.Cr2), bus.None
	case usartCR3:
		return uint64(u.Cr3), bus.None
	case usartGTPR:
		return 0, bus.None
	}
	return 0, u.c.unknown(u.name, off)
}

// Store implements bus.Device.
func (u usart) Store(off uint32, width uint8, v uint64) bus.Fault {
	if what := u.lacks(off, uint32(v)); what != "" {
		return u.c.lack(u.name + "." + what)
	}
	u.sync(u.c.now())
	f := u.store(off, uint32(v))
	u.apply()
	return f
}

func (u usart) store(off uint32, v uint32) bus.Fault {
	switch off {
	case usartSR: // rc_w0: RXNE and TC
		u.Sr &= v | ^uint32(usartRXNE|usartTC)
	case usartDR:
		u.storeDR(v & 0x1FF)
	case usartBRR:
		u.Brr = v & 0xFFFF
	case usartCR1:
		u.storeCR1(v & 0xBFFF)
	case usartCR2:
		u.Cr2 = v & 0x7F6F
	case usartCR3:
		u.Cr3 = v & 0xFFF
	case usartGTPR: // 0, or refused by lacks
	default:
		return u.c.unknown(u.name, off)
	}
	return bus.None
}

func (u usart) storeDR(v uint32) {
	u.Sr &^= u.Seen & (usartTC | usartPE)
	u.Seen = 0
	u.Tdr = v
	u.Sr &^= usartTXE
	u.kick()
}

// kick starts an idle transmitter.
func (u usart) kick() {
	if !u.Tx.Busy {
		u.load(u.nextClock(u.c.now()))
	}
}

// storeCR1: switching the transmitter on sends an idle frame first (§30.3.2);
// switching the receiver on looks at the line afresh.
func (u usart) storeCR1(v uint32) {
	tx, rx := u.on(usartTE), u.on(usartRE)
	u.Cr1 = v
	if u.on(usartTE) && !tx {
		u.Tx.Idle = true
		u.c.afOut(u.tx, u.Tx.Level)
	}
	if u.on(usartRE) != rx {
		level := u.c.afIn(u.rx)
		u.Rx = usartRx{Level: level, Idle: clock.Never}
	}
	u.kick()
	u.letGo()
}

// lacks names what a value asks of a register and the model does not have.
func (u usart) lacks(off, v uint32) string {
	switch off {
	case usartCR2:
		return firstBit(v, "CR2", []bit{{0x40, "LBDIE"}, {0x800, "CLKEN"}, {0x1000, "STOP of 0.5 or 1.5 bits"}, {0x4000, "LINEN"}})
	case usartCR3:
		return firstBit(v, "CR3", []bit{{0x02, "IREN"}, {0x04, "IRLP"}, {0x08, "HDSEL"}, {0x10, "NACK"}, {0x20, "SCEN"},
			{0x40, "DMAR"}, {0x80, "DMAT"}, {0x100, "RTSE"}, {0x200, "CTSE"}, {0x400, "CTSIE"}})
	case usartGTPR:
		return firstBit(v, "GTPR", []bit{{0xFFFF, "PSC and GT"}})
	}
	return ""
}
