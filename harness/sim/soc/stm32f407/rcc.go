package stm32f407

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Reset and clock control, RM0090 §7 (STM32F405/407).
//
// Choices where the manual gives no number: a switch of SYSCLK takes
// switchCycles of the old SYSCLK; ready flags fall together with their enable
// bits; new prescalers act at once. A step of HSITRIM is taken
// as 40 kHz; on the part it differs from chip to chip.

// rcc is the block's registers. CSR's reset flags and BDCR outlive a system
// reset.
type rcc struct {
	CR, PLLCFGR, CFGR, CIR uint32
	BDCR, CSR, PLLI2SCFGR  uint32
	ENR, RSTR, LPENR       [buses]uint32
	Tree                   clockTree
}

// clockTree is what the registers amount to (RM0090 §7.2, figure 21).
type clockTree struct {
	SYSCLK, HCLK uint64    // Hz
	PDiv         [2]uint64 // HCLK cycles per cycle of PCLK1, PCLK2
	PLL48        uint64    // Hz; 0 while the PLL is not locked
}

const (
	crHSION  = 1 << 0
	crHSIRDY = 1 << 1
	crHSEON  = 1 << 16
	crHSERDY = 1 << 17
	crHSEBYP = 1 << 18
	crCSSON  = 1 << 19
	crPLLON  = 1 << 24
	crPLLRDY = 1 << 25
	crPLLI2S = 1 << 26
	crWrite  = 0xF8 | crHSION | crHSEON | crHSEBYP | crPLLON

	pllSRC = 1 << 22

	cfgrMCO = 0xFFE00000 // MCO1, I2SSRC, MCO1PRE, MCO2PRE, MCO2
	swHSI   = 0
	swHSE   = 1
	swPLL   = 2

	cirLSIRDY = 1 << 0
	cirLSERDY = 1 << 1
	cirHSIRDY = 1 << 2
	cirHSERDY = 1 << 3
	cirPLLRDY = 1 << 4
	irqRCC    = 5

	csrLSION    = 1 << 0
	csrLSIRDY   = 1 << 1
	csrRMVF     = 1 << 24
	csrBORRSTF  = 1 << 25
	csrPINRSTF  = 1 << 26
	csrPORRSTF  = 1 << 27
	csrSFTRSTF  = 1 << 28
	csrIWDGRSTF = 1 << 29
	csrWWDGRSTF = 1 << 30
	csrFlags    = 0xFE000000

	bdcrLSEON  = 1 << 0
	bdcrLSERDY = 1 << 1
	bdcrBDRST  = 1 << 16
	bdcrRTCSEL = 3 << 8
	bdcrWrite  = 0x00008305

	ahb1CCM = 1 << 20
)

// HSI as trimmed in the factory (HSITRIM 16), and what a step of HSITRIM changes:
// our assumption, within the 1 % at most of DS8626 §6.3.9.
const (
	hsiHz      = 16_000_000
	hsiTrimmed = 16
	hsiStepHz  = 40_000
)

// Start-up times, DS8626 §6.3.8 to §6.3.10: HSI 2.2 us, LSI 15 us, LSE 2 s and
// HSE 2 ms (Options.HSEStartup) typical; the PLL locks within 75 to 300 us.
const (
	hsiStartup   = 2200 * clock.Nanosecond
	lsiStartup   = 15 * clock.Microsecond
	lseStartup   = 2 * clock.Second
	pllLock      = 200 * clock.Microsecond
	switchCycles = 4
)

// enrMask and rstrMask are the bits that exist, by bus.
var (
	enrMask  = [buses]uint32{0x7E7411FF, 0xC1, 1, 0x36FEC9FF, 0x00075F33}
	rstrMask = [buses]uint32{0x226011FF, 0xC1, 1, 0x36FEC9FF, 0x00075933}
)

