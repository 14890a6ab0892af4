package armv7m

import "rigor/harness/sim/clock"

// SysTick is the system timer (DDI 0403E B3.3). It does not tick: its value
// follows from the cycle. Its ticks are those of the core clock, or every
// Config.RefDiv-th of them, counted from cycle 0, since the phase of the
// external reference is not published.
//
// A write takes effect in the cycle in which it is made and the first count
// follows one tick later; the part may be a cycle or two off, which shows in
// the first period only.
type SysTick struct {
	CSR  uint32 // ENABLE, TICKINT, CLKSOURCE, COUNTFLAG
	RVR  uint32
	Val  uint32 // the counter at Tick
	Tick uint64
	Next uint64 // cycle of the next interrupt
}

// Offsets from 0xE000E000 and bits.
const (
	sysTickCSR   = 0x010
	sysTickRVR   = 0x014
	sysTickCVR   = 0x018
	sysTickCALIB = 0x01C

	csrENABLE    = 1 << 0
	csrTICKINT   = 1 << 1
	csrCLKSOURCE = 1 << 2
	csrCOUNTFLAG = 1 << 16

	sysTickMask = 0x00FFFFFF
)

// nextSysEvent is the cycle of the core's own next event, clock.Never if it has
// none.
func (c *Core) nextSysEvent() uint64 { return c.Sys.SysTick.Next }

// sysEvent does what is due by Cycle.
func (c *Core) sysEvent() { c.syncSysTick() }

func (c *Core) sysTickDiv() uint64 {
	if c.Sys.SysTick.CSR&csrCLKSOURCE != 0 {
		return 1
	}
	return max(c.cfg.RefDiv, 1)
}

// syncSysTick brings the counter to the present cycle and pends the exception
// if it counted to zero.
func (c *Core) syncSysTick() {
	t := &c.Sys.SysTick
	now := c.Cycle / c.sysTickDiv()
	if t.CSR&csrENABLE != 0 {
		val, zero := countDown(t.Val, t.RVR, now-t.Tick)
		t.Val = val
		if zero {
			t.CSR |= csrCOUNTFLAG
			if t.CSR&csrTICKINT != 0 {
				c.setPending(excSysTick)
			}
		}
	}
	t.Tick = now
	c.scheduleSysTick()
}

// countDown lets a counter at v with the given reload value count n ticks, and
// says whether it counted from 1 to 0 on the way.
func countDown(v, reload uint32, n uint64) (val uint32, zero bool) {
	if n <= uint64(v) {
		return v - uint32(n), v > 0 && n == uint64(v)
	}
	n -= uint64(v) + 1 // ticks since the first reload
	if reload == 0 {
		return 0, v > 0
	}
	return reload - uint32(n%(uint64(reload)+1)), v > 0 || n >= uint64(reload)
}

// scheduleSysTick finds the next interrupt and has the present Run end for it.
func (c *Core) scheduleSysTick() {
	t := &c.Sys.SysTick
	t.Next = clock.Never
	if t.CSR&(csrENABLE|csrTICKINT) != csrENABLE|csrTICKINT {
		return
	}
	n := uint64(t.Val)
	if n == 0 {
		if t.RVR == 0 {
			return
		}
		n = uint64(t.RVR) + 1
	}
	t.Next = (t.Tick + n) * c.sysTickDiv()
	c.limit = min(c.limit, t.Next)
}

func (c *Core) sysTickRead(off uint32) (v uint32, known bool) {
	c.syncSysTick()
	t := &c.Sys.SysTick
	switch off {
	case sysTickCSR:
		v = t.CSR
		t.CSR &^= csrCOUNTFLAG
	case sysTickRVR:
		v = t.RVR
	case sysTickCVR:
		v = t.Val
	case sysTickCALIB:
		v = c.cfg.Calib
	}
	return v, true
}

func (c *Core) sysTickWrite(off, v uint32) (known bool) {
	c.syncSysTick()
	t := &c.Sys.SysTick
	switch off {
	case sysTickCSR:
		const rw = csrENABLE | csrTICKINT | csrCLKSOURCE
		t.CSR = t.CSR&csrCOUNTFLAG | v&rw
		t.Tick = c.Cycle / c.sysTickDiv()
	case sysTickRVR:
		t.RVR = v & sysTickMask
	case sysTickCVR: // any value clears
		t.Val = 0
		t.CSR &^= csrCOUNTFLAG
	}
	c.scheduleSysTick()
	return true
}
