package k210

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Watchdogs (Synopsys DW_apb_wdt databook 1.07, SDK wdt.h): down-counters of IN0, divided. A
// timeout is 2^(16+TOP) clocks. With RMOD the first one interrupts, and a second one
// before that is cleared resets the part, as without RMOD the first does.
//
// As the databook says, a watchdog that runs is stopped by the reset of its block only; the
// SDK's wdt_stop does nothing.
//
// Left out: the length of the reset's pulse, the registers that tell how the block was
// configured.
type wdtState struct {
	CR, TORR uint32
	STAT     bool // interrupts
	Top      uint64
	Run      wdtCount
}

// wdtCount counts a clock, which may stand still. It computes the count when asked.
type wdtCount struct {
	Count uint64
	From  clock.Time // when Count was reached
	Hz    uint64     // 0: stands still
}

func (w *wdtCount) read(now clock.Time) uint64 {
	if w.Hz == 0 {
		return w.Count
	}
	t := clock.NewTimeline(w.Count, w.From, w.Hz)
	return t.CycleAt(now)
}

func (w *wdtCount) set(now clock.Time, count, hz uint64) { *w = wdtCount{count, now, hz} }

func (w *wdtCount) when(count uint64) clock.Time {
	if w.Hz == 0 {
		return clock.NeverTime
	}
	t := clock.NewTimeline(w.Count, w.From, w.Hz)
	return t.Time(max(count, w.Count))
}

const (
	wdtCR        = 0x00
	wdtTORR      = 0x04
	wdtCCVR      = 0x08
	wdtCRR       = 0x0C
	wdtSTAT      = 0x10
	wdtEOI       = 0x14
	wdtCOMP_TYPE = 0xFC

	wdtEN      = 1 << 0
	wdtRMOD    = 1 << 1
	wdtKept    = 0x1E
	wdtRestart = 0x76
	wdtType    = 0x44570120
)

func (c *Chip) wdtReset(n int) {
	c.WDT[n] = wdtState{}
	c.wdtUpdate(n)
}

// wdtClockChanged gives running watchdogs the rate that they have now.
func (c *Chip) wdtClockChanged() {
	for n := range c.WDT {
		if w := &c.WDT[n]; w.CR&wdtEN != 0 {
			if hz := c.wdtRate(n); hz != w.Run.Hz {
				now := c.Time()
				w.Run.set(now, w.Run.read(now), hz)
				c.wdtUpdate(n)
			}
		}
	}
}

// wdtRate is a watchdog's clock, or 0 while SYSCTL holds it.
func (c *Chip) wdtRate(n int) uint64 {
	if c.SYSCTL.CLK_EN_PERI>>(24+n)&1 == 0 {
		return 0
	}
	return c.wdtHz(n)
}

// wdtLoad begins a timeout of 2^(16+top) clocks.
func (c *Chip) wdtLoad(n int, top uint32) {
	w := &c.WDT[n]
	w.Top = 1 << (16 + top&15)
	w.Run.set(c.Time(), 0, c.wdtRate(n))
	c.wdtUpdate(n)
}

func (c *Chip) wdtUpdate(n int) {
	w := &c.WDT[n]
	c.setIRQ(irqWDT0+n, w.STAT)
	at := clock.NeverTime
	if w.CR&wdtEN != 0 {
		at = w.Run.when(w.Top)
	}
	c.ScheduleAt(slotWDT+n, at)
}

// wdtEvent is a timeout.
func (c *Chip) wdtEvent(n int) {
	w := &c.WDT[n]
	if w.CR&wdtRMOD == 0 || w.STAT {
		c.resetSoon(resetWDT0 << n)
		return
	}
	w.STAT = true
	c.wdtLoad(n, w.TORR)
}

type wdtDevice struct {
	*Chip
	n int
}

func (d wdtDevice) name() string { return [2]string{"WDT0", "WDT1"}[d.n] }

func (d wdtDevice) loadWord(off uint32) (uint32, bus.Fault) {
	w := &d.WDT[d.n]
	switch off {
	case wdtCR:
		return w.CR, bus.None
	case wdtTORR:
		return w.TORR, bus.None
	case wdtCCVR:
		return uint32(w.Top - min(w.Run.read(d.Time()), w.Top)), bus.None
	case wdtCRR:
		return 0, bus.None
	case wdtSTAT:
		return oneIf(w.STAT), bus.None
	case wdtEOI:
		v := oneIf(w.STAT)
		w.STAT = false
		d.wdtUpdate(d.n)
		return v, bus.None
	case wdtCOMP_TYPE:
		return wdtType, bus.None
	}
	return 0, d.unknown(d.name(), off)
}

func (d wdtDevice) storeWord(off, v uint32) bus.Fault {
	w := &d.WDT[d.n]
	switch off {
	case wdtCR:
		d.control(v)
	case wdtTORR:
		w.TORR = v & 0xFF
	case wdtCRR:
		if v&0xFF == wdtRestart {
			w.STAT = false
			if w.CR&wdtEN != 0 {
				d.wdtLoad(d.n, w.TORR)
			}
			d.wdtUpdate(d.n)
		}
	case wdtCCVR, wdtSTAT, wdtEOI, wdtCOMP_TYPE: // read-only
	default:
		return d.unknown(d.name(), off)
	}
	return bus.None
}

// control is a write to CR. The first timeout is TOP_INIT's.
func (d wdtDevice) control(v uint32) {
	w := &d.WDT[d.n]
	was := w.CR & wdtEN
	if was != 0 && v&wdtEN == 0 {
		d.warn("%s cannot be stopped by its CR", d.name())
	}
	w.CR = v&(wdtKept|wdtEN) | was
	if was == 0 && v&wdtEN != 0 {
		d.wdtLoad(d.n, w.TORR>>4)
	}
}
