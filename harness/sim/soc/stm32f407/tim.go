package stm32f407

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Timers: advanced TIM1 and TIM8 (RM0090 §17), general-purpose TIM2 to TIM5
// (§18) and TIM9 to TIM14 (§19), basic TIM6 and TIM7 (§20).
//
// Modelled: all counting modes, preload, repetition, one-pulse, all output
// compare modes with OCxCE and OCxFE, complementary outputs with dead time, break,
// MOE with its off states, commutation (COM) and lock levels; capture with
// prescalers and filters, capture of TRC, TI1's exclusive or, encoder modes,
// external clocks 1 and 2, all slave and master modes, the triggers of ADC and
// DAC, DMA requests and bursts, clocks on inputs (tim_remap.go). Not modelled, and
// faulting by name: Ethernet and USB as TIM2's ITR1, and the RTC's wake-up on
// TIM5's TI4. A break by the clock security
// system never comes, as RCC lacks it.
//
// Timing: the counter steps on exact timer clocks, beginning one after the one
// at which CEN is seen set. The two to three timer clocks that inputs and
// triggers take to be resynchronised are not modelled: a capture holds the
// count at the edge, a slave follows its master in the same cycle (MSM has
// nothing to do). A match is the counter's arrival at the compare value; a
// program that writes the present count into CCRx gets none until the counter
// comes around. The filters sample at multiples of their period since cycle 0;
// the part's phase is not specified. With UDIS the repetition counter stays
// where it is.

// timRegs is a timer's state, as plain data; names as in the manual.
type timRegs struct {
	Cr1, Cr2, Smcr, Dier, Sr, Ccer uint32
	Ccmr                           [2]uint32
	Psc, Arr, Rcr                  uint32    // preload registers
	Ccr                            [4]uint32 // preload, or what was captured
	Bdtr, Dcr, Or                  uint32
	K                              counter // what counts, with the shadow registers

	Now    uint64 // the cycle that the state is of
	Rep    uint32 // overflows to go before the next update
	Com    commutation
	Locked bool // BDTR.LOCK was written

	Ref     [4]bool   // OCxREF
	Cleared uint8     // channels whose OCxREF the external trigger holds low
	Hurried uint8     // channels whose OCxREF a trigger has put ahead, see OCxFE
	Oc      [4]bool   // OCx while enabled, as triggers see it
	Dead    [3]uint64 // when the channel's dead time ends

	Pins     uint8     // levels of the channel pins
	TI       [4]filter // timer inputs behind their filters
	ETR      filter
	ETRPin   bool
	ETREdges uint8    // for ETPS
	BKIN     bool     // the break pin's level
	Taken    [4]uint8 // edges since the last capture, for ICxPSC
	Gate     bool     // the trigger input's level, for gated mode
	Trgo     bool     // the trigger output's level

	Burst uint8   // registers done of a DMA burst
	Asked request // whose burst it is

	// Triggering guards against masters and slaves that trigger each other in a
	// ring; real ones would go around it clock by clock.
	Triggering bool
}

// commutation is what CR2.CCPC holds back until a COM event: CCxE, CCxNE and
// OCxM of the channels 1 to 3.
type commutation struct {
	Ccer uint32
	Ccmr [2]uint32
}

// tims are TIM1 to TIM14.
type tims [14]timRegs

const (
	timCEN  = 1 << 0
	timUDIS = 1 << 1
	timURS  = 1 << 2
	timOPM  = 1 << 3
	timDIR  = 1 << 4
	timCMS  = 3 << 5
	timARPE = 1 << 7

	timCCPC = 1 << 0 // CR2
	timCCUS = 1 << 2
	timCCDS = 1 << 3
	timTI1S = 1 << 7

	timECE = 1 << 14 // SMCR
	timETP = 1 << 15

	timUIF   = 1 << 0 // also UIE, UG
	timCC1IF = 1 << 1
	timCCIF  = 0xF << 1
	timCOMIF = 1 << 5 // also COMIE, COMG
	timTIF   = 1 << 6 // also TIE, TG
	timBIF   = 1 << 7 // also BIE, BG
	timIE    = 0xFF

	timUDE   = 1 << 8
	timCC1DE = 1 << 9
	timCOMDE = 1 << 13
	timTDE   = 1 << 14

	timOSSI = 1 << 10 // BDTR
	timOSSR = 1 << 11
	timBKE  = 1 << 12
	timBKP  = 1 << 13
	timAOE  = 1 << 14
	timMOE  = 1 << 15

	timAll = 0xF // all four channels
)

// timKind orders the timers by what they have; each has what the ones before
// it have.
type timKind uint8

