package stm32f407

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

const (
	crc0  = 0x40023000
	wwdg0 = 0x40002C00
	iwdg0 = 0x40003000
	csr0  = rcc0 + 0x74
)

// CRC-32/MPEG-2 of single and repeated words: 0x00000000 gives 0xC704DD7B, as
// Rocksoft-model calculators do for poly 0x04C11DB7, init ~0, not reflected.
func TestCRC(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	for _, e := range []struct {
		words []uint32
		want  uint32
	}{
		{nil, 0xFFFFFFFF},
		{[]uint32{0}, 0xC704DD7B},
		{[]uint32{0xFFFFFFFF}, 0}, // the remainder of what equals it
		{[]uint32{0x31323334}, crcBytes("1234")},
		{[]uint32{0x31323334, 0x35363738}, crcBytes("12345678")},
	} {
		st(t, c, crc0+8, 1)
		for _, w := range e.words {
			st(t, c, crc0, w)
		}
		if got := ld(t, c, crc0); got != e.want {
			t.Errorf("%#x: %#x, want %#x", e.words, got, e.want)
		}
	}
	st(t, c, crc0+4, 0x1A5)
	st(t, c, crc0+8, 1)
	if got := ld(t, c, crc0+4); got != 0xA5 {
		t.Errorf("IDR %#x after a reset of DR, want 0xa5 (RM0090 §4.4.2)", got)
	}
}

