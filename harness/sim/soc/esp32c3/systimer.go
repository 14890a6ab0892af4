package esp32c3

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// System timer: TRM System Timer. Two counters of 52 bits, three comparators.
//
// The counters' clock is the crystal's divided by 2.5: steps of two and three of
// its periods by turns. Values are latched at once, where the part takes some
// cycles; a period begins where a comparator's mode or period is loaded.
// Debuggers stall nothing here.
type systimerState struct {
	CONF  uint32
	Units [2]struct {
		Value   uint64 // at step From
		From    uint64
		LOAD    uint64
		Latch   uint64
		Latched bool
	}
	Targets [3]struct {
		TARGET uint64
		CONF   uint32
		Armed  bool
		Next   uint64 // the counter's value at the next alarm
	}
	INT_ENA, INT_RAW uint32
}

const (
	stUNIT0_WORK   = 30 // and UNIT1's below
	stTARGET0_WORK = 24 // and the others' below
	stPERIOD       = 1<<26 - 1
	stPERIOD_MODE  = 1 << 30
	stUNIT_SEL     = 1 << 31
	stUPDATE       = 1 << 30
	stVALID        = 1 << 29
	stMask         = 1<<52 - 1

	sourceSYSTIMER = 37 // to 39
)

func (c *Chip) systimerReset() {
	c.SYSTIMER = systimerState{CONF: 0x46000000}
	for n := range c.SYSTIMER.Units {
		c.SYSTIMER.Units[n].From = stepAt(c.Time())
	}
	for n := range c.SYSTIMER.Targets {
		c.ScheduleAt(slotSYSTIMER+n, clock.NeverTime)
	}
	c.systimerInterrupts()
}

// systimerClockChanged: the crystal's clock never changes.
func (c *Chip) systimerClockChanged() {}

// stepAt is how many steps of the counters' clock have begun at a time.
func stepAt(t clock.Time) uint64 { return uint64(t/xtalPeriod) * 2 / 5 }

// stepTime is when a step begins.
func stepTime(step uint64) clock.Time { return clock.Time((step*5+1)/2) * xtalPeriod }

func (s *systimerState) works(unit int) bool { return s.CONF>>(stUNIT0_WORK-unit)&1 != 0 }

// value is a counter at a time.
func (s *systimerState) value(unit int, at clock.Time) uint64 {
	u := &s.Units[unit]
	if !s.works(unit) {
		return u.Value
	}
	return (u.Value + stepAt(at) - u.From) & stMask
}

// set gives a counter a value.
func (c *Chip) systimerSet(unit int, v uint64) {
	u := &c.SYSTIMER.Units[unit]
	u.Value, u.From = v, stepAt(c.Time())
}

// unit is the counter that a comparator looks at.
func (s *systimerState) unit(n int) int { return int(s.Targets[n].CONF >> 31) }

// systimerLoad takes over a comparator's target or period (COMPx_LOAD).
func (c *Chip) systimerLoad(n int) {
	s := &c.SYSTIMER
	t := &s.Targets[n]
	t.Armed, t.Next = true, t.TARGET
	if t.CONF&stPERIOD_MODE != 0 {
		t.Next = (s.value(s.unit(n), c.Time()) + uint64(t.CONF&stPERIOD)) & stMask
	}
	c.systimerSchedule(n)
}

// systimerSchedule sets a comparator's deadline. A target that the counter has
// passed by less than half its range is met at once.
func (c *Chip) systimerSchedule(n int) {
	s := &c.SYSTIMER
	t, unit := &s.Targets[n], s.unit(n)
	if !t.Armed || s.CONF>>(stTARGET0_WORK-n)&1 == 0 || !s.works(unit) {
		c.ScheduleAt(slotSYSTIMER+n, clock.NeverTime)
		return
	}
	ahead := (t.Next - s.value(unit, c.Time())) & stMask
	if ahead == 0 || ahead > stMask/2 {
		c.ScheduleAt(slotSYSTIMER+n, c.Time())
		return
	}
	c.ScheduleAt(slotSYSTIMER+n, stepTime(stepAt(c.Time())+ahead))
}

func (c *Chip) systimerScheduleAll() {
	for n := range c.SYSTIMER.Targets {
		c.systimerSchedule(n)
	}
}

// systimerEvent is a comparator's alarm.
func (c *Chip) systimerEvent(n int) {
	s := &c.SYSTIMER
	t := &s.Targets[n]
	s.INT_RAW |= 1 << n
	t.Armed = t.CONF&stPERIOD_MODE != 0 && t.CONF&stPERIOD != 0
	t.Next = (t.Next + uint64(t.CONF&stPERIOD)) & stMask
	c.systimerSchedule(n)
	c.systimerInterrupts()
}

func (c *Chip) systimerInterrupts() {
	s := &c.SYSTIMER
	for n := range s.Targets {
		c.source(sourceSYSTIMER+n, s.INT_RAW&s.INT_ENA>>n&1 != 0)
	}
}

type systimerDevice struct{ *Chip }

