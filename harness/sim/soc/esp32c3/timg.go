package esp32c3

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Timer groups: TRM Timer Group. Each has a timer of 54 bits, a watchdog
// (watchdog.go) and a calibration of slow clocks (calibration.go).
//
// Not documented and assumed: the prescaler starts over when the timer is
// enabled; a value is latched at once by a write to T0UPDATE, as TinyGo's run time
// counts on.
type timgState struct {
	T0CONFIG uint32
	Base     uint64 // the counter's value when Tick was 0
	Tick     ticker
	Latch    uint64 // T0HI, T0LO
	ALARM    uint64
	LOAD     uint64

	WDT       watchdog
	WDTCONFIG [6]uint32
	WKEY      uint32

	CALI    [3]uint32 // RTCCALICFG, RTCCALICFG1, RTCCALICFG2
	INT_ENA uint32
	INT_RAW uint32
	REGCLK  uint32
}

const (
	t0USE_XTAL   = 1 << 9
	t0ALARM_EN   = 1 << 10
	t0DIVCNT_RST = 1 << 12
	t0DIVIDER    = 13 // 16 bits
	t0AUTORELOAD = 1 << 29
	t0INCREASE   = 1 << 30
	t0EN         = 1 << 31
	t0Kept       = 0xFFFFE600
	t0Mask       = 1<<54 - 1

	timgT0  = 1 << 0 // bits of the interrupt registers
	timgWDT = 1 << 1

	sourceTG0 = 32 // T0 and WDT of TIMG0, then those of TIMG1
)

// timgNames are the groups' names, for messages.
var timgNames = [2]string{"TIMG0", "TIMG1"}

func (c *Chip) timgReset(n int) {
	c.TIMG[n] = timgState{
		T0CONFIG:  0x60002000,
		WDTCONFIG: [6]uint32{0x4C000, 0x10000, 0x018CBA80, 0x07FFFFFF, 0xFFFFF, 0xFFFFF},
		WKEY:      wdtKey,
		CALI:      [3]uint32{0x13000, 0, 0xFFFFFF98},
		REGCLK:    0x60000000,
	}
	c.ScheduleAt(slotTIMG+n, clock.NeverTime)
	c.ScheduleAt(slotCali+n, clock.NeverTime)
	c.mwdtConfigure(n)
	c.timgInterrupts(n)
}

func (c *Chip) timgClockChanged() {
	for n := range c.TIMG {
		c.t0Configure(n)
		c.mwdtConfigure(n)
	}
}

// t0Period is that of the counter. The divisors 0 and 1 stand for 65536 and 2.
func (c *Chip) t0Period(n int) clock.Time {
	cfg := c.TIMG[n].T0CONFIG
	if cfg&t0EN == 0 {
		return 0
	}
	div := clock.Time(cfg >> t0DIVIDER & 0xFFFF)
	switch div {
	case 0:
		div = 65536
	case 1:
		div = 2
	}
	if cfg&t0USE_XTAL != 0 {
		return div * xtalPeriod
	}
	return div * c.apbPeriod()
}

// t0Value is the counter at a time.
func (t *timgState) t0Value(at clock.Time) uint64 {
	n := t.Tick.read(at)
	if t.T0CONFIG&t0INCREASE == 0 {
		n = -n
	}
	return (t.Base + n) & t0Mask
}

// t0Set gives the counter a value.
func (c *Chip) t0Set(n int, v uint64, at clock.Time) {
	t := &c.TIMG[n]
	t.Base = v
	t.Tick.set(at, 0)
}

// t0Configure puts clock and divider into effect and schedules the alarm.
func (c *Chip) t0Configure(n int) {
	t := &c.TIMG[n]
	t.Tick.rate(c.Time(), c.t0Period(n))
	due := clock.NeverTime
	if t.T0CONFIG&t0ALARM_EN != 0 && t.T0CONFIG&t0EN != 0 {
		due = max(t.alarmAt(), c.Time())
	}
	c.ScheduleAt(slotTIMG+n, due)
}

// alarmAt is when the counter is at the alarm value: a value that it has passed is
// met at once (TRM Timer Group, tables on alarms).
func (t *timgState) alarmAt() clock.Time {
	now := t.t0Value(t.Tick.From)
	ahead := t.ALARM - now
	if t.T0CONFIG&t0INCREASE == 0 {
		ahead = now - t.ALARM
	}
	if ahead>>63 != 0 {
		return t.Tick.From
	}
	return t.Tick.when(t.Tick.Count + ahead)
}

// timgEvent is the alarm.
func (c *Chip) timgEvent(n int) {
	t := &c.TIMG[n]
	at := max(t.alarmAt(), t.Tick.From)
	t.INT_RAW |= timgT0
	t.T0CONFIG &^= t0ALARM_EN
	if t.T0CONFIG&t0AUTORELOAD != 0 {
		c.t0Set(n, t.LOAD, at)
	}
	c.timgInterrupts(n)
}

