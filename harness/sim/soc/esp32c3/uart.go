package esp32c3

import (
	"fmt"
	"math/bits"

	"rigor/harness/sim/clock"
)

// UART0 and UART1 (TRM UART Controller).
//
// Modelled: frames of 5 to 8 bits, parity, 1, 1.5 and 2 stop bits, break, both
// FIFOs in their shared RAM, thresholds, receiver's time-out, glitch filter,
// framing, parity and overflow errors, break and glitch detection, inversion,
// loopback, hardware flow control, measuring of pulses (AUTOBAUD), interrupts.
// Not modelled, and faulting by name: RS485 and IrDA modes, software flow
// control, AT_CMD and wake-up detection.
//
// Timing: a bit lasts CLKDIV + CLKDIV_FRAG/16 clocks of the UART's core, which is
// APB, the crystal or RC_FAST divided in CLK_CONF. The line changes on clocks of
// the core, a fraction is taken to be spread evenly over a frame's bits. A frame
// begins with the store that fills an idle transmitter: what the FIFO and the
// crossing of clocks take is not documented. When the FIFO has run empty the
// transmitter pauses for TX_IDLE_NUM bits. The receiver looks at the line once a
// bit, in its middle, counted from the start bit's edge. Registers take effect at
// once, whether or not UART_REG_UPDATE follows, but frames under way keep their
// bits' times.

// uartState is a UART's registers and what it is doing.
type uartState struct {
	INT_RAW, INT_ENA      uint32
	CLKDIV, RX_FILT       uint32
	CONF0, CONF1          uint32
	FLOW_CONF, SLEEP_CONF uint32
	SWFC_CONF             [2]uint32
	TXBRK_CONF, IDLE_CONF uint32
	RS485_CONF            uint32
	AT_CMD                [4]uint32 // PRECNT, POSTCNT, GAPTOUT, CHAR
	MEM_CONF, CLK_CONF    uint32
	DATE, ID              uint32
	RXD, CTS, DSR         bool              // the lines as they are
	RAM                   [uartRAMSize]byte // of both UARTs: only that of UART0 is used
	TxFIFO, RxFIFO        uartFIFO
	Tx                    uartTx
	Rx                    uartRx
	Pulses                uartPulses
}

// uartFIFO is a ring in the RAM that both UARTs share.
type uartFIFO struct {
	R, W uint16 // places of the next byte to take and to put
	N    uint16
}

// uartTx is the transmitter.
type uartTx struct {
	Phase uartPhase
	Level bool
	Start clock.Time // of the frame, the break or the pause
	Line  uartBits
	Frame uint64 // levels, first bit lowest
	Bits  uint64 // bits of the frame
	Half  bool   // and half a bit of stop
	At    uint64 // the bit on the line
}

type uartPhase uint8

const (
	txIdle  uartPhase = iota
	txFrame           // a frame with data
	txBreak           // TX_BRK_NUM low bits
	txPause           // TX_IDLE_NUM high bits
)

// uartBits measures bits: n of them end Num*n/Den picoseconds after the first
// begins, rounded down to a clock of the UART's core.
type uartBits struct {
	Sixteenths uint64 // of a clock of the core in a bit
	Num, Den   uint64 // picoseconds of a clock of the core: Num/Den
}

