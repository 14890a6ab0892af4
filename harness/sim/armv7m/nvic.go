package armv7m

import "math/bits"

// ExcSet is a set of exception numbers, 0 to 255.
type ExcSet [4]uint64

func (s *ExcSet) has(n int) bool { return s[n>>6&3]>>(n&63)&1 != 0 }
func (s *ExcSet) set(n int)      { s[n>>6&3] |= 1 << (n & 63) }
func (s *ExcSet) clear(n int)    { s[n>>6&3] &^= 1 << (n & 63) }

func (s *ExcSet) put(n int, on bool) {
	if on {
		s.set(n)
	} else {
		s.clear(n)
	}
}

func (s *ExcSet) count() int {
	return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) + bits.OnesCount64(s[2]) + bits.OnesCount64(s[3])
}

// irqs returns external interrupts 32i to 32i+31, as the NVIC's registers show
// them.
func (s *ExcSet) irqs(i int) uint32 {
	n := excIRQ0 + 32*i
	v := s[n>>6] >> (n & 63)
	if n&63 > 32 && n>>6 < 3 {
		v |= s[n>>6+1] << (64 - n&63)
	}
	return uint32(v)
}

// noPriority is the execution priority of Thread mode with nothing masked: any
// exception pre-empts it.
const noPriority = 256

// groupPriority returns the part of exception n's priority that decides about
// pre-emption (DDI 0403E B1.5.4).
func (c *Core) groupPriority(n int) int16 {
	switch n {
	case excNMI:
		return -2
	case excHardFault:
		return -1
	}
	return int16(c.group(c.Sys.Priority[n]))
}

// group drops the subpriority of prio.
func (c *Core) group(prio uint8) uint8 {
	return prio &^ uint8(2<<c.Sys.PriGroup-1)
}

// fullPriority orders pending exceptions: group priority, then subpriority.
func (c *Core) fullPriority(n int) int16 {
	if n <= excHardFault {
		return c.groupPriority(n)
	}
	return int16(c.Sys.Priority[n])
}

// unmaskedPriority is the execution priority if PRIMASK were 0.
func (c *Core) unmaskedPriority() int16 {
	p := c.Sys.ActivePrio
	if c.Basepri != 0 {
		p = min(p, int16(c.group(c.Basepri)))
	}
	if c.Faultmask {
		p = min(p, -1)
	}
	return p
}

// executionPriority is ExecutionPriority() of DDI 0403E B1.5.4. An exception
// pre-empts if its group priority is numerically lower.
func (c *Core) executionPriority() int16 {
	p := c.unmaskedPriority()
	if c.Primask {
		p = min(p, 0)
	}
	return p
}

// updatePending sets attention when an exception may be due, and wakes the core
// if it sleeps for one. It is to be called after any change of masks; changes
// of the sets go through refreshExceptions.
func (c *Core) updatePending() {
	c.attention = c.Sys.BestPrio < c.executionPriority() || c.Sys.Transit.Busy
	if c.Sleep != Awake {
		c.wakeIfDue()
	}
}

// refreshExceptions recomputes what System derives from the exception sets.
func (c *Core) refreshExceptions() {
	s := &c.Sys
	s.Best, s.BestPrio, s.ActivePrio = 0, noPriority, noPriority
	best := int16(noPriority)
	for w := range s.Pending {
		for m := s.Pending[w] & s.Enabled[w]; m != 0; m &= m - 1 {
			n := w<<6 | bits.TrailingZeros64(m)
			if p := c.fullPriority(n); p < best {
				best, s.Best = p, uint16(n)
			}
		}
		for m := s.Active[w]; m != 0; m &= m - 1 {
			n := w<<6 | bits.TrailingZeros64(m)
			s.ActivePrio = min(s.ActivePrio, c.groupPriority(n))
		}
	}
	if s.Best != 0 {
		s.BestPrio = c.groupPriority(int(s.Best))
	}
	c.updatePending()
}

// setPending pends exception n. With SCR.SEVONPEND a new one is an event, even
// if it is disabled (DDI 0403E B1.5.18).
func (c *Core) setPending(n int) {
	if c.Sys.Pending.has(n) {
		return
	}
	c.Sys.Pending.set(n)
	if c.Sys.SCR&scrSEVONPEND != 0 {
		c.SetEvent()
	}
	if c.Sys.Enabled.has(n) {
		c.refreshExceptions()
	}
}

