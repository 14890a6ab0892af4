package esp32c3

import (
	"testing"

	"rigor/harness/sim/clock"
)

// What resets reach: TRM Reset and Clock, reset levels.
func TestResets(t *testing.T) {
	tests := []struct {
		name  string
		do    func(t *testing.T, c *Chip)
		after clock.Time
		cause resetCause
		store bool // RTC_CNTL.STORE0 survives
		regs  bool // registers of the digital part survive
		ram   bool // SRAM and RTC memory survive
	}{
		{"software, CPU", func(t *testing.T, c *Chip) { st(t, c, rtc0, optSW_PROCPU_RST) }, 0, 0x0C, true, true, true},
		{"software, core", func(t *testing.T, c *Chip) { st(t, c, rtc0, optSW_SYS_RST) }, 0, 0x03, true, false, true},
		{"RWDT, CPU", rwdt(wdtResetCPU, rwdtPROCPU), clock.Second, 0x0D, true, true, true},
		{"RWDT, core", rwdt(wdtResetCore, 0), clock.Second, 0x09, true, false, true},
		{"RWDT, system", rwdt(wdtResetSystem, 0), clock.Second, 0x10, false, false, true},
		{"super watchdog", func(t *testing.T, c *Chip) {
			st(t, c, rtc0+rtcSWD_WPROT, swdKey)
			st(t, c, rtc0+rtcSWD_CONF, 0)
		}, clock.Second, 0x12, false, false, true},
		{"USB", func(t *testing.T, c *Chip) { c.resetSoon(resetUSB) }, 0, 0x15, true, false, true},
		{"CHIP_EN", func(t *testing.T, c *Chip) { c.SetReset(true); c.SetReset(false) }, 0, 0x01, false, false, false},
	}
	for _, tt := range tests {
		c := started(t, Options{Seed: 3}, endless())
		st(t, c, rtc0+0x50, 0x1234)
		st(t, c, apb0+0x04, 0x5678)
		c.mem.RTC[0], c.mem.SRAM1[0x1000] = 1, 2
		tt.do(t, c)
		for end := c.Now() + tt.after; c.Running && c.Now() <= end; {
			c.Run(c.Now() + 10*clock.Microsecond)
		}
		if c.Running {
			t.Errorf("%s: no reset", tt.name)
		}
		c.rtcSetCause(c.Cause)
		if got := ld(t, c, rtc0+rtcRESET_STATE) & resetCauseMask; got != uint32(tt.cause) {
			t.Errorf("%s: cause %#x, want %#x", tt.name, got, tt.cause)
		}
		if got := ld(t, c, rtc0+0x50) == 0x1234; got != tt.store {
			t.Errorf("%s: STORE0 survives: %t, want %t", tt.name, got, tt.store)
		}
		if got := ld(t, c, apb0+0x04) == 0x5678; got != tt.regs {
			t.Errorf("%s: registers survive: %t, want %t", tt.name, got, tt.regs)
		}
		if got := c.mem.RTC[0] == 1 && c.mem.SRAM1[0x1000] == 2; got != tt.ram {
			t.Errorf("%s: memory survives: %t, want %t", tt.name, got, tt.ram)
		}
	}
}

// rwdt starts RWDT with one action, 1000 cycles of RC_SLOW ahead.
func rwdt(action, more uint32) func(*testing.T, *Chip) {
	return func(t *testing.T, c *Chip) {
		st(t, c, rtc0+rtcWDTWPROTECT, wdtKey)
		st(t, c, rtc0+0x94, 500) // counts double
		st(t, c, rtc0+rtcWDTCONFIG0, rwdtEN|action<<28|more)
		run(t, c, 1000*rcSlowPeriod-clock.Microsecond)
	}
}

// What esptool does to leave the loader: RWDT with 5 as its first action.
func TestWatchdogResetOfEsptool(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, rtc0+rtcWDTWPROTECT, 0x50D83AA1)
	st(t, c, rtc0+0x94, 2000)
	st(t, c, rtc0+rtcWDTCONFIG0, 1<<31|5<<28|1<<8|2)
	st(t, c, rtc0+rtcWDTWPROTECT, 0)
	run(t, c, 4000*rcSlowPeriod-clock.Microsecond)
	if !c.Running {
		t.Error("reset before 4000 cycles of RC_SLOW")
	}
	run(t, c, 2*clock.Microsecond)
	if c.Running || c.Cause != resetSysRWDT {
		t.Errorf("running %t, cause %#x: want a system reset", c.Running, c.Cause)
	}
}

// A boot from flash is watched, TIMG0's watchdog is the first to bite (TRM
// Watchdog Timers): 26 million cycles of APB_CLK.
func TestFlashBootIsWatched(t *testing.T) {
	c := started(t, Options{}, endless())
	c.watchBoot(true)
	fast(t, c)
	run(t, c, 320*clock.Millisecond)
	if !c.Running {
		t.Error("reset before its time")
	}
	c.Run(c.Now() + 10*clock.Millisecond)
	if c.Cause != resetMWDT0 {
		t.Errorf("cause %#x, want TIMG0's watchdog", c.Cause)
	}

	c = started(t, Options{}, endless())
	c.watchBoot(true)
	st(t, c, timg0+0x48, 0) // as TinyGo's run time
	st(t, c, rtc0+rtcWDTWPROTECT, wdtKey)
	st(t, c, rtc0+rtcWDTCONFIG0, 0)
	run(t, c, 4*clock.Second)
	if !c.Running {
		t.Error("watchdogs that were disabled bite")
	}
}

func TestRTCTimer(t *testing.T) {
	c := started(t, Options{}, endless())
	read := func() uint64 {
		st(t, c, rtc0+rtcTIME_UPDATE, timeUPDATE)
		return uint64(ld(t, c, rtc0+rtcTIME_HIGH0))<<32 | uint64(ld(t, c, rtc0+rtcTIME_LOW0))
	}
	first := read()
	run(t, c, 100*clock.Millisecond)
	if got := read() - first; got < 13_600 || got > 13_601 {
		t.Errorf("%d in 100 ms, want 13600 at 136 kHz", got)
	}
	if got := uint64(ld(t, c, rtc0+rtcTIME_LOW1)); got != first {
		t.Errorf("TIME_LOW1 is %d, want the value before, %d", got, first)
	}
	st(t, c, rtc0+rtcSLP_TIMER0, uint32(read()+136))
	st(t, c, rtc0+rtcENA_W1TS, rtcIntTimer)
	st(t, c, rtc0+rtcSLP_TIMER1, slpALARM_EN)
	run(t, c, 900*clock.Microsecond)
	if ld(t, c, rtc0+rtcINT_ST) != 0 {
		t.Error("an alarm before its time")
	}
	run(t, c, 200*clock.Microsecond)
	if ld(t, c, rtc0+rtcINT_ST) != rtcIntTimer || c.Matrix.Levels>>sourceRTC&1 == 0 {
		t.Error("no alarm after 136 cycles")
	}
}
