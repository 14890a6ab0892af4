package esp32c3

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Low-power management: TRM Low-Power Management, Reset and Clock, and Watchdog
// Timers. Registers that set power domains, sleep and brown-out are kept without
// effect.
//
// Not documented and assumed: the super watchdog bites one second after it was fed
// (the manual: just under one second), without the interrupt that comes before; a
// chip reset by RWDT (WDT_CHIP_RESET_EN) samples the straps like its system reset.
type rtcState struct {
	Regs    [0x128 / 4]uint32
	WDT     watchdog   // RWDT
	SWDFrom clock.Time // when the super watchdog was fed
	Timer   ticker     // main timer, 48 bits
	Alarm   uint64     // of it
}

// Registers of RTC_CNTL.
const (
	rtcOPTIONS0    = 0x00
	rtcSLP_TIMER0  = 0x04
	rtcSLP_TIMER1  = 0x08
	rtcTIME_UPDATE = 0x0C
	rtcTIME_LOW0   = 0x10
	rtcTIME_HIGH0  = 0x14
	rtcSTATE0      = 0x18
	rtcRESET_STATE = 0x38
	rtcINT_ENA     = 0x40
	rtcINT_RAW     = 0x44
	rtcINT_ST      = 0x48
	rtcINT_CLR     = 0x4C
	rtcCLK_CONF    = 0x70
	rtcWDTCONFIG0  = 0x90
	rtcWDTFEED     = 0xA4
	rtcWDTWPROTECT = 0xA8
	rtcSWD_CONF    = 0xAC
	rtcSWD_WPROT   = 0xB0
	rtcCPU_STALL   = 0xB4
	rtcLOW_POWER   = 0xC8
	rtcDIAG0       = 0xCC
	rtcTIME_LOW1   = 0xDC
	rtcTIME_HIGH1  = 0xE0
	rtcENA_W1TS    = 0x100
	rtcENA_W1TC    = 0x104
	rtcDATE        = 0x1FC
)

const (
	optSW_SYS_RST    = 1 << 31
	optSW_PROCPU_RST = 1 << 5
	optSTALL_C0      = 3 << 2
	stallC1          = 0x3F << 26 // of SW_CPU_STALL
	stallC0Key       = 2 << 2
	stallC1Key       = 0x21 << 26
	slpALARM_EN      = 1 << 16 // of SLP_TIMER1
	timeUPDATE       = 1 << 31
	stateSLEEP_EN    = 1 << 31
	resetCauseMask   = 0x3F

	rtcIntWDT   = 1 << 3
	rtcIntTimer = 1 << 10

	clkANA_SEL = 30 // of CLK_CONF, 2 bits: RTC_SLOW_CLK's source

	swdKey       = 0x8F1D312A
	swdRESET_FLG = 1 << 0
	swdFLAG_CLR  = 1 << 28
	swdFEED      = 1 << 29
	swdDISABLE   = 1 << 30
	swdAUTO_FEED = 1 << 31
	swdTime      = clock.Second

	rtcTimerMask = 1<<48 - 1

	sourceRTC = 27
)

// Periods of slow clocks, to a picosecond.
const (
	rcSlowPeriod = clock.Second / rcSlowHz
	d256Period   = clock.Second * 256 / rcFastHz
)

func (r *rtcState) reg(off uint32) *uint32 { return &r.Regs[off/4] }

// slowPeriod is that of RTC_SLOW_CLK.
func (c *Chip) slowPeriod() clock.Time {
	if *c.RTC.reg(rtcCLK_CONF)>>clkANA_SEL == 2 {
		return d256Period
	}
	return rcSlowPeriod
}

// rtcReset is the state after a system reset. The store registers do not outlive
// it, for it resets the RTC part as a whole.
func (c *Chip) rtcReset() {
	c.RTC = rtcState{SWDFrom: c.Time()}
	resetValues("RTC_CNTL", c.RTC.Regs[:])
	c.RTC.Timer.set(c.Time(), 0)
	for slot := slotRTC; slot < slotRTC+3; slot++ {
		c.ScheduleAt(slot, clock.NeverTime)
	}
	c.rtcInterrupts()
}

