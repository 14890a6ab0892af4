package stm32f407

import (
	"math/bits"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Who looks at a timer. Its deadline is the next event that someone can see;
// the rest is caught up with when someone asks. A PWM output on a pin that
// nobody watches costs nothing.

// deadline is the cycle of the next event that someone can see.
func (t timer) deadline() uint64 {
	at := t.ripe()
	mask, seen := t.watched()
	if seen {
		count, _ := t.nextCount(mask)
		at = min(at, count)
	}
	for i, end := range t.Dead {
		if end > t.Now && t.outputSeen(i) {
			at = min(at, end)
		}
	}
	return at
}

// watched tells which channels' matches anyone can see as they happen, and
// whether anything is seen at all.
func (t timer) watched() (mask uint8, seen bool) {
	want := t.Dier&^t.Sr | t.Dier>>8 // flags to raise, requests to make
	for i := range t.channels() {
		if t.channelMode(i) == 0 && (want>>(i+1)&1 != 0 || t.moves(i) && t.outputSeen(i)) {
			mask |= 1 << i
		}
	}
	seen = mask != 0 || want&timUIF != 0
	if mm := t.masterMode(); mm != 0 && t.trgoHeard() {
		seen = true
		switch {
		case mm == 3:
			mask |= 1
		case mm >= 4:
			mask |= 1 << (mm - 4)
		}
	}
	return mask, seen
}

// moves reports whether a channel's matches and updates can change OCxREF.
func (t timer) moves(i int) bool {
	switch t.compareMode(i) {
	case 1:
		return !t.Ref[i]
	case 2:
		return t.Ref[i]
	case 3, 6, 7:
		return true
	}
	return false
}

// trgoHeard reports whether the trigger output reaches anyone.
func (t timer) trgoHeard() bool {
	trg, ok := t.trgo()
	return ok && (t.c.triggerHeard(trg) || t.hasSlave())
}

// outputSeen reports whether anyone sees a channel's outputs as they change.
func (t timer) outputSeen(i int) bool {
	if t.ccer()>>(4*i)&5 == 0 {
		return false
	}
	switch {
	case t.c.signalSeen(t.info.chan1 + signal(i)), t.full() && t.c.triggerHeard(t.info.trigger+trigger(i)):
		return true
	case t.info.kind == timOne:
		return t.hasSlave()
	}
	return t.advanced() && i < 3 && t.c.signalSeen(t.info.chan1N+signal(i))
}

// signalSeen reports whether anyone sees the changes of a signal on its pins.
func (c *Chip) signalSeen(sig signal) bool {
	for _, p := range afPins[sig] {
		if c.Pins.Selected[p] == sig && c.pinSeen(p) {
			return true
		}
	}
	return false
}

// pinSeen reports whether a pin's changes reach the outside, EXTI, the boot
// loader or an input of a timer: a pin feeds the input that shares its signal.
func (c *Chip) pinSeen(p int) bool {
	port, line := p/16, p%16
	if c.watch != nil && (c.watched == nil || c.watched[board.Pin(p)]) || c.Booting {
		return true
	}
	if c.SYSCFG.port(line) == port && (c.EXTI.RTSR|c.EXTI.FTSR)>>line&1 != 0 {
		return true
	}
	for _, in := range timPins[c.Pins.Selected[p]] {
		if c.timer(in.n).heedsPins() {
			return true
		}
	}
	return false
}

// heedsPins reports whether any pin's edge does anything to the timer.
func (t timer) heedsPins() bool {
	if t.Smcr&(timECE|7) != 0 {
		return true
	}
	for i := range t.channels() {
		if t.channelMode(i) != 0 || t.Ccmr[i/2]>>(8*(i%2)+7)&1 != 0 {
			return true
		}
	}
	return false
}

// timCatchUp brings pins that timers or sources drive unseen up to the present, before
// someone reads them or something about them changes.
func (c *Chip) timCatchUp() {
	for late := c.Pins.Late; late != 0; late &= late - 1 {
		c.timer(bits.TrailingZeros16(late) + 1).sync(c.Cycle())
	}
	c.sampleMoving()
}

// noteDriving tells timCatchUp whether it must care for the timer.
func (t timer) noteDriving() {
	bit := uint16(1) << (t.info.n - 1)
	if t.Cr1&timCEN != 0 && t.ccer() != 0 || t.deadEnd() != clock.Never {
		t.c.Pins.Late |= bit
	} else {
		t.c.Pins.Late &^= bit
	}
}

// timRewatch follows a change of who looks.
func (c *Chip) timRewatch() {
	for n := range c.TIMs {
		if t := c.timer(n + 1); t.Cr1&timCEN != 0 {
			t.sync(c.Cycle())
			t.apply()
		}
	}
	c.awaitCrossing()
}

// WatchOnly restricts Watch to some pins: those whose edges must come, each at
// its exact time. Edges of other pins may come late, or not at all.
func (c *Chip) WatchOnly(pins ...board.Pin) {
	c.timCatchUp()
	c.watched = map[board.Pin]bool{}
	for _, p := range pins {
		c.watched[p] = true
	}
	c.timRewatch()
}