// resetRCC is the system reset; what outlives it stays.
func (c *Chip) resetRCC() {
	r := &c.RCC
	bdcr, flags := r.BDCR, r.CSR&csrFlags
	*r = rcc{CR: 0x83, PLLCFGR: 0x24003010, PLLI2SCFGR: 0x20003000, BDCR: bdcr, CSR: flags}
	r.ENR[ahb1] = ahb1CCM
	r.LPENR = [buses]uint32{0x7E6791FF, 0xF1, 1, 0x36FEC9FF, 0x00075F33}
	c.setClocks(c.clockTree())
}

type rccDevice struct{ *Chip }

func (d rccDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	r := &d.RCC
	switch off {
	case 0x00:
		return uint64(r.CR), bus.None
	case 0x04:
		return uint64(r.PLLCFGR), bus.None
	case 0x08:
		return uint64(r.CFGR), bus.None
	case 0x0C:
		return uint64(r.CIR), bus.None
	case 0x70:
		return uint64(r.BDCR), bus.None
	case 0x74:
		return uint64(r.CSR), bus.None
	case 0x84:
		return uint64(r.PLLI2SCFGR), bus.None
	}
	if set, b := r.bank(off); set != nil {
		return uint64(set[b]), bus.None
	}
	return 0, d.unknown("RCC", off)
}

func (d rccDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	v := uint32(v64)
	switch off {
	case 0x00:
		return d.writeCR(v)
	case 0x04:
		d.writePLLCFGR(v)
	case 0x08:
		return d.writeCFGR(v)
	case 0x0C:
		d.RCC.CIR = (d.RCC.CIR&0xFF | v&0x3F00) &^ (v >> 16 & 0xFF)
		d.updateRCCIRQ()
	case 0x70:
		d.writeBDCR(v)
	case 0x74:
		d.writeCSR(v)
	case 0x84: // kept: clock set-up code writes it, and PLLI2SON is refused
		d.RCC.PLLI2SCFGR = v & 0x70007FC0
	default:
		return d.writeBank(off, v)
	}
	return bus.None
}

// bank finds the reset, enable or low-power enable register at an offset.
func (r *rcc) bank(off uint32) (set *[buses]uint32, b int) {
	sets := [...]*[buses]uint32{&r.RSTR, &r.ENR, &r.LPENR}
	if off < 0x10 || off > 0x64 {
		return nil, 0
	}
	i := (off - 0x10) / 0x20
	switch off - 0x10 - i*0x20 {
	case 0x00:
		return sets[i], ahb1
	case 0x04:
		return sets[i], ahb2
	case 0x08:
		return sets[i], ahb3
	case 0x10:
		return sets[i], apb1
	case 0x14:
		return sets[i], apb2
	}
	return nil, 0
}

func (c *Chip) writeBank(off, v uint32) bus.Fault {
	r := &c.RCC
	set, b := r.bank(off)
	switch set {
	case nil:
		return c.unknown("RCC", off)
	case &r.RSTR:
		v &= rstrMask[b]
		rising := v &^ r.RSTR[b]
		r.RSTR[b] = v
		c.resetByRCC(b, rising)
	case &r.ENR:
		remap := b == ahb1 && (r.ENR[b]^v)&ahb1CCM != 0
		c.timClockWillChange()
		c.wwdgClockWillChange()
		r.ENR[b] = v & enrMask[b]
		c.timClockChanged()
		c.wwdgClockChanged()
		c.dmaWake()
		if remap {
			c.mapMemory()
		}
	case &r.LPENR:
		r.LPENR[b] = v
	}
	return bus.None
}

// writeCR is §7.3.1. An oscillator that SYSCLK runs on, directly or through
// the PLL, cannot be switched off.
func (c *Chip) writeCR(v uint32) bus.Fault {
	r := &c.RCC
	switch {
	case v&crCSSON != 0:
		return c.lack("RCC.CR.CSSON")
	case v&crPLLI2S != 0:
		return c.lack("RCC.CR.PLLI2SON")
	}
	old := r.CR
	r.CR = old&^crWrite | v&crWrite | c.clocksInUse()
	c.setClocks(c.clockTree())
	c.oscillator(old, crHSION, crHSIRDY, slotHSI, hsiStartup)
	if !c.opt.NoHSE || r.CR&crHSEBYP != 0 {
		c.oscillator(old, crHSEON, crHSERDY, slotHSE, c.opt.HSEStartup)
	}
	c.updatePLL()
	c.rtcClockChanged()
	return bus.None
}

