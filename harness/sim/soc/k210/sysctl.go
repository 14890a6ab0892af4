package k210

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// System controller: clocks, gates, resets and choices (SDK sysctl.h).
//
// What GIT_ID and the register behind it hold is not published: to the SDK that is the
// crystal's frequency, to Linux a baud rate. They fault.
//
// PLLs: the output is the input times CLKF+1, divided by CLKR+1 and CLKOD+1. How long
// they take to lock is assumed. While PLL0 has not locked, what runs by it stands
// still; here such a choice is told as a warning and IN0 is taken.
type sysctlState struct {
	PLL         [3]uint32
	Locked      [3]bool
	CLK_SEL     [2]uint32
	CLK_EN_CENT uint32
	CLK_EN_PERI uint32
	PERI_RESET  uint32
	CLK_TH      [7]uint32
	MISC        uint32
	PERI        uint32
	SPI_SLEEP   uint32
	STATUS      uint32 // RESET_STATUS
	DMA_SEL     [2]uint32
	POWER_SEL   uint32
	Hz          [3]uint64 // of the PLLs, 0 if they give none
}

const (
	in0Hz       = 26_000_000             // the crystal at IN0, as on every known board
	pllLockTime = 50 * clock.Microsecond // [A]
)

// Offsets of SYSCTL's registers.
const (
	syPLL0         = 0x08
	syPLL2         = 0x10
	syPLL_LOCK     = 0x18
	syROM_ERROR    = 0x1C
	syCLK_SEL0     = 0x20
	syCLK_SEL1     = 0x24
	syCLK_EN_CENT  = 0x28
	syCLK_EN_PERI  = 0x2C
	sySOFT_RESET   = 0x30
	syPERI_RESET   = 0x34
	syCLK_TH0      = 0x38
	syCLK_TH6      = 0x50
	syMISC         = 0x54
	syPERI         = 0x58
	sySPI_SLEEP    = 0x5C
	syRESET_STATUS = 0x60
	syDMA_SEL0     = 0x64
	syDMA_SEL1     = 0x68
	syPOWER_SEL    = 0x6C
)

// Bits of PLL0 to PLL2.
const (
	pllRESET  = 1 << 20
	pllPWRD   = 1 << 21 // powered
	pllBYPASS = 1 << 23
	pllOUT_EN = 1 << 25
)

// Bits of CLK_SEL0.
const (
	selACLK   = 1 << 0 // PLL0 rather than IN0
	selSPI3   = 1 << 12
	selTIMER0 = 1 << 13 // and the others' above
)

// Bits of RESET_STATUS: who reset the part last.
const (
	rsCLR  = 1 << 0
	rsPIN  = 1 << 1
	rsWDT0 = 1 << 2
	rsWDT1 = 1 << 3
	rsSOFT = 1 << 4
)

// sysctlReset is the reset state. Which clocks run at reset is not published; those of
// the harts and of memory must. [A]
func (c *Chip) sysctlReset(status uint32) {
	c.SYSCTL = sysctlState{CLK_EN_CENT: 7, STATUS: status}
	for n := range 3 {
		c.ScheduleAt(slotPLL+n, clock.NeverTime)
	}
}

// apbDivision is how many cycles of ACLK one of an APB takes (SDK sysctl.c,
// sysctl_clock_get_freq).
func (s *sysctlState) apbDivision(n int) uint64 { return uint64(s.CLK_SEL[0]>>(3+3*n)&7) + 1 }

// apbHz is the clock of an APB.
func (c *Chip) apbHz(n int) uint64 { return c.Timeline.Hz() / c.SYSCTL.apbDivision(n) }

// threshold is a field of CLK_TH0 to CLK_TH6.
func (s *sysctlState) threshold(reg, lsb, bits int) uint64 {
	return uint64(s.CLK_TH[reg] >> lsb & (1<<bits - 1))
}

// half is a clock behind an even divider.
func half(hz, threshold uint64) uint64 { return hz / (2 * (threshold + 1)) }

// timerHz is the clock of TIMER0 to TIMER2.
func (c *Chip) timerHz(n int) uint64 {
	return half(c.pll0Or(selTIMER0<<n), c.SYSCTL.threshold(2, 8*n, 8))
}

// spiHz is the clock that SPI0, SPI1 or SPI3 divides further.
func (c *Chip) spiHz(n int) uint64 {
	source := c.SYSCTL.Hz[0]
	if n == 3 {
		source = c.pll0Or(selSPI3)
	}
	return half(source, c.SYSCTL.threshold(1, 8*n, 8))
}

// wdtHz is the clock of WDT0 and WDT1.
func (c *Chip) wdtHz(n int) uint64 { return half(in0Hz, c.SYSCTL.threshold(6, 8*n, 8)) }

// i2sHz is the clock of I2S0 to I2S2: SCLK.
func (c *Chip) i2sHz(n int) uint64 {
	reg, lsb := 3, 16*n
	if n == 2 {
		reg, lsb = 4, 0
	}
	return half(c.SYSCTL.Hz[2], c.SYSCTL.threshold(reg, lsb, 16))
}

// pll0Or is PLL0 if a bit of CLK_SEL0 says so, or IN0.
func (c *Chip) pll0Or(sel uint32) uint64 {
	if c.SYSCTL.CLK_SEL[0]&sel != 0 {
		return c.SYSCTL.Hz[0]
	}
	return in0Hz
}