// rtcSetCause notes why the part was reset, as it leaves reset, and lets the
// clocks of RTC run.
func (c *Chip) rtcSetCause(r resetCause) {
	s := c.RTC.reg(rtcRESET_STATE)
	*s = *s&^resetCauseMask | uint32(r)
	if r == resetSuperWDT {
		*c.RTC.reg(rtcSWD_CONF) |= swdRESET_FLG
	}
	c.RTC.Timer.rate(c.Time(), c.slowPeriod())
	c.swdSchedule()
}

// rtcEvent is the end of a stage of RWDT, of the super watchdog's patience, or
// the main timer's alarm.
func (c *Chip) rtcEvent(slot int) {
	switch slot - slotRTC {
	case 0:
		c.rwdtEvent()
	case 1:
		c.resetSoon(resetSuperWDT)
	case 2:
		*c.RTC.reg(rtcINT_RAW) |= rtcIntTimer
		c.rtcInterrupts()
	}
}

// rtcInterrupts updates the one interrupt of all.
func (c *Chip) rtcInterrupts() {
	c.source(sourceRTC, *c.RTC.reg(rtcINT_RAW)&*c.RTC.reg(rtcINT_ENA) != 0)
}

// swdSchedule sets the super watchdog's deadline.
func (c *Chip) swdSchedule() {
	due := c.RTC.SWDFrom + swdTime
	if *c.RTC.reg(rtcSWD_CONF)&(swdDISABLE|swdAUTO_FEED) != 0 {
		due = clock.NeverTime
	}
	c.ScheduleAt(slotRTC+1, due)
}

func (c *Chip) writeSWD(v uint32) {
	s := c.RTC.reg(rtcSWD_CONF)
	if *c.RTC.reg(rtcSWD_WPROT) != swdKey {
		c.warn("RTC_CNTL.SWD_CONF written without the key in SWD_WPROTECT")
		return
	}
	resumed := *s&^v&(swdDISABLE|swdAUTO_FEED) != 0
	*s = v&^uint32(swdRESET_FLG|1<<1|swdFLAG_CLR|swdFEED) | *s&swdRESET_FLG
	if v&swdFLAG_CLR != 0 {
		*s &^= swdRESET_FLG
	}
	if v&swdFEED != 0 || resumed {
		c.RTC.SWDFrom = c.Time()
	}
	c.swdSchedule()
}

// writeRWDT writes WDTCONFIG0 to 4 and WDTFEED, if the key allows.
func (c *Chip) writeRWDT(off, v uint32) {
	if *c.RTC.reg(rtcWDTWPROTECT) != wdtKey {
		c.warn("RTC_CNTL.%s written without the key in WDTWPROTECT", peripherals.Register("RTC_CNTL", off).Name)
		return
	}
	if off == rtcWDTFEED {
		c.RTC.WDT.feed(c.Time())
	} else {
		*c.RTC.reg(off) = v
	}
	c.rwdtConfigure()
}

// latchTime shows the main timer in TIME_LOW0 and TIME_HIGH0, and there what was
// shown before in TIME_LOW1 and TIME_HIGH1.
func (c *Chip) latchTime() {
	r := &c.RTC
	*r.reg(rtcTIME_LOW1), *r.reg(rtcTIME_HIGH1) = *r.reg(rtcTIME_LOW0), *r.reg(rtcTIME_HIGH0)
	v := r.Timer.read(c.Time()) & rtcTimerMask
	*r.reg(rtcTIME_LOW0), *r.reg(rtcTIME_HIGH0) = uint32(v), uint32(v>>32)
}

// setAlarm starts the main timer's alarm, or stops it.
func (c *Chip) setAlarm(on bool) {
	r := &c.RTC
	due := clock.NeverTime
	if on {
		r.Alarm = uint64(*r.reg(rtcSLP_TIMER1)&0xFFFF)<<32 | uint64(*r.reg(rtcSLP_TIMER0))
		due = max(c.Time(), r.Timer.when(r.Alarm))
	}
	c.ScheduleAt(slotRTC+2, due)
}

