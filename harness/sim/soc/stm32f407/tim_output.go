package stm32f407

import "rigor/harness/sim/soc/pad"

// A timer's outputs: references, dead time, break and commutation, RM0090
// §17.3.8 to §17.3.15 and §18.3.8 to §18.3.11.

// ofCom are the CCER bits that CR2.CCPC preloads: CCxE and CCxNE of channels 1
// to 3.
const ofCom = 0x555

// ccer is CCER as it is in effect.
func (t timer) ccer() uint32 { return t.Com.Ccer&ofCom | t.Ccer&^ofCom }

// enabled is CCxE.
func (t timer) enabled(i int) bool { return t.ccer()>>(4*i)&1 != 0 }

// compareMode is OCxM as it is in effect.
func (t timer) compareMode(i int) uint32 {
	r := t.Com.Ccmr
	if i == 3 {
		r = t.Ccmr
	}
	return r[i/2] >> (8*(i%2) + 4) & 7
}

// commute is the COM event (§17.3.13).
func (t timer) commute() {
	t.Com = commutation{t.Ccer, t.Ccmr}
	t.Sr |= timCOMIF
	t.request(timCOMDE, 6)
}

// uncommuted passes what CCPC does not hold back on at once.
func (t timer) uncommuted() {
	if t.Cr2&timCCPC == 0 || !t.advanced() {
		t.Com = commutation{t.Ccer, t.Ccmr}
	}
}

// setRef sets OCxREF; each of its edges begins a dead time.
func (t timer) setRef(i int, high bool) {
	high = high && t.Cleared>>i&1 == 0
	if t.Ref[i] == high {
		return
	}
	t.Ref[i] = high
	if i < 3 {
		t.Dead[i] = t.Now + t.deadTime()
	}
}

// deadTime decodes BDTR.DTG, in cycles (§17.4.18).
func (t timer) deadTime() uint64 {
	dtg := uint64(t.Bdtr & 0xFF)
	switch {
	case dtg >= 0xE0:
		dtg = (32 + dtg&0x1F) * 16
	case dtg >= 0xC0:
		dtg = (32 + dtg&0x1F) * 8
	case dtg >= 0x80:
		dtg = (64 + dtg&0x3F) * 2
	}
	return dtg * t.dts()
}

// dts is the period of the dead time's and the filters' clock, in cycles.
func (t timer) dts() uint64 { return t.K.Div << min(t.Cr1>>8&3, 2) }

// deadEnd is when the next dead time ends.
func (t timer) deadEnd() (cycle uint64) {
	cycle--
	for _, at := range t.Dead {
		if at > t.Now {
			cycle = min(cycle, at)
		}
	}
	return cycle
}

// references computes OCxREF of the forced and PWM modes.
func (t timer) references() {
	k := &t.K
	for i := range t.channels() {
		if t.channelMode(i) != 0 {
			continue
		}
		below := k.Cnt < k.Ccr[i]
		if k.Down {
			below = k.Cnt <= k.Ccr[i]
		}
		if t.Hurried>>i&1 != 0 && below {
			below = false
		} else {
			t.Hurried &^= 1 << i
		}
		switch m := t.compareMode(i); m {
		case 4, 5:
			t.setRef(i, m == 5)
		case 6, 7:
			t.setRef(i, below == (m == 6))
		}
	}
}

// outputs puts OCx and OCxN on their pins.
func (t timer) outputs() {
	for i := range t.channels() {
		oc, _ := t.pair(i)
		t.drive(t.info.chan1+signal(i), oc)
		if t.advanced() && i < 3 {
			_, ocn := t.pair(i) // anew: the other pin's edge may have come back as input
			t.drive(t.info.chan1N+signal(i), ocn)
		}
		if is := oc == pad.High; is != t.Oc[i] {
			t.Oc[i] = is
			t.ocChanged(i, is)
		}
	}
}

func (t timer) drive(sig signal, o pad.Output) {
	if o == pad.Released {
		t.c.afRelease(sig)
	} else {
		t.c.afOut(sig, o == pad.High)
	}
}