func (c *Chip) timgInterrupts(n int) {
	t := &c.TIMG[n]
	st := t.INT_RAW & t.INT_ENA
	c.source(sourceTG0+2*n, st&timgT0 != 0)
	c.source(sourceTG0+2*n+1, st&timgWDT != 0)
}

type timgDevice struct {
	*Chip
	n int
}

func (d timgDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	t := &d.TIMG[d.n]
	switch {
	case off == 0x00:
		return uint64(t.T0CONFIG), bus.None
	case off == 0x04:
		return t.Latch & 0xFFFFFFFF, bus.None
	case off == 0x08:
		return t.Latch >> 32, bus.None
	case off == 0x0C, off == 0x20, off == 0x60, off == 0x7C: // done, or write-only
		return 0, bus.None
	case off == 0x10:
		return t.ALARM & 0xFFFFFFFF, bus.None
	case off == 0x14:
		return t.ALARM >> 32, bus.None
	case off == 0x18:
		return t.LOAD & 0xFFFFFFFF, bus.None
	case off == 0x1C:
		return t.LOAD >> 32, bus.None
	case off >= 0x48 && off < 0x60:
		return uint64(t.WDTCONFIG[(off-0x48)/4]), bus.None
	case off == 0x64:
		return uint64(t.WKEY), bus.None
	case off == 0x68, off == 0x6C, off == 0x80:
		return uint64(d.readCali(d.n, off)), bus.None
	case off == 0x70:
		return uint64(t.INT_ENA), bus.None
	case off == 0x74:
		return uint64(t.INT_RAW), bus.None
	case off == 0x78:
		return uint64(t.INT_RAW & t.INT_ENA), bus.None
	case off == 0xF8:
		return 0x02006191, bus.None
	case off == 0xFC:
		return uint64(t.REGCLK), bus.None
	}
	return 0, d.unknown(timgNames[d.n], off)
}

func (d timgDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	t, v := &d.TIMG[d.n], uint32(v64)
	switch {
	case off == 0x00:
		d.writeT0CONFIG(v)
	case off == 0x04, off == 0x08, off == 0x74, off == 0x78, off == 0xF8: // read-only
	case off == 0x0C:
		t.Latch = t.t0Value(d.Time())
	case off == 0x10:
		t.ALARM = t.ALARM&^0xFFFFFFFF | uint64(v)
		d.t0Configure(d.n)
	case off == 0x14:
		t.ALARM = t.ALARM&0xFFFFFFFF | uint64(v)<<32&t0Mask
		d.t0Configure(d.n)
	case off == 0x18:
		t.LOAD = t.LOAD&^0xFFFFFFFF | uint64(v)
	case off == 0x1C:
		t.LOAD = t.LOAD&0xFFFFFFFF | uint64(v)<<32&t0Mask
	case off == 0x20:
		d.t0Set(d.n, t.LOAD, d.Time())
		d.t0Configure(d.n)
	case off >= 0x48 && off < 0x64:
		d.writeMWDT(d.n, off, v)
	case off == 0x64:
		t.WKEY = v
	case off == 0x68, off == 0x6C, off == 0x80:
		return d.writeCali(d.n, off, v)
	case off == 0x70:
		t.INT_ENA = v & (timgT0 | timgWDT)
	case off == 0x7C:
		t.INT_RAW &^= v
	case off == 0xFC:
		t.REGCLK = v & 0xE0000000
	default:
		return d.unknown(timgNames[d.n], off)
	}
	d.timgInterrupts(d.n)
	return bus.None
}

func (d timgDevice) writeT0CONFIG(v uint32) {
	t, now := &d.TIMG[d.n], d.Time()
	started := v&^t.T0CONFIG&t0EN != 0
	if (v^t.T0CONFIG)&t0INCREASE != 0 || started || v&t0DIVCNT_RST != 0 {
		d.t0Set(d.n, t.t0Value(now), now)
	}
	t.T0CONFIG = v & t0Kept
	d.t0Configure(d.n)
}

// foreseeLoad: the counter only shows through T0UPDATE, and counts up.
func (d timgDevice) foreseeLoad(off uint32, until uint64) (least, most uint64, ok bool) {
	t := &d.TIMG[d.n]
	if off != 0x04 && off != 0x08 {
		return steady(d, off, peripherals.Register("TIMG0", off) != nil)
	}
	now, then := t.Latch, t.t0Value(d.TimeOf(until))
	if t.T0CONFIG&t0INCREASE == 0 || then < now {
		return 0, 0, false
	}
	if off == 0x08 {
		return now >> 32, then >> 32, true
	}
	return now & 0xFFFFFFFF, then & 0xFFFFFFFF, now>>32 == then>>32
}

// foreseeStore allows for T0UPDATE.
func (d timgDevice) foreseeStore(off uint32, _ uint32) bool { return off == 0x0C }
