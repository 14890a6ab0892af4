package esp32c3

import (
	"testing"

	"rigor/harness/sim/clock"
)

const (
	ledc0   = 0x60019000
	ledcINT = ledc0 + 0xC0
)

func ledcTimerReg(n uint32) uint32        { return ledc0 + 0xA0 + 8*n }
func ledcChannelReg(n, off uint32) uint32 { return ledc0 + 0x14*n + off }

// withLEDC is a chip with channel 0 on GPIO2, at timer 0, on APB.
func withLEDC(t *testing.T) *Chip {
	t.Helper()
	c := started(t, Options{}, endless())
	fast(t, c)
	st(t, c, system0+0x10, ld(t, c, system0+0x10)|1<<11)
	st(t, c, ledc0+0xD0, 1)
	st(t, c, muxReg(2), 1<<muxMCU_SEL|muxFUN_IE)
	st(t, c, outSel(2), sigLEDC)
	return c
}

// startTimer begins to count: a divider in 256ths and a resolution.
func startTimer(t *testing.T, c *Chip, n, div, bits uint32) {
	t.Helper()
	st(t, c, ledcTimerReg(n), bits|div<<4|ledcRST)
	st(t, c, ledcTimerReg(n), bits|div<<4|ledcTimerPARA)
}

// startChannel sets channel 0 up; it takes effect at the timer's next overflow.
func startChannel(t *testing.T, c *Chip, timer, hpoint, duty16, conf1 uint32) {
	t.Helper()
	st(t, c, ledcChannelReg(0, 4), hpoint)
	st(t, c, ledcChannelReg(0, 8), duty16)
	st(t, c, ledcChannelReg(0, 12), conf1|ledcDUTY_START)
	st(t, c, ledcChannelReg(0, 0), timer|ledcSIG_OUT_EN|ledcChannelPARA)
}

// A period is 2^bits ticks of div/256 clocks of the source; the pulse begins at
// HPOINT and lasts for DUTY.
func TestLEDCPulses(t *testing.T) {
	tests := []struct {
		name            string
		clk, div, bits  uint32
		hpoint, duty    uint32
		from, high, per clock.Time // since the overflow
	}{
		{"APB", 1, 1 << 8, 10, 0, 256, 0, 3_200_000, 12_800_000},
		{"hpoint", 1, 1 << 8, 10, 100, 256, 1_250_000, 3_200_000, 12_800_000},
		{"divided", 1, 4 << 8, 8, 0, 64, 0, 3_200_000, 12_800_000},
		{"a fraction", 1, 3 << 7, 10, 0, 512, 0, 9_600_000, 19_200_000},
		{"crystal", 3, 1 << 8, 10, 0, 1, 0, 25_000, 25_600_000},
		{"least of the period", 1, 1 << 8, 4, 0, 15, 0, 187_500, 200_000},
	}
	for _, tt := range tests {
		c := withLEDC(t)
		st(t, c, ledc0+0xD0, tt.clk)
		edges := watching(c, 2)
		begin := c.Now()
		startTimer(t, c, 0, tt.div, tt.bits)
		startChannel(t, c, 0, tt.hpoint, tt.duty<<4, 0)
		run(t, c, 4*tt.per)
		if len(*edges) < 4 {
			t.Fatalf("%s: edges %+v", tt.name, *edges)
		}
		e := *edges
		if late := e[0].at - begin - tt.per - tt.from; !e[0].high || late < 0 || late > clock.Microsecond {
			t.Errorf("%s: the first pulse begins %d ps behind the first overflow and HPOINT", tt.name, late)
		}
		if high, per := e[1].at-e[0].at, e[2].at-e[0].at; high != tt.high || per != tt.per {
			t.Errorf("%s: high for %d of %d ps, want %d of %d", tt.name, high, per, tt.high, tt.per)
		}
	}
}

func TestLEDCConstant(t *testing.T) {
	for _, tt := range []struct {
		duty uint32
		want bool
	}{{0, false}, {1024 << 4, true}} {
		c := withLEDC(t)
		startTimer(t, c, 0, 1<<8, 10)
		startChannel(t, c, 0, 0, tt.duty, 0)
		run(t, c, 13*clock.Microsecond)
		edges := watching(c, 2)
		run(t, c, 100*clock.Microsecond)
		if len(*edges) != 0 || c.Level(2) != tt.want {
			t.Errorf("duty %d: %d edges, level %t", tt.duty, len(*edges), c.Level(2))
		}
	}
}

// Of sixteen periods as many as DUTY's low bits say are a tick longer.
func TestLEDCFractionOfDuty(t *testing.T) {
	c := withLEDC(t)
	edges := watching(c, 2)
	startTimer(t, c, 0, 1<<8, 8)
	startChannel(t, c, 0, 0, 100<<4|5, 0)
	run(t, c, 35*256*12_500)
	longer, e := 0, *edges
	for i := 0; i < 32; i += 2 {
		switch high := e[i+1].at - e[i].at; high {
		case 101 * 12_500:
			longer++
		case 100 * 12_500:
		default:
			t.Errorf("a pulse of %d ps", high)
		}
	}
	if longer != 5 {
		t.Errorf("%d of 16 pulses are longer, want 5", longer)
	}
}

