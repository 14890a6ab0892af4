package k210

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Real-time clock (SDK rtc.h, rtc.c): date and time by a counter of IN0, which counts down
// from INITIAL_COUNT for each second. It goes on through resets of the part (DS §3.15).
//
// Registers take what is written while REGISTER_CTRL's write enable is set, and only those
// whose masks let them. The interrupt comes with a second, minute, hour or day and ends at
// once. The alarm is compared by the SDK's driver, which asks for that interrupt, too; here as
// there the alarm's registers have no effect of their own. [A]: the clock stands still
// unless it is in the mode that the SDK calls running.
type rtcState struct {
	DATE, TIME     uint32
	ALARM          [2]uint32
	INITIAL        uint32
	INTERRUPT_CTRL uint32
	REGISTER_CTRL  uint32
	EXTENDED       uint32
	Left           uint32     // CURRENT_COUNT while it stands still
	Ends           clock.Time // of the second, else NeverTime
}

const (
	rtDATE           = 0x00
	rtTIME           = 0x04
	rtALARM_DATE     = 0x08
	rtALARM_TIME     = 0x0C
	rtINITIAL_COUNT  = 0x10
	rtCURRENT_COUNT  = 0x14
	rtINTERRUPT_CTRL = 0x18
	rtREGISTER_CTRL  = 0x1C
	rtEXTENDED       = 0x28

	rtRead       = 1 << 0 // REGISTER_CTRL
	rtWrite      = 1 << 1
	rtTimerMask  = 0xFE << 13
	rtAlarmMask  = 0xFE << 21
	rtCountMask  = 1 << 29
	rtIntMask    = 1 << 30
	rtCtrlKept   = rtRead | rtWrite | rtTimerMask | rtAlarmMask | rtCountMask | rtIntMask
	rtTickEnable = 1 << 0 // INTERRUPT_CTRL
)

// rtcReset is SYSCTL's reset of the block, or the loss of the supply; other resets leave it
// alone.
func (c *Chip) rtcReset() {
	if c.Powered && c.SYSCTL.PERI_RESET>>29&1 == 0 {
		return
	}
	c.RTC = rtcState{Ends: clock.NeverTime}
	c.ScheduleAt(slotRTC, clock.NeverTime)
}

func (c *Chip) rtcClockChanged() {}

// rtcRun starts or stops the clock as the registers now say.
func (c *Chip) rtcRun() {
	r := &c.RTC
	c.rtcHold()
	if r.REGISTER_CTRL&(rtRead|rtWrite) == rtRead && r.INITIAL != 0 {
		t := clock.NewTimeline(0, c.Time(), in0Hz)
		r.Ends = t.Time(uint64(max(r.Left, 1)))
	}
	c.ScheduleAt(slotRTC, r.Ends)
}

// rtcHold stops the counter where it is.
func (c *Chip) rtcHold() {
	r := &c.RTC
	if r.Ends != clock.NeverTime {
		r.Left = c.rtcCount()
		r.Ends = clock.NeverTime
	}
}

// rtcCount is CURRENT_COUNT.
func (c *Chip) rtcCount() uint32 {
	r := &c.RTC
	if r.Ends == clock.NeverTime {
		return r.Left
	}
	t := clock.NewTimeline(0, c.Time(), in0Hz)
	return uint32(t.CycleFrom(r.Ends))
}

// rtcEvent is the end of a second.
func (c *Chip) rtcEvent() {
	r := &c.RTC
	t := clock.NewTimeline(0, r.Ends, in0Hz)
	r.Ends = t.Time(uint64(r.INITIAL))
	c.ScheduleAt(slotRTC, r.Ends)
	units := r.second()
	if mode := r.INTERRUPT_CTRL >> 2 & 3; r.INTERRUPT_CTRL&rtTickEnable != 0 && units > mode {
		c.setIRQ(irqRTC, true)
		c.setIRQ(irqRTC, false)
	}
}

