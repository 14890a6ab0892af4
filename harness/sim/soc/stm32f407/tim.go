package stm32f407

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// General-purpose timers TIM2 to TIM5 (RM0090 §18) and basic timers TIM6 and
// TIM7 (§20).
//
// Modelled: up, down and centre-aligned counting, prescaler, preload, update
// generation with UDIS and URS, one-pulse mode, all output compare modes,
// input capture with its prescaler, slave modes reset, gated, trigger and
// external clock 1 from TI1, TI2 and the internal triggers of TIM2 to TIM5, and
// every master mode. Not modelled, and faulting by name: DMA, encoder modes,
// the external trigger input (ETR), the input filters, capture of TRC, TI1's
// exclusive or, OCxFE and OCxCE, and the remapping options.
//
// Timing: the counter steps on exact timer clocks, beginning one after the one
// at which CEN is seen set. The two to three timer clocks that inputs and
// triggers take to be resynchronised are not modelled: a capture holds the
// count at the edge, a slave follows its master in the same cycle (MSM has
// nothing to do). A match is the counter's arrival at the compare value; a
// program that writes the present count into CCRx gets none until the counter
// comes around.

// timRegs is a timer's state, as plain data; names as in the manual.
type timRegs struct {
	Cr1, Cr2, Smcr, Dier, Sr, Ccer uint32
	Ccmr                           [2]uint32
	Psc, Arr                       uint32    // preload registers
	Ccr                            [4]uint32 // preload, or what was captured
	K                              counter   // what counts, with the shadow registers

	Ref   [4]bool  // OCxREF
	Taken [4]uint8 // edges since the last capture, for ICxPSC
	Gate  bool     // the trigger input's level, for gated mode
	Trgo  bool     // the trigger output's level

	// Triggering guards against masters and slaves that trigger each other in a
	// ring; real ones would go around it clock by clock.
	Triggering bool
}

// tims are TIM2 to TIM7.
type tims [6]timRegs

const (
	timCEN  = 1 << 0
	timUDIS = 1 << 1
	timURS  = 1 << 2
	timOPM  = 1 << 3
	timDIR  = 1 << 4
	timCMS  = 3 << 5
	timARPE = 1 << 7

	timUIF = 1 << 0 // also UIE, UG
	timTIF = 1 << 6 // also TIE, TG

	timAll = 0xF // all four channels
)

// timInfo is what tells the timers apart.
type timInfo struct {
	n     int
	irq   int
	wide  bool   // 32 bits
	chan1 signal // the other channels' follow
	itr   [4]int // the masters on ITR0 to ITR3 (table 93); 0 where not modelled
}

// timInfos are in the order of tims.
var timInfos = [...]timInfo{
	{2, 28, true, sigTIM2CH1, [4]int{0, 0, 3, 4}},
	{3, 29, false, sigTIM3CH1, [4]int{0, 2, 5, 4}},
	{4, 30, false, sigTIM4CH1, [4]int{0, 2, 3, 0}},
	{5, 50, true, sigTIM5CH1, [4]int{2, 3, 4, 0}},
	{n: 6, irq: 54},
	{n: 7, irq: 55},
}

// timer is one timer of a chip. The basic ones have no channels.
type timer struct {
	*timRegs
	c    *Chip
	info *timInfo
}

// timer finds TIM2 to TIM7 by number.
func (c *Chip) timer(n int) timer { return timer{&c.TIMs[n-2], c, &timInfos[n-2]} }

// timDevice is a timer as the bus sees it.
func (c *Chip) timDevice(n int) bus.Device { return c.timer(n) }

// timReset puts a timer into its reset state.
func (c *Chip) timReset(n int) { c.timer(n).reset() }

// timEvent handles a timer's deadline.
func (c *Chip) timEvent(slot int, cycle uint64) {
	t := c.timer(slot - slotTIM + 1)
	t.sync(cycle)
	t.apply()
}

// timInput takes an edge of a timer's channel pin.
func (c *Chip) timInput(sig signal, high bool, cycle uint64) {
	for i := range 4 {
		if ch := int(sig) - int(timInfos[i].chan1); ch >= 0 && ch < 4 {
			c.timer(i+2).input(ch, high, cycle)
		}
	}
}

