package stm32f407

import (
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/pad"
)

// serial is an idle chip whose USART2 (PA2, PA3) is wired to a bridge.
func serial(t *testing.T, baud uint64, p board.Parity) (*Chip, usart, *board.Board, *board.Bridge) {
	t.Helper()
	c := idle(t)
	b, err := board.New(c, board.Wiring{Bridges: []board.BridgeWiring{{Name: "u", TX: "PA2", RX: "PA3"}}})
	if err != nil {
		t.Fatal(err)
	}
	c.Powered = true
	alternate(c, 2, 7)
	alternate(c, 3, 7)
	br := b.Bridge("u")
	if err := br.SetMode(board.Mode{Baud: baud, Parity: p}); err != nil {
		t.Fatal(err)
	}
	return c, c.usart(2), b, br
}

// start switches the USART on and waits for its idle frame to pass.
func start(t *testing.T, b *board.Board, u usart, brr, cr1 uint32) {
	t.Helper()
	set(t, u, usartBRR, brr)
	set(t, u, usartCR1, usartUE|usartTE|usartRE|cr1)
	b.Advance(b.Now() + 20*clock.Millisecond)
}

// put sends as a program does that polls TXE, then waits for the line.
func put(t *testing.T, b *board.Board, u usart, data ...uint32) {
	t.Helper()
	for _, d := range data {
		b.AdvanceUntil(b.Now()+clock.Second, func() bool { return u.Sr&usartTXE != 0 })
		set(t, u, usartDR, d)
	}
	b.Advance(b.Now() + 50*clock.Millisecond)
}

func drain(br *board.Bridge) (p []byte, bad int) {
	for r, ok := br.Next(); ok; r, ok = br.Next() {
		p = append(p, r.Byte)
		if r.Framing || r.Parity {
			bad++
		}
	}
	return p, bad
}

// RM0090 §30.3.4: dividers at fPCLK = 16 MHz.
func TestUSARTTransmits(t *testing.T) {
	for _, e := range []struct {
		brr, cr1 uint32
		baud     uint64
		parity   board.Parity
	}{
		{0x683, 0, 9600, board.ParityNone},
		{0x8B, 0, 115200, board.ParityNone},
		{0x8B, usartM | usartPCE, 115200, board.ParityEven},
		{0x8B, usartM | usartPCE | usartPS, 115200, board.ParityOdd},
		{0x45, 0, 230400, board.ParityNone},
		{0x113, usartOVER8, 115200, board.ParityNone}, // 17.375
		{0x10, 0, 1_000_000, board.ParityNone},
		{0x10, usartOVER8, 2_000_000, board.ParityNone},
	} {
		_, u, b, br := serial(t, e.baud, e.parity)
		start(t, b, u, e.brr, e.cr1)
		put(t, b, u, 0x00, 0xFF, 0x55, 0x80, 'z')
		if got, bad := drain(br); string(got) != "\x00\xff\x55\x80z" || bad != 0 {
			t.Errorf("%+v: % x, %d bad", e, got, bad)
		}
	}
}

// Seven data bits and parity in eight: bit 7 is replaced.
func TestUSARTParityInEightBits(t *testing.T) {
	_, u, b, br := serial(t, 115200, board.ParityNone)
	start(t, b, u, 0x8B, usartPCE)
	put(t, b, u, 0x41, 0xC3)
	if got, _ := drain(br); string(got) != "\x41\xc3" {
		t.Errorf("% x", got)
	}
	for data, want := range map[byte]uint32{0x41: 0, 0x43: usartPE} {
		br.Write([]byte{data})
		b.Advance(b.Now() + clock.Millisecond)
		if sr := get(t, u, usartSR); sr&usartPE != want || byte(get(t, u, usartDR)) != data {
			t.Errorf("%#x received: SR %#x, want PE %d", data, sr, want)
		}
	}
}