// pllHz is what a PLL's registers ask for, 0 if it gives nothing.
func (c *Chip) pllHz(n int) uint64 {
	r := c.SYSCTL.PLL[n]
	in := uint64(in0Hz)
	if n == 2 && r>>26&3 != 0 {
		in = c.SYSCTL.Hz[r>>26&3-1]
	}
	switch {
	case r&pllOUT_EN == 0:
		return 0
	case r&pllBYPASS != 0:
		return in
	case !c.SYSCTL.Locked[n]:
		return 0
	}
	return in * uint64(r>>4&63+1) / (uint64(r&15+1) * uint64(r>>10&15+1))
}

// setPLL is a write to PLL0 to PLL2. A PLL begins anew when its dividers change or it
// leaves reset.
func (c *Chip) setPLL(n int, v uint32) {
	s := &c.SYSCTL
	const dividers = 1<<20 - 1
	changed := (v^s.PLL[n])&(dividers|pllRESET|pllPWRD|3<<26) != 0
	s.PLL[n] = v
	works := v&pllPWRD != 0 && v&pllRESET == 0
	if changed || !works {
		s.Locked[n] = false
		c.ScheduleAt(slotPLL+n, clock.NeverTime)
	}
	if changed && works {
		c.ScheduleIn(slotPLL+n, pllLockTime)
	}
	c.setClocks()
}

// pllLocked is a PLL's lock.
func (c *Chip) pllLocked(n int) {
	c.SYSCTL.Locked[n] = true
	c.setClocks()
}

// setClocks puts a change of the clock tree into effect.
func (c *Chip) setClocks() {
	for n := range c.SYSCTL.Hz {
		c.SYSCTL.Hz[n] = c.pllHz(n)
	}
	if hz := c.aclkHz(); hz != c.Timeline.Hz() {
		c.SetHz(hz)
		c.interrupt() // Run's limit in cycles is another now
	}
	c.uarthsClockChanged()
	c.uartClockChanged()
	c.timerClockChanged()
	c.wdtClockChanged()
	c.i2sClockChanged()
	c.spiClockChanged()
	c.rtcClockChanged()
	c.fpioaClockChanged()
}

func (c *Chip) aclkHz() uint64 {
	s := &c.SYSCTL
	if s.CLK_SEL[0]&selACLK == 0 {
		return in0Hz
	}
	if s.Hz[0] == 0 {
		c.warn("ACLK chosen from PLL0, which does not run: the part stands still, the model goes on by IN0")
		return in0Hz
	}
	return s.Hz[0] >> (1 + s.CLK_SEL[0]>>1&3)
}

// sysctlDevice is the block's registers.
type sysctlDevice struct{ *Chip }

func (d sysctlDevice) loadWord(off uint32) (uint32, bus.Fault) {
	s := &d.SYSCTL
	if r := s.register(off); r != nil {
		return *r, bus.None
	}
	switch off {
	case syPLL_LOCK:
		return s.lock(), bus.None
	case syROM_ERROR, sySOFT_RESET:
		return 0, bus.None
	}
	return 0, d.unknown("SYSCTL", off)
}

// register is one that keeps what is written, or nil.
func (s *sysctlState) register(off uint32) *uint32 {
	switch {
	case off >= syPLL0 && off <= syPLL2:
		return &s.PLL[(off-syPLL0)/4]
	case off >= syCLK_TH0 && off <= syCLK_TH6:
		return &s.CLK_TH[(off-syCLK_TH0)/4]
	}
	switch off {
	case syCLK_SEL0:
		return &s.CLK_SEL[0]
	case syCLK_SEL1:
		return &s.CLK_SEL[1]
	case syCLK_EN_CENT:
		return &s.CLK_EN_CENT
	case syCLK_EN_PERI:
		return &s.CLK_EN_PERI
	case syPERI_RESET:
		return &s.PERI_RESET
	case syMISC:
		return &s.MISC
	case syPERI:
		return &s.PERI
	case sySPI_SLEEP:
		return &s.SPI_SLEEP
	case syRESET_STATUS:
		return &s.STATUS
	case syDMA_SEL0:
		return &s.DMA_SEL[0]
	case syDMA_SEL1:
		return &s.DMA_SEL[1]
	case syPOWER_SEL:
		return &s.POWER_SEL
	}
	return nil
}

// lock is PLL_LOCK: two bits of a byte for PLL0, one for the others' lock.
func (s *sysctlState) lock() (v uint32) {
	for n, locked := range s.Locked {
		if locked {
			v |= 3 << (8 * n)
		}
	}
	return v
}

func (d sysctlDevice) storeWord(off, v uint32) bus.Fault {
	s := &d.SYSCTL
	switch off {
	case syPLL0, syPLL0 + 4, syPLL2:
		d.setPLL(int(off-syPLL0)/4, v)
	case syPLL_LOCK: // clears slips, of which there are none
	case sySOFT_RESET:
		if v&1 != 0 {
			d.resetSoon(resetSoft)
		}
	case syPERI_RESET:
		rising := v &^ s.PERI_RESET
		s.PERI_RESET = v
		d.resetPeripherals(rising)
	case syRESET_STATUS:
		if v&rsCLR != 0 {
			s.STATUS = 0
		}
	case syDMA_SEL0, syDMA_SEL1:
		*s.register(off) = v
		d.dmacSelected()
	default:
		r := s.register(off)
		if r == nil {
			return d.unknown("SYSCTL", off)
		}
		*r = v
		d.setClocks()
	}
	return bus.None
}

// dmaRequest is the handshake that a channel of DMAC listens to (SDK sysctl.h,
// sysctl_dma_select_t).
func (s *sysctlState) dmaRequest(channel int) int {
	return int(s.DMA_SEL[channel/5] >> (6 * (channel % 5)) & 63)
}
