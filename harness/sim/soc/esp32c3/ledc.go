package esp32c3

import (
	"math/bits"

	"rigor/harness/sim/clock"
)

// LEDC, the LED PWM controller (TRM LED PWM Controller): four timers and six
// channels.
//
// Modelled: dividers with fraction, clock sources, resolution, pause and reset;
// hpoint and duty with its fraction, fading, idle level, updates by PARA_UP at the
// timer's next overflow, counting of overflows, interrupts. A timer ticks at
// the clocks of its source that the divider's fraction, spread evenly, gives;
// of sixteen periods those with the longer pulse are spread evenly too. A pulse
// beyond the period's end is cut off. These three are assumed, as is that PARA_UP
// acts at once when the timer does not run.
//
// Nothing happens at a tick that nobody can see: ledc_watch.go.

// ledcState is the block's registers and what its timers and channels are doing.
type ledcState struct {
	CONF, INT_RAW, INT_ENA, DATE uint32
	Hz                           uint64     // of the source
	At                           clock.Time // of the last look
	Timers                       [4]ledcTimer
	Channels                     [6]ledcChannel
}

// ledcTimer is a timer. Positions are counted in 256ths of a clock of the
// source, as the divider is.
type ledcTimer struct {
	CONF   uint32
	Div    int64 // in effect
	Res    uint8 // in effect: bits
	Update bool  // PARA_UP waits for an overflow
	Runs   bool
	Epoch  int64 // position of the source at which the present period began
	Held   int64 // what of the period is over, while it does not run
}

// ledcChannel is a channel: its registers, then what of them is in effect.
type ledcChannel struct {
	CONF0, HPOINT, DUTY, CONF1 uint32
	Update                     bool // PARA_UP waits for an overflow

	Timer     uint8
	On        bool // SIG_OUT_EN
	Hpoint    uint32
	Duty      uint32 // with four fractional bits
	Steps     uint32 // of a fade to come
	Cycle     uint32 // overflows a step
	Wait      uint32 // overflows until the next
	Scale     uint32
	Inc       bool
	CountOn   bool
	Overflows uint32
	Sum       uint32 // of the duty's fractions, modulo 16
	Longer    bool   // this period's pulse is a tick longer
}

const (
	ledcRST   = 1 << 23
	ledcPAUSE = 1 << 22

	ledcSIG_OUT_EN  = 1 << 2
	ledcIDLE_LV     = 1 << 3
	ledcOVF_CNT_EN  = 1 << 15
	ledcDUTY_INC    = 1 << 30
	ledcDUTY_START  = 1 << 31
	ledcDutyBits    = 19
	ledcTimerPARA   = 1 << 25
	ledcChannelPARA = 1 << 4
	ledcOVF_RESET   = 1 << 16

	ledcIntOVF  = 0  // of timer 0
	ledcIntEnd  = 4  // DUTY_CHNG_END of channel 0
	ledcIntOVFs = 10 // OVF_CNT of channel 0

	sourceLEDC = 23
)

// ledcReset puts the block into its reset state.
func (c *Chip) ledcReset() {
	l := &c.LEDC
	*l = ledcState{DATE: 0x19061700, At: l.At}
	for i := range l.Timers {
		l.Timers[i].CONF = ledcRST
		c.Schedule(slotLEDC+i, clock.Never)
	}
	for i := range l.Channels {
		l.Channels[i].CONF1 = ledcDUTY_INC
		c.sigOut(sigLEDC+i, false)
	}
	c.ledcApply()
}

// ledcRate is the clock that LEDC_APB_CLK_SEL selects.
func (c *Chip) ledcRate() uint64 {
	switch c.LEDC.CONF & 3 {
	case 1:
		return c.Clocks.APB
	case 2:
		return rcFastHz
	case 3:
		return xtalHz
	}
	return 0
}

// ledcClockChanged follows a change of clocks: timers keep their position.
func (c *Chip) ledcClockChanged() {
	l := &c.LEDC
	if hz := c.ledcRate(); hz != l.Hz {
		c.ledcSync()
		for i := range l.Timers {
			l.Timers[i].stop(c.ledcPosition())
		}
		l.Hz = hz
	}
	c.ledcApply()
}

// ledcPosition is the source's position now: clocks since the world began. It
// never goes back, even if the outside acts at a moment before.
func (c *Chip) ledcPosition() int64 {
	c.LEDC.At = max(c.LEDC.At, c.Time())
	hi, lo := bits.Mul64(uint64(c.LEDC.At), c.LEDC.Hz)
	n, _ := bits.Div64(hi, lo, uint64(clock.Second))
	return int64(n) * 256
}

// ledcCycle is the first cycle at which the source has reached a position.
func (c *Chip) ledcCycle(position int64) uint64 {
	hi, lo := bits.Mul64(uint64(position/256), uint64(clock.Second))
	lo, carry := bits.Add64(lo, c.LEDC.Hz-1, 0)
	t, _ := bits.Div64(hi+carry, lo, c.LEDC.Hz)
	return c.CycleFrom(clock.Time(t))
}

// stop holds a timer's position.
func (t *ledcTimer) stop(position int64) {
	if t.Runs {
		t.Runs, t.Held = false, position-t.Epoch
	}
}

// valid tells whether the settings in effect make the timer count.
func (t *ledcTimer) valid() bool { return t.Div >= 256 && t.Res > 0 && t.Res <= 14 }

// period is how long the timer takes from overflow to overflow.
func (t *ledcTimer) period() int64 { return t.Div << t.Res }