// A frame's edges lie BRR clocks apart, and TC comes with the end of the stop
// bit; a second byte follows without a gap.
func TestUSARTTiming(t *testing.T) {
	c, u, b, _ := serial(t, 115200, board.ParityNone)
	start(t, b, u, 139, 0)
	r := b.Record(2)
	begin := c.Cycle()
	set(t, u, usartDR, 0x0F)
	if u.Sr&usartTC == 0 {
		t.Error("TC cleared by a write to DR without a read of SR")
	}
	get(t, u, usartSR)
	if u.Sr&usartTXE == 0 {
		t.Error("TXE low though the shift register was free")
	}
	set(t, u, usartDR, 0xF0)
	if u.Sr&(usartTXE|usartTC) != 0 {
		t.Errorf("SR %#x with two bytes written", u.Sr)
	}
	until(c, begin+1+139*20-1)
	if u.Sr&usartTC != 0 {
		t.Error("TC before the end of the second stop bit")
	}
	until(c, begin+1+139*20)
	if u.Sr&usartTC == 0 {
		t.Error("no TC at the end of the second stop bit")
	}
	want := []uint64{1, 1 + 139, 1 + 139*5, 1 + 139*9, 1 + 139*10, 1 + 139*15}
	if got := edgesOf(r, c, begin); !slices.Equal(got, want) {
		t.Errorf("edges at %v, want %v", got, want)
	}
}

func TestUSARTReceives(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, e := range []struct {
		brr, cr1 uint32
		baud     uint64
		parity   board.Parity
	}{
		{0x683, 0, 9600, board.ParityNone},
		{0x8B, 0, 115200, board.ParityNone},
		{0x8B, usartM | usartPCE, 115200, board.ParityEven},
		{0x10, 0, 1_000_000, board.ParityNone},
		{0x10, usartOVER8, 2_000_000, board.ParityNone},
	} {
		_, u, b, br := serial(t, e.baud, e.parity)
		start(t, b, u, e.brr, e.cr1)
		br.Write(all)
		var got []byte
		for range all {
			b.AdvanceUntil(b.Now()+clock.Second, func() bool { return u.Sr&usartRXNE != 0 })
			if sr := get(t, u, usartSR); sr&(usartPE|usartFE|usartNF|usartORE) != 0 {
				t.Fatalf("%+v: SR %#x after % x", e, sr, got)
			}
			got = append(got, byte(get(t, u, usartDR)))
		}
		if string(got) != string(all) {
			t.Errorf("%+v: % x", e, got)
		}
	}
}

// The receiver's tolerance is some 4 % for the sum of both sides' errors at ten
// bits (RM0090 §30.3.5: 3.75 % with a fraction and NF in use).
func TestUSARTTolerance(t *testing.T) {
	for _, e := range []struct {
		permille int
		ok       bool
	}{{0, true}, {30, true}, {-30, true}, {60, false}, {-60, false}} {
		_, u, b, br := serial(t, uint64(115200*(1000+e.permille)/1000), board.ParityNone)
		start(t, b, u, 0x8B, 0)
		br.Write([]byte{0x00})
		b.Advance(b.Now() + clock.Millisecond)
		br.Write([]byte{0x00})
		sr := get(t, u, usartSR)
		zero := get(t, u, usartDR) == 0 && sr&(usartFE|usartNF) == 0
		b.Advance(b.Now() + clock.Millisecond)
		br.Write([]byte{0xAA})
		sr = get(t, u, usartSR)
		get(t, u, usartDR)
		b.Advance(b.Now() + clock.Millisecond)
		alternating := get(t, u, usartSR)&usartFE == 0 && get(t, u, usartDR) == 0xAA
		if ok := zero && alternating; ok != e.ok {
			t.Errorf("%+d per mille: zero %v, alternating %v, SR %#x", e.permille, zero, alternating, sr)
		}
	}
}

// RM0090 §30.6.1: errors and how reading SR, then DR, clears them.
func TestUSARTErrors(t *testing.T) {
	_, u, b, br := serial(t, 115200, board.ParityNone)
	start(t, b, u, 0x8B, 0)
	br.Write([]byte("ab"))
	b.Advance(b.Now() + 180*clock.Microsecond)
	if sr := get(t, u, usartSR); sr&(usartORE|usartRXNE) != usartORE|usartRXNE {
		t.Fatalf("SR %#x, want an overrun", sr)
	}
	if got := get(t, u, usartDR); got != 'a' {
		t.Errorf("DR %#x: an overrun loses the second byte", got)
	}
	if u.Sr&(usartORE|usartRXNE) != 0 {
		t.Errorf("SR %#x after SR and DR were read", u.Sr)
	}
	br.SetBreak(true)
	b.Advance(b.Now() + clock.Millisecond)
	br.SetBreak(false)
	get(t, u, usartDR) // without SR: clears RXNE alone
	if u.Sr&(usartFE|usartRXNE) != usartFE {
		t.Errorf("SR %#x, want FE kept", u.Sr)
	}
	get(t, u, usartSR)
	if get(t, u, usartDR) != 0 || u.Sr&usartFE != 0 {
		t.Errorf("SR %#x, want FE cleared", u.Sr)
	}
	b.Advance(b.Now() + clock.Millisecond)
	br.Write([]byte("c")) // lives after the break
	b.Advance(b.Now() + clock.Millisecond)
	if sr := get(t, u, usartSR); sr&usartFE != 0 || get(t, u, usartDR) != 'c' {
		t.Errorf("SR %#x", sr)
	}
}

