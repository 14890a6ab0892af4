package stm32f407

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

const (
	rtc0  = 0x40002800
	bdcr0 = rcc0 + 0x70

	prerLSI = 124<<16 | 255 // 32000 / 125 / 256: 1 Hz
)

// ticked is an idle chip whose RTC runs from LSI, its registers open.
func ticked(t *testing.T) *Chip {
	t.Helper()
	c := idle(t)
	st(t, c, pwr0, pwrDBP|pwrVOS)
	st(t, c, csr0, csrLSION)
	run(t, c, lsiStartup+clock.Microsecond)
	st(t, c, bdcr0, bdcrRTCEN|2<<8)
	openRTC(t, c)
	return c
}

func openRTC(t *testing.T, c *Chip) {
	t.Helper()
	st(t, c, rtc0+rtcWPR, 0xCA)
	st(t, c, rtc0+rtcWPR, 0x53)
}

// setRTC goes through the initialization mode (RM0090 §26.3.5) and leaves the
// calendar at the beginning of a second.
func setRTC(t *testing.T, c *Chip, prer, tr, dr, cr uint32) {
	t.Helper()
	st(t, c, rtc0+rtcISR, isrINIT)
	if ld(t, c, rtc0+rtcISR)&isrINITF != 0 {
		t.Fatal("INITF at once")
	}
	run(t, c, 3*lsiPeriod)
	if ld(t, c, rtc0+rtcISR)&isrINITF == 0 {
		t.Fatal("no INITF after 2 cycles of RTCCLK")
	}
	st(t, c, rtc0+rtcPRER, prer)
	st(t, c, rtc0+rtcCR, cr)
	st(t, c, rtc0+rtcTR, tr)
	st(t, c, rtc0+rtcDR, dr)
	st(t, c, rtc0+rtcISR, 0)
}

// Days of the week are those of the calendar: 2015-12-31 was a Thursday.
func TestRTCCalendar(t *testing.T) {
	for _, e := range []struct {
		name           string
		tr, dr, cr     uint32
		after          clock.Time // seconds
		wantTR, wantDR uint32
	}{
		{"a second", 0x123456, 0x159231, 0, 1, 0x123457, 0x159231},
		{"a minute", 0x123459, 0x159231, 0, 1, 0x123500, 0x159231},
		{"a year", 0x235959, 0x159231, 0, 1, 0, 0x16A101},
		{"Sunday to Monday", 0x235959, 0x16E103, 0, 1, 0, 0x162104},
		{"a leap day", 0x235959, 0x16E228, 0, 1, 0, 0x162229},
		{"no leap day", 0x235959, 0x15C228, 0, 1, 0, 0x15E301},
		{"a century", 0x235959, 0x999231, 0, 1, 0, 0x00A101},
		{"noon", 0x115959, 0x159231, rtcFMT, 1, 0x520000, 0x159231},
		{"1 PM", 0x525959, 0x159231, rtcFMT, 1, 0x410000, 0x159231},
		{"midnight", 0x515959, 0x159231, rtcFMT, 1, 0x120000, 0x16A101},
		{"ten days", 0x000001, 0x159231, 0, 864_000, 0x000001, 0x16E110},
	} {
		c := ticked(t)
		setRTC(t, c, prerLSI, e.tr, e.dr, e.cr|rtcBYP)
		run(t, c, e.after*clock.Second-3*lsiPeriod)
		if tr := ld(t, c, rtc0+rtcTR); tr == e.wantTR {
			t.Errorf("%s: the second comes early", e.name)
		}
		run(t, c, 4*lsiPeriod)
		if tr, dr := ld(t, c, rtc0+rtcTR), ld(t, c, rtc0+rtcDR); tr != e.wantTR || dr != e.wantDR {
			t.Errorf("%s: %06x %06x, want %06x %06x", e.name, tr, dr, e.wantTR, e.wantDR)
		}
	}
}

// RM0090 §26.6.11: a second has passed by (PREDIV_S - SS) / (PREDIV_S + 1).
func TestRTCSubSeconds(t *testing.T) {
	c := ticked(t)
	setRTC(t, c, prerLSI, 0, 0x2101, 0)
	run(t, c, 250*clock.Millisecond)
	if ss := ld(t, c, rtc0+rtcSSR); ss != 255-64 && ss != 255-63 {
		t.Errorf("SSR %d after a quarter of a second", ss)
	}
	run(t, c, clock.Second)
	if tr := ld(t, c, rtc0+rtcTR); tr != 0 {
		t.Errorf("TR %#x, not locked by the read of SSR (§26.3.6)", tr)
	}
	ld(t, c, rtc0+rtcDR)
	run(t, c, 2*lsiPeriod)
	if tr := ld(t, c, rtc0+rtcTR); tr != 1 {
		t.Errorf("TR %#x after the read of DR, want 1", tr)
	}
	st(t, c, rtc0+rtcSHIFTR, 1<<31)
	ld(t, c, rtc0+rtcDR)
	if ld(t, c, rtc0+rtcISR)&isrRSF != 0 {
		t.Error("RSF set right after a shift")
	}
	run(t, c, 4*lsiPeriod)
	if tr, isr := ld(t, c, rtc0+rtcTR), ld(t, c, rtc0+rtcISR); tr != 2 || isr&isrRSF == 0 {
		t.Errorf("TR %#x, ISR %#x after a shift of a second", tr, isr)
	}
}

