package k210

import "rigor/harness/sim/clock"

type romState struct{}

const slotROMStep = slotROM

func (c *Chip) romReset()         { c.ScheduleAt(slotROMStep, clock.NeverTime) }
func (c *Chip) romStart()         {}
func (c *Chip) romEvent(slot int) {}

// romHandOver leaves clocks and gates as the ROM does when a program begins: ACLK
// 390 MHz from PLL0 at 780 MHz, APBs at half of it.
func (c *Chip) romHandOver() {
	s := &c.SYSCTL
	s.PLL[0], s.Locked[0] = 59<<4|1<<10|59<<14|pllPWRD|pllOUT_EN, true
	s.CLK_SEL[0] = selACLK | 1<<3 | 1<<6 | 1<<9
	s.CLK_EN_CENT |= 7 << 3
	s.CLK_EN_PERI |= 1<<0 | 1<<9 | 1<<19 | 1<<20 | 1<<26 | 1<<27
	c.setClocks()
}