const (
	intRXFIFO_FULL  = 1 << 0
	intTXFIFO_EMPTY = 1 << 1
	intPARITY_ERR   = 1 << 2
	intFRM_ERR      = 1 << 3
	intRXFIFO_OVF   = 1 << 4
	intDSR_CHG      = 1 << 5
	intCTS_CHG      = 1 << 6
	intBRK_DET      = 1 << 7
	intRXFIFO_TOUT  = 1 << 8
	intGLITCH_DET   = 1 << 11
	intTX_BRK_DONE  = 1 << 12
	intTX_BRK_IDLE  = 1 << 13
	intTX_DONE      = 1 << 14
	intUARTLacking  = 1<<9 | 1<<10 | 0x1F<<15

	conf0PARITY_ODD  = 1 << 0
	conf0PARITY_EN   = 1 << 1
	conf0SW_RTS      = 1 << 6
	conf0SW_DTR      = 1 << 7
	conf0TXD_BRK     = 1 << 8
	conf0IRDA        = 1<<9 | 1<<10 | 1<<16
	conf0LOOPBACK    = 1 << 14
	conf0TX_FLOW_EN  = 1 << 15
	conf0RXFIFO_RST  = 1 << 17
	conf0TXFIFO_RST  = 1 << 18
	conf0RXD_INV     = 1 << 19
	conf0CTS_INV     = 1 << 20
	conf0DSR_INV     = 1 << 21
	conf0TXD_INV     = 1 << 22
	conf0RTS_INV     = 1 << 23
	conf0DTR_INV     = 1 << 24
	conf0ERR_WR_MASK = 1 << 26
	conf0AUTOBAUD_EN = 1 << 27

	conf1DIS_RX_DAT_OVF = 1 << 18
	conf1RX_FLOW_EN     = 1 << 20
	conf1RX_TOUT_EN     = 1 << 21

	clkSCLK_EN    = 1 << 22
	clkRST_CORE   = 1 << 23
	clkTX_SCLK_EN = 1 << 24
	clkRX_SCLK_EN = 1 << 25
	clkTX_RST     = 1 << 26
	clkRX_RST     = 1 << 27

	sourceUART0 = 21
)

// Deadlines of each UART.
const (
	slotTx = iota
	slotRx
	slotTout
	slotFilter
	slotsUART
)

// uart is one UART of a chip.
type uart struct {
	*uartState
	c *Chip
	n int
}

func (c *Chip) uart(n int) uart { return uart{&c.UART[n], c, n} }

func (u uart) name() string { return fmt.Sprintf("UART%d", u.n) }

// sig is the number of one of the UART's signals, given that of UART0.
func (u uart) sig(of0 int) int { return of0 + 3*u.n }

func (u uart) slot(which int) int { return slotUART + slotsUART*u.n + which }

// uartReset puts a UART into its reset state.
func (c *Chip) uartReset(n int) {
	u := c.uart(n)
	*u.uartState = uartState{
		RAM:     u.RAM,
		INT_RAW: intTXFIFO_EMPTY, CLKDIV: 0x2B6, RX_FILT: 8, CONF0: 0x1000001C, CONF1: 0xC060,
		SLEEP_CONF: 0xF0, SWFC_CONF: [2]uint32{0x26E0, 0x2200}, TXBRK_CONF: 10, IDLE_CONF: 0x40100,
		AT_CMD: [4]uint32{0x901, 0x901, 11, 0x32B}, MEM_CONF: 0xA0012, CLK_CONF: 0x03701000,
		DATE: 0x02008270, ID: 0x40000500,
	}
	u.clearFIFO(&u.TxFIFO, 0)
	u.clearFIFO(&u.RxFIFO, 256)
	u.Tx = uartTx{Level: true}
	u.resetRx()
	u.resetPulses()
	for which := range slotsUART {
		c.ScheduleAt(u.slot(which), clock.NeverTime)
	}
	u.RXD, u.CTS, u.DSR = c.sigIn(u.sig(sigUARTRX)), c.sigIn(u.sig(sigUARTCTS)), c.sigIn(u.sig(sigUARTDSR))
	u.driveLines()
	u.apply()
}

// uartEvent handles a UART's deadline.
func (c *Chip) uartEvent(slot int, _ uint64) {
	n, which := (slot-slotUART)/slotsUART, (slot-slotUART)%slotsUART
	u := c.uart(n)
	switch which {
	case slotTx:
		u.shift()
	case slotRx:
		u.sample()
	case slotTout:
		u.INT_RAW |= intRXFIFO_TOUT
	case slotFilter:
		u.filtered()
	}
	u.apply()
}

// uartClockChanged: APB clocks a UART only as the source of its core, and frames
// under way keep their bits' times.
func (c *Chip) uartClockChanged() {}