// elapsed is what of the period is over, counting whole clocks of the source.
func (t *ledcTimer) elapsed(position int64) int64 {
	if t.Runs {
		return position - t.Epoch + 255
	}
	return t.Held + 255
}

// count is the timer's value.
func (t *ledcTimer) count(position int64) uint32 {
	if !t.valid() {
		return 0
	}
	return uint32(t.elapsed(position)/t.Div) & (1<<t.Res - 1)
}

// latch puts divider and resolution into effect. A timer that does not run keeps
// its count, as far as that has room.
func (t *ledcTimer) latch() {
	n := int64(0)
	if t.valid() {
		n = t.Held / t.Div
	}
	t.Update = false
	t.Div, t.Res = int64(t.CONF>>4&0x3FFFF), uint8(t.CONF&0xF)
	t.Held = n & (1<<t.Res - 1) * t.Div
}

// ledcSync brings timers, channels and outputs up to the present.
func (c *Chip) ledcSync() {
	if c.LEDC.Hz == 0 {
		return
	}
	position := c.ledcPosition()
	for i := range c.LEDC.Timers {
		for t := &c.LEDC.Timers[i]; t.Runs; {
			n := t.elapsed(position) / t.period()
			if n == 0 {
				break
			}
			if t.Update || c.ledcSteps(i) {
				n = 1
			}
			c.ledcOverflow(i, n)
		}
	}
	c.ledcOutputs(position)
}

// ledcSteps reports whether overflows of a timer must be looked at one by one.
func (c *Chip) ledcSteps(timer int) bool {
	for i := range c.LEDC.Channels {
		ch := &c.LEDC.Channels[i]
		if ch.Update && int(ch.CONF0&3) == timer || int(ch.Timer) == timer && (ch.Steps > 0 || ch.CountOn) {
			return true
		}
	}
	return false
}

// ledcOverflow lets a timer overflow n times.
func (c *Chip) ledcOverflow(timer int, n int64) {
	l := &c.LEDC
	t := &l.Timers[timer]
	t.Epoch += n * t.period()
	l.INT_RAW |= 1 << (ledcIntOVF + timer)
	if t.Update {
		t.latch()
		t.Runs = t.valid()
	}
	for i := range l.Channels {
		ch := &l.Channels[i]
		if int(ch.Timer) == timer {
			c.ledcFade(i)
			c.ledcCount(i)
			ch.dither(uint32(n & 0xF))
		}
		if ch.Update && int(ch.CONF0&3) == timer {
			ch.latch()
		}
	}
}

// ledcFade makes a step of a channel's fade when its time has come.
func (c *Chip) ledcFade(i int) {
	ch := &c.LEDC.Channels[i]
	if ch.Steps == 0 {
		return
	}
	if ch.Wait--; ch.Wait > 0 {
		return
	}
	step := ch.Scale << 4
	if !ch.Inc {
		step = -step
	}
	ch.Duty = (ch.Duty + step) & (1<<ledcDutyBits - 1)
	ch.Wait = ch.Cycle
	if ch.Steps--; ch.Steps == 0 {
		ch.CONF1 &^= ledcDUTY_START
		c.LEDC.INT_RAW |= 1 << (ledcIntEnd + i)
	}
}

// ledcCount counts an overflow for a channel.
func (c *Chip) ledcCount(i int) {
	ch := &c.LEDC.Channels[i]
	if !ch.CountOn {
		return
	}
	if ch.Overflows++; ch.Overflows > ch.CONF0>>5&0x3FF {
		ch.Overflows = 0
		c.LEDC.INT_RAW |= 1 << (ledcIntOVFs + i)
	}
}

// dither decides whether the pulse behind n overflows is the longer one.
func (ch *ledcChannel) dither(n uint32) {
	if frac := ch.Duty & 0xF; frac != 0 {
		before := ch.Sum + (n-1)*frac&0xF
		sum := before&0xF + frac
		ch.Longer, ch.Sum = sum > 0xF, sum&0xF
		return
	}
	ch.Longer = false
}

// latch puts a channel's settings into effect, and its duty and fade if
// DUTY_START asks for it.
func (ch *ledcChannel) latch() {
	ch.Update = false
	ch.Timer, ch.On = uint8(ch.CONF0&3), ch.CONF0&ledcSIG_OUT_EN != 0
	ch.Hpoint, ch.CountOn = ch.HPOINT, ch.CONF0&ledcOVF_CNT_EN != 0
	if ch.CONF1&ledcDUTY_START == 0 {
		return
	}
	ch.Duty, ch.Inc = ch.DUTY, ch.CONF1&ledcDUTY_INC != 0
	ch.Steps, ch.Cycle, ch.Scale = ch.CONF1>>20&0x3FF, max(ch.CONF1>>10&0x3FF, 1), ch.CONF1&0x3FF
	ch.Wait = ch.Cycle
	ch.Sum = 0
	ch.dither(1)
	if ch.Steps == 0 {
		ch.CONF1 &^= ledcDUTY_START
	}
}

// end is the count at which the pulse of this period ends.
func (ch *ledcChannel) end() uint32 { return ch.Hpoint + ch.Duty>>4 + oneIf(ch.Longer) }

// ledcOutputs puts the channels' levels on their signals.
func (c *Chip) ledcOutputs(position int64) {
	l := &c.LEDC
	for i := range l.Channels {
		ch := &l.Channels[i]
		level := ch.CONF0&ledcIDLE_LV != 0
		if ch.On {
			n := l.Timers[ch.Timer].count(position)
			level = n >= ch.Hpoint && n < ch.end()
		}
		c.sigOut(sigLEDC+i, level)
	}
}