// One of three samples of a bit disturbed: the majority holds, NF tells.
func TestUSARTNoise(t *testing.T) {
	for _, onebit := range []bool{false, true} {
		c, u, b, br := serial(t, 1_000_000, board.ParityNone)
		start(t, b, u, 160, 0) // 100 kbaud: a bit is 160 cycles, a sample 10
		if err := br.SetMode(board.Mode{Baud: 100_000}); err != nil {
			t.Fatal(err)
		}
		if onebit {
			set(t, u, usartCR3, usartONEBIT)
		}
		from := b.Now()
		at := func(cycles uint64) clock.Time { return from + c.Timeline.Time(cycles) - c.Timeline.Time(0) }
		level := func(kind board.DriveKind, cycles uint64) {
			if err := b.DriveAt(3, board.Drive{Kind: kind}, at(cycles)); err != nil {
				t.Fatal(err)
			}
		}
		level(board.DriveLow, 160)  // start bit; then ones with a spike
		level(board.DriveHigh, 320) // bit 0
		level(board.DriveLow, 395)  // around its sample 9 (at 400)
		level(board.DriveHigh, 405)
		b.Advance(at(160 * 20))
		sr := get(t, u, usartSR)
		if sr&usartNF != 0 == onebit || sr&usartRXNE == 0 || get(t, u, usartDR) != 0xFF {
			t.Errorf("one-bit %v: SR %#x DR %#x", onebit, sr, u.Rdr)
		}
	}
}

func TestUSARTIdleLine(t *testing.T) {
	_, u, b, br := serial(t, 115200, board.ParityNone)
	start(t, b, u, 0x8B, 0)
	if u.Sr&usartIDLE != 0 {
		t.Error("IDLE before any data")
	}
	br.Write([]byte("x"))
	b.Advance(b.Now() + 160*clock.Microsecond)
	if u.Sr&usartIDLE != 0 {
		t.Error("IDLE too early")
	}
	b.Advance(b.Now() + 60*clock.Microsecond)
	if get(t, u, usartSR)&usartIDLE == 0 {
		t.Error("no IDLE after a frame of idle line")
	}
	get(t, u, usartDR)
	b.Advance(b.Now() + clock.Millisecond)
	if u.Sr&usartIDLE != 0 {
		t.Error("IDLE again without data between")
	}
}

func TestUSARTBreak(t *testing.T) {
	_, u, b, br := serial(t, 115200, board.ParityNone)
	start(t, b, u, 0x8B, 0)
	set(t, u, usartCR1, u.Cr1|usartSBK)
	b.Advance(b.Now() + clock.Millisecond)
	if r, ok := br.Next(); !ok || !r.Break {
		t.Errorf("got %+v", r)
	}
	if get(t, u, usartCR1)&usartSBK != 0 {
		t.Error("SBK still set")
	}
}

// Mute mode, §30.3.6: woken by its address, muted again by another.
func TestUSARTMute(t *testing.T) {
	_, u, b, br := serial(t, 115200, board.ParityNone)
	start(t, b, u, 0x8B, usartWAKE|usartRWU)
	set(t, u, usartCR2, 5)
	var got []byte
	for _, v := range []byte{0x01, 0x83, 0x02, 0x85, 0x03, 0x84, 0x04} {
		br.Write([]byte{v})
		b.Advance(b.Now() + 100*clock.Microsecond)
		if get(t, u, usartSR)&usartRXNE != 0 {
			got = append(got, byte(get(t, u, usartDR)))
		}
	}
	if string(got) != "\x85\x03" {
		t.Errorf("% x", got)
	}
	_, u, b, br = serial(t, 115200, board.ParityNone)
	start(t, b, u, 0x8B, usartRWU)
	br.Write([]byte("a"))
	b.Advance(b.Now() + 500*clock.Microsecond)
	if u.Sr&(usartRXNE|usartIDLE) != 0 || u.Cr1&usartRWU != 0 {
		t.Errorf("idle line: SR %#x CR1 %#x", u.Sr, u.Cr1)
	}
}

