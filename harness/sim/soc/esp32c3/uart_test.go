package esp32c3

import (
	"fmt"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Tests use UART1 on GPIO4 (TXD) and GPIO5 (RXD), GPIO6 (RTS) and GPIO7 (CTS).
const uart1 = 0x60010000

const (
	uFIFO     = uart1 + 0x00
	uINT_RAW  = uart1 + 0x04
	uINT_CLR  = uart1 + 0x10
	uCLKDIV   = uart1 + 0x14
	uRX_FILT  = uart1 + 0x18
	uSTATUS   = uart1 + 0x1C
	uCONF0    = uart1 + 0x20
	uCONF1    = uart1 + 0x24
	uIDLE     = uart1 + 0x48
	uMEM_CONF = uart1 + 0x60
	uCLK_CONF = uart1 + 0x78

	format8N1 = 3<<2 | 1<<4
	onXTAL    = clkSCLK_EN | clkTX_SCLK_EN | clkRX_SCLK_EN | 3<<20
	onAPB     = clkSCLK_EN | clkTX_SCLK_EN | clkRX_SCLK_EN | 1<<20
	onFast    = clkSCLK_EN | clkTX_SCLK_EN | clkRX_SCLK_EN | 2<<20
)

// withUART is a chip at 160 MHz with UART1 at a bit of 40 clocks of the crystal,
// which is a microsecond, and no pauses between frames.
func withUART(t *testing.T) *Chip {
	t.Helper()
	c := started(t, Options{}, endless())
	fast(t, c)
	c.Drive(5, board.Drive{Kind: board.PullUp}, c.Now())
	for _, p := range []uint32{4, 5, 6, 7} {
		st(t, c, muxReg(p), 1<<muxMCU_SEL|muxFUN_IE)
	}
	st(t, c, outSel(4), 9)
	st(t, c, outSel(6), 10)
	st(t, c, inSel(9), inSEL|5)
	st(t, c, inSel(10), inSEL|7)
	st(t, c, uCLK_CONF, onXTAL)
	st(t, c, uCLKDIV, 40)
	st(t, c, uCONF0, format8N1)
	st(t, c, uIDLE, 0)
	st(t, c, uINT_CLR, 0xFFFFFFFF)
	return c
}

// line draws what the edges of a pin that was high say at each middle of a bit.
func line(edges []edge, bit clock.Time, n int) string {
	if len(edges) == 0 {
		return ""
	}
	var s strings.Builder
	for i := range n {
		level := true
		for _, e := range edges {
			if e.at <= edges[0].at+clock.Time(i)*bit+bit/2 {
				level = e.high
			}
		}
		s.WriteByte('0' + byte(oneIf(level)))
	}
	return s.String()
}

// Frames on the line: start bit, data from the lowest bit, parity, stop; two bytes
// show where the second begins.
func TestUARTSends(t *testing.T) {
	tests := []struct {
		name  string
		conf0 uint32
		bytes []byte
		want  string
		half  bool // looked at every half a bit
	}{
		{"8N1", format8N1, []byte{0x55, 0x0F}, "0101010101" + "0111100001" + "1", false},
		{"7E1", 2<<2 | 1<<4 | conf0PARITY_EN, []byte{0x51, 0x50}, "0100010111" + "0000010101" + "1", false},
		{"8O2", 3<<2 | 3<<4 | conf0PARITY_EN | conf0PARITY_ODD, []byte{0x03, 0x80}, "011000000111" + "000000001011" + "1", false},
		{"5N1", 0<<2 | 1<<4, []byte{0xF5, 0x0A}, "0101011" + "0010101" + "1", false},
		{"5N1.5", 0<<2 | 2<<4, []byte{0x1F, 0x1F}, "00" + "1111111111" + "111" + "00" + "1111111111" + "111", true},
	}
	for _, tt := range tests {
		c := withUART(t)
		edges := watching(c, 4)
		st(t, c, uCONF0, tt.conf0)
		for _, b := range tt.bytes {
			st(t, c, uFIFO, uint32(b))
		}
		run(t, c, 40*clock.Microsecond)
		bit := clock.Microsecond
		if tt.half {
			bit /= 2
		}
		if got := line(*edges, bit, len(tt.want)); got != tt.want {
			t.Errorf("%s: line %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A bit lasts (CLKDIV + FRAG/16) (DIV_NUM + 1 + A/B) clocks of the source. 0x55
// has an edge at each bit: the tenth is the next frame's start.
func TestUARTBitTimes(t *testing.T) {
	tests := []struct {
		name     string
		clk, div uint32
		bits10   clock.Time // picoseconds
	}{
		{"crystal", onXTAL, 40, 10 * clock.Microsecond},
		{"APB, as TinyGo at 115200", onAPB, 694 | 7<<20, 6944 * 12_500},       // 694.4375 clocks, 6944 in ten bits
		{"crystal, as the ROM at 115200", onXTAL, 347 | 4<<20, 3472 * 25_000}, // 347.25 clocks, 3472 in ten bits
		{"crystal by 2", onXTAL | 1<<12, 40, 20 * clock.Microsecond},
		{"crystal by 1 1/2", onXTAL | 1<<6 | 2, 40, 15 * clock.Microsecond},
		{"RC_FAST", onFast, 35, 20 * clock.Microsecond},
	}
	for _, tt := range tests {
		c := withUART(t)
		st(t, c, uCLK_CONF, tt.clk)
		st(t, c, uCLKDIV, tt.div)
		edges := watching(c, 4)
		st(t, c, uFIFO, 0x55)
		st(t, c, uFIFO, 0x55)
		run(t, c, 3*tt.bits10)
		if len(*edges) != 20 {
			t.Fatalf("%s: %d edges, want 20", tt.name, len(*edges))
		}
		if got := (*edges)[10].at - (*edges)[0].at; got < tt.bits10 || got > tt.bits10+6250 {
			t.Errorf("%s: ten bits last %d ps, want %d", tt.name, got, tt.bits10)
		}
	}
}

// drive puts levels on RXD, one a bit.
func drive(t *testing.T, c *Chip, levels string, bit clock.Time) {
	t.Helper()
	for _, l := range levels {
		kind := board.DriveLow
		if l == '1' {
			kind = board.DriveHigh
		}
		c.Drive(5, board.Drive{Kind: kind}, c.Now())
		run(t, c, bit)
	}
}

func TestUARTReceives(t *testing.T) {
	const bit = clock.Microsecond
	tests := []struct {
		name   string
		conf0  uint32
		levels string
		bit    clock.Time
		data   string // hexadecimal
		raw    uint32 // interrupts of errors
	}{
		{"8N1", format8N1, "0101010101" + "0111100001", bit, "550f", 0},
		{"8E1", format8N1 | conf0PARITY_EN, "01100000001", bit, "03", 0},
		{"8E1, wrong parity", format8N1 | conf0PARITY_EN, "01100000011", bit, "03", intPARITY_ERR},
		{"wrong parity, not stored", format8N1 | conf0PARITY_EN | conf0ERR_WR_MASK, "01100000011", bit, "", intPARITY_ERR},
		{"7N1", 2<<2 | 1<<4, "010000011", bit, "41", 0},
		{"no stop bit", format8N1, "01000001001" + "0010000011", bit, "4182", intFRM_ERR},
		{"break", format8N1, "000000000000" + "1" + "0100000101", bit, "0041", intFRM_ERR | intBRK_DET},
		{"4 % fast", format8N1, "0101010101" + "0111100001", bit * 96 / 100, "550f", 0},
		{"4 % slow", format8N1, "0101010101" + "0111100001", bit * 104 / 100, "550f", 0},
		{"inverted", format8N1 | conf0RXD_INV, "1010101010", bit, "55", 0},
	}
	for _, tt := range tests {
		c := withUART(t)
		if tt.conf0&conf0RXD_INV != 0 {
			c.Drive(5, board.Drive{Kind: board.DriveLow}, c.Now())
		}
		st(t, c, uCONF0, tt.conf0)
		run(t, c, 20*bit)
		st(t, c, uCONF0, tt.conf0|conf0RXFIFO_RST)
		st(t, c, uCONF0, tt.conf0)
		st(t, c, uINT_CLR, 0xFFFFFFFF)
		drive(t, c, tt.levels, tt.bit)
		run(t, c, 2*bit)
		got := ""
		for ld(t, c, uSTATUS)&0x3FF > 0 {
			got += fmt.Sprintf("%02x", ld(t, c, uFIFO))
		}
		if got != tt.data {
			t.Errorf("%s: received %s, want %s", tt.name, got, tt.data)
		}
		const errors = intPARITY_ERR | intFRM_ERR | intBRK_DET | intGLITCH_DET | intRXFIFO_OVF
		if raw := ld(t, c, uINT_RAW) & errors; raw != tt.raw {
			t.Errorf("%s: raw interrupts %#x, want %#x", tt.name, raw, tt.raw)
		}
	}
}

// A start bit that is over in its middle is a glitch; with the filter not even that.
func TestUARTGlitches(t *testing.T) {
	for _, tt := range []struct {
		name   string
		filter uint32 // clocks of 25 ns
		pulse  clock.Time
		raw    uint32
		bytes  uint32
	}{
		{"glitch", 0, 400 * clock.Nanosecond, intGLITCH_DET, 0},
		{"swallowed", 1<<8 | 20, 400 * clock.Nanosecond, 0, 0},
		{"long enough for both", 1<<8 | 20, 525 * clock.Nanosecond, 0, 1},
	} {
		c := withUART(t)
		st(t, c, uRX_FILT, tt.filter)
		c.Drive(5, board.Drive{Kind: board.DriveLow}, c.Now())
		run(t, c, tt.pulse)
		c.Drive(5, board.Drive{Kind: board.DriveHigh}, c.Now())
		run(t, c, 20*clock.Microsecond)
		raw, n := ld(t, c, uINT_RAW)&(intGLITCH_DET|intFRM_ERR), ld(t, c, uSTATUS)&0x3FF
		if raw != tt.raw || n != tt.bytes {
			t.Errorf("%s: raw interrupts %#x and %d bytes, want %#x and %d", tt.name, raw, n, tt.raw, tt.bytes)
		}
	}
}

// FIFO_FULL at its threshold, time-out behind the last byte, overflow at 128.
func TestUARTThresholds(t *testing.T) {
	c := withUART(t)
	st(t, c, uCONF1, 3|0x60<<9|conf1RX_TOUT_EN)
	st(t, c, uMEM_CONF, 1<<1|1<<4|20<<16) // 20 bits
	for n := range 3 {
		if ld(t, c, uINT_RAW)&intRXFIFO_FULL != 0 {
			t.Errorf("RXFIFO_FULL with %d bytes", n)
		}
		drive(t, c, "0101010101", clock.Microsecond)
	}
	if ld(t, c, uINT_RAW)&intRXFIFO_FULL == 0 {
		t.Error("no RXFIFO_FULL with 3 bytes")
	}
	run(t, c, 19*clock.Microsecond)
	if ld(t, c, uINT_RAW)&intRXFIFO_TOUT != 0 {
		t.Error("RXFIFO_TOUT too early")
	}
	run(t, c, 2*clock.Microsecond)
	if ld(t, c, uINT_RAW)&intRXFIFO_TOUT == 0 {
		t.Error("no RXFIFO_TOUT behind 20 bits")
	}
	for range 125 {
		drive(t, c, "0101010101", clock.Microsecond)
	}
	if got := ld(t, c, uSTATUS) & 0x3FF; got != 128 || ld(t, c, uINT_RAW)&intRXFIFO_OVF != 0 {
		t.Errorf("%d bytes, overflow %#x", got, ld(t, c, uINT_RAW)&intRXFIFO_OVF)
	}
	drive(t, c, "0101010101", clock.Microsecond)
	if ld(t, c, uSTATUS)&0x3FF != 128 || ld(t, c, uINT_RAW)&intRXFIFO_OVF == 0 {
		t.Error("the 129th byte does not overflow")
	}
	for range 128 {
		if got := ld(t, c, uFIFO); got != 0x55 {
			t.Fatalf("read %#x, want 0x55", got)
		}
	}
}

// The transmit FIFO holds 128 bytes beside the one on the line; TX_DONE comes with the
// last stop bit, and a break and the pause behind it.
func TestUARTBreakAndPause(t *testing.T) {
	c := withUART(t)
	st(t, c, uIDLE, 5<<10)
	st(t, c, uart1+0x44, 13)
	st(t, c, uCONF0, format8N1|conf0TXD_BRK)
	st(t, c, uCONF1, 10<<9)
	edges := watching(c, 4)
	begin := c.Now()
	for range 129 {
		st(t, c, uFIFO, 0x55)
	}
	if got := ld(t, c, uSTATUS) >> 16 & 0x3FF; got != 128 {
		t.Errorf("TXFIFO_CNT %d, want 128", got)
	}
	for _, tt := range []struct {
		after clock.Time // microseconds since the first byte, of those that have just passed
		raw   uint32
	}{
		{1289, intTXFIFO_EMPTY},
		{1291, intTXFIFO_EMPTY | intTX_DONE},
		{1302, intTXFIFO_EMPTY | intTX_DONE},
		{1304, intTXFIFO_EMPTY | intTX_DONE | intTX_BRK_DONE},
		{1307, intTXFIFO_EMPTY | intTX_DONE | intTX_BRK_DONE},
		{1309, intTXFIFO_EMPTY | intTX_DONE | intTX_BRK_DONE | intTX_BRK_IDLE},
	} {
		run(t, c, begin+tt.after*clock.Microsecond-c.Now())
		if got := ld(t, c, uINT_RAW); got != tt.raw {
			t.Errorf("after %d us: raw interrupts %#x, want %#x", tt.after, got, tt.raw)
		}
	}
	last := (*edges)[len(*edges)-2:]
	if low := last[1].at - last[0].at; last[0].high || low != 13*clock.Microsecond {
		t.Errorf("the break lasts %d ps, want 13 bits", low)
	}
}

// Measurements are clocks less one, as ESP-IDF's and the ROM's formulas have it.
func TestUARTAutobaud(t *testing.T) {
	c := withUART(t)
	st(t, c, uCONF0, format8N1|conf0AUTOBAUD_EN)
	drive(t, c, "0101010101", 2*clock.Microsecond)
	drive(t, c, "0011001100", clock.Microsecond)
	for _, tt := range []struct {
		name string
		off  uint32
		want uint32
	}{
		{"LOWPULSE", 0x28, 79}, {"HIGHPULSE", 0x2C, 79}, {"RXD_CNT", 0x30, 15},
		{"POSPULSE", 0x70, 159}, {"NEGPULSE", 0x74, 159},
	} {
		got := ld(t, c, uart1+tt.off)
		if got < tt.want-1 || got > tt.want+1 || tt.off == 0x30 && got != tt.want {
			t.Errorf("%s %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestUARTLoopback(t *testing.T) {
	c := withUART(t)
	st(t, c, uCONF0, format8N1|conf0LOOPBACK)
	st(t, c, uFIFO, 0xA5)
	run(t, c, 11*clock.Microsecond)
	if got := ld(t, c, uFIFO); got != 0xA5 {
		t.Errorf("received %#x, want 0xa5", got)
	}
}

// RTS follows the receive FIFO, CTS holds the transmitter; both are low when active.
func TestUARTFlowControl(t *testing.T) {
	c := withUART(t)
	c.Drive(7, board.Drive{Kind: board.DriveHigh}, c.Now())
	st(t, c, uCONF0, format8N1|conf0TX_FLOW_EN)
	st(t, c, uMEM_CONF, 1<<1|1<<4|2<<7)
	st(t, c, uCONF1, conf1RX_FLOW_EN|0x60)
	edges := watching(c, 4)
	st(t, c, uFIFO, 0x55)
	run(t, c, 20*clock.Microsecond)
	if len(*edges) != 0 {
		t.Error("sends without CTS")
	}
	c.Drive(7, board.Drive{Kind: board.DriveLow}, c.Now())
	run(t, c, 20*clock.Microsecond)
	if len(*edges) != 10 || ld(t, c, uINT_RAW)&intCTS_CHG == 0 {
		t.Errorf("%d edges behind CTS, want 10", len(*edges))
	}
	for n, want := range []bool{false, false, true} {
		if c.Level(6) != want {
			t.Errorf("RTS with %d bytes is %t", n, !want)
		}
		drive(t, c, "0101010101", clock.Microsecond)
	}
}

func TestUARTLacks(t *testing.T) {
	for _, tt := range []struct {
		off, v uint32
		want   string
	}{
		{0x20, 1 << 16, "UART1.CONF0: IrDA"},
		{0x34, 1, "UART1.FLOW_CONF.SW_FLOW_CON_EN"},
		{0x4C, 1, "UART1.RS485_CONF.RS485_EN"},
		{0x0C, 1 << 18, "UART1.INT_ENA: RS485, flow control, AT_CMD and wake-up interrupts"},
	} {
		c := withUART(t)
		if f := (cpuBus{c}).Store(uint64(uart1+tt.off), 4, uint64(tt.v)); f != bus.Unmodelled || c.lacking != tt.want {
			t.Errorf("+%#x: %v, %q, want %q", tt.off, f, c.lacking, tt.want)
		}
	}
}