// timClockWillChange and timClockChanged enclose a change of the timer clock.
func (c *Chip) timClockWillChange() {
	for i := range c.TIMs {
		c.timer(i + 2).sync(c.now())
	}
}

func (c *Chip) timClockChanged() {
	div := c.timerDiv(1)
	for i := range c.TIMs {
		t := c.timer(i + 2)
		t.K.Div, t.K.At = div, c.now()/div*div // the timer clock under way
		t.apply()
	}
}

func (t timer) name() string { return fmt.Sprintf("TIM%d", t.info.n) }

func (t timer) basic() bool { return t.info.n >= 6 }

// reset is the block's reset state (§18.4).
func (t timer) reset() {
	*t.timRegs = timRegs{Arr: 0xFFFF}
	if t.info.wide {
		t.Arr = 0xFFFF_FFFF
	}
	t.K.Max, t.K.Arr = uint64(t.Arr), uint64(t.Arr)
	t.K.align(t.c.now(), t.c.timerDiv(1))
	t.apply()
}

// slaveMode is SMCR.SMS.
func (t timer) slaveMode() uint32 { return t.Smcr & 7 }

const (
	slaveReset   = 4
	slaveGated   = 5
	slaveTrigger = 6
	slaveClock   = 7
)

// counting reports whether the internal clock moves the counter. TIM2 to TIM7
// are the first bits of APB1ENR.
func (t timer) counting() bool {
	return t.c.RCC.ENR[apb1]>>(t.info.n-2)&1 != 0 && t.Cr1&timCEN != 0 && t.slaveMode() != slaveClock && (t.slaveMode() != slaveGated || t.Gate)
}

// sync brings the timer to the cycle, through every event before it.
func (t timer) sync(cycle uint64) {
	for t.counting() {
		n := t.K.steps(timAll)
		if n == 0 || t.K.cycleOf(n) > cycle {
			t.K.run(cycle)
			return
		}
		t.K.At, t.K.Pre = t.K.cycleOf(n), 0
		if m := t.K.step(n); t.arrive(m) {
			t.skip(cycle)
		}
	}
}

// skip leaps over whole periods, of which two already said all there is to see:
// every flag of theirs is set by the two that are left to do. It keeps their
// number even because of toggled outputs.
func (t timer) skip(cycle uint64) {
	p := 2 * t.K.period()
	if t.K.Arr != 0 && cycle > t.K.At+2*p {
		t.K.At += ((cycle-t.K.At)/p - 1) * p
	}
}

// arrive does what the counter's new value causes: shadow registers, flags,
// outputs, triggers. It reports an update.
func (t timer) arrive(m moment) bool {
	k := &t.K
	down := k.Down
	if m.Update {
		down = m.Underflow
	}
	var hits uint8
	for i, v := range k.Ccr {
		if m.Update && v > k.Arr {
			hits |= 1 << i // §18.4.5, CC1IF: on overflow or underflow
		}
	}
	if m.Update {
		t.update(false)
	}
	for i, v := range k.Ccr {
		if v == k.Cnt {
			hits |= 1 << i
		}
	}
	t.match(hits, down)
	t.apply()
	return m.Update
}

// match handles the channels in hits that compare (CCxS = 0).
func (t timer) match(hits uint8, down bool) {
	if t.basic() {
		return
	}
	for i := range 4 {
		if hits>>i&1 == 0 || t.channelMode(i) != 0 {
			continue
		}
		if t.flagsWhen(down) {
			t.Sr |= 2 << i
			if i == 0 && t.masterMode() == 3 {
				t.pulse()
			}
		}
		switch t.compareMode(i) {
		case 1:
			t.Ref[i] = true
		case 2:
			t.Ref[i] = false
		case 3:
			t.Ref[i] = !t.Ref[i]
		}
	}
}

// flagsWhen applies CMS: a centre-aligned counter sets compare flags when
// counting down (1), up (2) or both (3).
func (t timer) flagsWhen(down bool) bool {
	switch t.Cr1 & timCMS >> 5 {
	case 1:
		return down
	case 2:
		return !down
	}
	return true
}