// Switching TE on sends an idle frame before the first byte (§30.3.2).
func TestUSARTIdleFrameFirst(t *testing.T) {
	c, u, b, _ := serial(t, 115200, board.ParityNone)
	set(t, u, usartBRR, 139)
	r := b.Record(2)
	begin := c.Cycle()
	set(t, u, usartCR1, usartUE|usartTE)
	set(t, u, usartDR, 0)
	b.Advance(b.Now() + clock.Millisecond)
	want := []uint64{1 + 139*10, 1 + 139*19}
	if got := edgesOf(r, c, begin); !slices.Equal(got, want) {
		t.Errorf("edges at %v, want %v", got, want)
	}
}

func TestUSARTFaultsByName(t *testing.T) {
	for _, e := range []struct {
		n      int
		off, v uint32
		want   string
	}{
		{2, usartCR3, 0x100, "USART2.CR3.RTSE"},
		{1, usartCR3, 0x200, "USART1.CR3.CTSE"},
		{4, usartCR2, 0x4000, "UART4.CR2.LINEN"},
		{6, usartCR2, 0x3000, "USART6.CR2.STOP of 0.5 or 1.5 bits"},
		{3, usartGTPR, 1, "USART3.GTPR.PSC and GT"},
	} {
		c := idle(t)
		if f := c.usart(e.n).Store(e.off, 4, uint64(e.v)); f != bus.Unmodelled || c.lacking != e.want {
			t.Errorf("USART%d+%#x = %#x: %v, %q, want %q", e.n, e.off, e.v, f, c.lacking, e.want)
		}
	}
}

// A change of PCLK in the middle of a frame stretches the rest of it.
func TestUSARTClockChange(t *testing.T) {
	c, u, b, _ := serial(t, 115200, board.ParityNone)
	start(t, b, u, 100, 0)
	r := b.Record(2)
	begin := c.Cycle()
	set(t, u, usartDR, 0x00)
	until(c, begin+1+450)
	c.poke(0x40023808, 4<<10) // PPRE1: PCLK1 = HCLK / 2
	until(c, begin+4000)
	want := []uint64{1, 1 + 450 + 2*450}
	got := edgesOf(r, c, begin)
	if len(got) != 2 || got[0] != want[0] || got[1]-want[1] > 4 {
		t.Errorf("edges at %v, want %v within two PCLKs", got, want)
	}
}

// §30.6.6: EIE is for errors of data that DMA takes away.
func TestUSARTErrorInterrupt(t *testing.T) {
	for _, flag := range []uint32{usartFE, usartNF, usartORE} {
		for _, cr3 := range []uint32{usartEIE, usartDMAR, usartEIE | usartDMAR} {
			_, u, _, _ := serial(t, 115200, board.ParityNone)
			u.Sr |= flag
			set(t, u, usartCR3, cr3)
			if got, want := pends(u.c, u.irq), cr3 == usartEIE|usartDMAR; got != want {
				t.Errorf("flag %#x, CR3 %#x: pending %v", flag, cr3, got)
			}
		}
	}
}

// RM0090 §30.3.10: one wire, on which the receiver hears its own transmitter,
// and which is released between frames.
func TestUSARTSingleWire(t *testing.T) {
	c, u, b, br := serial(t, 115200, board.ParityNone)
	set(t, u, usartCR3, usartHDSEL)
	c.Drive(2, board.Drive{Kind: board.PullUp}, c.Now())
	start(t, b, u, 0x8B, 0)
	put(t, b, u, 0xA5)
	if got, _ := drain(br); string(got) != "\xa5" {
		t.Errorf("sent % x", got)
	}
	if sr, dr := get(t, u, usartSR), get(t, u, usartDR); sr&usartRXNE == 0 || dr != 0xA5 {
		t.Errorf("SR %#x, DR %#x: own frame not heard", sr, dr)
	}
	if c.driver(2) != pad.Released {
		t.Error("the pin is driven between frames")
	}
	br.Write([]byte{0x3C}) // on the other pin
	b.Advance(b.Now() + clock.Millisecond)
	if get(t, u, usartSR)&usartRXNE != 0 {
		t.Error("RX is heard in single-wire mode")
	}
}