// selectSlowClock puts CLK_CONF into effect on what RTC_SLOW_CLK drives.
func (c *Chip) selectSlowClock(v uint32) bus.Fault {
	if v>>clkANA_SEL&1 != 0 {
		return c.lack("RTC_SLOW_CLK from a 32 kHz crystal")
	}
	*c.RTC.reg(rtcCLK_CONF) = v
	c.RTC.Timer.rate(c.Time(), c.slowPeriod())
	c.rwdtConfigure()
	return bus.None
}

type rtcDevice struct{ *Chip }

// rtcHas tells whether RTC_CNTL keeps the register: not the states of sleep.
func rtcHas(off uint32) bool {
	return peripherals.Register("RTC_CNTL", off) != nil && off < 0x128 && off != rtcLOW_POWER && off != rtcDIAG0
}

func (d rtcDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	r := &d.RTC
	switch {
	case off == rtcDATE:
		return 0x02007270, bus.None
	case !rtcHas(off):
		return 0, d.unknown("RTC_CNTL", off)
	case off == rtcINT_ST:
		return uint64(*r.reg(rtcINT_RAW) & *r.reg(rtcINT_ENA)), bus.None
	}
	return uint64(*r.reg(off)), bus.None
}

func (d rtcDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	r, v := &d.RTC, uint32(v64)
	if !rtcHas(off) {
		return d.unknown("RTC_CNTL", off)
	}
	switch off {
	case rtcOPTIONS0, rtcCPU_STALL:
		return d.writeOptions(off, v)
	case rtcSLP_TIMER1:
		*r.reg(off) = v & 0xFFFF
		d.setAlarm(v&slpALARM_EN != 0)
	case rtcTIME_UPDATE:
		*r.reg(off) = v &^ timeUPDATE
		if v&timeUPDATE != 0 {
			d.latchTime()
		}
	case rtcSTATE0:
		if v&stateSLEEP_EN != 0 {
			return d.lack("sleep (RTC_CNTL.STATE0.SLEEP_EN)")
		}
		*r.reg(off) = v
	case rtcRESET_STATE:
		*r.reg(off) = *r.reg(off)&0x3FFFF | v&0x030C0000
	case rtcINT_CLR:
		*r.reg(rtcINT_RAW) &^= v
	case rtcENA_W1TS:
		*r.reg(rtcINT_ENA) |= v
	case rtcENA_W1TC:
		*r.reg(rtcINT_ENA) &^= v
	case rtcCLK_CONF:
		return d.selectSlowClock(v)
	case rtcWDTCONFIG0, 0x94, 0x98, 0x9C, 0xA0, rtcWDTFEED:
		d.writeRWDT(off, v)
	case rtcSWD_CONF:
		d.writeSWD(v)
	case rtcTIME_LOW0, rtcTIME_HIGH0, rtcTIME_LOW1, rtcTIME_HIGH1, rtcINT_RAW, rtcINT_ST: // read-only
	default:
		*r.reg(off) = v
	}
	d.rtcInterrupts()
	return bus.None
}

// writeOptions writes OPTIONS0 or SW_CPU_STALL: software resets, and the stall of
// the core that the two make together.
func (c *Chip) writeOptions(off, v uint32) bus.Fault {
	r := &c.RTC
	*r.reg(off) = v &^ uint32(optSW_SYS_RST|optSW_PROCPU_RST)
	if off == rtcCPU_STALL {
		*r.reg(off) = v
	}
	if *r.reg(rtcOPTIONS0)&optSTALL_C0 == stallC0Key && *r.reg(rtcCPU_STALL)&stallC1 == stallC1Key {
		return c.lack("a stall of the core by RTC_CNTL")
	}
	switch {
	case off == rtcCPU_STALL:
	case v&optSW_SYS_RST != 0:
		c.resetSoon(resetSoftware)
	case v&optSW_PROCPU_RST != 0:
		c.resetSoon(resetCPUSoft)
	}
	return bus.None
}

func (d rtcDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, rtcHas(off))
}
