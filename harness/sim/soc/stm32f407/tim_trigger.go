package stm32f407

// Slave modes, external clocks and the trigger outputs that chain timers,
// RM0090 §18.3.3, §18.3.14 and §18.3.15.

// triggerSource is SMCR.TS.
func (t timer) triggerSource() uint32 { return t.Smcr >> 4 & 7 }

// triggerPulse and triggerLevel are the trigger input TRGI.
func (t timer) triggerPulse() {
	t.triggerLevel(true)
	if t.slaveMode() == slaveGated {
		t.triggerLevel(false)
	}
}

func (t timer) triggerLevel(high bool) {
	if high && t.Cr2&(timCCUS|timCCPC) == timCCUS|timCCPC {
		t.commute()
	}
	mode := t.slaveMode()
	if mode < slaveReset || mode != slaveGated && !high {
		return
	}
	t.Sr |= timTIF
	t.request(timTDE, 5)
	switch mode {
	case slaveReset:
		t.reinit()
	case slaveGated:
		if high && !t.Gate {
			t.K.align(t.c.Cycle(), t.K.Div)
		}
		t.Gate = high
	case slaveTrigger:
		t.start()
	case slaveClock:
		if t.Smcr&timECE == 0 { // of the two external clocks mode 2 wins, §18.4.3
			t.clock()
		}
	}
	if high {
		t.hurry()
	}
}

func (t timer) start() {
	if t.Cr1&timCEN == 0 {
		t.Cr1 |= timCEN
		t.K.align(t.c.Cycle(), t.K.Div)
	}
}

// clock is one clock from outside, to the prescaler.
func (t timer) clock() {
	k := &t.K
	if t.Cr1&timCEN == 0 || !t.clocked() {
		return
	}
	if k.Pre < k.Psc {
		k.Pre++
		return
	}
	k.Pre = 0
	if n := k.steps(timAll); n > 0 {
		m := k.step(1)
		if n == 1 {
			t.arrive(m)
		}
	}
}

// trigger sets the trigger output TRGO.
func (t timer) trigger(high bool) {
	if high == t.Trgo {
		return
	}
	t.Trgo = high
	if trg, ok := t.trgo(); ok {
		t.c.trigger(trg, high, t.Now)
	}
	t.eachSlave(func(s timer) { s.fromMaster(high) })
}

// pulse is one clock of TRGO.
func (t timer) pulse() {
	if trg, ok := t.trgo(); ok {
		t.c.trigger(trg, true, t.Now)
		t.c.trigger(trg, false, t.Now+t.K.Div)
	}
	t.eachSlave(func(s timer) {
		s.captureTRC()
		s.triggerPulse()
	})
}

// trgo is the line of TRGO to the converters.
func (t timer) trgo() (trigger, bool) {
	switch {
	case t.full():
		return t.info.trigger + 4, true
	case t.info.kind == timBasic:
		return t.info.trigger, true
	}
	return 0, false
}

// fromMaster takes a level of the master's trigger output.
func (t timer) fromMaster(high bool) {
	if high {
		t.captureTRC()
	}
	t.triggerLevel(high)
}

// slaves are the timers that can follow another.
var slaves = [...]int{1, 2, 3, 4, 5, 8, 9, 12}

func (t timer) eachSlave(f func(timer)) {
	if t.Triggering {
		return
	}
	t.Triggering = true
	for _, n := range slaves {
		if s := t.c.timer(n); s.follows(t) {
			s.sync(t.c.Cycle())
			f(s)
			s.apply()
		}
	}
	t.Triggering = false
}

func (t timer) hasSlave() bool {
	for _, n := range slaves {
		if t.c.timer(n).follows(t) {
			return true
		}
	}
	return false
}

// follows reports whether the master's trigger output is the timer's ITRx and
// does anything to it.
func (t timer) follows(master timer) bool {
	ts := t.triggerSource()
	return ts < 4 && t.info.itr[ts] == master.info.n && t.heedsTrigger()
}

// heedsTrigger reports whether TRGI or TRC does anything.
func (t timer) heedsTrigger() bool {
	if t.slaveMode() >= slaveReset || t.Cr2&(timCCUS|timCCPC) == timCCUS|timCCPC {
		return true
	}
	for i := range t.channels() {
		if t.channelMode(i) == 3 {
			return true
		}
	}
	return false
}

// masterLevel is the level of the trigger output, for a slave that begins to
// follow it.
func (t timer) masterLevel() bool {
	if t.info.kind == timOne {
		return t.Oc[0]
	}
	return t.Trgo
}