const (
	timBasic timKind = iota // update and trigger output only
	timOne                  // one channel
	timTwo                  // two channels, slave modes
	timFull                 // four channels, all counting modes, DMA
	timAdvanced
)

// timInfo is what tells the timers apart.
type timInfo struct {
	n       int
	kind    timKind
	wide    bool // 32 bits
	bus     int
	bit     int    // in RCC's enable register
	chan1   signal // the other channels' follow
	chan1N  signal // the complementary outputs, of the advanced timers
	etr     signal
	bkin    signal
	itr     [4]int // masters on ITR0 to ITR3 (tables 94, 98, 101)
	irq     [4]int // break, update, trigger and commutation, capture and compare
	trigger trigger
	request request // update's; those of the channels, trigger and COM follow
}

// timInfos are in the order of tims. TIM6 and TIM7 have no OC nor TRGO that
// another timer listens to.
var timInfos = [...]timInfo{
	{1, timAdvanced, false, apb2, 0, sigTIM1CH1, sigTIM1CH1N, sigTIM1ETR, sigTIM1BKIN, [4]int{5, 2, 3, 4}, [4]int{24, 25, 26, 27}, trgTIM1CC1, reqTIM1UP},
	{2, timFull, true, apb1, 0, sigTIM2CH1, 0, sigTIM2CH1, 0, [4]int{1, 8, 3, 4}, [4]int{28, 28, 28, 28}, trgTIM2CC1, reqTIM2UP},
	{3, timFull, false, apb1, 1, sigTIM3CH1, 0, sigTIM3ETR, 0, [4]int{1, 2, 5, 4}, [4]int{29, 29, 29, 29}, trgTIM3CC1, reqTIM3UP},
	{4, timFull, false, apb1, 2, sigTIM4CH1, 0, sigTIM4ETR, 0, [4]int{1, 2, 3, 8}, [4]int{30, 30, 30, 30}, trgTIM4CC1, reqTIM4UP},
	{5, timFull, true, apb1, 3, sigTIM5CH1, 0, 0, 0, [4]int{2, 3, 4, 8}, [4]int{50, 50, 50, 50}, trgTIM5CC1, reqTIM5UP},
	{n: 6, bus: apb1, bit: 4, irq: [4]int{54, 54, 54, 54}, trigger: trgTIM6TRGO, request: reqTIM6UP},
	{n: 7, bus: apb1, bit: 5, irq: [4]int{55, 55, 55, 55}, trigger: trgTIM7TRGO, request: reqTIM7UP},
	{8, timAdvanced, false, apb2, 1, sigTIM8CH1, sigTIM8CH1N, sigTIM8ETR, sigTIM8BKIN, [4]int{1, 2, 4, 5}, [4]int{43, 44, 45, 46}, trgTIM8CC1, reqTIM8UP},
	{n: 9, kind: timTwo, bus: apb2, bit: 16, chan1: sigTIM9CH1, itr: [4]int{2, 3, 10, 11}, irq: [4]int{24, 24, 24, 24}},
	{n: 10, kind: timOne, bus: apb2, bit: 17, chan1: sigTIM10CH1, irq: [4]int{25, 25, 25, 25}},
	{n: 11, kind: timOne, bus: apb2, bit: 18, chan1: sigTIM11CH1, irq: [4]int{26, 26, 26, 26}},
	{n: 12, kind: timTwo, bus: apb1, bit: 6, chan1: sigTIM12CH1, itr: [4]int{4, 5, 13, 14}, irq: [4]int{43, 43, 43, 43}},
	{n: 13, kind: timOne, bus: apb1, bit: 7, chan1: sigTIM13CH1, irq: [4]int{44, 44, 44, 44}},
	{n: 14, kind: timOne, bus: apb1, bit: 8, chan1: sigTIM14CH1, irq: [4]int{45, 45, 45, 45}},
}

// timLines are the timers on each interrupt line (table 62).
var timLines = indexTimLines()

func indexTimLines() (lines [82][]int) {
	for _, info := range timInfos {
		for i, line := range info.irq {
			if i == 0 || info.irq[i-1] != line {
				lines[line] = append(lines[line], info.n)
			}
		}
	}
	return lines
}

// timer is one timer of a chip.
type timer struct {
	*timRegs
	c    *Chip
	info *timInfo
}

// timer finds TIM1 to TIM14 by number.
func (c *Chip) timer(n int) timer { return timer{&c.TIMs[n-1], c, &timInfos[n-1]} }

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

// timClockWillChange and timClockChanged enclose a change of the timer clock.
func (c *Chip) timClockWillChange() { c.timSync() }

// timSync brings every timer up to the present: two chips alike then look alike,
// whoever looked at them before.
func (c *Chip) timSync() {
	for n := range c.TIMs {
		c.timer(n + 1).sync(c.Cycle())
	}
}

