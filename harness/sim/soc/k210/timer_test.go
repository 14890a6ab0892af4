package k210

import (
	"math/rand/v2"
	"testing"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

const timer0 = 0x502D0000

// withTimer is a quiet part whose TIMER0 counts at 97.5 MHz, a tick for four cycles, with
// channel 0's output at IO25.
func withTimer(t *testing.T) *Chip {
	t.Helper()
	c := quiet(t)
	st(t, c, 0x50440000+syCLK_TH0+8, 3)
	st(t, c, 0x50440000+syCLK_SEL0, c.SYSCTL.CLK_SEL[0]|selTIMER0)
	st(t, c, fpioa+4*25, fnTIMER0|ioOutput)
	return c
}

const ticks = 4 // cycles

// TestTimerPWM: low for LOAD_COUNT+1 ticks from the tick behind the store, high for
// LOAD_COUNT2+1.
func TestTimerPWM(t *testing.T) {
	c := withTimer(t)
	st(t, c, timer0+tiLOAD, 6)
	st(t, c, timer0+tiLOAD2, 2)
	edges := watch(c, 25)
	from := c.Clock
	st(t, c, timer0+tiCONTROL, tcENABLE|tcUSER|tcPWM|tcMASK)
	pass(c, 25*ticks)
	if got, want := describe(*edges, from), "32:1 44:0 72:1 84:0"; got != want {
		t.Errorf("edges %s, want %s", got, want)
	}
	pass(c, 8*ticks)
	st(t, c, timer0+tiCONTROL, 0)
	if c.Level(25) {
		t.Error("the output is high when the channel is off")
	}
}

// TestTimerModes: what is counted, and where it begins anew.
func TestTimerModes(t *testing.T) {
	for _, one := range []struct {
		name    string
		control uint32
		load    uint32
		want    []uint32 // CURRENT_VALUE in consecutive ticks
	}{
		{"user-defined", tcUSER, 2, []uint32{2, 2, 1, 0, 2, 1, 0, 2}},
		{"free", 0, 1, []uint32{1, 1, 0, ^uint32(0), ^uint32(0) - 1}},
		{"zero", tcUSER, 0, []uint32{0, 0, 0}},
	} {
		c := withTimer(t)
		st(t, c, timer0+tiLOAD, one.load)
		st(t, c, timer0+tiCONTROL, tcENABLE|one.control)
		for i, want := range one.want {
			if got := ld(t, c, timer0+tiCURRENT); got != want {
				t.Errorf("%s: %#x in tick %d, want %#x", one.name, got, i, want)
			}
			pass(c, ticks)
		}
	}
}

// TestTimerInterrupts: two channels share a source; EOI ends it.
func TestTimerInterrupts(t *testing.T) {
	c := withTimer(t)
	irq := func() [2]bool { return [2]bool{c.PLIC.Level.has(irqTIMER0), c.PLIC.Level.has(irqTIMER0 + 1)} }
	for ch := uint32(1); ch <= 2; ch++ {
		st(t, c, timer0+ch*tiSTRIDE+tiLOAD, 10*ch)
		st(t, c, timer0+ch*tiSTRIDE+tiCONTROL, tcENABLE|tcUSER)
	}
	pass(c, 11*ticks)
	if irq() != [2]bool{} {
		t.Error("interrupts too early")
	}
	pass(c, ticks)
	if irq() != [2]bool{true, false} {
		t.Errorf("interrupts %v behind channel 1's count", irq())
	}
	if stat, raw := ld(t, c, timer0+tiINTR_STAT), ld(t, c, timer0+tiRAW); stat != 2 || raw != 2 {
		t.Errorf("INTR_STAT %#x, raw %#x", stat, raw)
	}
	ld(t, c, timer0+tiSTRIDE+tiEOI)
	if irq() != [2]bool{} {
		t.Error("EOI does not end it")
	}
	pass(c, 11*ticks)
	if irq() != [2]bool{true, true} {
		t.Errorf("interrupts %v", irq())
	}
	st(t, c, timer0+tiSTRIDE+tiCONTROL, tcENABLE|tcUSER|tcMASK)
	if stat, raw := ld(t, c, timer0+tiINTR_STAT), ld(t, c, timer0+tiRAW); stat != 4 || raw != 6 || irq() != [2]bool{false, true} {
		t.Errorf("masked: INTR_STAT %#x, raw %#x, interrupts %v", stat, raw, irq())
	}
	ld(t, c, timer0+tiEOI_ALL)
	if raw := ld(t, c, timer0+tiRAW); raw != 0 || irq() != [2]bool{} {
		t.Errorf("raw %#x behind EOI", raw)
	}
}

// TestTimerClock: it stands without its clock, goes on with another, and does so when
// ACLK changes.
func TestTimerClock(t *testing.T) {
	c := withTimer(t)
	st(t, c, timer0+tiLOAD, 1_000_000)
	st(t, c, timer0+tiCONTROL, tcENABLE|tcUSER)
	value := func() uint32 { return 1_000_000 - ld(t, c, timer0+tiCURRENT) }
	c.Run(c.Now() + 10*clock.Microsecond)
	if got := value(); got != 974 { // 97.5 a microsecond, begun a tick late
		t.Errorf("%d counts, want 974", got)
	}
	gates := ld(t, c, 0x50440000+syCLK_EN_PERI)
	st(t, c, 0x50440000+syCLK_EN_PERI, gates&^(1<<21))
	c.Run(c.Now() + 10*clock.Microsecond)
	st(t, c, 0x50440000+syCLK_EN_PERI, gates)
	if got := value(); got != 974 {
		t.Errorf("%d counts without a clock", got)
	}
	st(t, c, 0x50440000+syCLK_SEL0, c.SYSCTL.CLK_SEL[0]&^(selTIMER0|selACLK)) // IN0/8, ACLK 26 MHz
	c.Run(c.Now() + 8*clock.Microsecond)
	if got := value(); got != 974+26 {
		t.Errorf("%d counts at 3.25 MHz", got-974)
	}
}

// TestTimerLoad: a store to LOAD_COUNT begins anew while LOAD_COUNT is counted.
func TestTimerLoad(t *testing.T) {
	c := withTimer(t)
	st(t, c, timer0+tiLOAD, 100)
	st(t, c, timer0+tiCONTROL, tcENABLE|tcUSER)
	pass(c, 50*ticks)
	st(t, c, timer0+tiLOAD, 200)
	pass(c, 11*ticks)
	if got := ld(t, c, timer0+tiCURRENT); got != 190 {
		t.Errorf("CURRENT_VALUE %d, want 190", got)
	}
}

// TestTimerCatchesUp compares a channel that is caught up in leaps with one that counts
// tick by tick.
func TestTimerCatchesUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 9))
	for range 200 {
		h := timerChannel{LOAD: rnd.Uint32N(9), LOAD2: rnd.Uint32N(9), CONTROL: tcENABLE | tcUSER | rnd.Uint32N(2)*tcPWM}
		h.begin(h.LOAD, 0)
		count, high, raw := h.LOAD, false, false
		tick := uint64(1)
		for range 50 {
			for to := tick + rnd.Uint64N(60); tick < to; tick++ {
				if count--; count == ^uint32(0) {
					high, raw = !high, true
					count = h.LOAD
					if h.CONTROL&tcPWM != 0 && high {
						count = h.LOAD2
					}
				}
			}
			h.catchUp(tick)
			if h.value(tick) != count || h.High != high || h.Raw != raw {
				t.Fatalf("%+v at tick %d: %d, want %d, high %v", h, tick, h.value(tick), count, high)
			}
		}
	}
}