// clocksInUse are the enable bits of CR that SYSCLK needs, now or after the
// switch that SW asks for.
func (c *Chip) clocksInUse() (on uint32) {
	r := &c.RCC
	for _, sw := range []uint32{r.CFGR & 3, r.CFGR >> 2 & 3} {
		switch {
		case sw == swHSI:
			on |= crHSION
		case sw == swHSE:
			on |= r.CR & crHSEON
		case sw == swPLL && r.PLLCFGR&pllSRC != 0:
			on |= r.CR & (crPLLON | crHSEON)
		case sw == swPLL:
			on |= r.CR & crPLLON
			on |= crHSION
		}
	}
	return on
}

// oscillator follows a change of an enable bit of CR.
func (c *Chip) oscillator(old, on, ready uint32, slot int, startup clock.Time) {
	r := &c.RCC
	switch {
	case r.CR&on == 0:
		r.CR &^= ready
		c.ScheduleAt(slot, clock.NeverTime)
	case old&on == 0:
		c.ScheduleIn(slot, startup)
	}
}

// updatePLL starts or stops the PLL as its enable bit and its source demand.
func (c *Chip) updatePLL() {
	r := &c.RCC
	on := r.CR&crPLLON != 0 && c.pllSource() != 0 && c.pllConfigured()
	switch {
	case !on:
		c.ScheduleAt(slotPLL, clock.NeverTime)
		if r.CR&crPLLRDY != 0 {
			r.CR &^= crPLLRDY
			c.setClocks(c.clockTree())
		}
	case r.CR&crPLLRDY == 0 && c.Due[slotPLL] == clock.NeverTime:
		c.ScheduleIn(slotPLL, pllLock)
	}
}

// pllSource is the rate at the PLL's input, 0 while its oscillator does not
// run.
func (c *Chip) pllSource() uint64 {
	switch r := &c.RCC; {
	case r.PLLCFGR&pllSRC == 0 && r.CR&crHSIRDY != 0:
		return r.hsi()
	case r.PLLCFGR&pllSRC != 0 && r.CR&crHSERDY != 0:
		return c.opt.HSEHz
	}
	return 0
}

// hsi is the rate that HSITRIM makes of HSI.
func (r *rcc) hsi() uint64 {
	return hsiHz - hsiTrimmed*hsiStepHz + uint64(r.CR>>3&0x1F)*hsiStepHz
}

// pll splits PLLCFGR.
func (r *rcc) pll() (m, n, p, q uint64) {
	v := uint64(r.PLLCFGR)
	return v & 0x3F, v >> 6 & 0x1FF, 2 * (v>>16&3 + 1), v >> 24 & 0xF
}

// pllConfigured is false for the factors that §7.3.2 calls wrong. Rates out of
// the range that DS8626 §6.3.10 states become warnings: the model locks where
// the part may not.
func (c *Chip) pllConfigured() bool {
	m, n, _, q := c.RCC.pll()
	if m < 2 || n < 50 || n > 432 || q < 2 {
		c.warn("PLL enabled with a factor out of range: M %d, N %d, Q %d", m, n, q)
		return false
	}
	in := c.pllSource() / m
	if in < 950_000 || in > 2_100_000 {
		c.warn("PLL input of %d Hz is out of 0.95 to 2.1 MHz", in)
	}
	if vco := c.pllSource() * n / m; vco < 100_000_000 || vco > 432_000_000 {
		c.warn("PLL VCO of %d Hz is out of 100 to 432 MHz", vco)
	}
	return true
}

