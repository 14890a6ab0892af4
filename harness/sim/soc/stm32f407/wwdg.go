package stm32f407

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Window watchdog, RM0090 §22.
//
// The prescaler runs freely from the block's reset, and a write of the counter
// leaves it alone: the first count comes up to one period early, as §22.4's
// times are upper bounds. The counter runs whether or not the watchdog is on,
// but not without the block's clock. Freezing in debug mode never happens here.
type wwdg struct {
	On   bool // WDGA
	T    uint32
	CFR  uint32
	EWIF bool
	Pre  uint64 // prescaler, in clocks of PCLK1
	At   uint64 // cycle as of which T and Pre hold
	Div  uint64 // cycles per PCLK1; 0 while the clock is off
}

const (
	irqWWDG = 0

	wwdgWDGA = 1 << 7
	wwdgEWI  = 1 << 9
	wwdgT6   = 0x40
)

type wwdgDevice struct{ *Chip }

func (d wwdgDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	d.wwdgSync()
	w := &d.WWDG
	switch off {
	case 0x00:
		return uint64(w.T | oneIf(w.On)<<7), bus.None
	case 0x04:
		return uint64(w.CFR), bus.None
	case 0x08:
		return uint64(oneIf(w.EWIF)), bus.None
	}
	return 0, d.unknown("WWDG", off)
}

func (d wwdgDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	d.wwdgSync()
	w, v := &d.WWDG, uint32(v64)
	switch off {
	case 0x00:
		d.wwdgReload(v)
	case 0x04: // EWI can only be set (§22.6.2)
		w.CFR = v&0x3FF | w.CFR&wwdgEWI
	case 0x08:
		w.EWIF = w.EWIF && v&1 != 0
	default:
		return d.unknown("WWDG", off)
	}
	d.wwdgApply()
	return bus.None
}

// wwdgReload is a write of CR: too early, or with T6 clear, it resets (§22.3).
func (c *Chip) wwdgReload(v uint32) {
	w := &c.WWDG
	if w.On && w.T > w.CFR&0x7F {
		c.resetSoon(csrWWDGRSTF)
		return
	}
	w.T = v & 0x7F
	w.On = w.On || v&wwdgWDGA != 0
	if w.On && w.T&wwdgT6 == 0 {
		c.resetSoon(csrWWDGRSTF)
	}
}

// period is the prescaler's, in clocks of PCLK1.
func (w *wwdg) period() uint64 { return 4096 << (w.CFR >> 7 & 3) }

// wwdgSync brings the counter up to now.
func (c *Chip) wwdgSync() {
	w, now := &c.WWDG, c.Cycle()
	if w.Div == 0 {
		w.At = now
		return
	}
	n := (now - w.At) / w.Div
	w.At += n * w.Div
	ticks := (w.Pre+n)/w.period() - w.Pre/w.period()
	w.Pre = (w.Pre + n) % (4096 << 3)
	if ticks >= uint64(w.T-wwdgT6)&0x7F && ticks > 0 && w.T != wwdgT6 {
		w.EWIF = true
	}
	w.T = (w.T - uint32(ticks)) & 0x7F
}

// in is how many cycles from At on the counter takes for so many counts.
func (w *wwdg) in(ticks uint64) uint64 {
	return (w.period() - w.Pre%w.period() + (ticks-1)*w.period()) * w.Div
}

// wwdgApply brings interrupt and deadline up to date. The deadline is the step
// to 0x40, which asks for the interrupt, and then the one to 0x3F.
func (c *Chip) wwdgApply() {
	w := &c.WWDG
	c.irq(irqWWDG, w.EWIF && w.CFR&wwdgEWI != 0)
	switch ticks := uint64(w.T-wwdgT6) & 0x7F; {
	case w.Div == 0 || !w.On && w.CFR&wwdgEWI == 0:
		c.Schedule(slotWWDG, clock.Never)
	case ticks == 0:
		c.Schedule(slotWWDG, w.At+w.in(1))
	default:
		c.Schedule(slotWWDG, w.At+w.in(ticks))
	}
}

func (c *Chip) wwdgEvent() {
	c.wwdgSync()
	if c.WWDG.On && c.WWDG.T&wwdgT6 == 0 {
		c.resetSoon(csrWWDGRSTF)
		return
	}
	c.wwdgApply()
}

// wwdgClockWillChange and wwdgClockChanged enclose a change of PCLK1 or of the
// block's clock gate.
func (c *Chip) wwdgClockWillChange() { c.wwdgSync() }

func (c *Chip) wwdgClockChanged() {
	w := &c.WWDG
	w.At, w.Div = c.Cycle(), 0
	if c.RCC.ENR[apb1]>>11&1 != 0 {
		w.Div = c.pclkDiv(1)
	}
	c.wwdgApply()
}

func (c *Chip) resetWWDG() {
	c.WWDG = wwdg{T: 0x7F, CFR: 0x7F}
	c.wwdgClockChanged()
}