func (c *Core) clearPending(n int) {
	if c.Sys.Pending.has(n) {
		c.Sys.Pending.clear(n)
		c.refreshExceptions()
	}
}

// SetIRQ sets the level of external interrupt line n. A line pends its
// exception when it rises, and again when its handler returns and it is still
// high (DDI 0403E B3.4.1); a pulse is thus never lost, and a level is served
// until its source drops it. It panics if the core has no line n.
func (c *Core) SetIRQ(n int, level bool) {
	if n < 0 || n >= c.cfg.IRQs {
		panic("BUG: no such interrupt line")
	}
	exc := excIRQ0 + n
	if c.Sys.Line.has(exc) == level {
		return
	}
	c.Sys.Line.put(exc, level)
	if level {
		c.setPending(exc)
	}
}

// SetNMI pends the non-maskable interrupt.
func (c *Core) SetNMI() { c.setPending(excNMI) }

// NVIC register offsets from 0xE000E000 (DDI 0403E table B3-8).
const (
	nvicISER = 0x100
	nvicICER = 0x180
	nvicISPR = 0x200
	nvicICPR = 0x280
	nvicIABR = 0x300
	nvicIPR  = 0x400
	nvicEnd  = 0x4F0
)

// irqMask has a bit for each implemented interrupt of 32i to 32i+31.
func (c *Core) irqMask(i int) uint32 {
	n := c.cfg.IRQs - 32*i
	if n >= 32 {
		return ^uint32(0)
	}
	return 1<<max(n, 0) - 1
}

func (c *Core) nvicLoad(off uint32) (v uint32, known bool) {
	if off >= nvicIPR {
		return c.priorities(excIRQ0 + int(off-nvicIPR)), off < nvicEnd
	}
	i := int(off>>2) & 0x1F
	if i > 7 {
		return 0, false
	}
	switch off &^ 0x7F {
	case nvicISER, nvicICER:
		return c.Sys.Enabled.irqs(i), true
	case nvicISPR, nvicICPR:
		return c.Sys.Pending.irqs(i), true
	case nvicIABR:
		return c.Sys.Active.irqs(i), true
	}
	return 0, false
}

func (c *Core) nvicStore(off, v uint32) (known bool) {
	i := int(off>>2) & 0x1F
	if i > 7 {
		return false
	}
	if off&^0x7F == nvicIABR {
		return true // read only
	}
	for m := v & c.irqMask(i); m != 0; m &= m - 1 {
		c.nvicWriteBit(off&^0x7F, excIRQ0+32*i+bits.TrailingZeros32(m))
	}
	c.refreshExceptions()
	return true
}

func (c *Core) nvicWriteBit(reg uint32, exc int) {
	s := &c.Sys
	switch reg {
	case nvicISER:
		s.Enabled.set(exc)
	case nvicICER:
		s.Enabled.clear(exc)
	case nvicISPR:
		c.setPending(exc)
	case nvicICPR:
		if !s.Line.has(exc) { // an asserted level pends again at once
			s.Pending.clear(exc)
		}
	}
}

// priorities returns four priority fields, the first of them exception exc's.
func (c *Core) priorities(exc int) uint32 {
	var v uint32
	for i := 0; i < 4; i++ {
		v |= uint32(c.Sys.Priority[(exc+i)&0xFF]) << (8 * i)
	}
	return v
}

// setPriority writes one priority field; those without an exception behind
// them, and unimplemented bits, stay zero.
func (c *Core) setPriority(exc int, prio uint8) {
	if c.hasPriority(exc) {
		c.Sys.Priority[exc] = prio & c.priorityMask()
	}
}

func (c *Core) priorityMask() uint8 { return uint8(0xFF << (8 - c.cfg.PrioBits)) }

func (c *Core) hasPriority(exc int) bool {
	switch exc {
	case excMemManage, excBusFault, excUsageFault, excSVCall, excDebugMonitor, excPendSV, excSysTick:
		return true
	}
	return exc >= excIRQ0 && exc < excIRQ0+c.cfg.IRQs
}
