package armv7m

import "fmt"

// DWT is the cycle counter of the data watchpoint and trace unit (DDI 0403E
// C1.8). CYCCNT follows from the cycle; it stands still while the core sleeps,
// since the clock of a sleeping core is gated.
type DWT struct {
	Ctrl  uint32
	Count uint32 // CYCCNT at Since
	Since uint64 // in cycles awake
}

// ITM is the instrumentation trace unit as far as start-up code sets it up
// (C1.7). No trace port is connected: stimulus is accepted and dropped.
type ITM struct {
	TER, TPR, TCR uint32
	Unlocked      bool
}

// Offsets in their 4 KB blocks.
const (
	dwtCTRL   = 0x000
	dwtCYCCNT = 0x004
	dwtPCSR   = 0x01C
	dwtCOMP0  = 0x020
	dwtEnd    = 0x060

	itmStimulusEnd = 0x080
	itmTER         = 0xE00
	itmTPR         = 0xE40
	itmTCR         = 0xE80

	fpCTRL  = 0x000
	fpREMAP = 0x004
	fpCOMP0 = 0x008
	fpEnd   = 0x028

	lockLAR = 0xFB0
	lockLSR = 0xFB4
	lockKey = 0xC5ACCE55

	dwtNUMCOMP   = 4 << 28
	dwtCYCCNTENA = 1 << 0
	dwtCtrlMask  = 0x003F1FFF // the rest of it steers trace packets

	fpComparators = 0x260 // six for code, two for literals
	fpENABLE      = 1 << 0
	fpKEY         = 1 << 1
)

// awake counts the cycles in which the core's clock ran.
func (c *Core) awake() uint64 { return c.Cycle - c.Slept }

func (c *Core) cyccnt() uint32 {
	d := &c.Sys.DWT
	if d.Ctrl&dwtCYCCNTENA == 0 || c.Sys.DEMCR&demcrTRCENA == 0 {
		return d.Count
	}
	return d.Count + uint32(c.awake()-d.Since)
}

func (c *Core) setCyccnt(v uint32) {
	c.Sys.DWT.Count, c.Sys.DWT.Since = v, c.awake()
}

// traceEnable starts or stops the counter with DEMCR.TRCENA.
func (c *Core) traceEnable(on bool) {
	c.setCyccnt(c.cyccnt())
	c.Sys.DEMCR &^= demcrTRCENA
	if on {
		c.Sys.DEMCR |= demcrTRCENA
	}
}

// dwtRead knows the counter. A comparator's function reads as disabled, which
// is all it can be; its lock does not exist on the Cortex-M4.
func (c *Core) dwtRead(off uint32) (v uint32, known bool) {
	switch off {
	case dwtCTRL:
		return dwtNUMCOMP | c.Sys.DWT.Ctrl, true
	case dwtCYCCNT:
		return c.cyccnt(), true
	case lockLSR:
		return 0, true
	}
	return 0, dwtIsFunction(off)
}

func (c *Core) dwtWrite(off, v uint32) (known bool) {
	switch off {
	case dwtCTRL:
		c.setCyccnt(c.cyccnt())
		c.Sys.DWT.Ctrl = v & dwtCtrlMask
	case dwtCYCCNT:
		c.setCyccnt(v)
	case lockLAR, lockLSR:
	default:
		return dwtIsFunction(off) && v == 0
	}
	return true
}

func dwtIsFunction(off uint32) bool {
	return off >= dwtCOMP0 && off < dwtEnd && off&0xF == 8
}

func (c *Core) itmRead(off uint32) (v uint32, known bool) {
	t := &c.Sys.ITM
	switch off {
	case itmTER:
		return t.TER, true
	case itmTPR:
		return t.TPR, true
	case itmTCR:
		return t.TCR, true
	case lockLSR: // lock implemented, and whether it is closed
		if t.Unlocked {
			return 1, true
		}
		return 3, true
	}
	return 1, off < itmStimulusEnd // FIFO ready
}

func (c *Core) itmWrite(off, v uint32) (known bool) {
	t := &c.Sys.ITM
	switch {
	case off == lockLAR:
		t.Unlocked = v == lockKey
		return true
	case off == itmTER:
		t.put(&t.TER, v)
	case off == itmTPR:
		t.put(&t.TPR, v&0xF)
	case off == itmTCR:
		t.put(&t.TCR, v&0x007F0F1F)
	default:
		return off < itmStimulusEnd || off == lockLSR
	}
	return true
}

func (t *ITM) put(r *uint32, v uint32) {
	if t.Unlocked {
		*r = v
	}
}

func (c *Core) fpbRead(off uint32) (v uint32, known bool) {
	return fpComparators | c.Sys.FPB, off == fpCTRL
}

// fpbWrite accepts the unit's enable, and comparators being switched off.
func (c *Core) fpbWrite(off, v uint32) (known bool) {
	switch {
	case off == fpCTRL:
		if v&fpKEY != 0 {
			c.Sys.FPB = v & fpENABLE
		}
		return true
	case off >= fpCOMP0 && off < fpEnd:
		return v&1 == 0
	}
	return false
}

func dwtName(off uint32) string {
	counters := [...]string{"CTRL", "CYCCNT", "CPICNT", "EXCCNT", "SLEEPCNT", "LSUCNT", "FOLDCNT", "PCSR"}
	comparator := [...]string{"COMP", "MASK", "FUNCTION"}
	switch {
	case off <= dwtPCSR:
		return "DWT." + counters[off/4]
	case off < dwtEnd && off&0xC != 0xC:
		return fmt.Sprintf("DWT.%s%d", comparator[off&0xF/4], (off-dwtCOMP0)/16)
	}
	return lockName("DWT", off)
}

func itmName(off uint32) string {
	switch {
	case off < itmStimulusEnd:
		return fmt.Sprintf("ITM.STIM%d", off/4)
	case off == itmTER:
		return "ITM.TER"
	case off == itmTPR:
		return "ITM.TPR"
	case off == itmTCR:
		return "ITM.TCR"
	}
	return lockName("ITM", off)
}

func fpbName(off uint32) string {
	switch {
	case off == fpCTRL:
		return "FPB.FP_CTRL"
	case off == fpREMAP:
		return "FPB.FP_REMAP"
	case off < fpEnd:
		return fmt.Sprintf("FPB.FP_COMP%d", (off-fpCOMP0)/4)
	}
	return lockName("FPB", off)
}

func lockName(block string, off uint32) string {
	switch off {
	case lockLAR:
		return block + ".LAR"
	case lockLSR:
		return block + ".LSR"
	}
	return ""
}
