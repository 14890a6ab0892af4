package esp32c3

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Clocks, clock gates, resets and software interrupts: TRM Reset and Clock, and
// System Registers. A new clock is in effect at once: what the PLL needs to lock is
// waited for by the ROM's code, in a model of ours.
type systemRegs struct {
	CPU_PER_CONF   uint32
	PERIP_CLK_EN   [2]uint32
	PERIP_RST_EN   [2]uint32
	FROM_CPU       [4]uint32
	CACHE_CONTROL  uint32
	SYSCLK_CONF    uint32
	BT_LPCK        [2]uint32
	CPU_PERI       [2]uint32 // CPU_PERI_CLK_EN, CPU_PERI_RST_EN
	MEM_PD_MASK    uint32
	RSA_PD_CTRL    uint32
	EDMA_CTRL      uint32
	CLOCK_GATE     uint32
	MANUAL_ENCRYPT uint32 // EXTERNAL_DEVICE_ENCRYPT_DECRYPT_CONTROL
}

// clocks are what the clock tree gives, in Hz.
type clocks struct {
	CPU uint64
	APB uint64
}

// Oscillators. The crystal's rate is exact, those of the internal ones are the
// typical figures of TRM Reset and Clock, and as exact here.
const (
	xtalHz   = 40_000_000
	rcFastHz = 17_500_000
	rcSlowHz = 136_000

	xtalPeriod = clock.Second / xtalHz
)

// Fields of SYSCLK_CONF and CPU_PER_CONF.
const (
	sysPRE_DIV_CNT   = 0x3FF
	sysSOC_CLK_SEL   = 10 // 2 bits
	sysCLK_XTAL_FREQ = 12 // 7 bits, read-only, MHz
	sysCPUPERIOD_SEL = 3
	sysWritableClock = 0xFFF

	selXTAL   = 0
	selPLL    = 1
	selRCFast = 2

	sourceFromCPU = 50 // CPU_INTR_FROM_CPU_0 to 3
)

func (c *Chip) systemReset() {
	c.SYSTEM = systemRegs{
		CPU_PER_CONF:  0x0C,
		PERIP_CLK_EN:  [2]uint32{0xF9C1E06F, 0x200},
		PERIP_RST_EN:  [2]uint32{0, 0x1FE},
		CACHE_CONTROL: 5,
		SYSCLK_CONF:   1,
		BT_LPCK:       [2]uint32{0xFF, 0x02001001},
		CPU_PERI:      [2]uint32{0, 0xC0},
		MEM_PD_MASK:   1,
		RSA_PD_CTRL:   1,
		EDMA_CTRL:     1,
		CLOCK_GATE:    1,
	}
	c.setClocks(c.clockTree())
}

// clockTree is what the registers select (TRM Reset and Clock, CPU_CLK and
// APB_CLK). The PLL gives the CPU 80 or 160 MHz whether it runs at 320 or at 480.
func (c *Chip) clockTree() clocks {
	div := uint64(c.SYSTEM.SYSCLK_CONF&sysPRE_DIV_CNT) + 1
	switch c.SYSTEM.SYSCLK_CONF >> sysSOC_CLK_SEL & 3 {
	case selPLL:
		if c.SYSTEM.CPU_PER_CONF&sysCPUPERIOD_SEL == 0 {
			return clocks{CPU: 80_000_000, APB: 80_000_000}
		}
		return clocks{CPU: 160_000_000, APB: 80_000_000}
	case selRCFast:
		return clocks{CPU: rcFastHz / div, APB: rcFastHz / div}
	}
	return clocks{CPU: xtalHz / div, APB: xtalHz / div}
}

type systemDevice struct{ *Chip }

func (d systemDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	s := &d.SYSTEM
	if off == 0x58 {
		return uint64(s.SYSCLK_CONF | xtalHz/1_000_000<<sysCLK_XTAL_FREQ), bus.None
	}
	if r := s.stored(off); r != nil {
		return uint64(*r), bus.None
	}
	if off == 0xFFC {
		return 0x02007150, bus.None
	}
	return 0, d.unknown("SYSTEM", off)
}

func (d systemDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	s, v := &d.SYSTEM, uint32(v64)
	r := s.stored(off)
	if r == nil {
		return d.unknown("SYSTEM", off)
	}
	old := *r
	*r = v
	switch {
	case off == 0x08, off == 0x58:
		s.SYSCLK_CONF &= sysWritableClock
		return d.selectClocks(old, r)
	case off == 0x18, off == 0x1C:
		d.resetBySystem(int(off-0x18)/4, v&^old)
	case off >= 0x28 && off < 0x38:
		n := int(off-0x28) / 4
		s.FROM_CPU[n] &= 1
		d.source(sourceFromCPU+n, v&1 != 0)
	}
	return bus.None
}

// stored is the register at an offset, or nil.
func (s *systemRegs) stored(off uint32) *uint32 {
	switch {
	case off == 0x00, off == 0x04:
		return &s.CPU_PERI[off/4]
	case off == 0x08:
		return &s.CPU_PER_CONF
	case off == 0x0C:
		return &s.MEM_PD_MASK
	case off == 0x10, off == 0x14:
		return &s.PERIP_CLK_EN[(off-0x10)/4]
	case off == 0x18, off == 0x1C:
		return &s.PERIP_RST_EN[(off-0x18)/4]
	case off == 0x20, off == 0x24:
		return &s.BT_LPCK[(off-0x20)/4]
	case off >= 0x28 && off < 0x38:
		return &s.FROM_CPU[(off-0x28)/4]
	case off == 0x38:
		return &s.RSA_PD_CTRL
	case off == 0x3C:
		return &s.EDMA_CTRL
	case off == 0x40:
		return &s.CACHE_CONTROL
	case off == 0x44:
		return &s.MANUAL_ENCRYPT
	case off == 0x54:
		return &s.CLOCK_GATE
	case off == 0x58:
		return &s.SYSCLK_CONF
	}
	return nil
}

// selectClocks puts a new selection into effect, but refuses the values that the
// manual reserves.
func (c *Chip) selectClocks(old uint32, r *uint32) bus.Fault {
	s := &c.SYSTEM
	sel := s.SYSCLK_CONF >> sysSOC_CLK_SEL & 3
	if sel == 3 || sel == selPLL && s.CPU_PER_CONF&sysCPUPERIOD_SEL > 1 {
		*r = old
		return c.lack("SYSTEM's reserved selection of a CPU clock")
	}
	c.setClocks(c.clockTree())
	return bus.None
}

// resetBySystem resets the blocks whose bits of PERIP_RST_EN0 or 1 were set.
func (c *Chip) resetBySystem(n int, bits uint32) {
	for i := range c.blocks {
		b := &c.blocks[i]
		if b.gate >= 0 && int(b.gate)>>5 == n && bits>>(b.gate&31)&1 != 0 {
			c.resetBlock(b)
		}
	}
}

func (d systemDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, d.SYSTEM.stored(off) != nil)
}