func (c *Chip) timClockChanged() {
	for n := range c.TIMs {
		t := c.timer(n + 1)
		t.K.Div = c.timerDiv(t.apb())
		t.K.At = c.Cycle() / t.K.Div * t.K.Div // the timer clock under way
		t.apply()
	}
}

func (t timer) name() string { return fmt.Sprintf("TIM%d", t.info.n) }

func (t timer) apb() int { return t.info.bus - apb1 + 1 }

func (t timer) full() bool { return t.info.kind >= timFull }

func (t timer) advanced() bool { return t.info.kind == timAdvanced }

// channels is how many channels the timer has.
func (t timer) channels() int {
	switch t.info.kind {
	case timBasic:
		return 0
	case timOne:
		return 1
	case timTwo:
		return 2
	}
	return 4
}

// reset is the block's reset state (§18.4).
func (t timer) reset() {
	*t.timRegs = timRegs{Arr: 0xFFFF, Now: t.c.Cycle()}
	if t.info.wide {
		t.Arr = 0xFFFF_FFFF
	}
	t.K.Max, t.K.Arr = uint64(t.Arr), uint64(t.Arr)
	t.K.align(t.c.Cycle(), t.c.timerDiv(t.apb()))
	t.readPins()
	t.apply()
	t.c.tapsChanged()
}

// slaveMode is SMCR.SMS.
func (t timer) slaveMode() uint32 { return t.Smcr & 7 }

// SMCR.SMS.
const (
	slaveEncoder1 = 1
	slaveEncoder3 = 3
	slaveReset    = 4
	slaveGated    = 5
	slaveTrigger  = 6
	slaveClock    = 7
)

// clocked reports whether RCC lets the timer's clock through.
func (t timer) clocked() bool { return t.c.RCC.ENR[t.info.bus]>>t.info.bit&1 != 0 }

// counting reports whether the internal clock moves the counter.
func (t timer) counting() bool {
	if t.Cr1&timCEN == 0 || t.Smcr&timECE != 0 || !t.clocked() {
		return false
	}
	switch mode := t.slaveMode(); {
	case mode == slaveGated:
		return t.Gate
	case mode == slaveClock:
		return false
	default:
		return mode == 0 || mode > slaveEncoder3
	}
}

// sync brings the timer to the cycle, through every event before it.
func (t timer) sync(cycle uint64) {
	for t.next(cycle) {
	}
	if t.counting() {
		t.K.run(cycle)
	}
	t.Now = max(t.Now, cycle)
}

// next does the timer's next event, if one comes until the cycle: of those at
// one moment the counter's first, then the end of a dead time, then an input
// that a filter lets through.
func (t timer) next(cycle uint64) bool {
	count, steps := t.nextCount(timAll)
	dead, in := t.deadEnd(), t.ripe()
	at := min(count, dead, in)
	if at == clock.Never || at > cycle {
		return false
	}
	t.Now = max(t.Now, at)
	switch at {
	case count:
		t.K.At, t.K.Pre = at, 0
		if m := t.K.step(steps); t.arrive(m) {
			t.skip(min(cycle, in))
		}
	case dead:
		t.outputs()
	case in:
		if t.counting() {
			t.K.run(at)
		}
		t.refilter()
	}
	return true
}

// nextCount is when the internal clock brings the counter to its next event
// with a channel of the mask, and the steps to there.
func (t timer) nextCount(mask uint8) (cycle, steps uint64) {
	if !t.counting() {
		return clock.Never, 0
	}
	n := t.K.steps(mask)
	if n == 0 {
		return clock.Never, 0
	}
	return t.K.cycleOf(n), n
}

// skip leaps over whole periods, of which two already said all there is to see:
// every flag of theirs is set by the two that are left to do. It keeps their
// number even because of toggled outputs.
func (t timer) skip(cycle uint64) {
	p := 2 * t.K.period() * uint64(t.Rcr+1)
	if t.K.Arr != 0 && cycle > t.K.At+2*p {
		t.K.At += ((cycle-t.K.At)/p - 1) * p
	}
}

// arrive does what the counter's new value causes: shadow registers, flags,
// outputs, triggers. It reports whether from here on periods are alike.
func (t timer) arrive(m moment) (alike bool) {
	k := &t.K
	down := k.Down
	if m.Update {
		down = m.Underflow
	}
	if m.Update {
		t.beyond(down)
		alike = t.overflow()
	}
	t.match(down)
	t.follow()
	return alike
}