func (d systimerDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	s := &d.SYSTIMER
	switch {
	case off == 0x00:
		return uint64(s.CONF), bus.None
	case off == 0x04, off == 0x08:
		return uint64(oneIf(s.Units[off/4-1].Latched)) * stVALID, bus.None
	case off >= 0x0C && off < 0x1C:
		return half(s.Units[(off-0x0C)/8].LOAD, off-0x0C), bus.None
	case off >= 0x1C && off < 0x34:
		return half(s.Targets[(off-0x1C)/8].TARGET, off-0x1C), bus.None
	case off >= 0x34 && off < 0x40:
		return uint64(s.Targets[(off-0x34)/4].CONF), bus.None
	case off >= 0x40 && off < 0x50:
		return half(s.Units[(off-0x40)/8].Latch, off-0x40), bus.None
	case off >= 0x50 && off < 0x64, off == 0x6C: // write-only
		return 0, bus.None
	case off == 0x64:
		return uint64(s.INT_ENA), bus.None
	case off == 0x68:
		return uint64(s.INT_RAW), bus.None
	case off == 0x70:
		return uint64(s.INT_RAW & s.INT_ENA), bus.None
	case off == 0xFC:
		return 0x02006171, bus.None
	}
	return 0, d.unknown("SYSTIMER", off)
}

// half is the high word at the first of a pair of registers, the low word at
// the second.
func half(v uint64, off uint32) uint64 {
	if off&4 == 0 {
		return v >> 32
	}
	return v & 0xFFFFFFFF
}

// setHalf writes such a word.
func setHalf(v *uint64, off, w uint32) {
	if off&4 == 0 {
		*v = (*v&0xFFFFFFFF | uint64(w)<<32) & stMask
		return
	}
	*v = *v&^0xFFFFFFFF | uint64(w)
}

func (d systimerDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	s, v := &d.SYSTIMER, uint32(v64)
	switch {
	case off == 0x00:
		d.writeSystimerCONF(v)
	case off == 0x04, off == 0x08:
		if unit := int(off/4 - 1); v&stUPDATE != 0 {
			s.Units[unit].Latch, s.Units[unit].Latched = s.value(unit, d.Time()), true
		}
	case off >= 0x0C && off < 0x1C:
		setHalf(&s.Units[(off-0x0C)/8].LOAD, off-0x0C, v)
	case off >= 0x1C && off < 0x34:
		setHalf(&s.Targets[(off-0x1C)/8].TARGET, off-0x1C, v)
	case off >= 0x34 && off < 0x40:
		d.writeTargetCONF(int(off-0x34)/4, v)
	case off >= 0x50 && off < 0x5C:
		d.systimerLoad(int(off-0x50) / 4)
	case off == 0x5C, off == 0x60:
		unit := int(off-0x5C) / 4
		d.systimerSet(unit, s.Units[unit].LOAD)
		d.systimerScheduleAll()
	case off == 0x64:
		s.INT_ENA = v & 7
	case off == 0x6C:
		s.INT_RAW &^= v
	case off == 0x68:
		s.INT_RAW = v & 7 // writable, for tests of software
	case off >= 0x40 && off < 0x50, off == 0x70, off == 0xFC: // read-only
	default:
		return d.unknown("SYSTIMER", off)
	}
	d.systimerInterrupts()
	return bus.None
}

// writeSystimerCONF: a counter that stops keeps its value, a comparator that
// starts is armed.
func (c *Chip) writeSystimerCONF(v uint32) {
	s := &c.SYSTIMER
	for unit := range s.Units {
		c.systimerSet(unit, s.value(unit, c.Time()))
	}
	started := v &^ s.CONF
	s.CONF = v & 0xFFC00001
	for n := range s.Targets {
		if started>>(stTARGET0_WORK-n)&1 != 0 {
			s.Targets[n].Armed = true
		}
	}
	c.systimerScheduleAll()
}

// writeTargetCONF: a change of mode begins a period.
func (c *Chip) writeTargetCONF(n int, v uint32) {
	t := &c.SYSTIMER.Targets[n]
	turned := (v^t.CONF)&stPERIOD_MODE != 0
	t.CONF = v & (stPERIOD | stPERIOD_MODE | stUNIT_SEL)
	if turned {
		c.systimerLoad(n)
		return
	}
	c.systimerSchedule(n)
}

// foreseeLoad: the counters only show through UNITx_OP.
func (d systimerDevice) foreseeLoad(off uint32, until uint64) (least, most uint64, ok bool) {
	if off < 0x40 || off >= 0x50 {
		return steady(d, off, peripherals.Register("SYSTIMER", off) != nil)
	}
	unit := int(off-0x40) / 8
	now, then := d.SYSTIMER.Units[unit].Latch, d.SYSTIMER.value(unit, d.TimeOf(until))
	if then < now {
		return 0, 0, false
	}
	if off&4 == 0 {
		return now >> 32, then >> 32, true
	}
	return now & 0xFFFFFFFF, then & 0xFFFFFFFF, now>>32 == then>>32
}

// foreseeStore allows for UNITx_OP, once a value has been latched.
func (d systimerDevice) foreseeStore(off uint32, _ uint32) bool {
	return (off == 0x04 || off == 0x08) && d.SYSTIMER.Units[off/4-1].Latched
}
