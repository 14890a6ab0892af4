package k210

import (
	"fmt"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

const uart3 = 0x50230000

// configure sets UART3 up on IO4 and IO5 as the SDK's uart_configure does.
func configure(t *testing.T, c *Chip, baud uint64, lcr uint32) {
	t.Helper()
	st(t, c, fpioa+4*4, fnUART1_RX+4|ioInput)
	st(t, c, fpioa+4*5, fnUART1_TX+4|ioOutput)
	divisor := uint32(c.apbHz(0) / baud)
	st(t, c, uart3+urLCR, lcrDLAB)
	st(t, c, uart3+urIER, divisor>>12)
	st(t, c, uart3+urRBR, divisor>>4&0xFF)
	st(t, c, uart3+urDLF, divisor&15)
	st(t, c, uart3+urLCR, lcr)
	st(t, c, uart3+urIER, ierPTIME)
	st(t, c, uart3+urIIR, 0<<6|3<<4|fcrDMAM|fcrFIFOE)
}

// withUART is a quiet part with UART3 at IO4 and IO5 and a bit of 160 cycles of APB0, 320
// of ACLK, without FIFOs.
func withUART(t *testing.T, lcr uint32) *Chip {
	t.Helper()
	c := quiet(t)
	c.Drive(4, board.Drive{Kind: board.DriveHigh}, c.Now())
	st(t, c, fpioa+4*4, fnUART1_RX+4|ioInput)
	st(t, c, fpioa+4*5, fnUART1_TX+4|ioOutput)
	st(t, c, uart3+urLCR, lcrDLAB)
	st(t, c, uart3+urRBR, 10)
	st(t, c, uart3+urLCR, lcr)
	return c
}

const (
	uartTestBit = 320
	lcr8N1      = 3
)

// levels draws what the edges of a line that was high say in the middle of each bit.
func levels(edges []edge, from uint64, n int) string {
	var s strings.Builder
	for i := range uint64(n) {
		level := true
		for _, e := range edges {
			if e.at <= from+i*uartTestBit+uartTestBit/2 {
				level = e.high
			}
		}
		s.WriteByte('0' + byte(oneIf(level)))
	}
	return s.String()
}

// TestUARTFormats: frames on the line; two bytes show where the second begins.
func TestUARTFormats(t *testing.T) {
	for _, one := range []struct {
		name string
		lcr  uint32
		want string // of 0x53 twice: start, data from the lowest bit, parity, stop
	}{
		{"8N1", 3, "0110010101" + "0110010101"},
		{"8N2", 3 | lcrSTOP, "01100101011" + "01100101011"},
		{"7N1", 2, "011001011" + "011001011"},
		{"5N1", 0, "0110011" + "0110011"},
		{"8E1", 3 | lcrPEN | lcrEPS, "01100101001" + "01100101001"},
		{"8O1", 3 | lcrPEN, "01100101011" + "01100101011"},
		{"7O1", 2 | lcrPEN, "0110010111" + "0110010111"},
		{"8 stuck at 0", 3 | lcrPEN | lcrSP | lcrEPS, "01100101001" + "01100101001"},
		{"8 stuck at 1", 3 | lcrPEN | lcrSP, "01100101011" + "01100101011"},
	} {
		c := withUART(t, one.lcr)
		edges := watch(c, 5)
		from := c.Clock
		st(t, c, uart3+urRBR, 0x53)
		st(t, c, uart3+urRBR, 0x53)
		pass(c, 30*uartTestBit)
		if got := levels(*edges, from, len(one.want)); got != one.want {
			t.Errorf("%s: %s, want %s", one.name, got, one.want)
		}
	}
}

// TestUARTOneAndAHalf: with 5 bits the second stop bit is half.
func TestUARTOneAndAHalf(t *testing.T) {
	c := withUART(t, lcrSTOP)
	edges := watch(c, 5)
	from := c.Clock
	st(t, c, uart3+urRBR, 0x1F)
	st(t, c, uart3+urRBR, 0x1F)
	pass(c, 30*uartTestBit)
	want := fmt.Sprintf("0:0 320:1 %d:0 %d:1", 15*uartTestBit/2, 17*uartTestBit/2)
	if got := describe(*edges, from); got != want {
		t.Errorf("edges %s, want %s", got, want)
	}
}

// TestUARTRoundTrip: a serial adapter and UART3 understand each other at the rates of
// flash programs, as the SDK computes the divisors.
func TestUARTRoundTrip(t *testing.T) {
	for _, baud := range []uint64{9600, 115200, 1_500_000, 2_000_000} {
		for parity, lcr := range map[board.Parity]uint32{board.ParityNone: 3, board.ParityEven: 3 | lcrPEN | lcrEPS, board.ParityOdd: 3 | lcrPEN} {
			t.Run(fmt.Sprint(baud, parity), func(t *testing.T) {
				c, b, br := wired(t, "IO5", "IO4")
				configure(t, c, baud, lcr)
				if err := br.SetMode(board.Mode{Baud: baud, Parity: parity}); err != nil {
					t.Fatal(err)
				}
				text := "Hello\x00\xFF\x55\xC0"
				br.Write([]byte(text))
				got, want := "", ""
				for range 3 * len(text) {
					b.Advance(b.Now() + clock.Time(uint64(11*clock.Second)/baud))
					for ld(t, c, uart3+urLSR)&lsrDR != 0 {
						v := ld(t, c, uart3+urRBR)
						got += string([]byte{byte(v)})
						st(t, c, uart3+urRBR, v)
					}
				}
				for _, x := range []byte(text) {
					want += string(rune(x))
				}
				if got != text {
					t.Errorf("UART3 received %q", got)
				}
				if got := received(br); got != want {
					t.Errorf("the adapter received %q, want %q", got, want)
				}
			})
		}
	}
}

// TestUARTTolerance: a receiver that samples in the middle of bits bears what moves the
// last sample, that of the stop bit at 9.5 bits, by less than half a bit: 5 %.
func TestUARTTolerance(t *testing.T) {
	for percent, good := range map[int64]bool{-4: true, 0: true, 4: true, -7: false, 7: false} {
		c, b, br := wired(t, "IO5", "IO4")
		configure(t, c, 115200, lcr8N1)
		if err := br.SetMode(board.Mode{Baud: uint64(115200 * (100 + percent) / 100)}); err != nil {
			t.Fatal(err)
		}
		br.Write([]byte{0x55, 0x01, 0x7F})
		b.Advance(b.Now() + 400*clock.Microsecond)
		bad := ld(t, c, uart3+urLSR)&(lsrFE|lsrRFE) != 0
		for _, want := range []uint32{0x55, 0x01, 0x7F} {
			bad = bad || ld(t, c, uart3+urRBR) != want
		}
		if bad == good {
			t.Errorf("%d %%: broken is %v", percent, bad)
		}
	}
}

// frame drives RX with levels, a bit each, and leaves it high.
func frame(c *Chip, bits string) {
	for _, b := range bits {
		kind := board.DriveLow
		if b == '1' {
			kind = board.DriveHigh
		}
		c.Drive(4, board.Drive{Kind: kind}, c.Now())
		pass(c, uartTestBit)
	}
	c.Drive(4, board.Drive{Kind: board.DriveHigh}, c.Now())
}

// TestUARTErrors: what LSR says of frames, once.
func TestUARTErrors(t *testing.T) {
	for _, one := range []struct {
		name, bits string
		lcr        uint32
		lsr, data  uint32
	}{
		{"good", "0110010101", 3, lsrDR, 0x53},
		{"even", "01100101001", 3 | lcrPEN | lcrEPS, lsrDR, 0x53},
		{"parity", "01100101011", 3 | lcrPEN | lcrEPS, lsrDR | lsrPE, 0x53},
		{"framing", "0110010100", 3, lsrDR | lsrFE, 0x53},
		{"break", "00000000000000", 3, lsrDR | lsrFE | lsrBI, 0},
		{"7 bits", "011001011", 2, lsrDR, 0x53},
	} {
		c := withUART(t, one.lcr)
		frame(c, one.bits)
		if got := ld(t, c, uart3+urLSR); got != one.lsr|lsrTHRE|lsrTEMT {
			t.Errorf("%s: LSR %#x, want %#x", one.name, got, one.lsr|lsrTHRE|lsrTEMT)
		}
		if got := ld(t, c, uart3+urLSR); got != lsrDR|lsrTHRE|lsrTEMT {
			t.Errorf("%s: LSR %#x when read again", one.name, got)
		}
		if got := ld(t, c, uart3+urRBR); got != one.data {
			t.Errorf("%s: %#x", one.name, got)
		}
	}
}

// TestUARTFalseStart: what is high in the middle of the start bit was none.
func TestUARTFalseStart(t *testing.T) {
	c := withUART(t, lcr8N1)
	c.Drive(4, board.Drive{Kind: board.DriveLow}, c.Now())
	pass(c, uartTestBit/2-1)
	c.Drive(4, board.Drive{Kind: board.DriveHigh}, c.Now())
	pass(c, 20*uartTestBit)
	if got := ld(t, c, uart3+urLSR); got&lsrDR != 0 {
		t.Errorf("LSR %#x", got)
	}
	frame(c, "0110010101")
	if got := ld(t, c, uart3+urRBR); got != 0x53 {
		t.Errorf("the next frame is %#x", got)
	}
}

// TestUARTOverrun: without FIFOs the new character stays, with them the old ones.
func TestUARTOverrun(t *testing.T) {
	c := withUART(t, lcr8N1)
	frame(c, "0100000001")
	frame(c, "0010000001")
	if lsr, b := ld(t, c, uart3+urLSR), ld(t, c, uart3+urRBR); lsr&lsrOE == 0 || b != 2 {
		t.Errorf("LSR %#x, character %d", lsr, b)
	}
	st(t, c, uart3+urIIR, fcrFIFOE)
	for range 17 {
		frame(c, "0100000001")
	}
	if n, lsr := ld(t, c, uart3+urRFL), ld(t, c, uart3+urLSR); n != 16 || lsr&lsrOE == 0 {
		t.Errorf("RFL %d, LSR %#x", n, lsr)
	}
}

// TestUARTInterrupts: causes in the order of their priority, and what ends them
// (DW_apb_uart, table of IIR).
func TestUARTInterrupts(t *testing.T) {
	c := withUART(t, 3|lcrPEN)
	irq := func() bool { return c.PLIC.Level.has(irqUART1 + 2) }
	expect := func(when string, want uint32) {
		t.Helper()
		if got := ld(t, c, uart3+urIIR); got&15 != want || irq() != (want != iirNone) && want != iirTHRE {
			t.Errorf("%s: IIR %#x, want %#x; interrupt %v", when, got, want, irq())
		}
	}
	st(t, c, uart3+urIIR, 1<<6|fcrFIFOE) // trigger at 4
	expect("nothing enabled", iirNone)
	st(t, c, uart3+urIER, ierETBEI)
	expect("THR empty, enabled", iirTHRE)
	expect("identified", iirNone)
	st(t, c, uart3+urRBR, 1)
	pass(c, 20*uartTestBit)
	expect("sent", iirTHRE)
	st(t, c, uart3+urIER, ierERBFI|ierELSI|ierEDSSI)
	frame(c, "01000000001")
	expect("a character", iirNone)
	pass(c, 43*uartTestBit) // behind the middle of the stop bit, four characters of 11 bits
	expect("just before the time-out", iirNone)
	pass(c, uartTestBit)
	expect("time-out", iirTimeout)
	for range 3 {
		frame(c, "01000000001")
	}
	expect("four characters", iirData)
	frame(c, "01000000011") // parity
	expect("an error behind", iirData)
	for range 4 {
		ld(t, c, uart3+urRBR)
	}
	expect("the error revealed", iirLine)
	if got := ld(t, c, uart3+urLSR); got&(lsrPE|lsrRFE) != lsrPE|lsrRFE {
		t.Errorf("LSR %#x", got)
	}
	expect("LSR read", iirNone)
	st(t, c, fpioa+4*31, fnUART1_CTS+2*uartFunctions+fnCTS|ioInput|ioPU)
	expect("CTS gone", iirModem)
	if got := ld(t, c, uart3+urMSR); got&0x1F != 1 {
		t.Errorf("MSR %#x", got)
	}
	expect("MSR read", iirNone)
}

// TestUARTThreshold: with PTIME, LSR.THRE tells of a full FIFO and the interrupt of one
// at its threshold.
func TestUARTThreshold(t *testing.T) {
	c := withUART(t, lcr8N1)
	st(t, c, uart3+urIIR, 2<<4|fcrFIFOE) // a quarter
	st(t, c, uart3+urIER, ierPTIME|ierETBEI)
	ld(t, c, uart3+urIIR)
	n := 0
	for ld(t, c, uart3+urLSR)&lsrTHRE == 0 {
		st(t, c, uart3+urRBR, 0)
		n++
	}
	if n != 17 { // one is under way
		t.Errorf("full with %d characters", n)
	}
	for ld(t, c, uart3+urIIR)&15 == iirNone {
		pass(c, uartTestBit)
	}
	if got := ld(t, c, uart3+urTFL); got != 4 {
		t.Errorf("interrupts with %d characters", got)
	}
}

// TestUARTLoopback: what is sent comes back, TX stays high, MCR shows in MSR.
func TestUARTLoopback(t *testing.T) {
	c := withUART(t, lcr8N1)
	st(t, c, uart3+urMCR, mcrLB|mcrDTR|mcrOUT2)
	edges := watch(c, 5)
	st(t, c, uart3+urRBR, 0xA5)
	pass(c, 10*uartTestBit)
	if got := ld(t, c, uart3+urRBR); got != 0xA5 || len(*edges) != 0 {
		t.Errorf("received %#x, edges %v", got, *edges)
	}
	if got := ld(t, c, uart3+urMSR) >> 4; got != 0b1010 { // DCD, RI, DSR, CTS
		t.Errorf("MSR's lines %04b", got)
	}
}

// TestUARTBreak holds the line low.
func TestUARTBreak(t *testing.T) {
	c := withUART(t, lcr8N1)
	st(t, c, uart3+urSBCR, 1)
	if c.Level(5) || ld(t, c, uart3+urLCR) != lcr8N1|lcrBC {
		t.Errorf("level %v, LCR %#x", c.Level(5), ld(t, c, uart3+urLCR))
	}
	st(t, c, uart3+urLCR, lcr8N1)
	if !c.Level(5) {
		t.Error("the break stays")
	}
}

// TestUARTFlowControl: CTS holds back what is to be sent, RTS goes at the trigger.
func TestUARTFlowControl(t *testing.T) {
	c := withUART(t, lcr8N1)
	st(t, c, fpioa+4*31, fnUART1_CTS+2*uartFunctions+fnCTS|ioInput)
	st(t, c, fpioa+4*32, fnUART1_CTS+2*uartFunctions+fnRTS|ioOutput)
	c.Drive(31, board.Drive{Kind: board.DriveHigh}, c.Now())
	st(t, c, uart3+urIIR, fcrFIFOE)
	st(t, c, uart3+urMCR, mcrAFCE|mcrRTS)
	st(t, c, uart3+urRBR, 'x')
	pass(c, 20*uartTestBit)
	if ld(t, c, uart3+urTFL) != 1 || c.Level(32) {
		t.Error("CTS does not hold, or RTS is off")
	}
	c.Drive(31, board.Drive{Kind: board.DriveLow}, c.Now())
	if ld(t, c, uart3+urTFL) != 0 {
		t.Error("CTS does not let go")
	}
	frame(c, "0100000001")
	if !c.Level(32) {
		t.Error("RTS is on with a character in the FIFO")
	}
	ld(t, c, uart3+urRBR)
	if c.Level(32) {
		t.Error("RTS is off with the FIFO empty")
	}
}

// TestUARTDMA: requests of both modes.
func TestUARTDMA(t *testing.T) {
	c := withUART(t, lcr8N1)
	u := c.uart(2)
	if !u.TxReq || u.RxReq {
		t.Errorf("requests at rest: %v, %v", u.TxReq, u.RxReq)
	}
	st(t, c, uart3+urIIR, 1<<6|fcrDMAM|fcrFIFOE)
	st(t, c, uart3+urHTX, 1)
	for n := range 16 {
		if !u.TxReq {
			t.Errorf("no request with %d of 16", n)
		}
		st(t, c, uart3+urRBR, 0)
	}
	if u.TxReq {
		t.Error("a request with a full FIFO")
	}
	for n := range 4 {
		frame(c, "0100000001")
		if u.RxReq != (n == 3) {
			t.Errorf("request %v with %d characters", u.RxReq, n+1)
		}
	}
	for n := range 4 {
		if !u.RxReq {
			t.Errorf("no request when %d were read", n)
		}
		ld(t, c, uart3+urRBR)
	}
	if u.RxReq {
		t.Error("a request with an empty FIFO")
	}
}

// TestUARTRegisters: reset values and what can be read back (Canaan's SVD file).
func TestUARTRegisters(t *testing.T) {
	c := quiet(t)
	for off, want := range map[uint32]uint32{urIIR: 1, urLSR: 0x60, urUSR: 6, urCTR: uartCTR, urLCR: 0, urSCR: 0} {
		if got := ld(t, c, uart3+off); got != want {
			t.Errorf("%s is %#x at reset, want %#x", RegisterName(uart3+off), got, want)
		}
	}
	st(t, c, uart3+urSCR, 0x1A5)
	st(t, c, uart3+urIIR, 2<<6|1<<4|fcrFIFOE)
	st(t, c, uart3+urSRT, 3)
	for off, want := range map[uint32]uint32{urSCR: 0xA5, urSRT: 3, urSTET: 1, urSFE: 1, urSDMAM: 0, urIIR: 0xC1} {
		if got := ld(t, c, uart3+off); got != want {
			t.Errorf("%s is %#x, want %#x", RegisterName(uart3+off), got, want)
		}
	}
}

// TestUARTLacks: what the model has not stops by name.
func TestUARTLacks(t *testing.T) {
	c := quiet(t)
	for what, v := range map[string][2]uint32{
		"UART3.MCR.SIRE: infrared":        {urMCR, mcrSIRE},
		"UART3.TCR.RS485_EN":              {urTCR, 1},
		"UART3.FAR: access to the FIFOs":  {urFAR, 1},
		"UART3.LPDLL and LPDLH: infrared": {urLPDLL, 1},
		"UART3.LCR_EXT: nine bits":        {urLCR_EXT, 1},
	} {
		if f := c.store(uint64(uart3+v[0]), 4, uint64(v[1])); f != bus.Unmodelled || c.lacking != what {
			t.Errorf("%s: %v, %q", what, f, c.lacking)
		}
	}
	if _, f := c.load(uart3+0xF4, 4); f != bus.Unmodelled || c.lacking != "UART3.CPR" {
		t.Errorf("CPR: %v, %q", f, c.lacking)
	}
}
