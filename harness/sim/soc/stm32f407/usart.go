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
// idle line, break characters, mute mode with both ways to wake, single-wire
// mode, all the interrupts of these, the flags' clearing sequences, and DMA both
// ways. Not modelled, and faulting by name: hardware flow control, LIN,
// synchronous mode, IrDA, smartcard, and 0.5 and 1.5 stop bits.
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

	usartEIE    = 1 << 0 // CR3
	usartHDSEL  = 1 << 3
	usartDMAR   = 1 << 6
	usartDMAT   = 1 << 7
	usartONEBIT = 1 << 11
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
	c.spiInput(sig, high)
	c.i2cInput(sig, high, cycle)
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
		if u := c.usart(i + 1); u.listens() == sig {
			u.input(high, cycle)
		}
	}
}

// usartClockWillChange and usartClockChanged enclose a change of PCLK.
func (c *Chip) usartClockWillChange() {
	for n := range c.USARTs {
		c.usart(n + 1).sync(c.Cycle())
	}
}

func (c *Chip) usartClockChanged() {
	for n := range c.USARTs {
		c.usart(n + 1).clockChanged(c.Cycle())
	}
}

// reset is the block's reset state (§30.6).
func (u usart) reset() {
	*u.usartRegs = usartRegs{Sr: usartTXE | usartTC, Div: u.c.pclkDiv(u.apb)}
	u.Tx.Level = true
	u.Rx.Idle = clock.Never
	u.Rx.Level = u.c.afIn(u.listens())
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

// apply brings interrupt line, DMA requests (§30.3.13) and deadline up to date
// (§30.4).
func (u usart) apply() {
	pending := u.Sr & u.Cr1 & (usartIDLE | usartRXNE | usartTC | usartTXE)
	if u.Cr1&usartRXNE != 0 {
		pending |= u.Sr & usartORE
	}
	if u.Cr1&(1<<8) != 0 { // PEIE
		pending |= u.Sr & usartPE
	}
	if u.Cr3&(usartDMAR|usartEIE) == usartDMAR|usartEIE {
		pending |= u.Sr & (usartORE | usartNF | usartFE)
	}
	u.c.irq(u.irq, pending != 0)
	u.c.dmaRequest(reqUSART1RX+2*request(u.n-1), u.Cr3&usartDMAR != 0 && u.Sr&usartRXNE != 0)
	u.c.dmaRequest(reqUSART1TX+2*request(u.n-1), u.Cr3&usartDMAT != 0 && u.Sr&usartTXE != 0)
	u.c.Schedule(slotUSARTTx+u.n-1, u.txNext())
	u.c.Schedule(slotUSARTRx+u.n-1, u.rxNext())
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

// listens is the line that the receiver hears: in single-wire mode its own
// (§30.3.10).
func (u usart) listens() signal {
	if u.Cr3&usartHDSEL != 0 {
		return u.tx
	}
	return u.rx
}

// letGo returns the pin once a transmitter that was switched off has ended its
// frame (§30.3.2), and in single-wire mode after each.
func (u usart) letGo() {
	if !u.Tx.Busy && (!u.on(usartTE) || u.Cr3&usartHDSEL != 0) {
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
