package stm32f407

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Independent watchdog, RM0090 §21.
//
// Timing: everything happens on edges of LSI, which runs at exactly 32 kHz, the
// typical rate of DS8626 §6.3.9, from the moment it is ready. The counter and
// its prescaler start over at the first edge after a reload, and the reset comes
// RLR+1 periods of the prescaler later (§21.3.3, table 108). A new PR or RLR
// takes 5 edges to arrive (§21.4.4). Freezing in debug mode never happens here.
type iwdg struct {
	On       bool
	Open     bool // PR and RLR may be written
	PR, RLR  uint32
	NewPR    uint32 // on their way while the update flags are set
	NewRLR   uint32
	PVU, RVU clock.Time // when they arrive; 0 when nothing is on its way
	Count    uint32     // the counter as loaded
	From     clock.Time // the edge at which it was
	LSIFrom  clock.Time // an edge of LSI
}

const (
	lsiHz     = 32_000
	lsiPeriod = clock.Second / lsiHz

	iwdgUpdate = 5 // edges

	iwdgUnlock = 0x5555
	iwdgReload = 0xAAAA
	iwdgStart  = 0xCCCC
)

type iwdgDevice struct{ *Chip }

func (d iwdgDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	d.iwdgSync()
	w := &d.IWDG
	switch off {
	case 0x00: // write-only, reads 0
		return 0, bus.None
	case 0x04:
		return uint64(w.PR), bus.None
	case 0x08:
		return uint64(w.RLR), bus.None
	case 0x0C:
		return uint64(oneIf(w.PVU != 0) | oneIf(w.RVU != 0)<<1), bus.None
	}
	return 0, d.unknown("IWDG", off)
}

func oneIf(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

func (d iwdgDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	d.iwdgSync()
	w, v := &d.IWDG, uint32(v64)
	switch off {
	case 0x00:
		d.iwdgKey(v & 0xFFFF)
	case 0x04:
		if d.iwdgMayWrite("PR", w.PVU) {
			w.NewPR, w.PVU = v&7, d.iwdgArrival()
		}
	case 0x08:
		if d.iwdgMayWrite("RLR", w.RVU) {
			w.NewRLR, w.RVU = v&0xFFF, d.iwdgArrival()
		}
	case 0x0C: // read-only
	default:
		return d.unknown("IWDG", off)
	}
	d.iwdgSchedule()
	return bus.None
}

// iwdgMayWrite tells whether PR or RLR takes a write (§21.3.2, §21.4.2).
func (c *Chip) iwdgMayWrite(name string, pending clock.Time) bool {
	switch {
	case !c.IWDG.Open:
		c.warn("IWDG.%s written without the key 0x5555", name)
	case pending != 0:
		c.warn("IWDG.%s written while an update is under way", name)
	default:
		return true
	}
	return false
}

func (c *Chip) iwdgKey(key uint32) {
	w := &c.IWDG
	w.Open = key == iwdgUnlock
	switch {
	case key == iwdgStart && !w.On:
		c.iwdgStart()
	case key == iwdgReload && w.On:
		w.Count, w.From = w.RLR, c.lsiEdge(1)
	}
}

// iwdgStart starts the counter at its reset value, and LSI with it, which
// nothing can stop before a reset (§7.2.5).
func (c *Chip) iwdgStart() {
	w := &c.IWDG
	w.On, w.Count = true, 0xFFF
	if c.RCC.CSR&csrLSIRDY == 0 {
		c.writeCSR(c.RCC.CSR&^csrRMVF | csrLSION)
		return // lsiReady goes on
	}
	w.From = c.lsiEdge(1)
	c.iwdgSchedule()
}

// lsiReady is LSI's first edge.
func (c *Chip) lsiReady() {
	w := &c.IWDG
	w.LSIFrom = c.Time()
	if w.PVU != 0 {
		w.PVU = c.lsiEdge(iwdgUpdate)
	}
	if w.RVU != 0 {
		w.RVU = c.lsiEdge(iwdgUpdate)
	}
	if w.On {
		w.From = c.lsiEdge(1)
	}
	c.iwdgSchedule()
}

// lsiEdge is the n-th edge of LSI from now.
func (c *Chip) lsiEdge(n int64) clock.Time {
	from := c.IWDG.LSIFrom
	return from + ((c.Time()-from)/lsiPeriod+clock.Time(n))*lsiPeriod
}

// iwdgArrival is when a value written now arrives: never, until LSI runs.
func (c *Chip) iwdgArrival() clock.Time {
	if c.RCC.CSR&csrLSIRDY == 0 {
		return clock.NeverTime
	}
	return c.lsiEdge(iwdgUpdate)
}

// iwdgSync lets what has arrived take effect.
func (c *Chip) iwdgSync() {
	w, now := &c.IWDG, c.Time()
	if w.PVU != 0 && w.PVU <= now {
		w.Count, w.From = w.countAt(w.PVU), max(w.From, w.PVU)
		w.PR, w.PVU = w.NewPR, 0
	}
	if w.RVU != 0 && w.RVU <= now {
		w.RLR, w.RVU = w.NewRLR, 0
	}
}

// countAt is the counter at a time: a new prescaler starts with what is left.
func (w *iwdg) countAt(at clock.Time) uint32 {
	if !w.On || at <= w.From {
		return w.Count
	}
	return w.Count - uint32((at-w.From)/w.period())
}

// period is that of the prescaler: 4 to 256 of LSI (§21.4.2).
func (w *iwdg) period() clock.Time { return lsiPeriod * 4 << min(w.PR, 6) }

// expiry is when the watchdog bites as things are.
func (w *iwdg) expiry() clock.Time { return w.From + clock.Time(w.Count+1)*w.period() }

func (c *Chip) iwdgSchedule() {
	w := &c.IWDG
	due := clock.NeverTime
	if w.On && c.RCC.CSR&csrLSIRDY != 0 {
		due = w.expiry()
		if w.PVU != 0 {
			due = min(due, w.PVU)
		}
	}
	c.ScheduleAt(slotIWDG, due)
}

// iwdgEvent is a new prescaler, or the end.
func (c *Chip) iwdgEvent() {
	c.iwdgSync()
	if c.Time() >= c.IWDG.expiry() {
		c.resetSoon(csrIWDGRSTF)
		return
	}
	c.iwdgSchedule()
}

func (c *Chip) resetIWDG() { c.IWDG = iwdg{RLR: 0xFFF} }
