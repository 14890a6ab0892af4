package stm32f407

import "rigor/harness/sim/clock"

// What reaches a timer through pins, RM0090 §18.3.5, §18.3.12 and §18.3.13, and
// §17.3.12: filters, capture, encoder, external trigger and break.

// filter is a digital filter and the level it let through.
type filter struct {
	Raw, Out bool
	Count    uint8  // samples in a row that differ from Out
	At       uint64 // the cycle that this is of
}

// sampling is a setting of ICxF or ETF: take the level after n samples alike,
// a period apart; period 0 filters nothing.
type sampling struct{ period, n uint64 }

// filterTable is ICxF (§18.4.7): how many clocks a sample takes, of DTS but for
// the first rows, and how many samples count.
var filterTable = [16]sampling{
	{}, {1, 2}, {1, 4}, {1, 8}, // of the internal clock
	{2, 6}, {2, 8}, {4, 6}, {4, 8}, {8, 6}, {8, 8}, {16, 5}, {16, 6}, {16, 8}, {32, 5}, {32, 6}, {32, 8},
}

func (t timer) sampling(code uint32) sampling {
	s := filterTable[code&0xF]
	if code&0xF < 4 {
		s.period *= t.K.Div
	} else {
		s.period *= t.dts()
	}
	return s
}

// put brings the filter to the cycle and sets its input from there on. It
// reports a change of its output.
func (f *filter) put(s sampling, raw bool, cycle uint64) bool {
	was := f.Out
	if s.period == 0 {
		f.Raw, f.Out, f.Count, f.At = raw, raw, 0, cycle
		return f.Out != was
	}
	n := cycle/s.period - f.At/s.period
	switch {
	case n == 0:
	case f.Raw == f.Out:
		f.Count = 0
	case uint64(f.Count)+n >= s.n:
		f.Out, f.Count = f.Raw, 0
	default:
		f.Count += uint8(n)
	}
	f.Raw, f.At = raw, cycle
	return f.Out != was
}

// ripe is when the filter's output will change.
func (f *filter) ripe(s sampling) uint64 {
	if f.Raw == f.Out || s.period == 0 {
		return clock.Never
	}
	return (f.At/s.period + s.n - uint64(f.Count)) * s.period
}

// timPins are the timers' inputs by signal.
var timPins = indexTimPins()

// timPin is one input of a timer: a channel, or one of the others.
type timPin struct{ n, channel int }

const (
	pinETR  = -1
	pinBKIN = -2
)

func indexTimPins() (pins [signalCount][]timPin) {
	add := func(sig signal, p timPin) {
		if sig != sigNone {
			pins[sig] = append(pins[sig], p)
		}
	}
	for _, info := range timInfos {
		for i := range (timer{info: &info}).channels() {
			add(info.chan1+signal(i), timPin{info.n, i})
		}
		add(info.etr, timPin{info.n, pinETR})
		add(info.bkin, timPin{info.n, pinBKIN})
	}
	return pins
}

// timInput takes an edge of a timer's pin.
func (c *Chip) timInput(sig signal, high bool, cycle uint64) {
	for _, p := range timPins[sig] {
		if t := c.timer(p.n); !t.tapped(p.channel) {
			t.input(p.channel, high, cycle)
		}
	}
}

// input takes a level of a channel's pin or of another input. A timer that
// minds no pin only notes it: the edge may be one of its own, which it drives
// while it catches up.
func (t timer) input(pin int, high bool, cycle uint64) {
	if pin != pinBKIN && !t.heedsPins() {
		t.level(pin, high)
		return
	}
	t.sync(cycle)
	t.level(pin, high)
	t.apply()
}

func (t timer) level(pin int, high bool) {
	switch pin {
	case pinBKIN:
		if t.BKIN = high; t.breaking() {
			t.breaks()
		}
	case pinETR:
		t.ETRPin = high
		t.prescaleETR(high != (t.Smcr&timETP != 0))
	default:
		t.Pins = t.Pins&^(1<<pin) | bit01(high)<<pin
		t.refilter()
	}
}

