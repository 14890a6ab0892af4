package esp32c3

import "rigor/harness/sim/clock"

// The lines of the I2C controller: what it does to the pins, and what it sees of
// them through filters and synchronisers (TRM §28.4.2, §28.4.6).

// i2cRise is how long a line takes to the inputs' threshold after the controller
// has let go of it: a resistor charges the bus. The pins' levels know no slopes, so
// the controller lets go so much later.
const i2cRise = 225 * clock.Nanosecond / 2

// i2cLine is SCL or SDA.
type i2cLine struct {
	Want   bool       // what the controller makes of it
	Out    bool       // what it does to it
	RiseAt clock.Time // when Out follows a Want that has gone high; NeverTime: it has
	Level  bool       // of the pin
	At     clock.Time // when that changed
	Seen   bool       // the level behind the filter
	N      int        // changes on their way there
	Queue  [4]i2cChange
}

type i2cChange struct {
	At   clock.Time
	High bool
}

// put changes what the controller makes of a line.
func (i i2c) put(l *i2cLine, high bool, at clock.Time) {
	if l.Want == high {
		return
	}
	l.Want, l.RiseAt = high, clock.NeverTime
	if high {
		l.RiseAt = at + i2cRise
	} else {
		l.Out = false
		i.drive()
	}
	i.c.ScheduleAt(i2cSlotRise, min(i.SCL.RiseAt, i.SDA.RiseAt))
}

// rise is the event of lines that have risen.
func (i i2c) rise(now clock.Time) {
	for _, l := range []*i2cLine{&i.SCL, &i.SDA} {
		if l.RiseAt <= now {
			l.Out, l.RiseAt = true, clock.NeverTime
		}
	}
	i.c.ScheduleAt(i2cSlotRise, min(i.SCL.RiseAt, i.SDA.RiseAt))
	i.drive()
}

// drive puts both lines out: with FORCE_OUT as levels, which an open-drain pad
// makes what they should be, else by the output enable (§28.4.6). PD_EN forces a
// line low.
func (i i2c) drive() {
	ctr, sp := i.Live[i2cCTR/4], i.Live[i2cSP_CONF/4]
	for _, l := range []struct {
		sig    int
		out    bool
		direct bool
		low    bool
	}{
		{sigSCL, i.SCL.Out, ctr&i2cSCL_FORCE_OUT != 0, sp&i2cSCL_PD_EN != 0},
		{sigSDA, i.SDA.Out, ctr&i2cSDA_FORCE_OUT != 0, sp&i2cSDA_PD_EN != 0},
	} {
		out := l.out && !(l.direct && l.low)
		i.c.sigOut(l.sig, out && l.direct)
		i.c.sigOE(l.sig, l.direct || !out)
	}
}

// i2cLine follows the pins' levels.
func (c *Chip) i2cLine() {
	i := c.i2c()
	i.follow(&i.SCL, c.sigIn(sigSCL), i.Live[i2cFILTER_CFG/4]&0xF, i.Live[i2cFILTER_CFG/4]&i2cSCL_FILTER_EN != 0)
	i.follow(&i.SDA, c.sigIn(sigSDA), i.Live[i2cFILTER_CFG/4]>>4&0xF, i.Live[i2cFILTER_CFG/4]&i2cSDA_FILTER_EN != 0)
}

// follow sends a change of a line on its way. The filter swallows what is shorter
// than its threshold.
func (i i2c) follow(l *i2cLine, high bool, threshold uint32, filter bool) {
	if l.Level == high {
		return
	}
	now := i.c.Time()
	if !filter {
		threshold = 0
	}
	pulse := now - l.At
	l.Level, l.At = high, now
	switch {
	case l.N > 0 && pulse < i.cycles(threshold), l.N == len(l.Queue):
		l.N--
	default:
		l.Queue[l.N] = i2cChange{now + i.cycles(threshold+i2cSynchroniser), high}
		l.N++
	}
	i.awaitArrival()
}

func (i i2c) awaitArrival() {
	at := clock.NeverTime
	for _, l := range []*i2cLine{&i.SCL, &i.SDA} {
		if l.N > 0 {
			at = min(at, l.Queue[0].At)
		}
	}
	i.c.ScheduleAt(i2cSlotFilter, at)
}

// arrive is the event of changes that the state machines come to see. SCL goes
// first: a change of SDA that comes with its fall is none of a condition.
func (i i2c) arrive(now clock.Time) {
	for _, l := range []*i2cLine{&i.SCL, &i.SDA} {
		for l.N > 0 && l.Queue[0].At <= now {
			change := l.Queue[0]
			copy(l.Queue[:], l.Queue[1:])
			l.N--
			l.Queue[l.N] = i2cChange{}
			if l.Seen == change.High {
				continue
			}
			l.Seen = change.High
			if l == &i.SCL {
				i.clockSeen(change.At)
			} else {
				i.dataSeen()
			}
		}
	}
	i.awaitArrival()
}

// clockSeen is an edge of SCL. A fall within its high time is another
// controller's, which has the shorter one.
func (i i2c) clockSeen(at clock.Time) {
	i.Since.Line = at
	switch high := i.SCL.Seen; {
	case high && i.Phase == i2cAwaitBus:
		i.start(at)
	case high && i.Phase == i2cWaitHigh:
		i.risen(at)
	case !high && i.Phase == i2cSample:
		i.HighEnd = at
		i.sample(at)
	case !high && i.Phase == i2cHigh:
		i.fallen(at)
	default:
		i.awaitTimeout()
	}
}

// dataSeen is an edge of SDA, with SCL high a START or a STOP.
func (i i2c) dataSeen() {
	if !i.SCL.Seen {
		return
	}
	if i.Busy = !i.SDA.Seen; i.Busy {
		i.raise(i2cDET_START)
	}
}

// limits are the timeouts in cycles: of the line, if enabled, and of the two state
// machines, which the line's own transfers keep going (§28.4.8).
func (i i2c) limits() (line, fsm, main clock.Time) {
	limit := func(v uint32) clock.Time { return i.cycles(1 << min(v&0x1F, 23)) }
	line = clock.NeverTime
	if to := i.Live[i2cTO/4]; to&i2cTIME_OUT_EN != 0 {
		line = limit(to)
	}
	return line, limit(i.Live[i2cST_TO/4]), limit(i.Live[i2cMAIN_ST_TO/4])
}

// awaitTimeout schedules the first timeout of a transfer under way.
func (i i2c) awaitTimeout() {
	if i.Phase == i2cIdle || i.Phase == i2cHeld {
		i.Since = i2cSince{i.c.Time(), i.c.Time(), i.c.Time()}
		i.c.ScheduleAt(i2cSlotTimeout, clock.NeverTime)
		return
	}
	line, fsm, main := i.limits()
	at := min(i.Since.FSM+fsm, i.Since.Main+main)
	if line != clock.NeverTime {
		at = min(at, i.Since.Line+line)
	}
	i.c.ScheduleAt(i2cSlotTimeout, at)
}

// timeout ends a transfer.
func (i i2c) timeout(now clock.Time) {
	line, fsm, main := i.limits()
	if line != clock.NeverTime && now >= i.Since.Line+line {
		i.raise(i2cTIME_OUT)
	}
	if now >= i.Since.FSM+fsm {
		i.raise(i2cSCL_ST_TO)
	}
	if now >= i.Since.Main+main {
		i.raise(i2cSCL_MAIN_ST_TO)
	}
	i.Busy = false
	i.abort()
}
