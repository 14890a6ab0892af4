package stm32f407

// What reaches a timer from outside, RM0090 §18.3.5, §18.3.14 and §18.3.15:
// capture, slave modes, and the trigger outputs that chain timers.

// input takes an edge of TI(ch+1).
func (t timer) input(ch int, high bool, cycle uint64) {
	t.sync(cycle)
	for i := range 4 {
		m := t.channelMode(i)
		if (m == 1 && i == ch || m == 2 && i^1 == ch) && t.selected(i, high) {
			t.capture(i)
		}
	}
	switch t.Smcr >> 4 & 7 {
	case 4: // TI1F_ED: a pulse for either edge
		if ch == 0 {
			t.slavePulse()
		}
	case 5, 6: // TI1FP1, TI2FP2
		if ch == int(t.Smcr>>4&7)-5 {
			if t.Ccer>>(4*ch)&0xA == 0xA {
				t.slavePulse()
			} else {
				t.slaveLevel(high == (t.Ccer>>(4*ch)&2 == 0))
			}
		}
	}
	t.apply()
}

// selected applies the channel's polarity, CCxNP and CCxP, to an edge.
func (t timer) selected(i int, high bool) bool {
	switch t.Ccer >> (4 * i) & 0xA {
	case 0:
		return high
	case 2:
		return !high
	}
	return true
}

// capture takes the count into CCRx at every 1, 2, 4 or 8 edges (§18.3.5).
func (t timer) capture(i int) {
	if t.Ccer>>(4*i)&1 == 0 {
		return
	}
	t.Taken[i]++
	if t.Taken[i] < 1<<(t.Ccmr[i/2]>>(8*(i%2)+2)&3) {
		return
	}
	t.Taken[i] = 0
	t.Ccr[i] = uint32(t.K.Cnt)
	if t.Sr&(2<<i) != 0 {
		t.Sr |= 0x200 << i // overcapture
	}
	t.Sr |= 2 << i
}

// slavePulse and slaveLevel are the trigger input TRGI (§18.3.14).
func (t timer) slavePulse() {
	t.slaveLevel(true)
	if t.slaveMode() == slaveGated {
		t.slaveLevel(false)
	}
}

func (t timer) slaveLevel(high bool) {
	mode := t.slaveMode()
	if mode < slaveReset || mode != slaveGated && !high {
		return
	}
	t.Sr |= timTIF
	switch mode {
	case slaveReset:
		t.reinit()
	case slaveGated:
		if high && !t.Gate {
			t.K.align(t.c.now(), t.K.Div)
		}
		t.Gate = high
	case slaveTrigger:
		t.start()
	case slaveClock:
		t.externalClock()
	}
}

func (t timer) start() {
	if t.Cr1&timCEN == 0 {
		t.Cr1 |= timCEN
		t.K.align(t.c.now(), t.K.Div)
	}
}

// externalClock is one edge of the clock in external clock mode 1.
func (t timer) externalClock() {
	k := &t.K
	if t.Cr1&timCEN == 0 {
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
	t.eachSlave(func(s timer) { s.slaveLevel(high) })
}

// pulse is one clock of TRGO.
func (t timer) pulse() { t.eachSlave(timer.slavePulse) }

func (t timer) eachSlave(f func(timer)) {
	if t.Triggering || t.basic() {
		return
	}
	t.Triggering = true
	for n := 2; n <= 5; n++ {
		if s := t.c.timer(n); s.follows(t) {
			s.sync(t.c.now())
			f(s)
			s.apply()
		}
	}
	t.Triggering = false
}

func (t timer) hasSlave() bool {
	for n := 2; n <= 5; n++ {
		if t.c.timer(n).follows(t) {
			return true
		}
	}
	return false
}

// follows reports whether the master's TRGO is the timer's trigger input.
func (t timer) follows(master timer) bool {
	ts := t.Smcr >> 4 & 7
	return t.slaveMode() >= slaveReset && ts < 4 && t.info.itr[ts] == master.info.n
}
