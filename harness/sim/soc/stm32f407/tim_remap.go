package stm32f407

import "rigor/harness/sim/clock"

// Clocks on timer inputs, which OR chooses instead of a pin so that a program can
// measure them (RM0090 §18.4.21, §19.5.11): LSI or LSE on TIM5's channel 4, HSE
// divided by RTCPRE on TIM11's channel 1. Their phase begins as they are chosen.

// timTap is such an input of a chip.
type timTap struct {
	Rate uint64         // of the clock in Hz; 0 is the pin, or a clock that stands
	Line clock.Timeline // of its edges
	Edge uint64         // the next one; odd ones rise
}

// timTaps are the inputs: timer, channel, and the field of OR with its place.
var timTaps = [...]struct {
	n, channel int
	mask, pos  uint32
	name       string
}{
	{5, 3, 3, 6, "TI4_RMP"},
	{11, 0, 3, 0, "TI1_RMP"},
}

const (
	tapLSI    = 1 // TI4_RMP
	tapLSE    = 2
	tapHSERTC = 2 // TI1_RMP; 1 and 3 are the pin too
)

// tapped tells whether OR puts a clock on a channel instead of its pin.
func (t timer) tapped(channel int) bool {
	for i := range timTaps {
		if p := &timTaps[i]; p.n == t.info.n && p.channel == channel {
			v := t.Or >> p.pos & p.mask
			return v == 2 || p.n == 5 && v != 0
		}
	}
	return false
}

// tapRate is the rate of what OR chooses.
func (c *Chip) tapRate(i int) uint64 {
	p := &timTaps[i]
	switch v := c.timer(p.n).Or >> p.pos & p.mask; {
	case p.n == 5 && v == tapLSI && c.RCC.CSR&csrLSIRDY != 0:
		return lsiHz
	case p.n == 5 && v == tapLSE && c.RCC.BDCR&bdcrLSERDY != 0:
		return 32_768
	case p.n == 11 && v == tapHSERTC && c.RCC.CR&crHSERDY != 0:
		if div := uint64(c.RCC.CFGR >> 16 & 0x1F); div >= 2 {
			return c.opt.HSEHz / div
		}
	}
	return 0
}

// tapsChanged follows every change of OR and of the clocks.
func (c *Chip) tapsChanged() {
	for i := range c.Taps {
		tap, rate := &c.Taps[i], c.tapRate(i)
		if rate == tap.Rate {
			continue
		}
		*tap = timTap{Rate: rate}
		if rate == 0 {
			c.ScheduleAt(slotTap+i, clock.NeverTime)
			continue
		}
		tap.Line, tap.Edge = clock.NewTimeline(0, c.Time(), 2*rate), 1
		c.ScheduleAt(slotTap+i, tap.Line.Time(1))
	}
}

// tapEvent is an edge.
func (c *Chip) tapEvent(slot int, cycle uint64) {
	i := slot - slotTap
	tap, p := &c.Taps[i], &timTaps[i]
	rises := tap.Edge&1 != 0
	tap.Edge++
	c.ScheduleAt(slot, tap.Line.Time(tap.Edge))
	c.timer(p.n).input(p.channel, rises, cycle)
}

// storeOR puts a pin or a clock on an input.
func (t timer) storeOR(v uint32) {
	t.Or = v
	for i := range timTaps {
		if p := &timTaps[i]; p.n == t.info.n {
			t.Or &= p.mask << p.pos
			t.level(p.channel, !t.tapped(p.channel) && t.c.afIn(t.info.chan1+signal(p.channel)))
		}
	}
	t.c.tapsChanged()
}