// pair is what a channel does to its pins (§17.4.9 and §18.4.9, output control).
func (t timer) pair(i int) (oc, ocn pad.Output) {
	bits := t.ccer() >> (4 * i)
	p, np := bits&2 != 0, bits&8 != 0
	if !t.advanced() {
		return onlyIf(bits&1 != 0 && t.channelMode(i) == 0, t.Ref[i] != p), pad.Released
	}
	e, ne := bits&1 != 0, bits&4 != 0 && i < 3
	switch {
	case !e && !ne, t.channelMode(i) != 0:
		return pad.Released, pad.Released
	case t.Bdtr&timMOE == 0:
		return t.idle(i, p, np)
	case e && ne: // §17.3.11: each follows its reference after the dead time
		quiet := t.Now < t.Dead[i]
		return level(!quiet && t.Ref[i] != p || quiet && p), level(!quiet && !t.Ref[i] != np || quiet && np)
	}
	off := t.Bdtr&timOSSR != 0
	return onlyIf(e || off, e && t.Ref[i] != p || !e && p), onlyIf(ne || off && i < 3, ne && t.Ref[i] != np || !ne && np)
}

// idle is what a channel does while MOE is 0: nothing, or with OSSI its
// inactive levels and, after a dead time, those of OISx and OISxN, unless both
// are active ones.
func (t timer) idle(i int, p, np bool) (oc, ocn pad.Output) {
	if t.Bdtr&timOSSI == 0 {
		return pad.Released, pad.Released
	}
	ois := t.Cr2>>(8+2*i)&1 != 0
	if i == 3 {
		return level(ois), pad.Released
	}
	oisn := t.Cr2>>(9+2*i)&1 != 0
	if t.Now < t.Dead[i] || ois != p && oisn != np {
		return level(p), level(np)
	}
	return level(ois), level(oisn)
}

func level(h bool) pad.Output {
	if h {
		return pad.High
	}
	return pad.Low
}

func onlyIf(driven, h bool) pad.Output {
	if !driven {
		return pad.Released
	}
	return level(h)
}

// ocChanged tells those whom a channel's output triggers: converters, and of
// the one-channel timers the slaves.
func (t timer) ocChanged(i int, high bool) {
	if t.full() {
		t.c.trigger(t.info.trigger+trigger(i), high, t.Now)
	}
	if t.info.kind == timOne {
		t.eachSlave(func(s timer) { s.fromMaster(high) })
	}
}

// breaking reports whether the break input is active (§17.3.12).
func (t timer) breaking() bool {
	return t.Bdtr&timBKE != 0 && t.BKIN == (t.Bdtr&timBKP != 0)
}

// breaks is a break event.
func (t timer) breaks() {
	t.Sr |= timBIF
	t.disarm()
}

// disarm clears MOE; the dead times begin of the change to the idle levels.
func (t timer) disarm() {
	if t.Bdtr&timMOE == 0 {
		return
	}
	t.Bdtr &^= timMOE
	for i := range t.Dead {
		t.Dead[i] = t.Now + t.deadTime()
	}
}

// rearm sets MOE at an update when AOE asks for it, and lets go of references
// that the external trigger cleared.
func (t timer) rearm() {
	if t.Bdtr&timAOE != 0 && !t.breaking() {
		t.Bdtr |= timMOE
	}
	if !t.ETR.Out {
		t.Cleared = 0
	}
	t.Hurried = 0
}

// hurry is an active edge of the trigger input: of the channels with OCxFE, PWM
// modes put out at once what they would from the match on, until that or an update
// (§18.3.10).
func (t timer) hurry() {
	for i := range t.channels() {
		if m := t.compareMode(i); t.channelMode(i) == 0 && t.Ccmr[i/2]>>(8*(i%2)+2)&1 != 0 && m >= 6 {
			t.Hurried |= 1 << i
		}
	}
}

// clear holds OCxREF of the channels with OCxCE low while the external trigger
// is high, and on to the next update (§18.3.11). Forced modes don't mind.
func (t timer) clear() {
	for i := range t.channels() {
		m := t.compareMode(i)
		if t.channelMode(i) == 0 && t.Ccmr[i/2]>>(8*(i%2)+7)&1 != 0 && m != 4 && m != 5 && t.ETR.Out {
			t.Cleared |= 1 << i
			t.setRef(i, false)
		}
	}
}
