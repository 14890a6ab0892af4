package esp32c3

import (
	"testing"

	"rigor/harness/sim/clock"
)

// counter reads T0 as software does.
func counter(t *testing.T, c *Chip) uint64 {
	t.Helper()
	st(t, c, timg0+0x0C, 1)
	return uint64(ld(t, c, timg0+0x08))<<32 | uint64(ld(t, c, timg0+0x04))
}

// TRM Timer Group: the divider, with 0 for 65536 and 1 for 2; APB_CLK or
// the crystal. In 10 ms of a CPU at 160 MHz.
func TestTimerRates(t *testing.T) {
	tests := []struct {
		config uint32
		want   uint64
	}{
		{2 << 13, 400_000}, // as TinyGo's run time: 40 MHz
		{1 << 13, 400_000},
		{3 << 13, 266_666},
		{80 << 13, 10_000},
		{0, 12},
		{40<<13 | t0USE_XTAL, 10_000},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		fast(t, c)
		st(t, c, timg0, t0EN|t0INCREASE|tt.config)
		at := c.Now()
		if s := c.Run(at + 10*clock.Millisecond); s.Err() != nil {
			t.Fatal(s)
		}
		if got := counter(t, c); got != tt.want {
			t.Errorf("T0CONFIG %#x counts %d in 10 ms, want %d", tt.config, got, tt.want)
		}
	}
}

func TestTimerCountsDown(t *testing.T) {
	c := started(t, Options{}, endless())
	fast(t, c)
	st(t, c, timg0+0x18, 1000) // LOADLO
	st(t, c, timg0+0x20, 1)
	st(t, c, timg0, t0EN|80<<13)
	run(t, c, 3*clock.Millisecond)
	if got := counter(t, c); got != (1<<54)-2000 {
		t.Errorf("counts to %#x, want 2000 below 0 of 54 bits", got)
	}
}

// Alarms (TRM Timer Group): at the value; at once, if it has been passed; with autoreload;
// and ALARM_EN is clear behind it.
func TestTimerAlarms(t *testing.T) {
	tests := []struct {
		name         string
		config       uint32
		start, alarm uint32
		after        clock.Time // microseconds; 0 is at once
		then         uint64     // the counter 1 ms behind the alarm
	}{
		{"up", t0INCREASE, 0, 500, 500, 1500},
		{"up, passed", t0INCREASE, 700, 500, 0, 1700},
		{"up, reload", t0INCREASE | t0AUTORELOAD, 100, 500, 400, 1100},
		{"down", 0, 5000, 4000, 1000, 3000},
		{"down, passed", 0, 3000, 4000, 0, 2000},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		fast(t, c)
		st(t, c, timg0+0x18, tt.start)
		st(t, c, timg0+0x20, 1)
		st(t, c, timg0+0x10, tt.alarm)
		st(t, c, timg0+0x70, 1)
		st(t, c, timg0, t0EN|t0ALARM_EN|80<<13|tt.config)
		at := c.Now()
		if tt.after > 0 {
			run(t, c, tt.after*clock.Microsecond-100*clock.Nanosecond)
			if ld(t, c, timg0+0x74) != 0 {
				t.Errorf("%s: an alarm before its time", tt.name)
			}
		}
		c.Run(at + tt.after*clock.Microsecond + 20*clock.Nanosecond)
		if ld(t, c, timg0+0x78) != 1 || c.Matrix.Levels>>32&1 == 0 || ld(t, c, timg0)&t0ALARM_EN != 0 {
			t.Errorf("%s: INT_ST %d, ALARM_EN %#x: want an alarm, once", tt.name, ld(t, c, timg0+0x78), ld(t, c, timg0)&t0ALARM_EN)
		}
		c.Run(at + (tt.after+1000)*clock.Microsecond + 20*clock.Nanosecond)
		if got := counter(t, c); got != tt.then {
			t.Errorf("%s: %d a millisecond later, want %d", tt.name, got, tt.then)
		}
		st(t, c, timg0+0x7C, 1)
		if c.Matrix.Levels>>32&1 != 0 {
			t.Errorf("%s: cleared, and still an interrupt", tt.name)
		}
	}
}

// MWDT (TRM Watchdog Timers): interrupt, then reset of the core, unless fed.
func TestMWDT(t *testing.T) {
	c := started(t, Options{}, endless())
	fast(t, c)
	st(t, c, timg0+0x4C, 80<<16) // 1 us
	st(t, c, timg0+0x50, 1000)
	st(t, c, timg0+0x54, 500)
	st(t, c, timg0+0x48, mwdtEN|wdtInterrupt<<29|wdtResetCore<<27)
	run(t, c, 900*clock.Microsecond)
	st(t, c, timg0+0x60, 1)
	run(t, c, 900*clock.Microsecond)
	if ld(t, c, timg0+0x74) != 0 {
		t.Error("fed, and an interrupt")
	}
	run(t, c, 200*clock.Microsecond)
	if ld(t, c, timg0+0x74) != timgWDT {
		t.Error("no interrupt at the end of stage 0")
	}
	st(t, c, timg0+0x64, 0)
	st(t, c, timg0+0x60, 1) // without the key
	if len(c.Warnings()) != 1 {
		t.Errorf("warnings %q, want that of the key", c.Warnings())
	}
	run(t, c, 400*clock.Microsecond)
	if c.Cause != resetMWDT0 {
		t.Errorf("reset by %#x, want 7", c.Cause)
	}
}

// 100 cycles of RC_SLOW are 29411 of the crystal (TRM Timer Group, RTC calibration).
func TestCalibration(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, timg0+0x68, 0)
	st(t, c, timg0+0x68, 100<<16|caliSTART)
	run(t, c, 700*clock.Microsecond)
	if ld(t, c, timg0+0x68)&caliRDY != 0 {
		t.Error("ready before 100 cycles of 7.35 us")
	}
	run(t, c, 100*clock.Microsecond)
	if ld(t, c, timg0+0x68)&caliRDY == 0 || ld(t, c, timg0+0x6C)>>7 != 29411 {
		t.Errorf("RTCCALICFG %#x, value %d: want ready and 29411", ld(t, c, timg0+0x68), ld(t, c, timg0+0x6C)>>7)
	}
	st(t, c, timg0+0x68, 0)
	st(t, c, timg0+0x80, 4000<<7)
	st(t, c, timg0+0x68, 100<<16|2<<13|caliSTART) // a crystal that is not there
	run(t, c, 150*clock.Microsecond)
	if ld(t, c, timg0+0x80)&caliTIMEOUT == 0 {
		t.Error("no timeout of a clock that is not there")
	}
}

// Calibration goes on and on after a reset; ESP-IDF's rtc_clk_cal_internal ends it by a
// timeout of one cycle, and waits for that.
func TestCyclingCalibrationTimesOut(t *testing.T) {
	c := started(t, Options{}, endless())
	if ld(t, c, timg0+0x80)&caliTIMEOUT != 0 {
		t.Error("timed out after the reset")
	}
	st(t, c, timg0+0x80, 1<<7|3<<3)
	if ld(t, c, timg0+0x80)&caliTIMEOUT == 0 {
		t.Error("no timeout")
	}
	st(t, c, timg0+0x80, 10000<<7|3<<3)
	if ld(t, c, timg0+0x80)&caliTIMEOUT != 0 {
		t.Error("still timed out")
	}
}
