package k210

import (
	"math/bits"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// TIMER0 to TIMER2: four channels each that count down (DesignWare DW_apb_timers Databook,
// SDK timer.h and pwm.c).
//
// A channel that is enabled begins at LOAD_COUNT with the next tick of its clock. At
// the tick behind 0 it interrupts, inverts its output and begins anew: at all ones, or
// in the user-defined mode at LOAD_COUNT, in PWM mode while the output is high at
// LOAD_COUNT2. So the output is low for LOAD_COUNT+1 ticks and high for LOAD_COUNT2+1.
// A channel that is not enabled keeps its count, and its output is low. A store to
// LOAD_COUNT loads the count that is under way, as was measured on the block (Linux
// pwm-dwc.c). How long the synchronisers between the clocks take is left out.
//
// Ticks come with the first cycle of ACLK behind them; they are counted from the last
// change of the clocks. Nothing is an event but an interrupt and a watched edge.
type timerState struct {
	Clock   timerClock
	Channel [timerChannels]timerChannel
}

// timerChannel is a channel.
type timerChannel struct {
	LOAD, LOAD2, CONTROL uint32
	Epoch                uint64 // the tick at which Count was loaded
	Count                uint32 // and while it is not enabled what it holds
	High                 bool   // the output
	Raw                  bool   // the interrupt but for its mask
}

// timerClock counts ticks of a timer's clock against cycles of ACLK.
type timerClock struct {
	Cycle, Tick uint64 // the last change
	Hz, ACLK    uint64 // Hz is 0 while it stands
}

const (
	timerChannels = 4

	tcENABLE = 1 << 0
	tcUSER   = 1 << 1 // user-defined counts
	tcMASK   = 1 << 2 // of the interrupt
	tcPWM    = 1 << 3

	tiSTRIDE  = 0x14 // between the channels' registers
	tiLOAD    = 0x00
	tiCURRENT = 0x04
	tiCONTROL = 0x08
	tiEOI     = 0x0C
	tiSTAT    = 0x10

	tiINTR_STAT = 0xA0
	tiEOI_ALL   = 0xA4
	tiRAW       = 0xA8
	tiLOAD2     = 0xB0
)

// tick is the one in progress at a cycle.
func (k *timerClock) tick(cycle uint64) uint64 {
	hi, lo := bits.Mul64(cycle-k.Cycle, k.Hz)
	q, _ := bits.Div64(hi, lo, k.ACLK)
	return k.Tick + q
}

// cycle is the first at or behind a tick's beginning, or clock.Never.
func (k *timerClock) cycle(tick uint64) uint64 {
	if k.Hz == 0 {
		return clock.Never
	}
	hi, lo := bits.Mul64(tick-k.Tick, k.ACLK)
	lo, carry := bits.Add64(lo, k.Hz-1, 0)
	q, _ := bits.Div64(hi+carry, lo, k.Hz)
	return k.Cycle + q
}

// timer is one of a chip's timers.
type timer struct {
	*timerState
	c *Chip
	n int
}

func (c *Chip) timer(n int) timer { return timer{&c.TIMER[n], c, n} }

func (t timer) now() uint64 { return t.Clock.tick(t.c.Cycle()) }

// fn is the function of a channel's output.
func (t timer) fn(channel int) int { return fnTIMER0 + timerChannels*t.n + channel }

func (t timer) slot(channel int) int { return slotTIMER + timerChannels*t.n + channel }

func (h *timerChannel) enabled() bool { return h.CONTROL&tcENABLE != 0 }

// reload is what a channel counts from.
func (h *timerChannel) reload(high bool) uint32 {
	switch {
	case h.CONTROL&tcUSER == 0:
		return ^uint32(0)
	case h.CONTROL&tcPWM != 0 && high:
		return h.LOAD2
	}
	return h.LOAD
}

// expiry is the tick behind 0.
func (h *timerChannel) expiry() uint64 { return h.Epoch + uint64(h.Count) + 1 }

// expire is what happens at it.
func (h *timerChannel) expire() {
	h.Epoch = h.expiry()
	h.High = !h.High
	h.Raw = true
	h.Count = h.reload(h.High)
}

// catchUp brings a channel to a tick.
func (h *timerChannel) catchUp(tick uint64) {
	if !h.enabled() || tick < h.expiry() {
		return
	}
	h.expire()
	two := uint64(h.reload(false)) + uint64(h.reload(true)) + 2
	h.Epoch += (tick - h.Epoch) / two * two
	for tick >= h.expiry() {
		h.expire()
	}
}

// value is the count at a tick up to which the channel was caught up.
func (h *timerChannel) value(tick uint64) uint32 {
	if !h.enabled() || tick < h.Epoch {
		return h.Count
	}
	return h.Count - uint32(tick-h.Epoch)
}

func (c *Chip) timerReset(n int) {
	t := c.timer(n)
	*t.timerState = timerState{Clock: timerClock{Cycle: c.Cycle(), ACLK: c.Timeline.Hz()}}
	for i := range t.Channel {
		c.Schedule(t.slot(i), clock.Never)
	}
	t.rate()
	t.apply()
}

// rate follows the clocks; the part of a tick that has passed is lost.
func (t timer) rate() {
	hz := uint64(0)
	if t.c.gateOpen(t.c.block(uint64(blockTIMER0 + t.n<<16))) {
		hz = t.c.timerHz(t.n)
	}
	k := &t.Clock
	if aclk := t.c.Timeline.Hz(); k.Hz != hz || k.ACLK != aclk {
		*k = timerClock{Cycle: t.c.Cycle(), Tick: t.now(), Hz: hz, ACLK: aclk}
	}
}

const blockTIMER0 = 0x502D0000 // the others follow by 64 KB

// timerClockChanged follows SYSCTL.
func (c *Chip) timerClockChanged() {
	for n := range c.TIMER {
		t := c.timer(n)
		t.catchUp()
		t.rate()
		t.apply()
	}
}

// timerEvent is an interrupt.
func (c *Chip) timerEvent(slot int) {
	t := c.timer((slot - slotTIMER) / timerChannels)
	t.catchUp()
	t.apply()
}

// catchUp brings all channels and their outputs to the present.
func (t timer) catchUp() {
	now := t.now()
	for i := range t.Channel {
		h := &t.Channel[i]
		h.catchUp(now)
		t.c.setOut(t.fn(i), h.High, true)
	}
}

// apply brings outputs, interrupts and deadlines up to date.
func (t timer) apply() {
	for i := range t.Channel {
		h := &t.Channel[i]
		t.c.setOut(t.fn(i), h.High, true)
		at := clock.Never
		if h.enabled() && h.CONTROL&tcMASK == 0 && !h.Raw {
			at = t.Clock.cycle(h.expiry())
		}
		t.c.Schedule(t.slot(i), at)
	}
	status := t.status()
	t.c.setIRQ(irqTIMER0+2*t.n, status&3 != 0)
	t.c.setIRQ(irqTIMER0+2*t.n+1, status&12 != 0)
	t.c.followEdges()
}

// raw are the channels that interrupt but for their masks, status those that do.
func (t timer) raw() (v uint32) {
	for i := range t.Channel {
		v |= oneIf(t.Channel[i].Raw) << i
	}
	return v
}

func (t timer) status() (v uint32) {
	for i := range t.Channel {
		v |= oneIf(t.Channel[i].Raw && t.Channel[i].CONTROL&tcMASK == 0) << i
	}
	return v
}

// timerEdge is the next edge of an output that someone sees.
func (c *Chip) timerEdge() uint64 {
	at := clock.Never
	for n := range c.TIMER {
		t := c.timer(n)
		for i := range t.Channel {
			if h := &t.Channel[i]; h.enabled() && c.functionSeen(t.fn(i)) {
				at = min(at, t.Clock.cycle(h.expiry()))
			}
		}
	}
	return at
}

// timerCatchUp brings the outputs to where they are now.
func (c *Chip) timerCatchUp() {
	for n := range c.TIMER {
		if t := c.timer(n); t.running() {
			t.catchUp()
		}
	}
}

func (t timer) running() bool {
	running := false
	for i := range t.Channel {
		running = running || t.Channel[i].enabled()
	}
	return running
}

// timersRun tells whether an output may change without an event.
func (c *Chip) timersRun() bool {
	return c.timer(0).running() || c.timer(1).running() || c.timer(2).running()
}

// timerDevice is a block's registers.
type timerDevice struct {
	*Chip
	n int
}

// at is the channel whose registers are at an offset, and which of them, or nil.
func (t timer) at(off uint32) (*timerChannel, uint32) {
	switch {
	case off < timerChannels*tiSTRIDE:
		return &t.Channel[off/tiSTRIDE], off % tiSTRIDE
	case off >= tiLOAD2 && off < tiLOAD2+4*timerChannels:
		return &t.Channel[(off-tiLOAD2)/4], tiLOAD2
	}
	return nil, 0
}

func (d timerDevice) loadWord(off uint32) (uint32, bus.Fault) {
	t := d.timer(d.n)
	t.catchUp()
	if h, reg := t.at(off); h != nil {
		return t.load(h, reg), bus.None
	}
	switch off {
	case tiINTR_STAT:
		return t.status(), bus.None
	case tiRAW:
		return t.raw(), bus.None
	case tiEOI_ALL:
		for i := range t.Channel {
			t.Channel[i].Raw = false
		}
		t.apply()
		return 0, bus.None
	}
	return 0, d.unknown(t.name(), off)
}

func (t timer) name() string { return "TIMER" + string(rune('0'+t.n)) }

// load reads a channel's register; reading EOI ends its interrupt.
func (t timer) load(h *timerChannel, reg uint32) uint32 {
	switch reg {
	case tiLOAD:
		return h.LOAD
	case tiLOAD2:
		return h.LOAD2
	case tiCURRENT:
		return h.value(t.now())
	case tiCONTROL:
		return h.CONTROL
	case tiSTAT:
		return oneIf(h.Raw && h.CONTROL&tcMASK == 0)
	}
	h.Raw = false
	t.apply()
	return 0
}

func (d timerDevice) storeWord(off, v uint32) bus.Fault {
	t := d.timer(d.n)
	t.catchUp()
	h, reg := t.at(off)
	switch {
	case h == nil && off >= tiINTR_STAT && off <= tiRAW: // cannot be written
	case h == nil:
		return d.unknown(t.name(), off)
	case reg == tiLOAD:
		h.LOAD = v
		if h.enabled() && (h.CONTROL&tcPWM == 0 || !h.High) {
			h.begin(v, t.now())
		}
	case reg == tiLOAD2:
		h.LOAD2 = v
	case reg == tiCONTROL:
		t.control(h, v&(tcENABLE|tcUSER|tcMASK|tcPWM))
	}
	t.apply()
	return bus.None
}

// begin loads a count with the next tick.
func (h *timerChannel) begin(count uint32, now uint64) { h.Count, h.Epoch = count, now+1 }

// control stores a channel's CONTROL.
func (t timer) control(h *timerChannel, v uint32) {
	was := h.enabled()
	if is := v&tcENABLE != 0; was && !is {
		h.Count, h.High = h.value(t.now()), false
	} else if is && !was {
		h.begin(h.LOAD, t.now())
	}
	h.CONTROL = v
}

// foreseeLoad: a count is foreseen as far as it goes down.
func (d timerDevice) foreseeLoad(off uint32, width uint8, until uint64) (least, most uint64, ok bool) {
	t := d.timer(d.n)
	h, reg := t.at(off)
	switch {
	case width != 4:
		return 0, 0, false
	case h == nil:
		return steady(words{d}, off, width, off == tiINTR_STAT)
	case reg == tiCURRENT && h.enabled():
		t.catchUp()
		end := t.Clock.tick(until)
		return uint64(h.value(end)), uint64(h.value(t.now())), end < h.expiry()
	}
	return steady(words{d}, off, width, reg != tiEOI)
}