// beyond flags the channels whose compare value the counter never shows
// (§18.4.5, CC1IF: on overflow or underflow). Their references stay.
func (t timer) beyond(down bool) {
	for i := range t.channels() {
		if t.K.Ccr[i] > t.K.Arr && t.channelMode(i) == 0 && t.flagsWhen(down) {
			t.channelEvent(i)
		}
	}
}

// overflow is an overflow or underflow: every one, or every RCR+1st, is an
// update (§17.3.3).
func (t timer) overflow() bool {
	switch {
	case t.Cr1&timUDIS != 0:
		return true
	case t.Rep > 0:
		t.Rep--
		return false
	}
	t.update(false)
	return true
}

// match handles the channels whose compare value the counter shows.
func (t timer) match(down bool) {
	for i := range t.channels() {
		if t.K.Ccr[i] != t.K.Cnt || t.channelMode(i) != 0 {
			continue
		}
		if t.flagsWhen(down) {
			t.channelEvent(i)
		}
		switch t.compareMode(i) {
		case 1:
			t.setRef(i, true)
		case 2:
			t.setRef(i, false)
		case 3:
			t.setRef(i, !t.Ref[i])
		}
	}
}

// channelEvent is a match or a capture: flag, DMA request and, of channel 1,
// the master's compare pulse.
func (t timer) channelEvent(i int) {
	t.Sr |= timCC1IF << i
	if t.Cr2&timCCDS == 0 {
		t.request(timCC1DE<<i, 1+i)
	}
	if i == 0 && t.masterMode() == 3 {
		t.pulse()
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
	t.K.Psc, t.K.Arr, t.Rep = uint64(t.Psc), uint64(t.Arr), t.Rcr
	for i := range t.channels() {
		if t.channelMode(i) == 0 {
			t.K.Ccr[i] = uint64(t.Ccr[i])
		}
	}
	if !software || t.Cr1&timURS == 0 {
		t.Sr |= timUIF
		t.request(timUDE, 0)
	}
	if t.Cr2&timCCDS != 0 {
		for i := range t.channels() {
			t.request(timCC1DE<<i, 1+i)
		}
	}
	if t.Cr1&timOPM != 0 {
		t.Cr1 &^= timCEN
	}
	t.rearm()
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
	t.match(k.Down)
	if t.masterMode() == 0 {
		t.pulse()
	}
}

// channelMode is CCxS: 0 output, 1 own input, 2 the pair's other input, 3 TRC.
func (t timer) channelMode(i int) uint32 { return t.Ccmr[i/2] >> (8 * (i % 2)) & 3 }

// masterMode is CR2.MMS.
func (t timer) masterMode() uint32 { return t.Cr2 >> 4 & 7 }

// apply brings everything that follows from the state up to date: references,
// pins, trigger output, interrupt line and deadline.
func (t timer) apply() {
	t.follow()
	for i, line := range t.info.irq {
		if i == 0 || t.info.irq[i-1] != line {
			t.c.timIRQ(line)
		}
	}
	t.noteDriving()
	t.c.Schedule(slotTIM+t.info.n-1, t.deadline())
}

// follow is the part of apply that happens at each of the timer's events.
func (t timer) follow() {
	t.references()
	t.outputs()
	switch mm := t.masterMode(); {
	case mm == 1:
		t.trigger(t.Cr1&timCEN != 0)
	case mm >= 4:
		t.trigger(t.Ref[mm-4])
	}
}

// timIRQ sets an interrupt line, which timers may share.
func (c *Chip) timIRQ(line int) {
	level := false
	for _, n := range timLines[line] {
		level = level || c.timer(n).interrupts(line)
	}
	c.irq(line, level)
}

// interrupts reports whether the timer raises the line.
func (t timer) interrupts(line int) bool {
	flags := t.Sr & t.Dier & timIE
	if t.advanced() {
		for i, mask := range []uint32{timBIF, timUIF, timTIF | timCOMIF, timCCIF} {
			if t.info.irq[i] == line {
				flags &= mask
			}
		}
	}
	return flags != 0
}

// enableDMA writes DIER; a request that is no longer enabled is withdrawn.
func (t timer) enableDMA(dier uint32) {
	for i, bit := range [...]uint32{timUDE, timCC1DE, timCC1DE << 1, timCC1DE << 2, timCC1DE << 3, timTDE, timCOMDE} {
		if t.Dier&^dier&bit != 0 {
			t.c.Requests.Latched[t.info.request+request(i)] = false
		}
	}
	t.Dier = dier
}

// request asks for DMA, if DIER's bit enables it: update 0, channels 1 to 4,
// trigger 5, commutation 6.
func (t timer) request(enable uint32, i int) {
	if t.Dier&enable == 0 {
		return
	}
	t.Asked, t.Burst = t.info.request+request(i), 0
	t.c.dmaPulse(t.Asked)
}
