package esp32c3

import "rigor/harness/sim/clock"

// Watchdogs of the timer groups and of RTC: TRM Watchdog Timers. A watchdog
// goes through four stages, each with a time and an action, and begins again with the
// first when it is fed or through with the last.
//
// While the part boots from flash, that of TIMG0 and that of RTC run without being
// enabled, with a reset as their first stage's action (Flash Boot Protection).
//
// MWDT's settings take effect at once, where the part waits for
// WDT_CONF_UPDATE_EN: TinyGo's run time does without.
type watchdog struct {
	Tick  ticker // within the stage
	Stage int
	Guard bool // it watches a boot from flash
}

const wdtKey = 0x50D83AA1

// What a stage does. RWDT has all, MWDT the first four.
const (
	wdtOff = iota
	wdtInterrupt
	wdtResetCPU
	wdtResetCore
	wdtResetSystem
)

const (
	mwdtFLASHBOOT = 1 << 14
	mwdtUSE_XTAL  = 1 << 21
	mwdtEN        = 1 << 31
	mwdtKept      = 0xFFBFF000
	mwdtPrescale  = 16

	rwdtFLASHBOOT = 1 << 12
	rwdtPROCPU    = 1 << 11
	rwdtEN        = 1 << 31
)

// feed begins with the first stage.
func (w *watchdog) feed(now clock.Time) {
	w.Stage = 0
	w.Tick.set(now, 0)
}

// next goes on to the next stage.
func (w *watchdog) next(now clock.Time) {
	w.Stage = (w.Stage + 1) % 4
	w.Tick.set(now, 0)
}

// watchBoot starts the watch over a boot from flash, or ends it.
func (c *Chip) watchBoot(on bool) {
	c.TIMG[0].WDT.Guard = on
	c.RTC.WDT.Guard = on
	c.mwdtConfigure(0)
	c.rwdtConfigure()
}

func (c *Chip) mwdtRuns(n int) bool {
	t := &c.TIMG[n]
	return t.WDTCONFIG[0]&mwdtEN != 0 || t.mwdtGuards()
}

func (t *timgState) mwdtGuards() bool {
	return t.WDT.Guard && t.WDTCONFIG[0]&mwdtFLASHBOOT != 0 && t.WDTCONFIG[0]&mwdtEN == 0
}

// mwdtConfigure puts the settings into effect and schedules the stage's end.
func (c *Chip) mwdtConfigure(n int) {
	t, now := &c.TIMG[n], c.Time()
	w := &t.WDT
	if !c.mwdtRuns(n) {
		*w = watchdog{Guard: w.Guard}
		c.ScheduleAt(slotMWDT+n, clock.NeverTime)
		return
	}
	period := c.apbPeriod()
	if t.WDTCONFIG[0]&mwdtUSE_XTAL != 0 {
		period = xtalPeriod
	}
	w.Tick.rate(now, period*max(1, clock.Time(t.WDTCONFIG[1]>>mwdtPrescale)))
	c.ScheduleAt(slotMWDT+n, max(now, w.Tick.when(uint64(t.WDTCONFIG[2+w.Stage]))))
}

// mwdtEvent is the end of a stage.
func (c *Chip) mwdtEvent(n int) {
	t := &c.TIMG[n]
	action := t.WDTCONFIG[0] >> (29 - 2*t.WDT.Stage) & 3
	if t.mwdtGuards() && t.WDT.Stage == 0 {
		action = wdtResetCore
	}
	t.WDT.next(c.Time())
	switch action {
	case wdtInterrupt:
		t.INT_RAW |= timgWDT
		c.timgInterrupts(n)
	case wdtResetCPU:
		c.resetSoon([2]resetCause{resetCPUMWDT0, resetCPUMWDT1}[n])
	case wdtResetCore:
		c.resetSoon([2]resetCause{resetMWDT0, resetMWDT1}[n])
	}
	c.mwdtConfigure(n)
}

// writeMWDT writes WDTCONFIG0 to 5 and WDTFEED, if the key allows.
func (c *Chip) writeMWDT(n int, off, v uint32) {
	t := &c.TIMG[n]
	if t.WKEY != wdtKey {
		c.warn("%s.%s written without the key in WDTWPROTECT", timgNames[n], peripherals.Register("TIMG0", off).Name)
		return
	}
	switch off {
	case 0x60:
		t.WDT.feed(c.Time())
	case 0x48:
		t.WDTCONFIG[0] = v & mwdtKept
	case 0x4C:
		t.WDTCONFIG[1] = v &^ 0xFFFF
	default:
		t.WDTCONFIG[(off-0x48)/4] = v
	}
	c.mwdtConfigure(n)
}

// rwdtGuards tells whether RWDT runs only to watch a boot.
func (r *rtcState) rwdtGuards() bool {
	cfg := *r.reg(rtcWDTCONFIG0)
	return r.WDT.Guard && cfg&rwdtFLASHBOOT != 0 && cfg&rwdtEN == 0
}

// rwdtConfigure puts the settings into effect and schedules the stage's end. The
// first stage's time counts double, or more as an eFuse says that is not burnt here
// (WDT_DELAY_SEL).
func (c *Chip) rwdtConfigure() {
	r, now := &c.RTC, c.Time()
	w := &r.WDT
	if *r.reg(rtcWDTCONFIG0)&rwdtEN == 0 && !r.rwdtGuards() {
		*w = watchdog{Guard: w.Guard}
		c.ScheduleAt(slotRTC, clock.NeverTime)
		return
	}
	w.Tick.rate(now, c.slowPeriod())
	hold := uint64(*r.reg(rtcWDTCONFIG0 + 4 + 4*uint32(w.Stage)))
	if w.Stage == 0 {
		hold *= 2
	}
	c.ScheduleAt(slotRTC, max(now, w.Tick.when(hold)))
}

// rwdtEvent is the end of a stage.
func (c *Chip) rwdtEvent() {
	r := &c.RTC
	cfg := *r.reg(rtcWDTCONFIG0)
	action := cfg >> (28 - 3*r.WDT.Stage) & 7
	if r.rwdtGuards() && r.WDT.Stage == 0 {
		action = wdtResetSystem
	}
	r.WDT.next(c.Time())
	switch {
	case action == wdtInterrupt:
		*r.reg(rtcINT_RAW) |= rtcIntWDT
		c.rtcInterrupts()
	case action == wdtResetCPU && cfg&rwdtPROCPU != 0:
		c.resetSoon(resetCPURWDT)
	case action == wdtResetCore:
		c.resetSoon(resetRWDT)
	case action >= wdtResetSystem:
		c.resetSoon(resetSysRWDT)
	}
	c.rwdtConfigure()
}