// writePLLCFGR is §7.3.2: fixed while the PLL is on.
func (c *Chip) writePLLCFGR(v uint32) {
	if c.RCC.CR&crPLLON != 0 {
		c.warn("RCC.PLLCFGR written while the PLL is on")
		return
	}
	c.RCC.PLLCFGR = v & 0x0F437FFF
	c.RCC.PLLCFGR |= v & 0x20000000
}

// writeCFGR is §7.3.3.
func (c *Chip) writeCFGR(v uint32) bus.Fault {
	r := &c.RCC
	if v&cfgrMCO != 0 {
		return c.lack("RCC.CFGR.MCO")
	}
	if v&3 == 3 {
		c.warn("RCC.CFGR.SW set to 3, which is not allowed")
		v = v&^3 | r.CFGR&3
	}
	r.CFGR = r.CFGR&0xC | v&^0xC
	c.setClocks(c.clockTree())
	c.checkClocks()
	c.requestSwitch()
	c.rtcClockChanged()
	return bus.None
}

// requestSwitch begins the change of SYSCLK that SW asks for, once its source
// is ready.
func (c *Chip) requestSwitch() {
	r := &c.RCC
	sw := r.CFGR & 3
	ready := [...]uint32{swHSI: crHSIRDY, swHSE: crHSERDY, swPLL: crPLLRDY}[sw]
	switch {
	case sw == r.CFGR>>2&3:
		c.ScheduleAt(slotSwitch, clock.NeverTime)
	case r.CR&ready != 0 && c.Due[slotSwitch] == clock.NeverTime:
		c.ScheduleIn(slotSwitch, clock.Time(switchCycles*uint64(clock.Second)/r.Tree.SYSCLK))
	}
}

// rccEvent is an oscillator or the PLL becoming ready, or the end of a switch
// of SYSCLK.
func (c *Chip) rccEvent(slot int) {
	r := &c.RCC
	switch slot {
	case slotHSI:
		c.ready(&r.CR, crHSIRDY, cirHSIRDY)
	case slotHSE:
		c.ready(&r.CR, crHSERDY, cirHSERDY)
	case slotPLL:
		c.ready(&r.CR, crPLLRDY, cirPLLRDY)
		c.setClocks(c.clockTree())
	case slotLSI:
		c.ready(&r.CSR, csrLSIRDY, cirLSIRDY)
		c.lsiReady()
	case slotLSE:
		c.ready(&r.BDCR, bdcrLSERDY, cirLSERDY)
	case slotSwitch:
		r.CFGR = r.CFGR&^0xC | r.CFGR&3<<2
		c.setClocks(c.clockTree())
		c.checkClocks()
		c.checkTrim()
		return
	}
	c.updatePLL()
	c.requestSwitch()
	c.rtcClockChanged()
}

// ready sets a ready flag, and its interrupt flag if that is enabled (§7.3.4).
func (c *Chip) ready(reg *uint32, flag, cir uint32) {
	*reg |= flag
	if c.RCC.CIR>>8&cir != 0 {
		c.RCC.CIR |= cir
	}
	c.updateRCCIRQ()
}

func (c *Chip) updateRCCIRQ() { c.irq(irqRCC, c.RCC.CIR&0x3F != 0) }

// writeBDCR is §7.3.20: behind the backup domain's write protection.
func (c *Chip) writeBDCR(v uint32) {
	r := &c.RCC
	if c.PWR.CR&pwrDBP == 0 {
		c.warn("RCC.BDCR written while PWR.CR.DBP is 0")
		return
	}
	old := r.BDCR
	if old&bdcrRTCSEL != 0 { // fixed until BDRST
		v = v&^bdcrRTCSEL | old&bdcrRTCSEL
	}
	r.BDCR = old&bdcrLSERDY | v&bdcrWrite
	if v&bdcrBDRST != 0 {
		r.BDCR = bdcrBDRST
	}
	switch {
	case r.BDCR&bdcrLSEON == 0:
		r.BDCR &^= bdcrLSERDY
		c.ScheduleAt(slotLSE, clock.NeverTime)
	case old&bdcrLSEON == 0:
		c.ScheduleIn(slotLSE, lseStartup)
	}
	if v&bdcrBDRST != 0 {
		c.resetRTC()
	}
	c.rtcClockChanged()
}