// second goes on by a second, and says what began with it: 1 a second, 2 a minute, 3 an
// hour, 4 a day.
func (r *rtcState) second() (units uint32) {
	const sec, min, hour = 10, 16, 24
	if !advance(&r.TIME, sec, 6, 60, 0) {
		return 1
	}
	if !advance(&r.TIME, min, 6, 60, 0) {
		return 2
	}
	if !advance(&r.TIME, hour, 5, 24, 0) {
		return 3
	}
	r.day()
	return 4
}

// day goes on by a day.
func (r *rtcState) day() {
	const week, day, month, year = 0, 8, 16, 20
	advance(&r.DATE, week, 3, 7, 0)
	if advance(&r.DATE, day, 5, r.days()+1, 1) && advance(&r.DATE, month, 4, 13, 1) && advance(&r.DATE, year, 12, 100, 0) {
		advance(&r.EXTENDED, 0, 5, 32, 0)
	}
}

// days are those of the present month.
func (r *rtcState) days() uint32 {
	year := r.DATE>>20 + 100*(r.EXTENDED&31)
	switch r.DATE >> 16 & 15 {
	case 2:
		if year%4 == 0 && year%100 != 0 || year%400 == 0 {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// advance adds 1 to a field of bits at lsb; at end it becomes first, which is told.
func advance(v *uint32, lsb, bits int, end, first uint32) bool {
	mask := uint32(1)<<bits - 1
	n := *v>>lsb&mask + 1
	wraps := n >= end
	if wraps {
		n = first
	}
	*v = *v&^(mask<<lsb) | n<<lsb
	return wraps
}

type rtcDevice struct{ *Chip }

// register is one that keeps what is written, with REGISTER_CTRL's mask for it and what
// it keeps, or nil.
func (r *rtcState) register(off uint32) (reg *uint32, mask, kept uint32) {
	switch off {
	case rtDATE:
		return &r.DATE, rtTimerMask, 0xFFFF1F07
	case rtTIME:
		return &r.TIME, rtTimerMask, 0x1F3FFC00
	case rtALARM_DATE:
		return &r.ALARM[0], rtAlarmMask, 0xFFFF1F07
	case rtALARM_TIME:
		return &r.ALARM[1], rtAlarmMask, 0x1F3FFC00
	case rtINITIAL_COUNT:
		return &r.INITIAL, rtCountMask, ^uint32(0)
	case rtCURRENT_COUNT:
		return &r.Left, rtCountMask, ^uint32(0)
	case rtINTERRUPT_CTRL:
		return &r.INTERRUPT_CTRL, rtIntMask, 0xFF00000F
	case rtEXTENDED:
		return &r.EXTENDED, rtTimerMask, 0x3F
	}
	return nil, 0, 0
}

func (d rtcDevice) loadWord(off uint32) (uint32, bus.Fault) {
	r := &d.RTC
	switch reg, _, _ := r.register(off); {
	case off == rtCURRENT_COUNT:
		return d.rtcCount(), bus.None
	case off == rtREGISTER_CTRL:
		return r.REGISTER_CTRL, bus.None
	case reg != nil:
		return *reg, bus.None
	}
	return 0, d.unknown("RTC", off)
}

func (d rtcDevice) storeWord(off, v uint32) bus.Fault {
	r := &d.RTC
	if off == rtREGISTER_CTRL {
		r.REGISTER_CTRL = v & rtCtrlKept
		d.rtcRun()
		return bus.None
	}
	reg, mask, kept := r.register(off)
	switch {
	case reg == nil:
		return d.unknown("RTC", off)
	case r.REGISTER_CTRL&rtWrite == 0 || r.REGISTER_CTRL&mask == 0:
		d.warn("%s written while REGISTER_CTRL protects it", RegisterName(0x50460000+off))
	default:
		*reg = v & kept
	}
	return bus.None
}
