package stm32f407

import "rigor/harness/sim/clock"

// Real-time clock with its backup registers, RM0090 §26.
//
// Modelled: the calendar with both prescalers and sub-seconds from LSE, LSI or
// HSE, shadow registers, both alarms, the wake-up timer, shifts, smooth
// calibration, the time stamp on RTC_AF1 (PC13), write protection, EXTI lines 17,
// 21 and 22. Not modelled, and faulting by name: coarse calibration, the reference
// clock, tamper detection and the outputs. There is no battery: with the supply the calendar is lost.
//
// Timing: everything lies on exact cycles of RTCCLK, counted from the moment at
// which the clock was chosen and ready. What the manual gives as "up to" or
// "around" 2 cycles of RTCCLK (§26.3.6, §26.6.4) takes 2, but the flags that
// allow alarms and wake-up timer to be written come at once. The calendar is not
// stepped: it catches up when somebody looks, and at each second while an alarm
// is on.
type rtc struct {
	TR, DR, CR, PRER, WUTR uint32
	ISR                    uint32 // the flags that stick
	Alarm, AlarmSS         [2]uint32
	TSTR, TSDR, TSSSR      uint32
	TAFCR                  uint32
	Backup                 [20]uint32
	WPR                    uint8 // keys seen: 2 opens the registers
	CALR                   uint32
	CalAt                  uint64 // the cycle of RTCCLK from which CALR counts

	Rate uint64         // of RTCCLK in Hz; 0 while it stands
	Line clock.Timeline // of RTCCLK
	At   uint64         // the cycle of RTCCLK as of which the rest holds
	Pre  int64          // asynchronous prescaler, counting up
	SS   int64          // synchronous prescaler, counting down
	WUT  int64          // wake-up timer, counting down

	InitAt uint64    // cycle at which INITF comes
	SyncAt uint64    // cycle at which the shadow registers are valid
	Shadow [3]uint32 // SSR, TR, DR
	Locked int       // of the shadow registers: from 1, TR, or 2, DR, or 3, none
}

const (
	rtcWUTE  = 1 << 10
	rtcTSE   = 1 << 11
	rtcBYP   = 1 << 5
	rtcFMT   = 1 << 6
	rtcADD1H = 1 << 16
	rtcSUB1H = 1 << 17
	rtcALRAE = 1 << 8 // ALRBE next

	isrALRAWF = 1 << 0 // ALRBWF next
	isrWUTWF  = 1 << 2
	isrINITS  = 1 << 4
	isrRSF    = 1 << 5
	isrINITF  = 1 << 6
	isrINIT   = 1 << 7
	isrALRAF  = 1 << 8 // ALRBF next
	isrWUTF   = 1 << 10
	isrTSF    = 1 << 11
	isrTSOVF  = 1 << 12

	extiAlarm  = 17
	extiStamp  = 21
	extiWakeup = 22

	pinRTCAF1 = portC + 13

	bdcrRTCEN = 1 << 15
	rtcSync   = 2 // cycles of RTCCLK
)

// resetRTC is the backup domain's reset (§26.6, table 122).
func (c *Chip) resetRTC() {
	c.rtcCatchUp()
	r := &c.RTC
	*r = rtc{DR: 0x2101, PRER: 0x007F00FF, WUTR: 0xFFFF, Line: r.Line, At: r.At, SS: 0xFF, Locked: 3}
	c.rtcClockChanged()
}

// rtcSystemReset is what a system reset does to it: the shadow registers and
// the initialization mode (§26.6.1, §26.6.4).
func (c *Chip) rtcSystemReset() {
	r := &c.RTC
	r.ISR &^= isrINIT | isrINITF | isrRSF
	r.Shadow, r.Locked = [3]uint32{0, 0, 0x2101}, 3
	r.SyncAt = r.At + rtcSync
	c.rtcApply()
}

