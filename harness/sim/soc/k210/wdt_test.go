package k210

import (
	"testing"

	"rigor/harness/sim/clock"
)

const (
	testWDT0 = 0x50400000
	testRTC  = 0x50460000
)

// wdtTime is 2^(16+top) clocks of IN0/2.
func wdtTime(top uint) clock.Time { return clock.Time(1<<(16+top)) * clock.Second / 13_000_000 }

// TestWatchdogInterrupts: DW_apb_wdt databook, "Interrupts": a first timeout interrupts, a
// second one resets.
func TestWatchdogInterrupts(t *testing.T) {
	c := stopped(t)
	c.poke(testWDT0+wdtTORR, 0x11)
	c.poke(testWDT0+wdtCR, wdtEN|wdtRMOD)
	c.pass(t, wdtTime(1)-clock.Microsecond)
	if c.peek(testWDT0+wdtSTAT) != 0 || c.PLIC.Level.has(irqWDT0) {
		t.Fatal("interrupt before the timeout")
	}
	c.pass(t, 2*clock.Microsecond)
	if c.peek(testWDT0+wdtSTAT) != 1 || !c.PLIC.Level.has(irqWDT0) {
		t.Fatal("no interrupt after the timeout")
	}
	c.peek(testWDT0 + wdtEOI)
	if c.PLIC.Level.has(irqWDT0) {
		t.Fatal("EOI leaves the interrupt")
	}
	c.pass(t, wdtTime(1))
	if c.peek(testWDT0+wdtSTAT) != 1 {
		t.Fatal("no interrupt by the counter that began anew")
	}
	c.pass(t, wdtTime(1))
	if got := c.SYSCTL.STATUS; got != rsWDT0 {
		t.Errorf("RESET_STATUS %#x after a second timeout, want %#x", got, uint32(rsWDT0))
	}
}

// TestWatchdogFed: 76h restarts the counter with TOP, anything else does not.
func TestWatchdogFed(t *testing.T) {
	c := stopped(t)
	c.poke(testWDT0+wdtTORR, 0x20)
	c.poke(testWDT0+wdtCR, wdtEN)
	if got := c.peek(testWDT0 + wdtCCVR); got != 1<<18 {
		t.Errorf("CCVR %d after the start, want TOP_INIT's %d", got, 1<<18)
	}
	for range 5 {
		c.pass(t, wdtTime(0)*3/4)
		c.poke(testWDT0+wdtCRR, wdtRestart)
	}
	if got := c.peek(testWDT0 + wdtCCVR); got != 1<<16 {
		t.Errorf("CCVR %d after a restart, want TOP's %d", got, 1<<16)
	}
	c.poke(testWDT0+wdtCR, 0)
	c.poke(testWDT0+wdtCRR, 0x77)
	c.pass(t, wdtTime(0)*3/4)
	if c.SYSCTL.STATUS == rsWDT0 {
		t.Fatal("reset too early")
	}
	c.pass(t, wdtTime(0)/2)
	if c.SYSCTL.STATUS != rsWDT0 {
		t.Error("no reset by a watchdog that was not fed; CR cannot stop it")
	}
}

// TestWatchdogStops: without its clock, and by the reset of its block.
func TestWatchdogStops(t *testing.T) {
	c := stopped(t)
	c.poke(testWDT0+wdtCR, wdtEN)
	const sysctl = 0x50440000
	c.poke(sysctl+syCLK_EN_PERI, ^uint32(1<<24))
	c.pass(t, 2*wdtTime(0))
	c.poke(sysctl+syCLK_EN_PERI, ^uint32(0))
	if got := c.peek(testWDT0 + wdtCCVR); got != 1<<16 {
		t.Errorf("CCVR %d: it counted without a clock", got)
	}
	c.poke(sysctl+syPERI_RESET, 1<<24)
	c.poke(sysctl+syPERI_RESET, 0)
	c.pass(t, 2*wdtTime(0))
	if c.SYSCTL.STATUS == rsWDT0 {
		t.Error("a watchdog acted whose block was reset")
	}
}