// update is the update event UEV (§18.3.2).
func (t timer) update(software bool) {
	if t.Cr1&timUDIS != 0 {
		return
	}
	t.K.Psc, t.K.Arr = uint64(t.Psc), uint64(t.Arr)
	for i := range 4 {
		if t.channelMode(i) == 0 {
			t.K.Ccr[i] = uint64(t.Ccr[i])
		}
	}
	if !software || t.Cr1&timURS == 0 {
		t.Sr |= timUIF
	}
	if t.Cr1&timOPM != 0 {
		t.Cr1 &^= timCEN
	}
	if t.masterMode() == 2 {
		t.pulse()
	}
}

// reinit is what UG and slave mode reset do: counter and prescaler start
// over, with an update.
func (t timer) reinit() {
	t.update(true)
	k := &t.K
	k.Pre, k.Cnt = 0, 0
	if k.Both {
		k.Down = false
	} else if k.Down {
		k.Cnt = k.Arr
	}
	var hits uint8
	for i, v := range k.Ccr {
		if v == k.Cnt {
			hits |= 1 << i
		}
	}
	t.match(hits, k.Down)
	if t.masterMode() == 0 {
		t.pulse()
	}
}

// channelMode is CCxS: 0 output, 1 own input, 2 the pair's other input.
func (t timer) channelMode(i int) uint32 { return t.Ccmr[i/2] >> (8 * (i % 2)) & 3 }

// compareMode is OCxM.
func (t timer) compareMode(i int) uint32 { return t.Ccmr[i/2] >> (8*(i%2) + 4) & 7 }

// masterMode is CR2.MMS.
func (t timer) masterMode() uint32 { return t.Cr2 >> 4 & 7 }

// apply brings everything that follows from the state up to date: references,
// pins, trigger output, interrupt line and deadline.
func (t timer) apply() {
	if !t.basic() {
		t.references()
	}
	switch mm := t.masterMode(); {
	case mm == 1:
		t.trigger(t.Cr1&timCEN != 0)
	case mm >= 4:
		t.trigger(t.Ref[mm-4])
	}
	t.c.irq(t.info.irq, t.Sr&t.Dier&0x5F != 0)
	t.c.schedule(slotTIM+t.info.n-1, t.deadline())
}

// references computes OCxREF of the forced and PWM modes, and the pins
// (§18.3.8 to §18.3.10, table 98).
func (t timer) references() {
	k := &t.K
	for i := range 4 {
		if t.channelMode(i) != 0 {
			t.c.afRelease(t.info.chan1 + signal(i))
			continue
		}
		below := k.Cnt < k.Ccr[i]
		if k.Down {
			below = k.Cnt <= k.Ccr[i]
		}
		switch t.compareMode(i) {
		case 4, 5:
			t.Ref[i] = t.compareMode(i) == 5
		case 6, 7:
			t.Ref[i] = below == (t.compareMode(i) == 6)
		}
		if t.Ccer>>(4*i)&1 == 0 { // OCx_EN = 0: the timer does not drive the pin
			t.c.afRelease(t.info.chan1 + signal(i))
			continue
		}
		t.c.afOut(t.info.chan1+signal(i), t.Ref[i] != (t.Ccer>>(4*i)&2 != 0))
	}
}

// deadline is the cycle of the next event that someone can see.
func (t timer) deadline() uint64 {
	mask, seen := t.watched()
	if !seen || !t.counting() {
		return clock.Never
	}
	n := t.K.steps(mask)
	if n == 0 {
		return clock.Never
	}
	return t.K.cycleOf(n)
}

// watched tells which channels' matches anyone can see as they happen, and
// whether anything is seen at all.
func (t timer) watched() (mask uint8, seen bool) {
	if t.masterMode() != 0 && t.hasSlave() {
		return timAll, true
	}
	if t.basic() {
		return 0, t.Dier&^t.Sr&timUIF != 0
	}
	for i := range 4 {
		if t.channelMode(i) != 0 {
			continue
		}
		moves := false
		switch t.compareMode(i) {
		case 1:
			moves = !t.Ref[i]
		case 2:
			moves = t.Ref[i]
		case 3, 6, 7:
			moves = true
		}
		if t.Dier&^t.Sr>>(i+1)&1 != 0 || moves && t.Ccer>>(4*i)&1 != 0 {
			mask |= 1 << i
		}
	}
	return mask, mask != 0 || t.Dier&^t.Sr&timUIF != 0
}