// rtcRate is the rate of RTCCLK, 0 while it stands (§7.2.8).
func (c *Chip) rtcRate() uint64 {
	b := c.RCC.BDCR
	switch {
	case b&bdcrRTCEN == 0 || !c.Powered:
	case b>>8&3 == 1 && b&bdcrLSERDY != 0:
		return 32_768
	case b>>8&3 == 2 && c.RCC.CSR&csrLSIRDY != 0:
		return lsiHz
	case b>>8&3 == 3 && c.RCC.CR&crHSERDY != 0:
		if div := uint64(c.RCC.CFGR >> 16 & 0x1F); div >= 2 {
			return c.opt.HSEHz / div
		}
	}
	return 0
}

// rtcClockChanged follows every change of what RTCCLK hangs on.
func (c *Chip) rtcClockChanged() {
	r, rate := &c.RTC, c.rtcRate()
	c.rtcCatchUp()
	if rate != r.Rate && rate != 0 {
		r.Line = clock.NewTimeline(r.At, c.Time(), rate)
	}
	r.Rate = rate
	c.rtcApply()
	c.tapsChanged()
}

// rtcCatchUp brings the calendar up to now, and the shadow registers to the
// last of their copies, at every other cycle (§26.3.6).
func (c *Chip) rtcCatchUp() {
	r := &c.RTC
	if r.Rate == 0 {
		return
	}
	k := r.Line.CycleAt(c.Time())
	if copied := k &^ 1; copied >= r.At {
		c.rtcAdvance(copied)
		r.copyShadow()
	}
	c.rtcAdvance(k)
	if r.ISR&isrINIT != 0 && k >= r.InitAt {
		r.ISR |= isrINITF
	}
}

func (r *rtc) copyShadow() {
	if r.ISR&isrINIT != 0 || r.CR&rtcBYP != 0 || r.At < r.SyncAt {
		return
	}
	r.ISR |= isrRSF
	for i, v := range [...]uint32{uint32(r.SS), r.TR, r.DR} {
		if i < r.Locked {
			r.Shadow[i] = v
		}
	}
}

// rtcAdvance moves everything to a cycle of RTCCLK.
func (c *Chip) rtcAdvance(k uint64) {
	r := &c.RTC
	n := int64(r.calibrated(k) - r.calibrated(r.At))
	if r.CR&(rtcWUTE|4) == rtcWUTE {
		shift := 4 - r.CR&3
		r.wake(int64(k>>shift - r.At>>shift))
	}
	r.At = k
	if r.ISR&isrINITF != 0 {
		return
	}
	a := r.async()
	ticks := (r.Pre + n) / a
	r.Pre = (r.Pre + n) % a
	up := r.sync() - 1 - r.SS + ticks // counts since the last second began
	if up < 0 {                       // a shift has put it off
		r.SS -= ticks
		return
	}
	seconds := up / r.sync()
	r.SS = r.sync() - 1 - up%r.sync()
	if seconds > 0 {
		r.tick(seconds)
	}
	if r.CR&(rtcWUTE|4) == rtcWUTE|4 {
		r.wake(seconds)
	}
}

// async and sync are the prescalers' factors (§26.6.5).
func (r *rtc) async() int64 { return int64(r.PRER>>16&0x7F) + 1 }
func (r *rtc) sync() int64  { return int64(r.PRER&0x7FFF) + 1 }

// wake counts the wake-up timer down (§26.3.4).
func (r *rtc) wake(n int64) {
	if n <= r.WUT {
		r.WUT -= n
		return
	}
	r.ISR |= isrWUTF
	period := r.wakePeriod()
	r.WUT = period - 1 - (n-r.WUT-1)%period
}

func (r *rtc) wakePeriod() int64 {
	n := int64(r.WUTR) + 1
	if r.CR&6 == 6 {
		n += 1 << 16
	}
	return n
}

// rtcApply brings interrupt lines and deadline up to date.
func (c *Chip) rtcApply() {
	r := &c.RTC
	alarms := r.ISR / isrALRAF & 3 & (r.CR >> 12)
	c.extiLine(extiAlarm, alarms != 0)
	c.extiLine(extiWakeup, r.ISR&isrWUTF != 0 && r.CR>>14&1 != 0)
	c.extiLine(extiStamp, r.ISR&isrTSF != 0 && r.CR>>15&1 != 0)
	k := r.next()
	if r.Rate == 0 || k == clock.Never {
		c.ScheduleAt(slotRTC, clock.NeverTime)
		return
	}
	c.ScheduleAt(slotRTC, r.Line.Time(k))
}