// crcBytes divides bit by bit: CRC-32/MPEG-2.
func crcBytes(s string) uint32 {
	crc := ^uint32(0)
	for _, b := range []byte(s) {
		for i := 7; i >= 0; i-- {
			bit := uint32(b>>i) & 1
			if crc>>31 != bit {
				crc = crc<<1 ^ 0x04C11DB7
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

func cycleOfReset(t *testing.T, c *Chip, limit clock.Time) clock.Time {
	t.Helper()
	for end := c.Now() + limit; c.Running; {
		if c.Now() >= end {
			t.Fatal("no reset")
		}
		next, _ := c.Events.Next()
		run(t, c, max(c.TimeOf(next)-c.Now(), 1))
	}
	return c.Due[slotReset] - resetPulse
}

// RM0090 table 108: (RLR+1) * 4 * 2^PR periods of LSI, from the first edge after
// the reload on.
func TestIWDG(t *testing.T) {
	for _, e := range []struct {
		pr, rlr uint32
		want    clock.Time
	}{
		{0, 0, 125 * clock.Microsecond},
		{0, 0xFFF, 512 * clock.Millisecond},
		{3, 0xFFF, 4096 * clock.Millisecond},
		{6, 9, 80 * clock.Millisecond},
		{7, 9, 80 * clock.Millisecond},
	} {
		c := started(t, Options{}, endless())
		st(t, c, csr0, csrRMVF)
		st(t, c, iwdg0, iwdgStart)
		st(t, c, iwdg0, iwdgUnlock)
		st(t, c, iwdg0+4, e.pr)
		st(t, c, iwdg0+8, e.rlr)
		if sr := ld(t, c, iwdg0+12); sr != 3 {
			t.Errorf("SR %d after writes of PR and RLR, want 3", sr)
		}
		run(t, c, lsiStartup+iwdgUpdate*lsiPeriod-clock.Microsecond)
		if sr := ld(t, c, iwdg0+12); sr != 3 {
			t.Errorf("SR %d before five edges of LSI, want 3", sr)
		}
		run(t, c, 2*clock.Microsecond)
		if sr := ld(t, c, iwdg0+12); sr != 0 {
			t.Errorf("SR %d after five edges of LSI, want 0", sr)
		}
		st(t, c, iwdg0, iwdgReload)
		edge := c.lsiEdge(1)
		if got := cycleOfReset(t, c, e.want+clock.Second) - edge; got < e.want || got > e.want+clock.Microsecond {
			t.Errorf("PR %d, RLR %d: reset %d ps after the reload's edge, want %d", e.pr, e.rlr, got, e.want)
		}
		run(t, c, resetPulse+clock.Microsecond)
		if got := ld(t, c, csr0) & csrFlags; got != csrIWDGRSTF|csrPINRSTF {
			t.Errorf("reset flags %#x", got)
		}
		run(t, c, clock.Second) // the reset has stopped it
	}
}

func TestIWDGKeys(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, iwdg0+4, 2)
	st(t, c, iwdg0+8, 2)
	run(t, c, clock.Millisecond)
	if pr, rlr := ld(t, c, iwdg0+4), ld(t, c, iwdg0+8); pr != 0 || rlr != 0xFFF {
		t.Errorf("PR %d, RLR %#x written without the key", pr, rlr)
	}
	if !warned(c, "IWDG.PR written without the key") {
		t.Error("no warning")
	}
	st(t, c, iwdg0, iwdgStart)
	st(t, c, csr0, 0)
	if ld(t, c, csr0)&csrLSION == 0 {
		t.Error("LSI switched off under the watchdog (RM0090 §7.2.5)")
	}
	for range 20 { // refreshed in time
		run(t, c, 500*clock.Millisecond)
		st(t, c, iwdg0, iwdgReload)
	}
	if !c.Running {
		t.Error("reset in spite of reloads")
	}
}

// The option byte WDG_SW = 0 starts it in hardware (RM0090 §21.3.1), at 0xFFF
// and a prescaler of 4.
func TestHardwareIWDG(t *testing.T) {
	c := New(Options{})
	c.FLASH.Options &^= optWDGSW
	if err := c.LoadFlash(flashBase, endless()); err != nil {
		t.Fatal(err)
	}
	c.SetPower(true)
	run(t, c, powerOnReset)
	want := c.Now() + lsiStartup + lsiPeriod + 512*clock.Millisecond
	if at := cycleOfReset(t, c, clock.Second); at < want || at > want+clock.Microsecond {
		t.Errorf("reset at %d, want %d", at, want)
	}
	c.Drive(pinBOOT0, board.Drive{Kind: board.DriveHigh}, c.Now())
	if stop := c.Run(c.Now() + clock.Millisecond); stop.Kind != board.NotModelled {
		t.Errorf("the boot loader with a hardware watchdog: %v", stop)
	}
}

// RM0090 §22.4: 4096 * 2^WDGTB * (T[5:0]+1) clocks of PCLK1 at most; the
// free-running prescaler takes off less than one period.
func TestWWDG(t *testing.T) {
	for _, e := range []struct{ tb, tt uint32 }{{0, 0x40}, {0, 0x7F}, {1, 0x50}, {3, 0x7F}} {
		c := started(t, Options{}, endless())
		gates(t, c)
		since := c.Cycle()
		st(t, c, wwdg0+4, e.tb<<7|0x7F)
		run(t, c, 100*clock.Microsecond)
		st(t, c, wwdg0, wwdgWDGA|e.tt)
		period := uint64(4096) << e.tb
		first := since + ((c.Cycle()-since)/period+1)*period
		want := c.TimeOf(first + uint64(e.tt-0x40)*period)
		at := cycleOfReset(t, c, clock.Second)
		if at < want || at > want+clock.Microsecond {
			t.Errorf("WDGTB %d, T %#x: reset at %d, want %d", e.tb, e.tt, at, want)
		}
		run(t, c, resetPulse+clock.Microsecond)
		if ld(t, c, csr0)&csrWWDGRSTF == 0 {
			t.Error("no WWDGRSTF")
		}
	}
}

func TestWWDGWindow(t *testing.T) {
	for _, e := range []struct {
		name  string
		after clock.Time // of T = 0x7F; a count takes 256 us
		write uint32
		reset bool
	}{
		{"above the window", clock.Millisecond, 0x7F, true},
		{"within", 9 * clock.Millisecond, 0x7F, false},
		{"T6 clear", 9 * clock.Millisecond, 0x3F, true},
	} {
		c := started(t, Options{}, endless())
		gates(t, c)
		st(t, c, wwdg0+4, 0x60)
		st(t, c, wwdg0, 0xFF)
		run(t, c, e.after)
		st(t, c, wwdg0, e.write)
		if c.Running == e.reset {
			t.Errorf("%s: running is %v", e.name, c.Running)
		}
	}
}

func TestWWDGEarlyWakeup(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, wwdg0+4, wwdgEWI|0x7F)
	st(t, c, wwdg0, 0xC2)
	for limit := c.Now() + clock.Millisecond; ld(t, c, wwdg0)&0x7F != 0x40 && c.Now() < limit; {
		if requested(c, irqWWDG) {
			t.Fatal("the interrupt comes before 0x40")
		}
		run(t, c, clock.Microsecond)
	}
	if ld(t, c, wwdg0+8) != 1 || !requested(c, irqWWDG) {
		t.Error("no early wake-up at 0x40")
	}
	st(t, c, wwdg0, 0xFF)
	st(t, c, wwdg0+8, 0)
	if ld(t, c, wwdg0+8) != 0 || requested(c, irqWWDG) {
		t.Error("EWIF is not cleared by a write of 0")
	}
	st(t, c, wwdg0+4, 0x7F)
	if ld(t, c, wwdg0+4)&wwdgEWI == 0 {
		t.Error("EWI cleared by software (RM0090 §22.6.2)")
	}
}