// setRTC sets date, time and century as the SDK's rtc_timer_set_tm does.
func setRTC(c *Chip, date, time, century uint32) {
	ctrl := uint32(rtTimerMask | rtAlarmMask | rtCountMask | rtIntMask)
	c.poke(testRTC+rtREGISTER_CTRL, ctrl|rtWrite)
	c.poke(testRTC+rtINITIAL_COUNT, in0Hz)
	c.poke(testRTC+rtCURRENT_COUNT, in0Hz)
	c.poke(testRTC+rtDATE, date)
	c.poke(testRTC+rtTIME, time)
	c.poke(testRTC+rtEXTENDED, century)
	c.poke(testRTC+rtINTERRUPT_CTRL, rtTickEnable|1<<2) // at minutes
	c.poke(testRTC+rtREGISTER_CTRL, ctrl|rtRead)
}

// TestRTC lets a second pass. Fields are those of the SDK's rtc.h; the calendar is
// Gregory's.
func TestRTC(t *testing.T) {
	date := func(y, m, d, w uint32) uint32 { return y<<20 | m<<16 | d<<8 | w }
	hms := func(h, m, s uint32) uint32 { return h<<24 | m<<16 | s<<10 }
	for _, test := range []struct {
		name                                  string
		date, time, century, date2, t2, cent2 uint32
		interrupt                             bool
	}{
		{"a second", date(26, 11, 23, 1), hms(15, 30, 0), 20, date(26, 11, 23, 1), hms(15, 30, 1), 20, false},
		{"a minute", date(26, 11, 23, 1), hms(15, 30, 59), 20, date(26, 11, 23, 1), hms(15, 31, 0), 20, true},
		{"a day", date(26, 11, 30, 1), hms(23, 59, 59), 20, date(26, 12, 1, 2), hms(0, 0, 0), 20, true},
		{"February", date(26, 2, 28, 6), hms(23, 59, 59), 20, date(26, 3, 1, 0), hms(0, 0, 0), 20, true},
		{"leap year", date(24, 2, 28, 3), hms(23, 59, 59), 20, date(24, 2, 29, 4), hms(0, 0, 0), 20, true},
		{"no leap year", date(0, 2, 28, 0), hms(23, 59, 59), 21, date(0, 3, 1, 1), hms(0, 0, 0), 21, true},
		{"a century", date(99, 12, 31, 5), hms(23, 59, 59), 19, date(0, 1, 1, 6), hms(0, 0, 0), 20, true},
	} {
		c := stopped(t)
		setRTC(c, test.date, test.time, test.century)
		c.pass(t, clock.Second-clock.Microsecond)
		if got := c.peek(testRTC + rtTIME); got != test.time {
			t.Errorf("%s: TIME %#x before its end", test.name, got)
		}
		if got := c.peek(testRTC + rtCURRENT_COUNT); got != 26 {
			t.Errorf("%s: CURRENT_COUNT %d a microsecond before the end, want 26", test.name, got)
		}
		c.pass(t, 2*clock.Microsecond)
		if d, h, e := c.peek(testRTC+rtDATE), c.peek(testRTC+rtTIME), c.peek(testRTC+rtEXTENDED); d != test.date2 || h != test.t2 || e != test.cent2 {
			t.Errorf("%s: %#x %#x %d, want %#x %#x %d", test.name, d, h, e, test.date2, test.t2, test.cent2)
		}
		if got := c.PLIC.Pending.has(irqRTC); got != test.interrupt {
			t.Errorf("%s: interrupt %v, want %v", test.name, got, test.interrupt)
		}
	}
}

// TestRTCProtected: registers whose masks are 0, or without the write enable, keep what they
// hold; so does the clock through a reset.
func TestRTCProtected(t *testing.T) {
	c := stopped(t)
	setRTC(c, 1<<8, 0, 20)
	c.poke(testRTC+rtTIME, 5<<10)
	c.poke(testRTC+rtREGISTER_CTRL, rtWrite)
	c.poke(testRTC+rtTIME, 5<<10)
	if got := c.peek(testRTC + rtTIME); got != 0 {
		t.Errorf("TIME %#x, want 0: it is protected", got)
	}
	setRTC(c, 1<<8, 0, 20)
	c.resetSoon(resetSoft)
	c.ScheduleAt(slotReset, clock.NeverTime)
	c.pass(t, 3*clock.Second+clock.Microsecond)
	if got := c.RTC.TIME; got != 3<<10 {
		t.Errorf("TIME %#x three seconds after a reset, want %#x", got, 3<<10)
	}
}