// §26.3.11: 2^20 counts take 2^20 + CALM - 512 CALP cycles of RTCCLK; with windows
// of 8 and 16 s, CALM's lowest bits are of no consequence. With prescalers of 128
// and 8192 that is the calendar's second.
func TestRTCSmoothCalibration(t *testing.T) {
	for calr, want := range map[uint32]int{
		0: 0, 1: 1, 0x100: 256, 0x1FF: 511, calrCALP: -512, calrCALP | 0x1FF: -1,
		calrCALW8 | 0x1FF: 508, calrCALW16 | 0x1FF: 510,
	} {
		c := ticked(t)
		setRTC(t, c, 127<<16|8191, 0, 0x2101, rtcBYP)
		st(t, c, rtc0+rtcCALR, calr)
		if got := ld(t, c, rtc0+rtcCALR); got != calr {
			t.Errorf("CALR %#x reads %#x", calr, got)
		}
		c.rtcCatchUp()
		end := c.RTC.At + uint64(1<<20+want)
		for _, e := range []struct {
			cycle uint64
			tr    uint32
		}{{end - 1, 0}, {end, 1}, {end + uint64(1<<20+want) - 1, 1}, {end + uint64(1<<20+want), 2}} {
			if stop := c.Run(c.RTC.Line.Time(e.cycle) + 1); stop.Kind != board.Running {
				t.Fatal(stop)
			}
			if got := ld(t, c, rtc0+rtcTR); got != e.tr {
				t.Errorf("CALR %#x: TR %#x at the second's end %+d", calr, got, int(e.cycle-end))
			}
		}
	}
}

// What an alarm waits for is where the calendar gets to: counts and cycles agree.
func TestRTCStretch(t *testing.T) {
	for _, calr := range []uint32{0, 1, 0x155, 0x1FF, calrCALP, calrCALP | 0x80} {
		r := rtc{CALR: calr, CalAt: 1000}
		for k := uint64(0); k < 3<<20; k += 377 {
			n := r.calibrated(1000 + k)
			if r.stretched(n) > k || r.stretched(n+1) <= k {
				t.Fatalf("CALR %#x: count %d at cycle %d", calr, n, k)
			}
		}
	}
}

func TestRTCProtection(t *testing.T) {
	c := idle(t)
	st(t, c, rtc0+rtcBKP0R, 1)
	if ld(t, c, rtc0+rtcBKP0R) != 0 || !warned(c, "RTC written while PWR.CR.DBP is 0") {
		t.Error("written without DBP")
	}
	st(t, c, pwr0, pwrDBP|pwrVOS)
	st(t, c, rtc0+rtcBKP0R+76, 1)
	if ld(t, c, rtc0+rtcBKP0R+76) != 1 {
		t.Error("backup registers need no key")
	}
	st(t, c, rtc0+rtcWPR, 0x53)
	st(t, c, rtc0+rtcWUTR, 5)
	if ld(t, c, rtc0+rtcWUTR) != 0xFFFF || !warned(c, "RTC.WPR protects") {
		t.Error("written without the keys")
	}
	openRTC(t, c)
	st(t, c, rtc0+rtcWUTR, 5)
	st(t, c, rtc0+rtcTR, 5)
	if ld(t, c, rtc0+rtcWUTR) != 5 || c.RTC.TR != 0 || !warned(c, "outside of the initialization mode") {
		t.Error("keys do not open WUTR, or open TR")
	}
}

func TestRTCAlarm(t *testing.T) {
	for _, e := range []struct {
		name      string
		alarm, ss uint32
		want      clock.Time // after 12:00:00 on Thursday, 31st
	}{
		{"12:00:05", 0x80120005, 0, 5 * clock.Second},
		{"each minute at 30 s", 0x80808030, 0, 30 * clock.Second},
		{"each second", 0x80808080, 0, clock.Second},
		{"Friday 00:00:01", 0x45000001, 0, 43_201 * clock.Second},
		{"the 1st", 0x01808080, 0, 43_200 * clock.Second},
		{"2.5 s", 0x80808002, 0xF<<24 | 127, 2500 * clock.Millisecond},
		{"each 1/4 s", 0x80808080, 6<<24 | 63, 250 * clock.Millisecond},
	} {
		for i := range uint32(2) {
			c := ticked(t)
			st(t, c, exti0, 1<<extiAlarm)
			st(t, c, exti0+8, 1<<extiAlarm)
			st(t, c, rtc0+rtcALRMAR+4*i, e.alarm)
			st(t, c, rtc0+rtcALRMASSR+4*i, e.ss)
			setRTC(t, c, prerLSI, 0x120000, 0x159231, 0x1100<<i)
			run(t, c, e.want-2*lsiPeriod)
			if requested(c, 41) {
				t.Fatalf("%s: early", e.name)
			}
			run(t, c, 3*lsiPeriod)
			if !requested(c, 41) || ld(t, c, rtc0+rtcISR)&(isrALRAF<<i) == 0 {
				t.Errorf("%s: alarm %c is silent", e.name, 'A'+i)
			}
			st(t, c, rtc0+rtcISR, 0)
			if ld(t, c, rtc0+rtcISR)&(isrALRAF<<i) != 0 {
				t.Errorf("%s: flag not cleared", e.name)
			}
		}
	}
}

