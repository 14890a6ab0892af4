package k210

import (
	"fmt"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// wired is a quiet part whose TX and RX a serial adapter is at.
func wired(t *testing.T, tx, rx string) (*Chip, *board.Board, *board.Bridge) {
	t.Helper()
	c := New(Options{})
	b, err := board.New(c, board.Wiring{Bridges: []board.BridgeWiring{{Name: "console", TX: tx, RX: rx}}})
	if err != nil {
		t.Fatal(err)
	}
	b.SetPower(true)
	c.ScheduleAt(slotReset, clock.NeverTime)
	c.romHandOver()
	c.SYSCTL.CLK_EN_PERI = ^uint32(0)
	return c, b, b.Bridge("console")
}

// received are the bytes that a bridge has got, "!" behind those that were broken.
func received(br *board.Bridge) (s string) {
	for {
		r, ok := br.Next()
		if !ok {
			return s
		}
		s += string(rune(r.Byte))
		if r.Framing || r.Parity {
			s += "!"
		}
	}
}

// TestUARTHSFrame: edges of "U" and of 0x0F with two stop bits, one bit after
// the store, then back to back (UARTTx.scala).
func TestUARTHSFrame(t *testing.T) {
	c := quiet(t)
	st(t, c, uarths+uhDIV, 99)
	st(t, c, uarths+uhTXCTRL, uhEN|uhNSTOP)
	edges := watch(c, 5)
	from := c.Clock
	st(t, c, uarths+uhTXDATA, 'U')
	st(t, c, uarths+uhTXDATA, 0x0F)
	pass(c, 2500)
	want := "100:0 200:1 300:0 400:1 500:0 600:1 700:0 800:1 900:0 1000:1 1200:0 1300:1 1700:0 2100:1"
	if got := describe(*edges, from); got != want {
		t.Errorf("edges\n%s, want\n%s", got, want)
	}
}

// TestUARTHSRoundTrip: a serial adapter understands UARTHS, and the other way round, at
// many rates.
func TestUARTHSRoundTrip(t *testing.T) {
	for _, baud := range []uint64{9600, 115200, 460800, 1_500_000, 2_000_000} {
		t.Run(fmt.Sprint(baud), func(t *testing.T) {
			c, b, br := wired(t, "IO5", "IO4")
			if err := br.SetMode(board.Mode{Baud: baud}); err != nil {
				t.Fatal(err)
			}
			st(t, c, uarths+uhDIV, uint32(c.Timeline.Hz()/baud)-1) // SDK uarths.c
			st(t, c, uarths+uhTXCTRL, uhEN)
			st(t, c, uarths+uhRXCTRL, uhEN)
			text := "Hello\x00\xFF\x55"
			br.Write([]byte(text))
			frame := clock.Time(uint64(10*clock.Second) / baud)
			var got string
			for range 2 * len(text) {
				b.Advance(b.Now() + frame)
				if v := ld(t, c, uarths+uhRXDATA); v&uhFULL == 0 {
					got += string([]byte{byte(v)})
					st(t, c, uarths+uhTXDATA, v)
				}
			}
			if got != text {
				t.Errorf("UARTHS received %q", got)
			}
			want := ""
			for _, x := range []byte(text) {
				want += string(rune(x))
			}
			if got := received(br); got != want {
				t.Errorf("the adapter received %q, want %q", got, want)
			}
		})
	}
}

// TestUARTHSWatermarks: pending below TXCNT and above RXCNT.
func TestUARTHSWatermarks(t *testing.T) {
	c, b, br := wired(t, "IO5", "IO4")
	st(t, c, uarths+uhDIV, uint32(c.Timeline.Hz()/115200)-1)
	ip := func() uint32 { return ld(t, c, uarths+uhIP) }
	if got := ip(); got != 0 {
		t.Errorf("IP %d with counts of 0", got)
	}
	st(t, c, uarths+uhTXCTRL, 2<<16)
	if got := ip(); got != uhTXWM {
		t.Errorf("IP %d with fewer than 2 bytes to send", got)
	}
	st(t, c, uarths+uhTXDATA, 1)
	st(t, c, uarths+uhTXDATA, 2)
	if got := ip(); got != 0 {
		t.Errorf("IP %d with 2 bytes to send", got)
	}
	st(t, c, uarths+uhRXCTRL, 1<<16|uhEN)
	st(t, c, uarths+uhIE, uhRXWM)
	br.Write([]byte("ab"))
	b.Advance(b.Now() + 90*clock.Microsecond)
	if ip() != 0 || c.PLIC.Level.has(irqUARTHS) {
		t.Error("RXWM with one byte")
	}
	b.Advance(b.Now() + 90*clock.Microsecond)
	if ip() != uhRXWM || !c.PLIC.Level.has(irqUARTHS) {
		t.Error("no RXWM with two bytes")
	}
	ld(t, c, uarths+uhRXDATA)
	if ip() != 0 || c.PLIC.Level.has(irqUARTHS) {
		t.Error("RXWM stays when read")
	}
}

// TestUARTHSOverrun: of nine bytes that nobody reads, eight are kept; and of nine that are
// stored while sending is off, eight are sent.
func TestUARTHSOverrun(t *testing.T) {
	c, b, br := wired(t, "IO5", "IO4")
	st(t, c, uarths+uhDIV, uint32(c.Timeline.Hz()/115200)-1)
	st(t, c, uarths+uhRXCTRL, uhEN)
	br.Write([]byte("123456789"))
	b.Advance(b.Now() + 2*clock.Millisecond)
	var got string
	for v := ld(t, c, uarths+uhRXDATA); v&uhFULL == 0; v = ld(t, c, uarths+uhRXDATA) {
		got += string(rune(v))
	}
	if got != "12345678" {
		t.Errorf("kept %q", got)
	}
	for _, x := range "ABCDEFGHI" {
		if full := ld(t, c, uarths+uhTXDATA)&uhFULL != 0; full != (x == 'I') {
			t.Errorf("full before %c: %v", x, full)
		}
		st(t, c, uarths+uhTXDATA, uint32(x))
	}
	st(t, c, uarths+uhTXCTRL, uhEN)
	b.Advance(b.Now() + 2*clock.Millisecond)
	if got := received(br); got != "ABCDEFGH" {
		t.Errorf("sent %q", got)
	}
	if n := len(c.Warnings()); n != 2 {
		t.Errorf("warnings %q", c.Warnings())
	}
}

// TestUARTHSNoise: what is low for less than four cycles begins no frame; a line that stays
// low gives zeros.
func TestUARTHSNoise(t *testing.T) {
	c := quiet(t)
	low, high := board.Drive{Kind: board.DriveLow}, board.Drive{Kind: board.DriveHigh}
	c.Drive(4, high, c.Now())
	st(t, c, uarths+uhDIV, 99)
	st(t, c, uarths+uhRXCTRL, uhEN)
	c.Drive(4, low, c.Now())
	pass(c, 3)
	c.Drive(4, high, c.Now())
	pass(c, 3000)
	if v := ld(t, c, uarths+uhRXDATA); v != uhFULL {
		t.Errorf("a glitch gives %#x", v)
	}
	c.Drive(4, low, c.Now())
	pass(c, 2500)
	c.Drive(4, high, c.Now())
	pass(c, 1000)
	for i, want := range []uint32{0, 0, 0xE0, uhFULL} {
		if v := ld(t, c, uarths+uhRXDATA); v != want && i != 2 || i == 2 && v&uhFULL != 0 {
			t.Errorf("byte %d is %#x, want %#x", i, v, want)
		}
	}
}

// TestUARTHSUnwatched: watching makes no difference, and a line that nobody watches is
// right when somebody looks.
func TestUARTHSUnwatched(t *testing.T) {
	run := func(look bool) *Chip {
		c := quiet(t)
		st(t, c, uarths+uhDIV, 99)
		st(t, c, uarths+uhTXCTRL, uhEN)
		if look {
			watch(c)
		}
		st(t, c, uarths+uhTXDATA, 'U')
		pass(c, 50)
		return c
	}
	a, b := run(true), run(false)
	for i := range 12 {
		if got, want := b.Level(5), i == 0 || i > 9 || i%2 == 0; got != want {
			t.Errorf("level %v in bit %d", got, i)
		}
		if a.Digest() != b.Digest() {
			t.Fatalf("watching makes a difference in bit %d", i)
		}
		pass(a, 100)
		pass(b, 100)
	}
}

// TestUARTHSSnapshot: frames in both directions go on from a snapshot as they did.
func TestUARTHSSnapshot(t *testing.T) {
	c, b, br := wired(t, "IO5", "IO4")
	st(t, c, uarths+uhDIV, uint32(c.Timeline.Hz()/115200)-1)
	st(t, c, uarths+uhTXCTRL, uhEN)
	st(t, c, uarths+uhRXCTRL, uhEN)
	st(t, c, uarths+uhTXDATA, 'a')
	br.Write([]byte("z"))
	b.Advance(b.Now() + 40*clock.Microsecond)
	middle := b.Snapshot()
	for range 2 {
		b.Restore(middle)
		b.Advance(b.Now() + 100*clock.Microsecond)
		if sent, got := received(br), ld(t, c, uarths+uhRXDATA); sent != "a" || got != 'z' {
			t.Errorf("sent %q, received %#x", sent, got)
		}
	}
}

// TestUARTHSWithoutPin: a program that gives the console's pin to another UART, as Kendryte's SDK
// does, leaves the ROM's UARTHS with an input that is low; that is nothing to warn of.
func TestUARTHSWithoutPin(t *testing.T) {
	c := quiet(t)
	c.Drive(4, board.Drive{Kind: board.DriveHigh}, c.Now())
	st(t, c, uarths+uhDIV, 99)
	st(t, c, uarths+uhRXCTRL, uhEN)
	st(t, c, fpioa+4*4, fnUART1_RX|ioInput)
	pass(c, 20_000)
	if n := c.UARTHS.RxFIFO.N; n != uarthsDepth {
		t.Errorf("%d zeros", n)
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
}