// bits is what a bit lasts now; false if there is no clock or no divider.
func (u uart) bits() (b uartBits, ok bool) {
	hz := u.sourceHz()
	div, a, of := u.CLK_CONF>>12&0xFF+1, u.CLK_CONF>>6&0x3F, max(u.CLK_CONF&0x3F, 1)
	b = uartBits{
		Sixteenths: uint64(u.CLKDIV&0xFFF)*16 + uint64(u.CLKDIV>>20&0xF),
		Num:        uint64(div*of+a) * uint64(clock.Second),
		Den:        hz * uint64(of),
	}
	return b, hz != 0 && b.Sixteenths >= 16
}

// sourceHz is the clock that SCLK_SEL selects, 0 when it is off.
func (u uart) sourceHz() uint64 {
	if u.CLK_CONF&clkSCLK_EN == 0 {
		return 0
	}
	switch u.CLK_CONF >> 20 & 3 {
	case 1:
		return u.c.Clocks.APB
	case 2:
		return rcFastHz
	case 3:
		return xtalHz
	}
	return 0
}

// clocks is the duration of n clocks of the UART's core.
func (b uartBits) clocks(n uint64) clock.Time {
	hi, lo := bits.Mul64(n, b.Num)
	q, _ := bits.Div64(hi, lo, b.Den)
	return clock.Time(q)
}

// sixteenths is the duration of n sixteenths of a bit, to a clock of the UART's core.
func (b uartBits) sixteenths(n uint64) clock.Time { return b.clocks(n * b.Sixteenths / 256) }

// bit is the duration of n bits.
func (b uartBits) bit(n uint64) clock.Time { return b.sixteenths(16 * n) }

// count is how many clocks of the UART's core begin in a duration.
func (b uartBits) count(d clock.Time) uint64 {
	hi, lo := bits.Mul64(uint64(d), b.Den)
	q, _ := bits.Div64(hi, lo, b.Num)
	return q
}

func (u uart) dataBits() uint64 { return uint64(5 + u.CONF0>>2&3) }

func (u uart) parityBits() uint64 { return uint64(u.CONF0 >> 1 & 1) }

// stopHalves is the number of half stop bits (STOP_BIT_NUM: 1, 1.5 or 2 bits).
func (u uart) stopHalves() uint64 { return max(uint64(u.CONF0>>4&3), 1) + 1 }

// withParity appends the parity bit to data.
func (u uart) withParity(data uint64) uint64 {
	if u.CONF0&conf0PARITY_EN == 0 {
		return data
	}
	parity := uint64(bits.OnesCount64(data)&1) ^ uint64(u.CONF0&conf0PARITY_ODD)
	return data | parity<<u.dataBits()
}

// apply brings levels that interrupts follow, and the interrupt, up to date.
func (u uart) apply() {
	if uint32(u.RxFIFO.N) >= u.CONF1&0x1FF && u.RxFIFO.N > 0 {
		u.INT_RAW |= intRXFIFO_FULL
	}
	if uint32(u.TxFIFO.N) < u.CONF1>>9&0x1FF {
		u.INT_RAW |= intTXFIFO_EMPTY
	}
	u.c.source(sourceUART0+u.n, u.INT_RAW&u.INT_ENA != 0)
}

// driveLines puts TXD, RTS and DTR on their signals. RTS and DTR are low when
// active.
func (u uart) driveLines() {
	txd := u.Tx.Level != (u.CONF0&conf0TXD_INV != 0)
	u.c.sigOut(u.sig(sigUARTRX), txd)
	u.c.sigOut(u.sig(sigUARTCTS), u.rtsn())
	u.c.sigOut(u.sig(sigUARTDSR), u.dtrn())
}

// rtsn is RTS: by software, or by the receive FIFO's level.
func (u uart) rtsn() bool {
	active := u.CONF0&conf0SW_RTS != 0
	if u.CONF1&conf1RX_FLOW_EN != 0 {
		active = uint32(u.RxFIFO.N) < u.MEM_CONF>>7&0x1FF
	}
	return active == (u.CONF0&conf0RTS_INV != 0)
}

func (u uart) dtrn() bool {
	return u.CONF0&conf0SW_DTR != 0 == (u.CONF0&conf0DTR_INV != 0)
}
