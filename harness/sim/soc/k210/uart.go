package k210

import (
	"fmt"
	"math/bits"

	"rigor/harness/sim/clock"
)

// UART1 to UART3 (DesignWare DW_apb_uart Databook, SDK uart.h): 16550s with FIFOs of
// 16, as the SDK's triggers say, and a divisor with four bits of fraction.
//
// A bit lasts 16*DL+DLF cycles of APB0; the baud clock's jitter within a bit, which the
// fraction causes, is left out. A frame begins with the store that fills an idle
// transmitter. The receiver looks at the line in the middle of each bit. Registers take
// effect at once, but frames under way keep their format and bits' times.
//
// The part is taken to be configured as 16550 compatible: LCR and the divisor can be
// written while the UART is busy, which a warning tells. [A]
//
// CTS and its like are active low. Not modelled, and faulting by name: infrared, RS485,
// nine bits, access to the FIFOs for tests (FAR), and what tells the configuration.
type uartState struct {
	DLL, DLH, DLF uint32
	IER, FCR, LCR uint32
	MCR, SCR, HTX uint32
	RS485         [5]uint32 // TCR, DE_EN, RE_EN, DET, TAT: kept, unused
	Addresses     [2]uint32 // RAR, TAR
	Errors        uint32    // LSR's OE to BI
	Modem         uint32    // MSR's lines
	Delta         uint32    // and their changes
	TxFIFO        uartFIFO
	RxFIFO        uartFIFO
	Tx            uartSender
	Rx            uartReceiver
	Format        uartFormat // of the frame that is received
	Sending       byte
	Broken        bool // the line has been low since a break
	Timeout       bool // characters wait in the FIFO for longer than four take
	Drained       bool // the transmit FIFO was at or below its threshold
	THRE          bool // the interrupt of that
	TxReq, RxReq  bool // of DMA
	RTSOff        bool // automatic flow control has taken RTS away
}

// uartFormat is a frame's but its stop bits.
type uartFormat struct {
	Data   uint8 // bits
	Parity uint8 // LCR's bits 3 to 5
}

const (
	ierERBFI = 1 << 0
	ierETBEI = 1 << 1
	ierELSI  = 1 << 2
	ierEDSSI = 1 << 3
	ierPTIME = 1 << 7

	fcrFIFOE  = 1 << 0
	fcrRFIFOR = 1 << 1
	fcrXFIFOR = 1 << 2
	fcrDMAM   = 1 << 3

	lcrSTOP = 1 << 2
	lcrPEN  = 1 << 3
	lcrEPS  = 1 << 4
	lcrSP   = 1 << 5 // stick parity
	lcrBC   = 1 << 6
	lcrDLAB = 1 << 7

	mcrDTR  = 1 << 0
	mcrRTS  = 1 << 1
	mcrOUT1 = 1 << 2
	mcrOUT2 = 1 << 3
	mcrLB   = 1 << 4
	mcrAFCE = 1 << 5
	mcrSIRE = 1 << 6

	lsrDR   = 1 << 0
	lsrOE   = 1 << 1
	lsrPE   = 1 << 2
	lsrFE   = 1 << 3
	lsrBI   = 1 << 4
	lsrTHRE = 1 << 5
	lsrTEMT = 1 << 6
	lsrRFE  = 1 << 7

	msrCTS = 1 << 4 // then DSR, RI, DCD

	iirModem   = 0
	iirNone    = 1
	iirTHRE    = 2
	iirData    = 4
	iirLine    = 6
	iirTimeout = 0xC

	dmaUART1 = 14 // receive; transmit is the next
)

const uartDepth = 16

// Thresholds of FCR's TET and RT (SDK uart.h, uart_send_trigger_t and uart_receive_trigger_t).
var (
	uartTET = [4]uint8{0, 2, 4, 8}
	uartRT  = [4]uint8{1, 4, 8, 14}
)

// Deadlines of each UART.
const (
	slotUARTTx = iota
	slotUARTRx
	slotUARTTimeout
	slotsUART = 4
)

// uart is one of a chip's UARTs.
type uart struct {
	*uartState
	c *Chip
	n int // 0: UART1
}

func (c *Chip) uart(n int) uart { return uart{&c.UART[n], c, n} }

func (u uart) name() string { return fmt.Sprintf("UART%d", u.n+1) }

func (u uart) slot(which int) int { return slotUART + slotsUART*u.n + which }

// fnTX and fnRX are functions of FPIOA, line is one of the 14 others.
func (u uart) fnTX() int        { return fnUART1_TX + 2*u.n }
func (u uart) fnRX() int        { return fnUART1_RX + 2*u.n }
func (u uart) line(fn int) int  { return fnUART1_CTS + uartFunctions*u.n + fn }
func (u uart) fifo() bool       { return u.FCR&fcrFIFOE != 0 }
func (u uart) loopback() bool   { return u.MCR&mcrLB != 0 }
func (u uart) programmed() bool { return u.fifo() && u.IER&ierPTIME != 0 }

// depth is the capacity of the FIFOs, or of the registers that stand for them.
func (u uart) depth() uint8 {
	if u.fifo() {
		return uartDepth
	}
	return 1
}

// bit is the duration of a bit in cycles, 0 without a divisor.
func (u uart) bit() uint64 {
	if u.DLH|u.DLL == 0 {
		return 0
	}
	return uint64(16*(u.DLH<<8|u.DLL)+u.DLF) * apb0(u.c)
}

func (u uart) format() uartFormat {
	return uartFormat{Data: uint8(5 + u.LCR&3), Parity: uint8(u.LCR & (lcrPEN | lcrEPS | lcrSP))}
}