// TestTimerUnwatched: nobody's pulses are no events, and are right when somebody looks.
func TestTimerUnwatched(t *testing.T) {
	run := func(look bool) *Chip {
		c := withTimer(t)
		st(t, c, timer0+tiLOAD, 6)
		st(t, c, timer0+tiLOAD2, 2)
		st(t, c, timer0+tiCONTROL, tcENABLE|tcUSER|tcPWM|tcMASK)
		if look {
			watch(c)
		} else if at, slot := c.Events.Next(); at != clock.Never {
			t.Errorf("slot %d is due at %d", slot, at)
		}
		pass(c, 12345)
		c.Watch(nil)
		return c
	}
	a, b := run(true), run(false)
	if a.Level(25) != b.Level(25) || a.Digest() != b.Digest() {
		t.Error("watching makes a difference")
	}
}

// TestTimerForesight: a count is foreseen up to where it ends.
func TestTimerForesight(t *testing.T) {
	c := withTimer(t)
	st(t, c, timer0+tiLOAD, 100)
	st(t, c, timer0+tiCONTROL, tcENABLE|tcUSER|tcMASK)
	d := timerDevice{c, 0}
	if least, most, ok := d.foreseeLoad(tiCURRENT, 4, c.Clock+50*ticks); !ok || most != 100 || least != 51 {
		t.Errorf("%d to %d, %v", least, most, ok)
	}
	if _, _, ok := d.foreseeLoad(tiCURRENT, 4, c.Clock+103*ticks); ok {
		t.Error("foreseen beyond its end")
	}
	if _, _, ok := d.foreseeLoad(tiEOI, 4, c.Clock+1); ok {
		t.Error("EOI is foreseen")
	}
}

// TestTimerLacks: the version is not published.
func TestTimerLacks(t *testing.T) {
	c := withTimer(t)
	if _, f := c.load(timer0+0xAC, 4); f != bus.Unmodelled || c.lacking != "TIMER0.COMP_VERSION" {
		t.Errorf("%v, %q", f, c.lacking)
	}
}