func bit01(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// readPins takes the inputs as they are, without any edge.
func (t timer) readPins() {
	for i := range t.channels() {
		high := !t.tapped(i) && t.c.afIn(t.info.chan1+signal(i))
		t.Pins |= bit01(high) << i
		t.TI[i] = filter{Raw: high, Out: high, At: t.Now}
	}
	t.BKIN = t.info.bkin != sigNone && t.c.afIn(t.info.bkin)
	t.ETRPin = t.info.etr != sigNone && t.c.afIn(t.info.etr)
	t.ETR = filter{Raw: t.ETRPin, Out: t.ETRPin, At: t.Now}
}

// pin is the level at timer input TI(ch+1) before its filter.
func (t timer) pin(ch int) bool {
	p := t.Pins
	if ch == 0 && t.Cr2&timTI1S != 0 {
		p ^= p>>1 ^ p>>2
	}
	return p>>ch&1 != 0
}

// inputFilter is the setting of a timer input's filter, which exists while the
// channel is an input.
func (t timer) inputFilter(ch int) sampling {
	if t.channelMode(ch) == 0 {
		return sampling{}
	}
	return t.sampling(t.Ccmr[ch/2] >> (8*(ch%2) + 4))
}

func (t timer) etrFilter() sampling { return t.sampling(t.Smcr >> 8) }

// refilter brings the filters up to date and passes on what they let through.
func (t timer) refilter() {
	if t.ETR.put(t.etrFilter(), t.ETR.Raw, t.Now) {
		t.etrEdge(t.ETR.Out)
	}
	for ch := range t.channels() {
		if t.TI[ch].put(t.inputFilter(ch), t.pin(ch), t.Now) {
			t.edge(ch, t.TI[ch].Out)
		}
	}
}

// ripe is when the next filter lets something through.
func (t timer) ripe() uint64 {
	if t.info.kind == timBasic {
		return clock.Never
	}
	at := t.ETR.ripe(t.etrFilter())
	for ch := range t.channels() {
		at = min(at, t.TI[ch].ripe(t.inputFilter(ch)))
	}
	return at
}

// edge takes an edge of TI(ch+1) behind its filter.
func (t timer) edge(ch int, high bool) {
	for i := range t.channels() {
		m := t.channelMode(i)
		if (m == 1 && i == ch || m == 2 && i^1 == ch) && t.selected(i, high) {
			t.capture(i)
		}
	}
	if mode := t.slaveMode(); ch < 2 && mode >= slaveEncoder1 && mode <= slaveEncoder3 {
		t.encode(ch)
	}
	switch ts := t.triggerSource(); ts {
	case 4: // TI1F_ED: a pulse for either edge
		if ch == 0 {
			t.captureTRC()
			t.triggerPulse()
		}
	case 5, 6: // TI1FP1, TI2FP2
		if ch != int(ts)-5 {
			return
		}
		if t.Ccer>>(4*ch)&0xA == 0xA {
			t.triggerPulse()
		} else {
			t.triggerLevel(high == (t.Ccer>>(4*ch)&2 == 0))
		}
	}
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
	if !t.enabled(i) {
		return
	}
	t.Taken[i]++
	if t.Taken[i] < 1<<(t.Ccmr[i/2]>>(8*(i%2)+2)&3) {
		return
	}
	t.Taken[i] = 0
	t.Ccr[i] = uint32(t.K.Cnt)
	if t.Sr&(timCC1IF<<i) != 0 {
		t.Sr |= 0x200 << i // overcapture
	}
	t.channelEvent(i)
}

// captureTRC is an edge of TRC, for the channels that capture it.
func (t timer) captureTRC() {
	for i := range t.channels() {
		if t.channelMode(i) == 3 {
			t.capture(i)
		}
	}
}

// encode is an edge of one of the two encoder inputs (§18.3.12). The
// manual has SMS 1 count the edges of TI2 and SMS 2 those of TI1; manuals of
// later parts have it the other way round.
func (t timer) encode(ch int) {
	a := t.TI[0].Out != (t.Ccer&2 != 0)
	b := t.TI[1].Out != (t.Ccer&0x20 != 0)
	t.K.Down = (a == b) == (ch == 0)
	if t.slaveMode()>>(1-ch)&1 != 0 {
		t.clock()
	}
}

// prescaleETR takes a level of the external trigger behind its polarity, and
// divides its rising edges by ETPS (§18.4.3).
func (t timer) prescaleETR(high bool) {
	if n := uint8(1) << (t.Smcr >> 12 & 3); n > 1 {
		if high {
			t.ETREdges = (t.ETREdges + 1) % n
		}
		high = high && t.ETREdges == 0 || !high && t.ETR.Raw
	}
	if t.ETR.put(t.etrFilter(), high, t.Now) {
		t.etrEdge(t.ETR.Out)
	}
}

// etrEdge takes an edge of ETRF.
func (t timer) etrEdge(high bool) {
	t.clear()
	if t.Smcr&timECE != 0 && high {
		t.clock()
	}
	if t.triggerSource() == 7 {
		t.triggerLevel(high)
	}
}