// bits is how many there are of data and parity.
func (f uartFormat) bits() uint64 { return uint64(f.Data) + uint64(f.Parity>>3&1) }

// word is data with its parity.
func (f uartFormat) word(b byte) uint64 {
	data := uint64(b) & (1<<f.Data - 1)
	if f.Parity&lcrPEN == 0 {
		return data
	}
	parity := uint64(bits.OnesCount64(data) & 1)
	if f.Parity&lcrSP != 0 {
		parity = 0 // stick parity is the inverse of EPS
	}
	if f.Parity&lcrEPS == 0 {
		parity ^= 1
	}
	return data | parity<<f.Data
}

// stopHalves is the length of the stop bits: 1, 1.5 or 2.
func (u uart) stopHalves() uint64 {
	switch {
	case u.LCR&lcrSTOP == 0:
		return 2
	case u.LCR&3 == 0:
		return 3
	}
	return 4
}

func (c *Chip) uartReset(n int) {
	u := c.uart(n)
	*u.uartState = uartState{Rx: uartReceiver{Level: c.in(u.fnRX())}, Drained: true}
	for which := range slotsUART {
		c.Schedule(u.slot(which), clock.Never)
	}
	u.Modem = u.modemLines()
	u.apply()
}

// uartClockChanged: bits are cycles, and frames under way keep theirs.
func (c *Chip) uartClockChanged() {}

// uartEvent handles a UART's deadline.
func (c *Chip) uartEvent(slot int) {
	u := c.uart((slot - slotUART) / slotsUART)
	switch (slot - slotUART) % slotsUART {
	case slotUARTTx:
		u.sent()
	case slotUARTRx:
		u.received()
	case slotUARTTimeout:
		u.Timeout = true
	}
	u.apply()
}

// apply brings all that follows from the state up to date: lines, interrupts, DMA.
func (u uart) apply() {
	u.drain()
	u.flowControl()
	u.driveLines()
	u.requestDMA()
	u.c.setIRQ(irqUART1+u.n, u.interrupt() != iirNone)
}

// drain notes whether the transmit FIFO is at its threshold, or the register empty.
// The interrupt comes when it gets there.
func (u uart) drain() {
	drained := u.TxFIFO.N == 0
	if u.programmed() {
		drained = u.TxFIFO.N <= uartTET[u.FCR>>4&3]
	}
	u.THRE = drained && (u.THRE || !u.Drained)
	u.Drained = drained
}

// interrupt is the cause of the highest priority, as IIR tells it.
func (u uart) interrupt() uint32 {
	switch {
	case u.IER&ierELSI != 0 && u.Errors != 0:
		return iirLine
	case u.IER&ierERBFI != 0 && u.RxFIFO.N >= u.rxTrigger():
		return iirData
	case u.IER&ierERBFI != 0 && u.Timeout:
		return iirTimeout
	case u.IER&ierETBEI != 0 && u.THRE:
		return iirTHRE
	case u.IER&ierEDSSI != 0 && u.Delta != 0:
		return iirModem
	}
	return iirNone
}

func (u uart) rxTrigger() uint8 {
	if u.fifo() {
		return uartRT[u.FCR>>6]
	}
	return 1
}

// requestDMA follows the FIFOs. In mode 1 a request stays until the FIFO is full, or empty.
func (u uart) requestDMA() {
	many := u.fifo() && u.FCR&fcrDMAM != 0
	u.TxReq = u.Drained || many && u.TxReq && u.TxFIFO.N < u.depth()
	u.RxReq = u.RxFIFO.N > 0 && (!many || u.RxReq || u.Timeout || u.RxFIFO.N >= u.rxTrigger())
	u.c.setDMA(dmaUART1+2*u.n, u.RxReq)
	u.c.setDMA(dmaUART1+2*u.n+1, u.TxReq)
}

// flowControl takes RTS away at the receive FIFO's trigger, until the FIFO is empty.
func (u uart) flowControl() {
	auto := u.MCR&mcrAFCE != 0 && u.fifo()
	u.RTSOff = auto && (u.RxFIFO.N >= u.rxTrigger() || u.RTSOff && u.RxFIFO.N > 0)
}

// driveLines puts out TX and what MCR says; in loopback all are idle.
func (u uart) driveLines() {
	out := u.MCR
	if u.RTSOff {
		out &^= mcrRTS
	}
	if u.loopback() {
		out = 0
	}
	u.c.setOut(u.fnTX(), u.level(), true)
	for i, fn := range [...]int{fnDTR, fnRTS, fnOUT1, fnOUT2} {
		u.c.setOut(u.line(fn), out>>i&1 == 0, true)
	}
}

// level is that of TX now.
func (u uart) level() bool {
	switch {
	case u.loopback():
		return true
	case u.LCR&lcrBC != 0:
		return false
	}
	return u.Tx.level(u.c.Cycle())
}

// modemLines are CTS, DSR, RI and DCD as MSR shows them.
func (u uart) modemLines() (v uint32) {
	if u.loopback() {
		return u.MCR&mcrRTS>>1*msrCTS | u.MCR&mcrDTR*msrCTS<<1 | u.MCR&(mcrOUT1|mcrOUT2)*msrCTS
	}
	for i, fn := range [...]int{fnCTS, fnDSR, fnRI, fnDCD} {
		v |= oneIf(!u.c.in(u.line(fn))) * msrCTS << i
	}
	return v
}

// modemChanged follows a change of the modem's lines. RI tells of its end only.
func (u uart) modemChanged() {
	lines := u.modemLines()
	changed := lines ^ u.Modem
	if lines&(4*msrCTS) != 0 {
		changed &^= 4 * msrCTS
	}
	u.Modem = lines
	u.Delta |= changed / msrCTS
	u.start()
	u.apply()
}