// writeCSR is §7.3.21.
func (c *Chip) writeCSR(v uint32) {
	r := &c.RCC
	if c.IWDG.On {
		v |= csrLSION // §7.2.5: forced on
	}
	old := r.CSR
	r.CSR = old&^csrLSION | v&csrLSION
	if v&csrRMVF != 0 {
		r.CSR &^= csrFlags
	}
	switch {
	case v&csrLSION == 0:
		r.CSR &^= csrLSIRDY
		c.ScheduleAt(slotLSI, clock.NeverTime)
	case old&csrLSION == 0:
		c.ScheduleIn(slotLSI, lsiStartup)
	}
	c.rtcClockChanged()
}

// clockTree derives all rates from the registers, in whole Hz.
func (c *Chip) clockTree() clockTree {
	r := &c.RCC
	t := clockTree{SYSCLK: r.hsi()}
	m, n, p, q := r.pll()
	switch r.CFGR >> 2 & 3 {
	case swHSE:
		t.SYSCLK = c.opt.HSEHz
	case swPLL:
		t.SYSCLK = max(c.pllSource()*n/(m*p), 1)
	}
	if r.CR&crPLLRDY != 0 {
		t.PLL48 = c.pllSource() * n / (m * q)
	}
	t.HCLK = max(t.SYSCLK/ahbDivider(r.CFGR>>4&0xF), 1)
	t.PDiv = [2]uint64{apbDivider(r.CFGR >> 10 & 7), apbDivider(r.CFGR >> 13 & 7)}
	return t
}

// ahbDivider decodes HPRE: 2 to 512, without 32.
func ahbDivider(v uint32) uint64 {
	switch {
	case v < 8:
		return 1
	case v < 12:
		return 2 << (v - 8)
	}
	return 64 << (v - 12)
}

// apbDivider decodes PPRE1 and PPRE2: 2 to 16.
func apbDivider(v uint32) uint64 {
	if v < 4 {
		return 1
	}
	return 2 << (v - 4)
}

// checkClocks warns of rates that the part is not made for (DS8626 §6.3.1,
// RM0090 §3.5.1 for a supply of 2.7 to 3.6 V).
func (c *Chip) checkClocks() {
	t := c.RCC.Tree
	limit := uint64(168_000_000)
	if c.PWR.CR&pwrVOS == 0 {
		limit = 144_000_000
	}
	if t.HCLK > limit {
		c.warn("HCLK of %d Hz is above %d Hz, the limit at this voltage scale", t.HCLK, limit)
	}
	for i, most := range []uint64{42_000_000, 84_000_000} {
		if hz := t.HCLK / t.PDiv[i]; hz > most {
			c.warn("PCLK%d of %d Hz is above %d Hz", i+1, hz, most)
		}
	}
	if ws := uint64(c.FLASH.ACR & 7); t.HCLK > (ws+1)*30_000_000 && ws < 5 {
		c.warn("flash read with %d wait states at an HCLK of %d Hz: the part misreads", ws, t.HCLK)
	}
}

// checkTrim warns when SYSCLK goes over to an HSI that the program has
// untrimmed, as a write of RCC.CR that means other bits easily does (§7.3.1:
// steps of around 40 kHz).
func (c *Chip) checkTrim() {
	r := &c.RCC
	sws := r.CFGR >> 2 & 3
	onHSI := sws == swHSI || sws == swPLL && r.PLLCFGR&pllSRC == 0
	if trim := int(r.CR >> 3 & 0x1F); onHSI && trim != 16 {
		c.warn("SYSCLK switched to HSI with HSITRIM %d instead of 16: its rate is off by some %d kHz", trim, 40*(trim-16))
	}
}