// next is the cycle of RTCCLK of the next change that shows by itself.
func (r *rtc) next() uint64 {
	k := clock.Never
	for i := range r.Alarm {
		if r.CR>>8>>i&1 != 0 && r.ISR&isrINITF == 0 {
			k = min(k, r.nextCheck(i))
		}
	}
	switch {
	case r.CR&rtcWUTE == 0:
	case r.CR&4 == 0:
		shift := 4 - r.CR&3
		k = min(k, (r.At>>shift+uint64(r.WUT)+1)<<shift)
	case r.ISR&isrINITF == 0:
		k = min(k, r.inSeconds(r.WUT+1))
	}
	return k
}

// inSeconds is the cycle at which the n-th second from now begins.
func (r *rtc) inSeconds(n int64) uint64 {
	return r.inTicks(r.SS + 1 + (n-1)*r.sync())
}

// inTicks is the cycle of the n-th count of the synchronous prescaler from now.
func (r *rtc) inTicks(n int64) uint64 {
	return r.CalAt + r.stretched(r.calibrated(r.At)+uint64(n*r.async()-r.Pre))
}

// nextCheck is when an alarm must be looked at again: next second, or, within a
// second that matches, at the sub-seconds it names.
func (r *rtc) nextCheck(i int) uint64 {
	if mask := r.AlarmSS[i] >> 24 & 0xF; mask != 0 && r.matches(i) {
		return r.inTicks(1)
	}
	return r.inSeconds(1)
}

// rtcEvent is a deadline: a second, an alarm's sub-second or a wake-up.
func (c *Chip) rtcEvent() {
	c.rtcCatchUp()
	r := &c.RTC
	for i := range r.Alarm {
		if r.CR>>8>>i&1 != 0 && r.matches(i) && r.matchesSS(i) {
			r.ISR |= isrALRAF << i
		}
	}
	c.rtcApply()
}

// matches compares an alarm's fields that are not masked (§26.6.8).
func (r *rtc) matches(i int) bool {
	a := r.Alarm[i]
	date := r.DR & 0x3F
	if a>>30&1 != 0 {
		date = r.DR >> 13 & 7
	}
	for _, f := range [...]struct{ mask, want, is uint32 }{
		{7, a & 0x7F, r.TR & 0x7F},
		{15, a >> 8 & 0x7F, r.TR >> 8 & 0x7F},
		{23, a >> 16 & 0x7F, r.TR >> 16 & 0x7F},
		{31, a >> 24 & 0x3F, date},
	} {
		if a>>f.mask&1 == 0 && f.want != f.is {
			return false
		}
	}
	return true
}

// matchesSS compares as many bits of the sub-seconds as MASKSS says, or takes
// the beginning of the second (§26.6.18).
func (r *rtc) matchesSS(i int) bool {
	n := r.AlarmSS[i] >> 24 & 0xF
	if n == 0 {
		return r.SS == r.sync()-1 && r.Pre == 0
	}
	return (uint32(r.SS)^r.AlarmSS[i])&(1<<n-1)&0x7FFF == 0
}

// rtcInput takes a level of RTC_AF1, for the time stamp (§26.3.12).
func (c *Chip) rtcInput(high bool) {
	r := &c.RTC
	if falling := r.CR>>3&1 != 0; r.CR&rtcTSE == 0 || high == falling || r.Rate == 0 {
		return
	}
	c.rtcCatchUp()
	if r.ISR&isrTSF != 0 {
		r.ISR |= isrTSOVF
	} else {
		r.ISR |= isrTSF
		r.TSTR, r.TSDR, r.TSSSR = r.TR, r.DR&0xFFFF, uint32(r.SS)
	}
	c.rtcApply()
}