// RM0090 §26.3.4: WUT+1 periods of RTCCLK/16 to /2, or of a second.
func TestRTCWakeup(t *testing.T) {
	for _, e := range []struct {
		sel, wut uint32
		want     clock.Time
	}{
		{0, 1999, clock.Second},
		{3, 15, clock.Millisecond},
		{4, 2, 3 * clock.Second},
		{6, 0, 65_537 * clock.Second},
	} {
		c := ticked(t)
		st(t, c, exti0, 1<<extiWakeup)
		st(t, c, exti0+8, 1<<extiWakeup)
		st(t, c, rtc0+rtcWUTR, e.wut)
		setRTC(t, c, prerLSI, 0, 0x2101, 0)
		st(t, c, rtc0+rtcCR, 1<<14|rtcWUTE|e.sel)
		for i := range 3 {
			wait := e.want
			if i == 0 {
				wait -= 16 * lsiPeriod
				if e.sel >= 4 {
					wait = e.want - 2*lsiPeriod
				}
				run(t, c, wait)
				if requested(c, 3) {
					t.Errorf("%+v: early", e)
				}
				run(t, c, 18*lsiPeriod)
			} else {
				run(t, c, wait)
			}
			if !requested(c, 3) {
				t.Errorf("%+v: no wake-up %d", e, i)
			}
			st(t, c, rtc0+rtcISR, 0)
			st(t, c, exti0+0x14, 1<<extiWakeup)
		}
	}
}

func TestRTCTimeStamp(t *testing.T) {
	c := ticked(t)
	setRTC(t, c, prerLSI, 0x120000, 0x159231, 0)
	st(t, c, rtc0+rtcCR, rtcTSE)
	run(t, c, 1500*clock.Millisecond)
	pin := func(k board.DriveKind) { c.Drive(pinRTCAF1, board.Drive{Kind: k}, c.Now()) }
	pin(board.DriveHigh)
	run(t, c, clock.Second)
	if tr, dr, ss := ld(t, c, rtc0+rtcTSTR), ld(t, c, rtc0+rtcTSDR), ld(t, c, rtc0+rtcTSSSR); tr != 0x120001 || dr != 0x9231 || ss/2 != 127/2 {
		t.Errorf("stamp %#x %#x %d", tr, dr, ss)
	}
	pin(board.DriveLow)
	pin(board.DriveHigh)
	if isr := ld(t, c, rtc0+rtcISR); isr&(isrTSF|isrTSOVF) != isrTSF|isrTSOVF {
		t.Errorf("ISR %#x after two edges", isr)
	}
}

// The backup domain outlives a reset, LSE with it; not the loss of power, for
// there is no battery, and not BDRST (RM0090 §7.1.3).
func TestRTCOutlives(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, pwr0, pwrDBP|pwrVOS)
	st(t, c, pwr0+4, pwrBRE)
	st(t, c, bdcr0, bdcrRTCEN|1<<8|bdcrLSEON)
	c.SetReset(true)
	run(t, c, lseStartup+clock.Microsecond)
	if c.RCC.BDCR&bdcrLSERDY == 0 || c.RTC.Rate != 32_768 {
		t.Error("a reset stops LSE's start")
	}
	run(t, c, 127*clock.Second)
	c.SetReset(false)
	run(t, c, resetPulse+clock.Microsecond)
	gates(t, c)
	if csr := ld(t, c, pwr0+4); csr&(pwrBRE|pwrBRR) != pwrBRE|pwrBRR {
		t.Errorf("PWR.CSR %#x after a reset", csr)
	}
	ld(t, c, rtc0+rtcDR)
	run(t, c, 100*clock.Microsecond)
	if tr := ld(t, c, rtc0+rtcTR); tr != 0x000207 && tr != 0x000206 {
		t.Errorf("TR %#x after 127 s", tr)
	}
	snap := c.Snapshot()
	st(t, c, pwr0, pwrDBP|pwrVOS)
	st(t, c, bdcr0, bdcrBDRST)
	if c.RTC.TR != 0 || c.RTC.Rate != 0 || ld(t, c, bdcr0) != bdcrBDRST {
		t.Error("BDRST does not reset the RTC")
	}
	c.Restore(snap)
	c.SetPower(false)
	run(t, c, clock.Second)
	c.SetPower(true)
	run(t, c, powerOnReset+clock.Microsecond)
	if c.RTC.TR != 0 || ld(t, c, bdcr0) != 0 {
		t.Error("calendar kept without a battery")
	}
}