// A fade steps by SCALE, NUM times, every CYCLE overflows, then interrupts.
func TestLEDCFade(t *testing.T) {
	for _, tt := range []struct {
		name  string
		inc   uint32
		after []uint32 // DUTY_R>>4 in each period
	}{
		{"up", ledcDUTY_INC, []uint32{100, 100, 107, 107, 114, 114, 121, 121}},
		{"down", 0, []uint32{100, 100, 93, 93, 86, 86, 79, 79}},
	} {
		c := withLEDC(t)
		const per = 256 * 12_500
		st(t, c, ledc0+0xC8, 1<<ledcIntEnd)
		startTimer(t, c, 0, 1<<8, 8)
		startChannel(t, c, 0, 0, 100<<4, 3<<20|2<<10|7|tt.inc)
		run(t, c, per+per/2)
		for i, want := range tt.after {
			if got := ld(t, c, ledcChannelReg(0, 16)) >> 4; got != want {
				t.Errorf("%s: period %d: duty %d, want %d", tt.name, i, got, want)
			}
			if end := c.Matrix.Levels>>sourceLEDC&1 != 0; end != (i >= 6) {
				t.Errorf("%s: period %d: end of the fade %t", tt.name, i, end)
			}
			run(t, c, per)
		}
	}
}

// Overflows interrupt, and are counted for channels.
func TestLEDCOverflows(t *testing.T) {
	c := withLEDC(t)
	const per = 256 * 12_500
	startTimer(t, c, 0, 1<<8, 8)
	st(t, c, ledcChannelReg(0, 0), ledcSIG_OUT_EN|ledcOVF_CNT_EN|2<<5|ledcChannelPARA) // every third
	st(t, c, ledc0+0xC8, 1|1<<ledcIntOVFs)
	run(t, c, per/2)
	for i, want := range []uint32{0, 1, 1, 1, 1 | 1<<ledcIntOVFs, 1, 1, 1 | 1<<ledcIntOVFs} {
		if got := ld(t, c, ledcINT+4); got != want {
			t.Errorf("period %d: interrupts %#x, want %#x", i, got, want)
		}
		if line := c.Matrix.Levels>>sourceLEDC&1 != 0; line != (want != 0) {
			t.Errorf("period %d: interrupt %t", i, line)
		}
		st(t, c, ledc0+0xCC, 0xFFFFFFFF)
		run(t, c, per)
	}
}

// The counter stands while paused, and a new divider waits for the overflow.
func TestLEDCTimer(t *testing.T) {
	c := withLEDC(t)
	value := func() uint32 { return ld(t, c, ledcTimerReg(1)+4) }
	near := func(what string, want uint32) {
		t.Helper()
		if got := value(); got+4 < want || got > want+4 {
			t.Errorf("%s: %d, want about %d", what, got, want)
		}
	}
	startTimer(t, c, 1, 1<<8, 14)
	run(t, c, 10*clock.Microsecond)
	near("after 10 us", 800)
	st(t, c, ledcTimerReg(1), 14|1<<12|ledcPAUSE)
	run(t, c, 10*clock.Microsecond)
	near("paused", 800)
	st(t, c, ledcTimerReg(1), 14|1<<12)
	run(t, c, 10*clock.Microsecond)
	near("goes on", 1600)
	st(t, c, ledcTimerReg(1), 14|8<<12|ledcTimerPARA)
	run(t, c, 10*clock.Microsecond)
	near("the new divider waits", 2400)
	run(t, c, (16384-2400)*12_500+100*clock.Microsecond)
	near("an eighth of the rate", 1000)
	st(t, c, ledcTimerReg(1), 14|8<<12|ledcRST)
	if value() != 0 {
		t.Errorf("in reset: %d", value())
	}
}

// What nobody watches costs no events, and is the same when someone looks.
func TestLEDCUnwatched(t *testing.T) {
	look := func(watch bool) (level bool, digest [32]byte, next uint64) {
		c := withLEDC(t)
		c.Watch(nil)
		if watch {
			watching(c, 2)
		}
		startTimer(t, c, 0, 1<<8, 8)
		startChannel(t, c, 0, 0, 77<<4|3, 9<<20|5<<10|2|ledcDUTY_INC)
		run(t, c, 1234567*clock.Nanosecond)
		next, _ = c.Events.Next()
		return c.Level(2), c.Digest(), next
	}
	level, digest, next := look(true)
	unseenLevel, unseen, later := look(false)
	if level != unseenLevel || digest != unseen {
		t.Error("looking at the pin changes something")
	}
	if next == clock.Never || later <= next {
		t.Errorf("next events: watched at %d, unwatched at %d", next, later)
	}
}

func TestLEDCIdleLevel(t *testing.T) {
	c := withLEDC(t)
	st(t, c, ledcChannelReg(0, 0), ledcIDLE_LV)
	if !c.Level(2) {
		t.Error("IDLE_LV has no effect")
	}
}
